"""Repairs of the boundary `keras2_to_3`; see `safeload.repairs`."""

from __future__ import annotations

from safeload.repairs.engine import DocumentRepair, LayerRepair
from safeload.repairs.keras2_to_3 import (
    activations,
    arguments,
    attention,
    forms,
    inputs,
    lambdas,
    masks,
    nodes,
    normalization,
    op_layers,
    op_layers_graph,
    preprocessing,
    ragged,
)

__all__ = ["ROWS"]

ROWS: tuple[LayerRepair | DocumentRepair, ...] = (
    *inputs.ROWS,
    *normalization.ROWS,
    *arguments.ROWS,
    *activations.ROWS,
    *forms.ROWS,
    *lambdas.ROWS,
    *preprocessing.ROWS,
    *attention.ROWS,
    *masks.ROWS,
    *op_layers.ROWS,
    *op_layers_graph.ROWS,
    *ragged.ROWS,
    *nodes.ROWS,
)
