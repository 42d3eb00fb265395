"""Repairs of the boundary `keras1_to_2`; see `safeload.repairs`."""

from __future__ import annotations

from safeload.repairs.engine import DocumentRepair, LayerRepair

__all__ = ["ROWS"]

ROWS: tuple[LayerRepair | DocumentRepair, ...] = ()
