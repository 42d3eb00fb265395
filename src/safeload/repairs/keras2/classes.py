"""Classes and arguments by the names that they had in tf.keras 1.x and early 2.x."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import config_of, rule

__all__ = ["RENAMED", "ROWS"]

RENAMED = {
    "BatchNormalizationV1": "BatchNormalization",  # tf.keras 1.13 - 2.1
    "BatchNormalizationV2": "BatchNormalization",
    "UnifiedLSTM": "LSTM",  # tf.keras 1.13, 1.14
    "UnifiedGRU": "GRU",
    "Network": "Model",  # Keras 2.2, tf.keras 1.13 - 2.1: a nested graph without training
    "ConvLSTM2DCell": "ConvLSTM2DCell",
}


def _renamed(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    name = str(layer.get("class_name"))
    if config_of(layer) is None or RENAMED[name] == name:
        return None
    return Repaired({**layer, "class_name": RENAMED[name]}, f"{name} is called {RENAMED[name]} now")


INITIALIZERS = {
    # tf.keras 1.x, `init_ops.py`: classes by their public names of TF 1.
    "GlorotUniformV2": "GlorotUniform",
    "GlorotNormalV2": "GlorotNormal",
    "glorot_uniform_initializer": "GlorotUniform",
    "glorot_normal_initializer": "GlorotNormal",
    "TFGlorotUniform": "GlorotUniform",
    "truncated_normal_initializer": "TruncatedNormal",
    "random_normal_initializer": "RandomNormal",
    "random_uniform_initializer": "RandomUniform",
    "zeros_initializer": "Zeros",
    "ones_initializer": "Ones",
    "constant_initializer": "Constant",
    "variance_scaling_initializer": "VarianceScaling",
    "orthogonal_initializer": "Orthogonal",
    "identity_initializer": "Identity",
    "glorot_uniform": "GlorotUniform",
    "glorot_normal": "GlorotNormal",
    "he_normal": "HeNormal",
    "he_uniform": "HeUniform",
    "lecun_normal": "LecunNormal",
    "lecun_uniform": "LecunUniform",
    "RandomUniformV2": "RandomUniform",
    "RandomNormalV2": "RandomNormal",
    "TruncatedNormalV2": "TruncatedNormal",
    "VarianceScalingV2": "VarianceScaling",
    "ConstantV2": "Constant",
    "OrthogonalV2": "Orthogonal",
    "IdentityV2": "Identity",
    "ZerosV2": "Zeros",
    "OnesV2": "Ones",
}


def _initializers(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or "layers" in config:
        return None
    changed = {key: _initializer(value) if key.endswith("_initializer") else value for key, value in config.items()}
    return Repaired({**layer, "config": changed}) if changed != config else None


def _initializer(value: Any) -> Any:
    """Without `dtype` (tf.keras 1.x; the variable's type decides), under its name of today."""
    if not isinstance(value, Mapping) or not isinstance(value.get("config"), Mapping):
        return value
    if any(isinstance(n, str) and ">" in n for n in (value.get("class_name"), value.get("registered_name"))):
        return value
    name = str(value.get("class_name"))
    inner = {k: v for k, v in value["config"].items() if k != "dtype"}
    if name in ("VarianceScaling", "VarianceScalingV2") and inner.get("distribution") == "normal":
        inner["distribution"] = "truncated_normal"  # what "normal" stood for until TF 1.13 and Keras 2.2
    return {**value, "class_name": INITIALIZERS.get(name, name), "config": inner}


ROWS = (
    LayerRepair(
        rule(
            730,
            "renamed-class",
            "a class under a name that was in use between two releases.",
            "no later Keras finds it.",
            "BatchNormalizationV1 (TensorFlow 1.13 and 1.14).",
            "tensorflow 1.14, `python/keras/layers/normalization.py`.",
        ),
        frozenset(RENAMED),
        _renamed,
    ),
    LayerRepair(
        rule(
            731,
            "initializer-form",
            "initializers as tf.keras 1.x stored them.",
            "their names and their `dtype` are not taken any more.",
            "{'class_name': 'GlorotUniform', 'config': {'seed': None, 'dtype': 'float32'}}.",
            "tensorflow 1.15, `python/ops/init_ops.py`.",
        ),
        None,
        _initializers,
    ),
)
