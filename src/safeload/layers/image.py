"""Image preprocessing as Keras 2 did it: Resizing, RandomCrop and others.

The random choices of training are drawn alike (same ranges, same operations), not number by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from safeload.layers.registration import Mixin
from safeload.runtime import detect, keras_module

__all__ = ["RandomBrightness", "RandomContrast", "RandomCrop", "RandomHeight", "RandomWidth", "Resizing"]

keras: Any = keras_module(detect())
_register = keras.utils.register_keras_serializable("safeload")

_HEIGHT, _WIDTH = -3, -2


def _with_sizes(shape: Sequence[int | None], height: int | None, width: int | None) -> tuple[int | None, ...]:
    sizes = list(shape)
    sizes[_HEIGHT], sizes[_WIDTH] = height, width
    return tuple(sizes)


def _crop_and_resize(images: Any, height: int, width: int, method: str = "bilinear") -> Any:
    """The largest part in the middle that has the target's aspect ratio, resized (`image_utils.smart_resize`)."""
    shape = tf.shape(images)
    high, wide = shape[_HEIGHT], shape[_WIDTH]
    crop_height = tf.minimum(high, tf.cast(tf.cast(wide * height, "float32") / width, "int32"))
    crop_width = tf.minimum(wide, tf.cast(tf.cast(high * width, "float32") / height, "int32"))
    top = tf.cast(tf.cast(high - crop_height, "float32") / 2, "int32")
    left = tf.cast(tf.cast(wide - crop_width, "float32") / 2, "int32")
    cropped = tf.image.crop_to_bounding_box(images, top, left, crop_height, crop_width)
    return tf.image.resize(cropped, [height, width], method=method)


def _resize_and_crop(images: Any, height: int, width: int) -> Any:
    """Resized until the shorter side fits, then cropped to the middle (RandomCrop up to TensorFlow 2.6)."""
    shape = tf.shape(images)
    high, wide = shape[_HEIGHT], shape[_WIDTH]
    taller = high / wide > height / width
    new_height = tf.where(taller, tf.cast(width * high / wide, "int32"), height)
    new_width = tf.where(taller, width, tf.cast(height * wide / high, "int32"))
    resized = tf.image.resize(images, tf.stack([new_height, new_width]))
    top, left = (new_height - height) // 2, (new_width - width) // 2
    return tf.image.crop_to_bounding_box(resized, top, left, height, width)


@_register
class Resizing(keras.layers.Layer):
    """Resizes, with every interpolation of `tf.image.resize`, and gives floats whatever it gets."""

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.height, self.width = height, width
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio

    def call(self, inputs: Any) -> Any:
        images = tf.cast(inputs, self.compute_dtype)
        method = self.interpolation.lower()
        if self.crop_to_aspect_ratio:
            resized = _crop_and_resize(images, self.height, self.width, method)
        else:
            resized = tf.image.resize(images, [self.height, self.width], method=method)
        return tf.cast(resized, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return _with_sizes(input_shape, self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("height", "width", "interpolation", "crop_to_aspect_ratio")}
        return {**super().get_config(), **own}


@_register
class RandomCrop(keras.layers.Layer):
    """Crops anywhere in training, and to the middle, resized, otherwise.

    Args:
        height, width: Of the crop.
        seed: Of the random places.
        resize_first: Outside of training, resize and then crop, as RandomCrop did up to TensorFlow 2.6.
    """

    def __init__(
        self, height: int, width: int, seed: int | None = None, resize_first: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.height, self.width = height, width
        self.seed, self.resize_first = seed, resize_first

    def call(self, inputs: Any, training: Any = None) -> Any:
        images = tf.cast(inputs, self.compute_dtype)
        static = _with_sizes(images.shape, self.height, self.width)
        cropped = self._anywhere(images) if training else self._middle(images)
        cropped = tf.cast(cropped, self.compute_dtype)
        cropped.set_shape(static)
        return cropped

    def _middle(self, images: Any) -> Any:
        place = _resize_and_crop if self.resize_first else _crop_and_resize
        return place(images, self.height, self.width)

    def _anywhere(self, images: Any) -> Any:
        shape = tf.shape(images)
        spare_height, spare_width = shape[_HEIGHT] - self.height, shape[_WIDTH] - self.width

        def crop() -> Any:
            top = tf.random.uniform([], 0, spare_height + 1, "int32", seed=self.seed)
            left = tf.random.uniform([], 0, spare_width + 1, "int32", seed=self.seed)
            return tf.image.crop_to_bounding_box(images, top, left, self.height, self.width)

        fits = tf.logical_and(spare_height >= 0, spare_width >= 0)
        return tf.cond(fits, crop, lambda: tf.cast(self._middle(images), images.dtype))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return _with_sizes(input_shape, self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("height", "width", "seed", "resize_first")}
        return {**super().get_config(), **own}


class _Floats(Mixin):
    """What gives floats for integers."""

    def call(self, inputs: Any, training: Any = True) -> Any:
        return super().call(tf.cast(inputs, self.compute_dtype), training=training)


@_register
class RandomContrast(_Floats, keras.layers.RandomContrast):
    """Another contrast in training; floats always."""


@_register
class RandomBrightness(_Floats, keras.layers.RandomBrightness):
    """Another brightness in training; floats always."""


class _RandomSize(keras.layers.Layer):
    """What RandomHeight and RandomWidth share: one side gets another length in training."""

    axis = _HEIGHT

    def __init__(
        self,
        factor: float | Sequence[float],
        interpolation: str = "bilinear",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.factor, self.interpolation, self.seed = factor, interpolation, seed

    def call(self, inputs: Any, training: Any = None) -> Any:
        images = tf.cast(inputs, self.compute_dtype)
        if not training:
            return images
        low, high = (-self.factor, self.factor) if isinstance(self.factor, int | float) else self.factor
        shape = tf.shape(images)
        sizes = [shape[_HEIGHT], shape[_WIDTH]]
        scale = tf.random.uniform([], 1.0 + low, 1.0 + high, seed=self.seed)
        sizes[self.axis - _HEIGHT] = tf.cast(scale * tf.cast(shape[self.axis], "float32"), "int32")
        resized = tf.image.resize(images, tf.stack(sizes), method=self.interpolation.lower())
        return tf.cast(resized, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = list(input_shape)
        sizes[self.axis] = None
        return tuple(sizes)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("factor", "interpolation", "seed")}
        return {**super().get_config(), **own}


@_register
class RandomHeight(_RandomSize):
    """Images of another height in training."""

    axis = _HEIGHT


@_register
class RandomWidth(_RandomSize):
    """Images of another width in training."""

    axis = _WIDTH
