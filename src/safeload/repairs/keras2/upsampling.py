"""Bilinear UpSampling2D before TensorFlow sampled at the centres of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.errors import BackendMismatchError
from safeload.findings import Rule, Severity
from safeload.repairs.backends import windows
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import config_of, own_layer, rule

__all__ = ["ROWS"]


def _bilinear(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Standalone Keras samples at the corners, on both backends that can interpolate.

    On TensorFlow it calls `tf.image.resize_bilinear` (`half_pixel_centers=False`), on Theano `bilinear_upsampling`, which
    knows the ratio 2 alone: each pixel stays, between two lies their mean, and the last one is repeated. That is the same.
    """
    config = config_of(layer)
    if config is None or config.get("interpolation") != "bilinear":
        return None
    writer, backend = context.writer, context.saved_backend or "tensorflow"
    if writer.is_tf_keras or writer.version >= (2, 4):
        return None
    if backend == "cntk" or (backend == "theano" and windows.integers(config.get("size") or 2, 2) != (2, 2)):
        raise BackendMismatchError(
            f"Keras on {backend} has no bilinear interpolation by {config.get('size')!r}: what the numbers were is not known",
            path=context.document.path,
            where=context.where or None,
            hint="say which backend wrote the file: `load_model(path, saved_backend=...)`",
            saved_backend=backend,
        )
    return Repaired(
        own_layer(layer, "UpSampling2D", config),
        "the bilinear interpolation samples at the corners, as in TensorFlow 1",
    )


def _untold(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """What TensorFlow 1.13 and 1.14 left out of `UpSampling2D.get_config`; their own loader takes `nearest`, too."""
    config = config_of(layer)
    if config is None or "interpolation" in config or not context.writer.is_tf_keras:
        return None
    return Repaired(
        {**layer, "config": {**config, "interpolation": "nearest"}},
        f"UpSampling2D {config.get('name')!r} does not say how it interpolates; nearest is taken",
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
    LayerRepair(
        Rule(
            "SL742",
            "interpolation-unknown",
            Severity.WARNING,
            """\
What it sees: UpSampling2D without `interpolation` in a file of TensorFlow 1.13 or 1.14.
Why it matters: these versions knew `bilinear` and did not store it: a model that used it gives other numbers, as it did in
the version that wrote it once it was loaded there.
Example: a segmentation network of tf.keras 1.14.
What to do: compare an output with a known one. If the model interpolated, set `layer.interpolation = "bilinear"` before
the first call; these versions sampled at the pixels' corners, so exact numbers need `tf.compat.v1.image.resize_bilinear`.
References: tensorflow 1.13.1 and 1.14.0, `keras/layers/convolutional.py`, `UpSampling2D.get_config`.
""",
        ),
        frozenset({"UpSampling2D"}),
        _untold,
        since=(2, 2, 4),
        until=(2, 2, 5),
    ),
)
