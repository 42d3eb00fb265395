"""Layers and functions of our own that repaired models use, registered with Keras as `safeload>NAME`.

Their modules import TensorFlow and are loaded when a model needs one.

"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["OWN", "own_object"]

OWN: dict[str, str] = {}
"""Name -> the module below `safeload.layers` that defines it."""


def own_object(name: str) -> Any:
    """The class or function of that name; imports TensorFlow.

    Raises:
        KeyError: There is none.
    """
    return getattr(importlib.import_module(f"safeload.layers.{OWN[name]}"), name)
