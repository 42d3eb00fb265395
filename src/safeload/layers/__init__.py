"""Layers and functions of our own that repaired models use, registered with Keras as `safeload>NAME`.

Their modules import TensorFlow and are loaded when a model needs one.

"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["OWN", "own_object"]

OWN: dict[str, str] = {
    **dict.fromkeys(
        [
            f"keras3_{name}"
            for name in (
                "celu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid log_softmax mish relu6 "
                "soft_shrink sparse_plus sparse_sigmoid sparsemax squareplus tanh_shrink threshold"
            ).split()
        ],
        "keras3_activations",
    ),
    "TensorFlowFunction": "ops",
    "TensorFlowNode": "ops_nodes",
}
"""Name -> the module below `safeload.layers` that defines it."""


def own_object(name: str) -> Any:
    """The class or function of that name; imports TensorFlow.

    Raises:
        KeyError: There is none.
    """
    return getattr(importlib.import_module(f"safeload.layers.{OWN[name]}"), name)
