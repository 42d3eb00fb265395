"""Layers that Keras 2 made of TensorFlow calls, where Keras 2 is installed: layers of ours there as well.

Keras 2 can't build again all that it wrote: slices of slices, constants in the first place, dtypes among the arguments, and
nodes of TensorFlow 2.1 whose attributes have grown. Where it builds something it looks the stored name up in all of
TensorFlow, and an argument that the file has lost gives other numbers without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.keras2_to_3 import op_layers

__all__ = ["ROWS"]

_Apply = Callable[[Mapping[str, Any], Context], Repaired | None]


def _in_keras2(apply: _Apply) -> _Apply:
    """On the way to Keras 3 the boundary `keras2_to_3` does it."""

    def applied(layer: Mapping[str, Any], context: Context) -> Repaired | None:
        return apply(layer, context) if context.runtime.dialect == "keras2" else None

    return applied


ROWS: tuple[LayerRepair, ...] = tuple(replace(row, apply=_in_keras2(row.apply)) for row in op_layers.ROWS)
