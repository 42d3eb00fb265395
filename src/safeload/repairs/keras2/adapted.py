"""Sequential models that begin with a layer which `adapt` built, before anyone knew the shape of the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.document import WeightEntry
from safeload.findings import Rule, Severity
from safeload.naming import layers_of
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.stored import stored_entries

__all__ = ["ROWS"]

SHAPE = "batch_input_shape"


def _mean(name: str, context: Context) -> WeightEntry | None:
    """The stored mean of a Normalization layer: its first array, or the only `mean` of a model that was flattened."""
    entries = stored_entries(context.document, (*context.path, name))
    if entries and len(entries) == 3:
        return entries[0]
    weights = context.document.weights
    group = weights.group(context.path[0]) if weights is not None and context.path else None
    means = [e for e in group.walk() if e.name.rsplit("/", 1)[-1] in ("mean", "mean:0")] if group is not None else []
    return means[0] if len(means) == 1 else None


def _known(shape: Any, axes: Any, mean: WeightEntry) -> list[Any] | None:
    """The shape with the sizes of the mean on the axes that it has; None where nothing is unknown, or it doesn't fit."""
    if not isinstance(shape, list) or not isinstance(axes, list) or not axes:
        return None
    kept = sorted(a % len(shape) for a in axes if isinstance(a, int))
    if len(kept) != len(mean.shape) or all(shape[a] is not None for a in kept):
        return None
    known = list(shape)
    for axis, size in zip(kept, mean.shape, strict=True):
        if known[axis] not in (None, size):
            return None
        known[axis] = size
    return known


def _sequential(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or context.document.layout != "legacy-hdf5":
        return None
    layers = list(config.get("layers") or ())
    first = next((i for i, child in enumerate(layers) if child.get("class_name") != "InputLayer"), None)
    if first is None or first > 1 or layers[first].get("class_name") != "Normalization":
        return None
    own = layers[first]["config"]
    name = next(iter([n for n, child in layers_of(layer).items() if child is layers[first]]), None)
    mean = _mean(name, context) if name is not None else None
    axes = own.get("axis")
    known = _known(layers[0]["config"].get(SHAPE), [axes] if isinstance(axes, int) else axes, mean) if mean else None
    if known is None:
        return None
    for i in range(first + 1):
        if SHAPE in layers[i]["config"]:
            layers[i] = {**layers[i], "config": {**layers[i]["config"], SHAPE: known}}
    changed = {**config, "layers": layers}
    if SHAPE in layers[0]["config"] and "build_input_shape" in config:
        changed["build_input_shape"] = known
    return Repaired({**layer, "config": changed}, f"the input's shape is {known}, as the adapted Normalization has it")


ROWS = (
    LayerRepair(
        Rule(
            "SL769",
            "adapted-normalization",
            Severity.NOTE,
            """\
What it sees: a Sequential model whose first layer is a Normalization that was adapted, in an HDF5 file.
Why it matters: `adapt` left the size of the features unknown in the config, and no Keras builds the layer without it.
Example: the regression tutorial of TensorFlow: `Sequential([normalizer, Dense(1)])`.
What to do: nothing; the size is that of the stored mean.
References: keras 2.8, `layers/preprocessing/normalization.py`, `build`.
""",
        ),
        frozenset({"Sequential"}),
        _sequential,
    ),
)
