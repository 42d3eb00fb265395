"""Repairs of the boundary `keras2`: drift inside Keras 2, from 2.0 and tf.keras 1.x to 2.15; see `safeload.repairs`.

They also run on the way to Keras 3, so that everything behind them sees the forms of Keras 2.15 alone.
"""

from __future__ import annotations

from safeload.repairs import names
from safeload.repairs.devices import cudnn
from safeload.repairs.engine import DocumentRepair, LayerRepair
from safeload.repairs.keras2 import (
    adapted,
    attention,
    classes,
    functions,
    op_layers,
    preprocessing,
    recurrent,
    sequential,
    shapes,
    upsampling,
    young,
)

__all__ = ["ROWS"]

ROWS: tuple[LayerRepair | DocumentRepair, ...] = (
    *names.ROWS,
    *sequential.ROWS,
    *adapted.ROWS,
    *classes.ROWS,
    *shapes.ROWS,
    *recurrent.ROWS,
    *cudnn.ROWS,
    *upsampling.ROWS,
    *functions.ROWS,
    *op_layers.ROWS,
    *preprocessing.ROWS,
    *attention.ROWS,
    *young.ROWS,
)
