"""The names that Keras itself brings, by dialect and kind; made by tools/make_catalog.py and reviewed."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["KINDS", "Builtin", "builtin", "is_alias", "names"]

KINDS = (
    "layer model operation initializer regularizer constraint activation loss metric optimizer schedule dtype_policy "
    "quantization random"
).split()

_MODULES = {
    "layer": "keras.layers",
    "model": "keras",
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "activation": "keras.activations",
    "loss": "keras.losses",
    "metric": "keras.metrics",
    "optimizer": "keras.optimizers",
    "schedule": "keras.optimizers.schedules",
    "dtype_policy": "keras",
    "quantization": "keras.quantizers",
    "random": "keras.random",
}
"""The module under which Keras' deserializers know each kind."""

_EXTRA = {
    # Names that are no public attributes, or that have rules of their own.
    ("keras2", "layer"): ("Lambda", "TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty",
                          "TensorFlowOpLayer", "AddLoss", "AddMetric", "BatchNormalizationV1", "BatchNormalizationV2"),
    ("keras3", "layer"): ("Lambda",),
    ("keras2", "model"): ("Functional",),
    ("keras3", "model"): ("Functional",),
    ("keras2", "dtype_policy"): ("PolicyV1", "Policy"),
    ("keras2", "optimizer"): ("LossScaleOptimizer", "LossScaleOptimizerV3", "LossScaleOptimizerV1"),
}  # fmt: skip

_LEGACY = frozenset({"ThresholdedReLU", "RandomHeight", "RandomWidth"})
"""Layers that Keras 3 keeps under `keras._legacy.layers` alone, for files."""


_ALIASES = {
    # Short names that `compile` and `get` take, in one Keras or another.
    "loss": "mse mae mape msle bce bfce kld kullback_leibler_divergence logcosh log_cosh cosine_proximity "
    "cosine_similarity huber huber_loss hinge",
    "metric": "accuracy acc crossentropy ce mse mae mape msle bce kld cosine_proximity cosine logcosh",
    "initializer": "normal uniform one zero",
    "regularizer": "l1l2 activity_l2 activity_l1 activity_l1l2",
    "constraint": "maxnorm nonneg unitnorm unit_norm",
    "activation": "leaky_relu swish silu gelu relu6",
    "optimizer": "adam adamax adagrad adadelta adamw adafactor ftrl lion nadam rmsprop sgd lamb muon",
}


@dataclass(frozen=True, slots=True)
class Builtin:
    """One of Keras' own: its kind, where it lives below the package, and the arguments that it takes (None: any)."""

    kind: str
    name: str
    path: str
    module: str
    arguments: tuple[str, ...] | None = None
    versions: tuple[str, ...] = ()


@functools.cache
def _tables() -> dict[str, dict[str, dict[str, list[object]]]]:
    text = Path(__file__).with_name("catalog.json").read_text(encoding="utf-8")
    tables: dict[str, dict[str, dict[str, list[object]]]] = json.loads(text)
    return tables


def names(dialect: str, kind: str) -> Mapping[str, object]:
    """The built-in names of a kind."""
    extra = dict.fromkeys(_EXTRA.get((dialect, kind), ()))
    return {**extra, **_tables()[dialect].get(kind, {})}


def is_alias(kind: str, name: str) -> bool:
    """Whether a bare string in a slot of that kind is one of Keras' short names."""
    return name in _ALIASES.get(kind, "").split()


@functools.cache
def builtin(dialect: str, kind: str, name: str) -> Builtin | None:
    """Keras' own object of that kind and name; None when there is none."""
    row = _tables()[dialect].get(kind, {}).get(name)
    if row is None:
        if dialect == "keras3" and kind == "layer" and name in _LEGACY:
            return Builtin(kind, name, f"src.legacy.layers.{name}", "keras._legacy.layers")
        if name not in _EXTRA.get((dialect, kind), ()):
            return None
        home = "src.models.functional.Functional" if name == "Functional" else f"layers.{name}"
        return Builtin(kind, name, home, _module(kind, name, home))
    path, arguments, versions = row
    assert isinstance(path, str) and isinstance(versions, list)
    taken = tuple(arguments) if isinstance(arguments, list) else None
    return Builtin(kind, name, path, _module(kind, name, path), taken, tuple(versions))


def _module(kind: str, name: str, path: str) -> str:
    if path.startswith("src."):
        return "keras." + path.rpartition(".")[0]
    return _MODULES[kind]
