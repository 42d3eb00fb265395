"""Repairs of the boundary `keras3`: what drifted between versions of Keras 3; see `safeload.repairs`."""

from __future__ import annotations

from safeload.repairs import names
from safeload.repairs.engine import DocumentRepair, LayerRepair
from safeload.repairs.keras3 import building, graphs, layers, masks, operations, young

__all__ = ["ROWS"]

ROWS: tuple[LayerRepair | DocumentRepair, ...] = (
    *names.ROWS,
    *layers.ROWS,
    *operations.ROWS,
    *graphs.ROWS,
    *masks.ROWS,
    *building.ROWS,
    *young.ROWS,
)
