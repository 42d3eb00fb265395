"""Where the shape of a model's input stands: in its first layer (Keras 2) or in an InputLayer (Keras 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from safeload.repairs.engine import Context, LayerRepair, Repaired, is_object
from safeload.repairs.forms import rule

__all__ = ["ROWS"]

_SHAPE_KEYS = ("batch_input_shape", "input_shape", "input_dim", "batch_size")
"""Arguments of any layer of Keras 2 that give the input's shape (`engine/base_layer.py`, 2.0 - 2.15)."""


def _input(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """An InputLayer: `batch_shape`, and none of the arguments that Keras 3 doesn't take."""
    config = layer.get("config")
    if not isinstance(config, Mapping):
        return None
    changed = dict(config)
    if "batch_input_shape" in changed:
        changed["batch_shape"] = changed.pop("batch_input_shape")
    elif "input_shape" in changed and "batch_shape" not in changed:
        shape = changed.pop("input_shape")
        changed["batch_shape"] = [changed.pop("batch_size", None), *(shape or ())]
    if changed.get("sparse") is None:
        changed.pop("sparse", None)
    changed.pop("input_dtype", None)
    return Repaired({**layer, "config": changed}) if changed != config else None


def _without_shape(child: Any) -> tuple[Any, Any]:
    """A layer without the shape of its input, and that shape with the batch axis; None where it has none."""
    inner = child.get("config") if isinstance(child, Mapping) else None
    if not isinstance(inner, Mapping) or child.get("class_name") == "InputLayer" or "layers" in inner:
        return child, None
    if not any(key in inner for key in _SHAPE_KEYS[:3]):
        return child, None
    kept = {k: v for k, v in inner.items() if k not in _SHAPE_KEYS}
    if inner.get("batch_input_shape") is not None:
        shape: Any = list(inner["batch_input_shape"])
    elif inner.get("input_shape") is not None:
        shape = [inner.get("batch_size"), *inner["input_shape"]]
    elif isinstance(inner.get("input_dim"), int):
        length = inner.get("input_length")
        shape = [inner.get("batch_size"), *([] if length is None else _ints(length)), inner["input_dim"]]
    else:
        shape = None
    if child.get("class_name") == "Embedding":
        kept["input_dim"] = inner.get("input_dim")  # its own argument: the number of words
        if inner.get("batch_input_shape") is None and inner.get("input_shape") is None:
            shape = None
    return {**child, "config": kept}, shape


def _ints(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _sequential(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list) or not config["layers"]:
        return None
    stripped = [_without_shape(child) for child in config["layers"]]
    layers = [child for child, _ in stripped]
    first, shape = layers[0], stripped[0][1]
    if shape is None and is_object(first) and first["class_name"] != "InputLayer":
        shape = _shape_of(first)
    note = None
    if shape is not None and first.get("class_name") != "InputLayer":
        dtype = _input_dtype(first)
        name = _free(f"{config.get('name', 'sequential')}_input", layers)
        inner = {"batch_shape": shape, "dtype": dtype, "sparse": False, "name": name}
        layers = [{"class_name": "InputLayer", "config": inner}, *layers]
        note = "the input shape became an InputLayer"
    changed = {k: v for k, v in config.items() if k != "build_input_shape" or shape is None}
    changed["layers"] = layers
    return Repaired({**layer, "config": changed}, note) if changed != config else None


def _input_dtype(layer: Mapping[str, Any]) -> str:
    """What the InputLayer held that Keras 2 made: the layer's dtype; int32 for words until tf.keras 2.0."""
    dtype = layer["config"].get("dtype")
    if isinstance(dtype, str) and not dtype.startswith("mixed"):
        return dtype
    return "float32"


def _shape_of(layer: Mapping[str, Any]) -> Any:
    """The shape of the input of a model that comes first in a Sequential: Keras 3 doesn't look inside for it."""
    config = layer.get("config")
    if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list):
        return None
    inputs = [x for x in config["layers"] if is_object(x) and x["class_name"] == "InputLayer"]
    entries = config.get("input_layers")
    if isinstance(entries, list) and len(inputs) != 1:
        return None
    return inputs[0]["config"].get("batch_shape") if inputs else None


def _free(name: str, layers: Sequence[Any]) -> str:
    """The name, or with a number where one of the layers has it: Keras 3 takes each name once in a model."""
    taken = {x["config"].get("name") for x in layers if is_object(x) and isinstance(x["config"], Mapping)}
    candidate, number = name, 1
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def _inside(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Layers of a functional model, and layers in wrappers: their inputs are known, the copied shape is dropped."""
    config = layer.get("config")
    if not isinstance(config, Mapping):
        return None
    changed = dict(config)
    if isinstance(config.get("layers"), list) and layer.get("class_name") != "Sequential":
        changed["layers"] = [_without_shape(child)[0] for child in config["layers"]]
    for slot in ("layer", "backward_layer", "cell"):
        if is_object(config.get(slot)):
            changed[slot] = _without_shape(config[slot])[0]
    return Repaired({**layer, "config": changed}) if changed != config else None


ROWS = (
    LayerRepair(
        rule(
            720,
            "sequential-form",
            "the shape of a Sequential's input inside its first layer.",
            "Keras 3 wants an InputLayer; without one the model has no weights before it is called.",
            "every Sequential of Keras 2.0 to TensorFlow 2.3.",
            "keras 3.0, `models/sequential.py`; tensorflow 2.4.",
        ),
        frozenset({"Sequential"}),
        _sequential,
    ),
    LayerRepair(
        rule(
            724,
            "repeated-input-shape",
            "the shape of the input on layers behind an InputLayer, or inside wrappers.",
            "Keras 3 refuses it, or takes the batch axis for a part of the shape.",
            "batch_input_shape of a Dense inside a Bidirectional's or TimeDistributed's config.",
            "keras 3.0, `layers/layer.py`.",
        ),
        None,
        _inside,
    ),
    LayerRepair(
        rule(
            721,
            "input-shape",
            "batch_input_shape of an InputLayer.",
            "it is called batch_shape in Keras 3.",
            "{'batch_input_shape': [None, 28, 28]}.",
            "keras 3.0, `layers/core/input_layer.py`.",
        ),
        frozenset({"InputLayer"}),
        _input,
    ),
)
