"""Layers in `channels_first` that run where their kernels know `channels_last` alone: on the CPU.

A transposed convolution with `dilation_rate` over 1 asks, in Keras 3, for another kernel that no CPU has; the holes are
filled with zeros instead.

Each is Keras' own class with the same attributes, weights and numbers; only its computation happens between two
transpositions. The decision is made when the layer runs, since only then it is known which devices there are: with
Keras 2 and a GPU, and `device="auto"`, the layer does what Keras' own does. With Keras 3 it always transposes, because
`ops.add` adds the bias along the wrong axis where the width of the output equals the number of filters
(keras 3.15, `backend/tensorflow/numpy.py`), on every device.
"""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

from safeload.layers.registration import Mixin
from safeload.runtime import detect, keras_module

__all__ = ["NAMES", "RECURRENT"]

keras: Any = keras_module(detect())

NAMES = (
    "Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose SeparableConv1D SeparableConv2D "
    "DepthwiseConv1D DepthwiseConv2D MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D "
    "AveragePooling3D"
).split()
RECURRENT = "ConvLSTM1D ConvLSTM2D ConvLSTM3D".split()

_LAST = {"data_format": "channels_last", "_channels_first": False}


@functools.cache
def _has_gpu() -> bool:
    return bool(tf.config.list_logical_devices("GPU"))


def _transposes(device: str) -> bool:
    return detect().dialect == "keras3" or device == "cpu" or not _has_gpu()


def _to_last(x: Any) -> Any:
    rank = x.shape.rank
    return tf.transpose(x, (0, *range(2, rank), 1))


def _to_first(x: Any) -> Any:
    rank = x.shape.rank
    return tf.transpose(x, (0, rank - 1, *range(1, rank - 1)))


def _twin(layer: Any, base: type) -> Any:
    """The layer as one in channels_last: the same state in another object, so that threads don't meet in it."""
    twin = _copy(layer, base)
    twin.__dict__.update({name: value for name, value in _LAST.items() if name in layer.__dict__})
    if "_tf_data_format" in twin.__dict__:
        twin.__dict__["_tf_data_format"] = {3: "NWC", 4: "NHWC", 5: "NDHWC"}[layer.rank + 2]
    return twin


def _copy(layer: Any, base: type) -> Any:
    twin: Any = object.__new__(base)
    twin.__dict__.update(layer.__dict__)
    return twin


def _dilates(layer: Any, base: type) -> bool:
    """Whether it is a transposed convolution with holes, for which Keras 3 asks a kernel that no CPU has."""
    return "Transpose" in base.__name__ and detect().dialect == "keras3" and max(layer.dilation_rate) > 1


def _without_holes(layer: Any, base: type) -> Any:
    """The layer with the holes of its kernel filled by zeros, which is the same convolution."""
    kernel = tf.convert_to_tensor(layer.kernel)
    for axis, (size, rate) in enumerate(zip(layer.kernel_size, layer.dilation_rate)):
        wide = (size - 1) * rate + 1
        spread = tf.one_hot([i * rate for i in range(size)], wide, dtype=kernel.dtype)  # (size, wide)
        kernel = tf.transpose(kernel, [axis, *(a for a in range(kernel.shape.rank) if a != axis)])
        kernel = tf.tensordot(spread, kernel, axes=[[0], [0]])
        kernel = tf.transpose(kernel, [*range(1, axis + 1), 0, *range(axis + 1, kernel.shape.rank)])
    twin = _copy(layer, base)
    sizes = tuple((size - 1) * rate + 1 for size, rate in zip(layer.kernel_size, layer.dilation_rate))
    twin.__dict__.update(kernel=kernel, kernel_size=sizes, dilation_rate=(1,) * len(sizes))
    return twin


class _Transposing(Mixin):
    """Mixed in before Keras' class; see the module."""

    safeload_base: type

    def __init__(self, *args: Any, device: str = "auto", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.safeload_device = device

    def call(self, inputs: Any) -> Any:
        base: Any = self.safeload_base
        layer = _without_holes(self, base) if _dilates(self, base) else self
        if self.data_format != "channels_first" or not _transposes(self.safeload_device):
            return base.call(layer, inputs)
        return _to_first(base.call(_twin(layer, base), _to_last(inputs)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "device": self.safeload_device}


def _layer(name: str) -> type | None:
    base = getattr(keras.layers, name, None)
    if base is None:  # Conv1DTranspose and DepthwiseConv1D came with TensorFlow 2.3 and 2.7
        return None
    members = {"safeload_base": base, "__module__": __name__, "__doc__": f"{name} in channels_first on every device."}
    cls = type(name, (_Transposing, base), members)
    registered: type = keras.utils.register_keras_serializable("safeload", name)(cls)
    return registered


class _TransposingCell:
    """A ConvLSTM's cell whose two convolutions run in channels_last."""

    safeload_base: type

    def input_conv(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        base: Any = self.safeload_base
        return _to_first(base.input_conv(_twin(self, base), _to_last(x), *args, **kwargs))

    def recurrent_conv(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        base: Any = self.safeload_base
        return _to_first(base.recurrent_conv(_twin(self, base), _to_last(x), *args, **kwargs))


class _Recurrent(Mixin):
    """Mixed in before Keras' ConvLSTM: its cell is turned into one that transposes."""

    def __init__(self, *args: Any, device: str = "auto", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.safeload_device = device
        if self.cell.data_format == "channels_first" and _transposes(device):
            cell: Any = self.cell
            cell.__class__ = _cell(type(cell))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "device": self.safeload_device}


def _cell(base: type) -> type:
    return type(base.__name__, (_TransposingCell, base), {"safeload_base": base})


def _recurrent(name: str) -> type:
    base = getattr(keras.layers, name)
    members = {"__module__": __name__, "__doc__": f"{name} in channels_first on every device."}
    registered: type = keras.utils.register_keras_serializable("safeload", name)(
        type(name, (_Recurrent, base), members)
    )
    return registered


globals().update({name: cls for name in NAMES if (cls := _layer(name)) is not None})
globals().update({name: _recurrent(name) for name in RECURRENT if hasattr(keras.layers, name)})
