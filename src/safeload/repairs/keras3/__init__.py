"""Repairs of the boundary `keras3`: what drifted between versions of Keras 3; see `safeload.repairs`."""

from __future__ import annotations

from safeload.repairs.engine import DocumentRepair, LayerRepair
from safeload.repairs.keras3 import building, graphs

__all__ = ["ROWS"]

ROWS: tuple[LayerRepair | DocumentRepair, ...] = (*graphs.ROWS, *building.ROWS)
