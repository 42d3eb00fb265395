"""Repairs of the boundary `keras2`: drift inside Keras 2, from the first tf.keras to its last; see `safeload.repairs`.

They also run on the way to Keras 3, so that everything behind them sees the forms of Keras 2.15 alone.
"""

from __future__ import annotations

from safeload.repairs.engine import DocumentRepair, LayerRepair
from safeload.repairs.keras2 import attention, preprocessing

__all__ = ["ROWS"]

ROWS: tuple[LayerRepair | DocumentRepair, ...] = (*preprocessing.ROWS, *attention.ROWS)
