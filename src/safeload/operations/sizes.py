"""Which arguments say how large an operation's result is, and what they add up to.

A few characters in a file (`fill` with `[100000, 100000]`) can ask for any amount of memory; whoever judges a file needs
to see that without running it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["MAX_ELEMENTS", "SIZES", "elements"]

MAX_ELEMENTS = 2**28
"""Elements that literal arguments may ask for: 1 GiB of float32."""

SIZES: dict[str, tuple[str, ...]] = {
    "broadcast_to": ("shape",),
    "compat.v1.image.crop_and_resize": ("crop_size",),
    "compat.v1.image.resize_area": ("size",),
    "compat.v1.image.resize_bicubic": ("size",),
    "compat.v1.image.resize_bilinear": ("size",),
    "compat.v1.image.resize_image_with_pad": ("target_height", "target_width"),
    "compat.v1.image.resize_images": ("size",),
    "compat.v1.image.resize_nearest_neighbor": ("size",),
    "compat.v1.math.confusion_matrix": ("num_classes",),
    "compat.v1.nn.conv2d_transpose": ("output_shape",),
    "compat.v1.nn.conv3d_transpose": ("output_shape",),
    "compat.v1.pad": ("paddings",),
    "compat.v1.random.multinomial": ("num_samples",),
    "compat.v1.random.poisson": ("shape",),
    "eye": ("num_rows", "num_columns", "batch_shape"),
    "fill": ("dims",),
    "histogram_fixed_width": ("nbins",),
    "image.crop_and_resize": ("crop_size",),
    "image.extract_glimpse": ("size",),
    "image.pad_to_bounding_box": ("target_height", "target_width"),
    "image.resize": ("size",),
    "image.resize_with_crop_or_pad": ("target_height", "target_width"),
    "image.resize_with_pad": ("target_height", "target_width"),
    "keras.backend.arange": ("start", "stop"),
    "keras.backend.constant": ("shape",),
    "keras.backend.eye": ("size", "size"),
    "keras.backend.one_hot": ("num_classes",),
    "keras.backend.ones": ("shape",),
    "keras.backend.random_bernoulli": ("shape",),
    "keras.backend.random_binomial": ("shape",),
    "keras.backend.random_normal": ("shape",),
    "keras.backend.random_uniform": ("shape",),
    "keras.backend.repeat": ("n",),
    "keras.backend.repeat_elements": ("rep",),
    "keras.backend.resize_images": ("height_factor", "width_factor"),
    "keras.backend.resize_volumes": ("depth_factor", "height_factor", "width_factor"),
    "keras.backend.spatial_2d_padding": ("padding",),
    "keras.backend.spatial_3d_padding": ("padding",),
    "keras.backend.temporal_padding": ("padding",),
    "keras.backend.tile": ("n",),
    "keras.backend.truncated_normal": ("shape",),
    "linalg.diag": ("num_rows", "num_cols"),
    "linspace": ("num",),
    "math.bincount": ("minlength",),
    "math.confusion_matrix": ("num_classes",),
    "math.sobol_sample": ("dim", "num_results"),
    "math.unsorted_segment_max": ("num_segments",),
    "math.unsorted_segment_mean": ("num_segments",),
    "math.unsorted_segment_min": ("num_segments",),
    "math.unsorted_segment_prod": ("num_segments",),
    "math.unsorted_segment_sqrt_n": ("num_segments",),
    "math.unsorted_segment_sum": ("num_segments",),
    "nn.atrous_conv2d_transpose": ("output_shape",),
    "nn.conv1d_transpose": ("output_shape",),
    "nn.conv2d_transpose": ("output_shape",),
    "nn.conv3d_transpose": ("output_shape",),
    "nn.conv_transpose": ("output_shape",),
    "one_hot": ("depth",),
    "ones": ("shape",),
    "pad": ("paddings",),
    "random.categorical": ("num_samples",),
    "random.gamma": ("shape",),
    "random.normal": ("shape",),
    "random.poisson": ("shape",),
    "random.stateless_binomial": ("shape",),
    "random.stateless_categorical": ("num_samples",),
    "random.stateless_gamma": ("shape",),
    "random.stateless_normal": ("shape",),
    "random.stateless_parameterized_truncated_normal": ("shape",),
    "random.stateless_poisson": ("shape",),
    "random.stateless_truncated_normal": ("shape",),
    "random.stateless_uniform": ("shape",),
    "random.truncated_normal": ("shape",),
    "random.uniform": ("shape",),
    "range": ("start", "limit"),
    "repeat": ("repeats",),
    "scatter_nd": ("shape",),
    "sequence_mask": ("maxlen",),
    "signal.frame": ("frame_length",),
    "signal.hamming_window": ("window_length",),
    "signal.hann_window": ("window_length",),
    "signal.kaiser_bessel_derived_window": ("window_length",),
    "signal.kaiser_window": ("window_length",),
    "signal.linear_to_mel_weight_matrix": ("num_mel_bins", "num_spectrogram_bins"),
    "signal.stft": ("fft_length",),
    "signal.vorbis_window": ("window_length",),
    "tile": ("multiples",),
    "zeros": ("shape",),
}
"""Canonical name -> the parameters whose values multiply into the size of the result."""


def elements(sizes: tuple[str, ...], arguments: Mapping[str, Any]) -> int:
    """What the literal numbers in the size-giving arguments multiply to; tensors count as one.

    Example:
        >>> elements(("dims",), {"dims": [100000, 100000]})
        10000000000
    """
    product = 1
    for name in sizes:
        for number in _numbers(arguments.get(name)):
            product *= max(abs(int(number)), 1)
    return product


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        if value == value and abs(value) != float("inf"):
            yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _numbers(item)
