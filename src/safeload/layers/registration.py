"""How layers and functions of our own are registered with the Keras that is installed."""

from __future__ import annotations

from typing import Any, TypeVar

from safeload.runtime import detect, keras_module

__all__ = ["Mixin", "registered"]

T = TypeVar("T")

Mixin: Any = object
"""The base of what is mixed in before one of Keras' classes, whose attributes it then has; their types aren't known here."""


def registered(thing: T) -> T:
    """Register a class or function as `safeload>NAME`."""
    keras = keras_module(detect())
    done: T = keras.utils.register_keras_serializable("safeload")(thing)
    return done
