"""Keys and forms of Keras 2 configs that Keras 3 does not take, or takes under another name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, LayerRepair, Repaired

__all__ = ["ROWS"]


def _rule(number: int, name: str, sees: str, references: str) -> Rule:
    doc = f"""\
What it sees: {sees}
Why it matters: Keras 3 refuses the config as it is stored.
Example: a file of TensorFlow 2.4 in TensorFlow 2.21.
What to do: nothing; the repaired model gives the same numbers.
References: {references}
"""
    return Rule(f"SL{number}", name, Severity.NOTE, doc)


DROPPED: dict[str, tuple[frozenset[str] | None, tuple[Any, ...]]] = {
    # key: (classes that had it, values at which dropping it changes nothing)
    "time_major": (None, (False,)),
    "groups": (
        frozenset(
            {
                "DepthwiseConv2D",
                "DepthwiseConv1D",
                "SeparableConv1D",
                "SeparableConv2D",
                "Conv2DTranspose",
                "Conv3DTranspose",
            }
        ),
        (1,),
    ),
    "ragged": (frozenset({"InputLayer"}), (False,)),
    "implementation": (frozenset({"LSTM", "GRU", "SimpleRNN", "LSTMCell", "GRUCell", "SimpleRNNCell"}), (0, 1, 2)),
    "causal": (frozenset({"Attention", "AdditiveAttention"}), (False,)),
    "trainable": (frozenset({"SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "Discretization"}), (True,)),
    "input_length": (frozenset({"Embedding"}), (None,)),
    "fused": (frozenset({"BatchNormalization"}), (None, True, False)),
    "virtual_batch_size": (frozenset({"BatchNormalization"}), (None,)),
    "renorm": (frozenset({"BatchNormalization"}), (False,)),
}


def _drop(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping):
        return None
    name = str(layer.get("class_name"))
    gone = [
        key
        for key, (classes, values) in DROPPED.items()
        if key in config
        and (classes is None or name in classes)
        and any(config[key] is v or config[key] == v for v in values)
    ]
    if not gone:
        return None
    kept = {k: v for k, v in config.items() if k not in gone}
    return Repaired({**layer, "config": kept}, f"dropped {', '.join(gone)} at the default value")


def _input(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = dict(layer["config"])
    if "batch_input_shape" not in config:
        return None
    config["batch_shape"] = config.pop("batch_input_shape")
    return Repaired({**layer, "config": config})


def _sequential(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    listed = isinstance(config, list)
    layers = list(config if isinstance(config, list) else config["layers"])  # type: ignore[index]
    outer = {"name": "sequential"} if isinstance(config, list) else dict(config)  # type: ignore[arg-type]
    shape = None
    changed = []
    for i, child in enumerate(layers):
        inner = child.get("config")
        if child.get("class_name") != "InputLayer" and isinstance(inner, Mapping) and "batch_input_shape" in inner:
            inner = dict(inner)
            found = inner.pop("batch_input_shape")
            if i == 0:
                shape = found
                dtype = inner.get("dtype") if isinstance(inner.get("dtype"), str) else "float32"
            child = {**child, "config": inner}
        changed.append(child)
    if shape is not None:
        input_config = {"batch_shape": shape, "dtype": dtype, "sparse": False, "name": f"{outer['name']}_input"}
        changed.insert(0, {"class_name": "InputLayer", "config": input_config})
    if not listed and changed == layers:
        return None
    note = "the list of layers became a config with a name" if listed else "the input shape became an InputLayer"
    return Repaired({**layer, "config": {**outer, "layers": changed}}, note)


def _functional(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list):
        return None
    layers = []
    for child in config["layers"]:
        inner = child.get("config")
        if child.get("class_name") != "InputLayer" and isinstance(inner, Mapping) and "batch_input_shape" in inner:
            child = {**child, "config": {k: v for k, v in inner.items() if k != "batch_input_shape"}}
        layers.append(child)
    return Repaired({**layer, "config": {**config, "layers": layers}}) if layers != config["layers"] else None


def _walk(value: Any) -> Any:
    if isinstance(value, list):
        return [_walk(v) for v in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("class_name") in ("Policy", "PolicyV1") and isinstance(value.get("config"), Mapping):
        return {"class_name": "DTypePolicy", "config": {"name": value["config"].get("name", "float32")}}
    return {k: _walk(v) for k, v in value.items()}


def _forms(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or "layers" in config:
        return None
    changed: dict[str, Any] = {}
    for key, value in config.items():
        value = _walk(value) if key == "dtype" else value
        if key.endswith("initializer") and isinstance(value, Mapping) and isinstance(value.get("config"), Mapping):
            value = {**value, "config": {k: v for k, v in value["config"].items() if k != "dtype"}}
        if key == "axis" and isinstance(value, list) and len(value) == 1:
            value = value[0]
        changed[key] = value
    return Repaired({**layer, "config": changed}) if changed != config else None


ROWS = (
    LayerRepair(
        _rule(
            720,
            "sequential-form",
            "a Sequential stored as a list, or its input shape inside its first layer",
            "keras 2.2.3",
        ),
        frozenset({"Sequential"}),
        _sequential,
    ),
    LayerRepair(
        _rule(724, "repeated-input-shape", "batch_input_shape on layers behind an InputLayer", "keras 3.0"),
        None,
        _functional,
    ),
    LayerRepair(_rule(721, "input-shape", "batch_input_shape", "keras 3.0"), frozenset({"InputLayer"}), _input),
    LayerRepair(_rule(722, "dropped-arguments", "arguments that Keras 3 removed", "keras 3.0"), None, _drop),
    LayerRepair(
        _rule(723, "config-forms", "dtype policies, axes and initializers in their old form", "keras 3.0"), None, _forms
    ),
)
