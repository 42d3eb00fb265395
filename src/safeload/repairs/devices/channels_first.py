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
    if not isinstance(config, Mapping):
        return None
    dilated = context.runtime.dialect == "keras3" and "Transpose" in name and _has_holes(config.get("dilation_rate"))
    if config.get("data_format") != "channels_first" and not dilated:
        return None
    own = {
        **{k: v for k, v in layer.items() if k != "module"},
        "class_name": f"safeload>{name}",
        "registered_name": f"safeload>{name}",
        "config": {**config, "device": context.device},
    }
    if dilated:
        return Repaired(own, f"{name} with a dilation rate runs with zeros in its kernel's holes")
    return Repaired(own, f"{name} in channels_first runs between two transpositions where there is no GPU")


def _has_holes(rate: Any) -> bool:
    rates = rate if isinstance(rate, list | tuple) else (rate,)
    return any(isinstance(r, int) and r > 1 for r in rates)


ROWS = (
    LayerRepair(
        Rule(
            "SL741",
            "channels-first",
            Severity.NOTE,
            """\
What it sees: a convolution, a pooling or a ConvLSTM in `channels_first`; a transposed convolution with a dilation rate.
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
