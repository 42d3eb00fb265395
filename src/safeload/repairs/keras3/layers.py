"""Layers whose arguments, or whose numbers, have changed inside Keras 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.refusal import refusal

__all__ = ["ROWS"]

DRIFT = Rule(
    "SL774",
    "keras3-layer-drift",
    Severity.NOTE,
    """\
What it sees: a layer that a later Keras 3 takes differently: `Discretization` with an integer dtype (up to 3.11),
`RandomRotation(value_range=)` (3.4 to 3.8), `RandomCrop` (up to 3.5, it also crops when the model predicts), `RandomShear(0.1)`, which Keras stores as
a range that it doesn't take.
Why it matters: Keras 3.15 rounds the input of such a Discretization to integers before it looks for the bin, refuses
the argument, and hands the whole image on: wrong numbers, silently.
Example: `Discretization([0., 0.2])` written by Keras 3.3.
What to do: nothing; the repaired layer does what it did where it was written.
References: keras 3.6, `RandomCrop`; keras 3.12, `Discretization.__init__`.
""",
)


def _discretization(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer["config"]
    if config.get("output_mode") != "int" or context.runtime.keras_version < (3, 12):
        return None
    if "dtype" not in config:
        return None
    kept = {k: v for k, v in config.items() if k != "dtype"}
    return Repaired({**layer, "config": kept}, "its integer dtype is that of the output alone")


def _rotation(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if "value_range" not in layer["config"]:
        return None
    return Repaired({**layer, "config": {k: v for k, v in layer["config"].items() if k != "value_range"}})


def _shear(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Its config holds the range that it made of the argument, which the argument may not be: [-0.1, 0.1] of 0.1."""
    config = dict(layer["config"])
    for key in ("x_factor", "y_factor"):
        value = config.get(key)
        if isinstance(value, list) and len(value) == 2 and value[0] == -value[1]:
            config[key] = value[1]
    return Repaired({**layer, "config": config}) if config != layer["config"] else None


def _root_mean_square(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Keras 3.0 stored no `rms_scaling`; only what it leaves out, the offset, tells it."""
    config = layer["config"]
    if "rms_scaling" in config or not config.get("center", True) or not config.get("scale", True):
        return None
    stored = context.entries()
    if stored is None or len(stored) != 1:
        return None
    changed = {**layer, "config": {**config, "rms_scaling": True}}
    return Repaired(changed, "rms_scaling: it has no offset among its weights")


def _crop(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if context.runtime.dialect != "keras3" or context.runtime.keras_version < (3, 6):
        return None
    if layer["config"].get("data_format", "channels_last") != "channels_last":
        raise refusal(context, f"{layer['config'].get('name')!r} crops images with the channels first")
    own = "safeload>RandomCrop"
    config = {k: v for k, v in layer["config"].items() if k != "data_format"}
    changed = {**layer, "class_name": own, "registered_name": own, "module": None, "config": config}
    return Repaired(changed, "RandomCrop that also crops when it does not train")


def _one_hot(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Up to Keras 3.3, one-hot codes of a column got an axis of their own."""
    build = layer.get("build_config")
    shape = build.get("input_shape") if isinstance(build, Mapping) else None
    if layer["config"].get("output_mode") != "one_hot" or not isinstance(shape, list) or not shape or shape[-1] != 1:
        return None
    raise refusal(context, f"{layer['config'].get('name')!r} gives one-hot codes with an axis more, as Keras 3.3 did")


def _transposed(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """What `output_padding` adds has changed with Keras 3.5 and 3.6."""
    config = layer["config"]
    if config.get("output_padding") is None or config.get("padding") != "valid":
        return None
    raise refusal(context, f"{config.get('name')!r} pads its output (output_padding) as Keras 3.4 did")


ROWS = (
    LayerRepair(DRIFT, frozenset({"Discretization"}), _discretization, until=(3, 12)),
    LayerRepair(DRIFT, frozenset({"RandomRotation"}), _rotation, until=(3, 9)),
    LayerRepair(DRIFT, frozenset({"RandomShear"}), _shear),
    LayerRepair(DRIFT, frozenset({"LayerNormalization"}), _root_mean_square, until=(3, 2)),
    LayerRepair(DRIFT, frozenset({"RandomCrop"}), _crop, until=(3, 6)),
    LayerRepair(DRIFT, frozenset({"CategoryEncoding", "Discretization"}), _one_hot, until=(3, 4)),
    LayerRepair(
        DRIFT,
        frozenset({"Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"}),
        _transposed,
        until=(3, 5),
    ),
)
