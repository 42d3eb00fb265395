"""Repairs of the boundary `keras3_to_2`: files of Keras 3 where Keras 2 is installed; see `safeload.repairs`."""

from __future__ import annotations

from safeload.repairs.engine import DocumentRepair, LayerRepair
from safeload.repairs.keras3_to_2 import adapters, arguments, nodes, values

__all__ = ["ROWS"]

ROWS: tuple[LayerRepair | DocumentRepair, ...] = (
    *adapters.ROWS,
    *arguments.ROWS,
    *values.ROWS,
    *nodes.ROWS,
)
