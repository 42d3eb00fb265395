"""How layers and functions of our own are registered with the Keras that is installed."""

from __future__ import annotations

from typing import TypeVar

from safeload.runtime import detect, keras_module

__all__ = ["registered"]

T = TypeVar("T")


def registered(thing: T) -> T:
    """Register a class or function as `safeload>NAME`."""
    keras = keras_module(detect())
    done: T = keras.utils.register_keras_serializable("safeload")(thing)
    return done
