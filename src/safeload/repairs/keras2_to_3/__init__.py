"""Repairs of the boundary `keras2_to_3`; see `safeload.repairs`."""

from __future__ import annotations

from safeload.repairs.engine import DocumentRepair, LayerRepair
from safeload.repairs.keras2_to_3 import attention, common, masks, nodes, op_layers, op_layers_graph, preprocessing

__all__ = ["ROWS"]

ROWS: tuple[LayerRepair | DocumentRepair, ...] = (
    *common.ROWS,
    *preprocessing.ROWS,
    *attention.ROWS,
    *masks.ROWS,
    *op_layers.ROWS,
    *op_layers_graph.ROWS,
    *nodes.ROWS,
)
