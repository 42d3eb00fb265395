"""Repairs of the boundary `keras2_to_3`; see `safeload.repairs`."""

from __future__ import annotations

from safeload.repairs.engine import DocumentRepair, LayerRepair
from safeload.repairs.keras2_to_3 import common, nodes, op_layers, op_layers_graph

__all__ = ["ROWS"]

ROWS: tuple[LayerRepair | DocumentRepair, ...] = (*common.ROWS, *op_layers.ROWS, *op_layers_graph.ROWS, *nodes.ROWS)
