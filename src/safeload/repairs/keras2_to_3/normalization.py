"""Normalization layers whose arguments Keras 3 does not have, or takes in part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from safeload.document import WeightTransform
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import config_of, own_layer, rule
from safeload.repairs.refusal import refusal

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ROWS"]

_RENORM = ("renorm", "renorm_clipping", "renorm_momentum")
_DROPPED = (*_RENORM, "virtual_batch_size", "fused", "adjustment")


def _several(axis: Any) -> bool:
    return isinstance(axis, list | tuple) and len(axis) > 1


def _batch(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """`renorm` and `virtual_batch_size` serve training alone: the layer predicts as every other does."""
    config = config_of(layer)
    if config is None:
        return None
    kept = {k: v for k, v in config.items() if k not in _DROPPED}
    axis = config.get("axis")
    if config.get("adjustment") is not None:
        raise refusal(context, f"BatchNormalization {config.get('name')!r} has an adjustment")
    renorm, virtual = bool(config.get("renorm")), config.get("virtual_batch_size") is not None
    affine = sum(bool(config.get(key, True)) for key in ("center", "scale"))

    def weights(arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Without renorm's statistics, and without the axes of length 1 that virtual batches put in."""
        plain = arrays[: affine + 2]
        return [a.reshape(-1) for a in plain] if virtual and not _several(axis) else plain

    transform = WeightTransform("batch-normalization", weights, affine, 5 if renorm else 2)
    if _several(axis):
        if virtual:
            raise refusal(context, f"BatchNormalization {config.get('name')!r} has virtual batches over several axes")
        own = own_layer(layer, "BatchNormalization", kept)
        return Repaired(own, f"normalizes over the axes {axis}", transform if renorm else None)
    if virtual and isinstance(axis, list):
        kept["axis"] = axis[0] - 1 if axis[0] > 0 else axis[0]  # `build` counts the axis of virtual batches in
    if renorm or virtual:
        what = " and ".join(n for n, there in (("renorm", renorm), ("virtual_batch_size", virtual)) if there)
        note = f"{what} is dropped: the layer predicts the same, and trains without it"
        return Repaired({**layer, "config": kept}, note, transform)
    return Repaired({**layer, "config": kept}) if kept != config else None


def _layer(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Several axes that are not in order: Keras 3 sorts them, Keras 2 lays gamma and beta out as they are given."""
    config = config_of(layer)
    axis = config.get("axis") if config is not None else None
    if config is None or not isinstance(axis, list) or axis == sorted(axis):
        return None
    if min(axis) < 0 <= max(axis):
        raise refusal(context, f"LayerNormalization {config.get('name')!r} has the axes {axis}")
    order = sorted(range(len(axis)), key=axis.__getitem__)

    def weights(arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Keras 2 reshapes gamma and beta to the input's rank, so the numbers stay in their order."""
        return [a.reshape([a.shape[i] for i in order]) for a in arrays]

    changed = {**config, "axis": sorted(axis)}
    transform = WeightTransform("layer-normalization", weights)
    return Repaired({**layer, "config": changed}, f"the axes {axis} in order", transform)


_RULE = rule(
    739,
    "normalization-axes",
    "renorm, virtual batches, or several axes.",
    "Keras 3 has neither of the first two, and takes one axis in BatchNormalization.",
    "BatchNormalization(axis=[1, 2]).",
    "tensorflow 2.15, `layers/normalization/batch_normalization.py`.",
    "nothing to predict; to train a model with renorm or virtual batches on, use the Keras that wrote it.",
)

ROWS = (
    LayerRepair(_RULE, frozenset({"BatchNormalization"}), _batch),
    LayerRepair(_RULE, frozenset({"LayerNormalization"}), _layer),
)
