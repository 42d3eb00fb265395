"""Layers that treat masks as Keras 2 did.

The masks hang on the tensors, so a computation that must not see them gets copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from safeload.layers.registration import Mixin
from safeload.runtime import detect, keras_module

__all__ = ["Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "ReLU", "Subtract"]

keras: Any = keras_module(detect())
_register = keras.utils.register_keras_serializable("safeload")


def _all_of(masks: Sequence[Any] | None) -> Any:
    """What every mask keeps; inputs without one keep everything (`base_merge._Merge.compute_mask`, Keras 2)."""
    present = [mask for mask in masks or () if mask is not None]
    if not present:
        return None
    if detect().dialect == "keras2":
        return tf.reduce_all(tf.stack(present), axis=0)
    kept = present[0]
    for mask in present[1:]:
        kept = keras.ops.logical_and(kept, mask)
    return kept


class _Merging(Mixin):
    """What the merging layers share."""

    def call(self, inputs: Any) -> Any:
        return super().call([tf.identity(x) for x in inputs])

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return _all_of(mask)


@_register
class Add(_Merging, keras.layers.Add):
    """A sum whose mask is what all masks keep."""


@_register
class Average(_Merging, keras.layers.Average):
    """An average whose mask is what all masks keep."""


@_register
class Maximum(_Merging, keras.layers.Maximum):
    """A maximum over masked values too."""


@_register
class Minimum(_Merging, keras.layers.Minimum):
    """A minimum over masked values too."""


@_register
class Multiply(_Merging, keras.layers.Multiply):
    """A product of masked values too."""


@_register
class Subtract(_Merging, keras.layers.Subtract):
    """A difference whose mask is what all masks keep."""


@_register
class Concatenate(keras.layers.Concatenate):
    """A concatenation that keeps a step where the masks of all of its parts keep it."""

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or all(m is None for m in mask):
            return None
        if detect().dialect == "keras2":
            return super().compute_mask(inputs, mask)
        ops = keras.ops
        parts = []
        for tensor, kept in zip(inputs, mask):
            if kept is None:
                parts.append(ops.ones_like(tensor, dtype="bool"))
            elif len(kept.shape) < len(tensor.shape):
                parts.append(ops.expand_dims(kept, -1))
            else:
                parts.append(kept)
        return ops.all(ops.concatenate(parts, axis=self.axis), axis=-1)


@_register
class ReLU(keras.layers.ReLU):
    """ReLU behind which there is no mask, as it was up to TensorFlow 2.4."""

    def compute_mask(self, *args: Any, **kwargs: Any) -> None:
        """None: the mask ends here."""
