"""Repairs of the boundary `devices`: what the file was built for, on the devices that are here; see `safeload.repairs`.

It runs on the dialect of the Keras that is installed, after all other boundaries. cuDNN's recurrent layers are no
matter of dialect: `devices.cudnn` is part of `keras2`, so that what they become is repaired like every other LSTM.
"""

from __future__ import annotations

from safeload.repairs.devices import channels_first
from safeload.repairs.engine import DocumentRepair, LayerRepair

__all__ = ["ROWS"]

ROWS: tuple[LayerRepair | DocumentRepair, ...] = (*channels_first.ROWS,)
