"""`channels_first` where the kernels of the CPU know `channels_last` alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, LayerRepair, Repaired

__all__ = ["CLASSES", "ROWS"]

CLASSES = frozenset(
    "Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose SeparableConv1D SeparableConv2D "
    "DepthwiseConv1D DepthwiseConv2D MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D "
    "AveragePooling3D ConvLSTM1D ConvLSTM2D ConvLSTM3D".split()
)
"""Layers whose kernels in channels_first are missing on the CPU, in one of TensorFlow 2.12 to 2.21 or another."""


def _channels_first(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    name = str(layer.get("class_name"))
    registered = layer.get("registered_name")
    if ">" in name or (isinstance(registered, str) and ">" in registered):  # another's layer of that name
        return None
    if not isinstance(config, Mapping) or config.get("data_format") != "channels_first":
        return None
    own = {
        **{k: v for k, v in layer.items() if k != "module"},
        "class_name": f"safeload>{name}",
        "registered_name": f"safeload>{name}",
        "config": {**config, "device": context.device},
    }
    return Repaired(own, f"{name} in channels_first runs between two transpositions where there is no GPU")


ROWS = (
    LayerRepair(
        Rule(
            "SL741",
            "channels-first",
            Severity.NOTE,
            """\
What it sees: a convolution, a pooling or a ConvLSTM in `channels_first`.
Why it matters: TensorFlow has these kernels in `channels_last` alone on the CPU: the model loads and fails at `predict`.
Keras 3 moreover adds the bias along the wrong axis where the width equals the number of filters.
Example: a network that was trained on a GPU with `image_data_format="channels_first"`.
What to do: nothing; attributes, weights and numbers are the same. Where there is a GPU, Keras 2 computes as it did.
References: tensorflow #15364; keras 3.15, `backend/tensorflow/numpy.py`, `add`.
""",
        ),
        CLASSES,
        _channels_first,
    ),
)
