"""Spectral normalization for Keras 2, whose own list of layers lacks it when configs are read."""

from __future__ import annotations

from typing import Any

from safeload.runtime import detect, keras_module

__all__ = ["SpectralNormalization"]

keras: Any = keras_module(detect())


@keras.utils.register_keras_serializable("safeload")
class SpectralNormalization(keras.layers.SpectralNormalization):
    """Keras' own layer under a name that is found (`layers.serialization.ALL_MODULES`, Keras 2.15 and 2.21)."""
