"""Arguments of layers that Keras 2 doesn't have: dropped where they change nothing, renamed, or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from safeload.objects.catalog import builtin
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.keras3_to_2.own import accepted, class_of, own_class
from safeload.repairs.keras3_to_2.rules import rule
from safeload.repairs.refusal import refusal

__all__ = ["ROWS", "repaired"]

_ANY: tuple[Any, ...] = ("any",)
_CHANNELS = (None, "channels_last")

NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    # argument: the values at which a layer does what Keras 2's does; _ANY where it never matters for the numbers
    "autocast": (True,),
    "quantization_config": (None,),
    "quantization_mode": (None,),
    "lora_rank": (None,),
    "lora_alpha": (None,),
    "gptq_unpacked_column_size": _ANY,
    "rms_scaling": (False,),
    "zero_output_for_mask": (False,),
    "seed": _ANY,
    "use_gate": (False, None),
    "sliding_window": (None,),
    "flash_attention": _ANY,
    "use_cudnn": _ANY,
    "data_format": _CHANNELS,
    "value_range": ([0, 255], (0, 255), None),
    "bounding_box_format": _ANY,
    "factor": (None,),
    "pad_to_aspect_ratio": (False,),
    "antialias": (False,),
    "oov_method": (None, "floormod"),
    "salt": (None,),
    "optional": (False,),
    "synchronized": (False,),
    "ragged": (False,),
    "batch_shape": (),
    "score_mode": ("dot",),
    "weights": (None,),
}

RENAMED: Mapping[str, Mapping[str, str]] = {
    "LeakyReLU": {"negative_slope": "alpha"},
    "InputLayer": {"batch_shape": "batch_input_shape"},
}

_RECURRENT = frozenset({"RNN", "LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})


def _neutral(value: Any, values: tuple[Any, ...]) -> bool:
    return values is _ANY or any(value is v or (type(value) is type(v) and value == v) for v in values)


def _resizing(config: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """What the padding is filled with matters only where there is padding."""
    unused = () if config.get("pad_to_aspect_ratio") else ("fill_mode", "fill_value")
    return {k: v for k, v in config.items() if k not in unused}


def _lambda(config: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """Keras 2 stores beside a function of which type it is."""
    changed = {"function_type": "function", "module": None, "arguments": {}, **config}
    shape = config.get("output_shape")
    if isinstance(shape, Mapping):
        changed["output_shape_type"] = "function"
    else:
        changed.update(output_shape=shape, output_shape_type="raw")
    changed["output_shape_module"] = None
    if changed.get("mask") is None:
        changed.pop("mask", None)
    else:
        changed.update(mask_type="function", mask_module=None)
    return changed


def _text_vectorization(config: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """Keras 2's layer takes strings in, and says so by its dtype; several lengths of n-grams have to be a tuple."""
    ngrams = config.get("ngrams")
    if isinstance(ngrams, list):
        ngrams = {"class_name": "__tuple__", "items": ngrams}
    return {**config, "dtype": "string", "ngrams": ngrams}


def _numbering(config: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """Bins and words are numbered by integers; Keras 3.15 stores the float type of the layer's policy."""
    return {k: v for k, v in config.items() if not (k == "dtype" and config.get("output_mode") == "int")}


def _bins(config: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """Keras 3 stores the bins that were learned beside how many they should be; Keras 2 takes one of both."""
    kept = _numbering(config, layer)
    if kept.get("bin_boundaries") is not None:
        kept.pop("num_bins", None)
    return kept


def _attention(config: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """Keras 2 stores the shapes on which the layer was built in its config (`MultiHeadAttention.from_config`)."""
    build = layer.get("build_config")
    shapes = build.get("shapes_dict") if isinstance(build, Mapping) else None
    shapes = shapes if isinstance(shapes, Mapping) else {}
    query, value = shapes.get("query_shape"), shapes.get("value_shape")
    key = shapes.get("key_shape") or value
    return {**config, "query_shape": query, "value_shape": value, "key_shape": key}


SPECIAL: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]] = {
    "Resizing": _resizing,
    "Lambda": _lambda,
    "TextVectorization": _text_vectorization,
    "Discretization": _bins,
    **dict.fromkeys(("StringLookup", "IntegerLookup"), _numbering),
    "MultiHeadAttention": _attention,
}

_STORED = {
    "MultiHeadAttention": ("query_shape", "value_shape", "key_shape"),
    **dict.fromkeys(("StringLookup", "IntegerLookup", "TextVectorization"), ("vocabulary_size",)),
}
"""Keys of Keras 2 configs that are no arguments."""


def repaired(layer: Mapping[str, Any], context: Context) -> Mapping[str, Any]:
    """A layer of Keras 3 with the arguments of Keras 2's.

    Raises:
        VersionMismatchError: The layer, or the value of an argument, has no equal in Keras 2.
    """
    name = class_of(layer)
    config = layer.get("config")
    if own_class(layer, "layer") is None or not isinstance(config, Mapping):
        return layer
    found = builtin("keras2", "layer", name)
    if found is None or not found.is_in(context.runtime.keras_version):
        raise refusal(context, f"the layer {config.get('name')!r} is a {name}, which this Keras 2 doesn't have")
    if name == "RandomCrop" and context.writer.version >= (3, 6):
        raise refusal(context, f"the RandomCrop {config.get('name')!r} crops in training alone since Keras 3.6")
    if name in SPECIAL:
        config = SPECIAL[name](config, layer)
    renamed = RENAMED.get(name, {})
    known = accepted(name, context.runtime.keras_version)
    if known is not None:
        known |= frozenset(_STORED.get(name, ()))
    kept: dict[str, Any] = {}
    for key, value in config.items():
        key = renamed.get(key, key)
        if key == "zero_output_for_mask" and value is True and name in _RECURRENT:
            kept[key] = value
            continue
        if key in NEUTRAL and _neutral(value, NEUTRAL[key]) and (known is None or key not in known):
            continue
        if known is not None and key not in known and key not in renamed.values() and name != "Lambda":
            shown = value.get("class_name") if isinstance(value, Mapping) else repr(value)
            raise refusal(context, f"the {name} {config.get('name')!r} has {key}={shown}, an argument of Keras 3")
        kept[key] = value
    if name == "SpectralNormalization":
        own = "safeload>SpectralNormalization"
        return {**layer, "class_name": own, "registered_name": own, "module": None, "config": kept}
    return {**layer, "config": kept} if kept != layer["config"] else layer


def _arguments(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    done = repaired(layer, context)
    if done is layer:
        return None
    gone = sorted(layer["config"].keys() - done["config"].keys())
    return Repaired(done, f"{', '.join(gone)}: at values that Keras 2 has" if gone else None)


ROWS = (
    LayerRepair(
        rule(
            777,
            "keras3-arguments",
            "arguments of layers that Keras 2 doesn't have, or has under another name",
            "`LeakyReLU(negative_slope=0.1)`, which is `LeakyReLU(alpha=0.1)` in Keras 2",
        ),
        None,
        _arguments,
    ),
)
