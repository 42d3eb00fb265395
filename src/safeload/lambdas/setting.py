"""What a function's file tells of its surroundings: the bytecode says `tf.concat`, not which TensorFlow `tf` is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Setting"]


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a function was written.

    Attributes:
        tensorflow: 1 or 2: the major version that `tf` is of; None where it may be either.
        backend: The backend of Keras, `K.backend()`; None where that is not known.
        data_format: What `K.image_data_format()` was; None where that is not known.
        bilinear: Whether `K.resize_images(interpolation="bilinear")` has the pixels of TensorFlow 2; None: not known.
        inputs: How many tensors its first parameter is a list of; None where it is one tensor, or that is not known.
    """

    tensorflow: int | None = None
    backend: str | None = None
    data_format: str | None = None
    bilinear: bool | None = None
    inputs: int | None = None
