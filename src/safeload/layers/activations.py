"""Activations that the installed Keras computes otherwise than the Keras of the file, or does not have."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from safeload.runtime import detect, keras_module

__all__ = ["absolute", "hard_sigmoid", "leaky_relu", "log_softmax", "relu6", "silu"]


def hard_sigmoid(x: Any) -> Any:
    """Keras 1 and 2's: `max(0, min(1, 0.2 x + 0.5))`. Keras 3's is `relu6(x + 3) / 6`, of slope 1/6."""
    return tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)


def absolute(x: Any) -> Any:
    """Python's `abs` and `K.abs`, which a Lambda stores as `abs`."""
    return tf.abs(x)


def relu6(x: Any) -> Any:
    """`tf.nn.relu6`, which Keras 2 stores by its name and does not find again."""
    return tf.nn.relu6(x)


def silu(x: Any) -> Any:
    """`tf.nn.silu` and `tf.nn.swish`."""
    return x * tf.sigmoid(x)


def leaky_relu(x: Any) -> Any:
    """`tf.nn.leaky_relu`: slope 0.2."""
    return tf.nn.leaky_relu(x)


def log_softmax(x: Any) -> Any:
    """`tf.nn.log_softmax` over the last axis."""
    return tf.nn.log_softmax(x)


_register = keras_module(detect()).utils.register_keras_serializable
for _function in (absolute, hard_sigmoid, leaky_relu, log_softmax, relu6, silu):
    _register("safeload", _function.__name__)(_function)
