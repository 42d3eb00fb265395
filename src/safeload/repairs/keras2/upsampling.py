"""Bilinear UpSampling2D before TensorFlow sampled at the centres of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import config_of, own_layer, rule

__all__ = ["ROWS"]


def _bilinear(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Standalone Keras calls `tf.image.resize_bilinear`, which samples at the corners (`half_pixel_centers=False`)."""
    config = config_of(layer)
    if config is None or config.get("interpolation") != "bilinear":
        return None
    writer = context.writer
    if writer.is_tf_keras or writer.backend not in (None, "tensorflow") or writer.version >= (2, 4):
        return None
    return Repaired(
        own_layer(layer, "UpSampling2D", config),
        "the bilinear interpolation samples at the corners, as in TensorFlow 1",
    )


ROWS = (
    LayerRepair(
        rule(
            734,
            "bilinear-corners",
            "UpSampling2D with interpolation='bilinear', written by standalone Keras 2.2 or 2.3.",
            "these sampled at the pixels' corners, later ones at their centres: other numbers, silently.",
            "a segmentation network of Keras 2.2.4.",
            "keras 2.3.1, `backend/tensorflow_backend.py`, `resize_images`; tensorflow #6720.",
        ),
        frozenset({"UpSampling2D"}),
        _bilinear,
    ),
)
