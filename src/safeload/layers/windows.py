"""Pooling and transposed convolution with windows that Keras can't be told: those of Theano, or of a given output.

Each computes in channels_last, between two transpositions where the layer is channels_first: the CPU has no other kernels.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from safeload.layers.registration import Mixin
from safeload.runtime import detect, keras_module

__all__ = ["NAMES", "Deconvolution2D"]

_keras: Any = keras_module(detect())
_register = _keras.utils.register_keras_serializable
_Layer: Any = _keras.layers.Layer

NAMES = [f"Padded{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2, 3)]


def _to_last(x: Any) -> Any:
    rank = x.shape.rank
    return tf.transpose(x, (0, *range(2, rank), 1))


def _to_first(x: Any) -> Any:
    rank = x.shape.rank
    return tf.transpose(x, (0, rank - 1, *range(1, rank - 1)))


class _Padded(Mixin):
    """Mixed in before a pooling layer of Keras: its windows begin `margins` before the input, and see nothing there.

    The margins are such that a `valid` pooling of the padded input has as many windows as a `same` one of the input.
    """

    def __init__(self, *args: Any, margins: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.margins = [list(pair) for pair in margins or ()]

    def call(self, inputs: Any) -> Any:
        first = self.data_format == "channels_first"
        x = tf.convert_to_tensor(inputs)
        x = _to_last(x) if first else x
        y = self._average(x) if "Average" in type(self).__name__ else self._pool(x, "MAX", x.dtype.min)
        return _to_first(y) if first else y

    def _pool(self, x: Any, kind: str, edge: Any) -> Any:
        rank = len(self.margins)
        sizes, strides = (
            list(v) if isinstance(v, list | tuple) else [v] * rank for v in (self.pool_size, self.strides)
        )
        x = tf.pad(x, [[0, 0], *self.margins, [0, 0]], constant_values=edge)
        return tf.nn.pool(x, window_shape=sizes, pooling_type=kind, strides=strides, padding="VALID")

    def _average(self, x: Any) -> Any:
        """The mean of what a window sees: what was padded does not count."""
        return self._pool(x, "AVG", 0) / self._pool(tf.ones_like(x), "AVG", 0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "margins": self.margins}


for _name in NAMES:
    _base = getattr(_keras.layers, _name.removeprefix("Padded"))
    _doc = f"`{_base.__name__}` with margins of its own; see `_Padded`."
    globals()[_name] = _register("safeload", _name)(
        type(_name, (_Padded, _base), {"__doc__": _doc, "__module__": __name__})
    )


@_register("safeload", "Deconvolution2D")
class Deconvolution2D(_Layer):
    """Keras 1's Deconvolution2D, which is told the size of its output (`output_shape`, Keras 1.2.2).

    Args:
        filters, kernel_size, strides, padding, data_format, use_bias, activation: As in `Conv2DTranspose`.
        output_size: Rows and columns of the output.
        margins: How much of the full output lies before the part that is kept; None where TensorFlow's rule says it.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        output_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str = "channels_last",
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        margins: Any = None,
        **kwargs: Any,
    ) -> None:
        regularizers, constraints = _keras.regularizers, _keras.constraints
        super().__init__(activity_regularizer=regularizers.get(activity_regularizer), **kwargs)
        self.filters, self.use_bias = filters, use_bias
        self.kernel_size, self.output_size, self.strides = tuple(kernel_size), tuple(output_size), tuple(strides)
        self.padding, self.data_format = padding, data_format
        self.margins = None if margins is None else tuple(margins)
        self.activation = _keras.activations.get(activation)
        self.kernel_initializer = _keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: Any) -> None:
        channels = int(input_shape[1 if self.data_format == "channels_first" else -1])
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer="zeros",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        x = _to_last(inputs) if self.data_format == "channels_first" else tf.convert_to_tensor(inputs)
        size = [tf.shape(x)[1], tf.shape(x)[2]]
        full = [(n - 1) * s + k for n, s, k in zip(size, self.strides, self.kernel_size)]
        kernel = tf.convert_to_tensor(self.kernel)
        shape = tf.stack([tf.shape(x)[0], *full, self.filters])
        y = tf.nn.conv2d_transpose(x, kernel, shape, strides=list(self.strides), padding="VALID")
        front = [self._front(f, n) for f, n in zip(full, range(2))]
        missing = [tf.maximum(0, b + o - f) for b, o, f in zip(front, self.output_size, full)]
        y = tf.pad(y, [[0, 0], [0, missing[0]], [0, missing[1]], [0, 0]])
        rows, columns = self.output_size
        y = y[:, front[0] : front[0] + rows, front[1] : front[1] + columns]
        y = tf.reshape(y, (-1, rows, columns, self.filters))
        if self.use_bias:
            y = y + self.bias
        y = self.activation(y)
        return _to_first(y) if self.data_format == "channels_first" else y

    def _front(self, full: Any, axis: int) -> Any:
        if self.margins is not None:
            return self.margins[axis]
        return tf.maximum(0, full - self.output_size[axis]) // 2 if self.padding == "same" else 0

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        if self.data_format == "channels_first":
            return (input_shape[0], self.filters, *self.output_size)
        return (input_shape[0], *self.output_size, self.filters)

    def get_config(self) -> dict[str, Any]:
        serialize = _keras.regularizers.serialize
        names = "filters kernel_size output_size strides padding data_format use_bias margins"
        config = {name: getattr(self, name) for name in names.split()}
        config["activation"] = _keras.activations.serialize(self.activation)
        config["kernel_initializer"] = _keras.initializers.serialize(self.kernel_initializer)
        for name in ("kernel_regularizer", "bias_regularizer", "activity_regularizer"):
            value = getattr(self, name)
            config[name] = None if value is None else serialize(value)
        for name in ("kernel_constraint", "bias_constraint"):
            value = getattr(self, name)
            config[name] = None if value is None else _keras.constraints.serialize(value)
        return {**super().get_config(), **config}
