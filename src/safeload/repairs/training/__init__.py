"""Repairs of the boundary `training`; see `safeload.repairs`."""

from __future__ import annotations

from safeload.repairs.engine import DocumentRepair, LayerRepair

__all__ = ["ROWS"]

ROWS: tuple[LayerRepair | DocumentRepair, ...] = ()
