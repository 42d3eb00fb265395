"""Layers of Keras 1 that Keras 2 dropped, with the arithmetic of Keras 1.2.2.

Sources: `layers/core.py` (MaxoutDense, Highway), `layers/advanced_activations.py` (ParametricSoftplus, SReLU),
`layers/normalization.py` (the modes of BatchNormalization), `engine/topology.py` (Merge by cosine).
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from safeload.runtime import detect, keras_module

__all__ = ["BatchNormalization1", "Cosine", "Highway", "MaxoutDense", "ParametricSoftplus", "SReLU"]

_keras: Any = keras_module(detect())
_register = _keras.utils.register_keras_serializable
_Layer: Any = _keras.layers.Layer

_KINDS = {
    "initializer": _keras.initializers,
    "regularizer": _keras.regularizers,
    "constraint": _keras.constraints,
    "activation": _keras.activations,
}


class _Configured(_Layer):
    """A layer whose arguments are its config: each named in `ARGUMENTS` with its default."""

    ARGUMENTS: dict[str, Any] = {}

    def __init__(self, **kwargs: Any) -> None:
        given = {name: kwargs.pop(name, default) for name, default in self.ARGUMENTS.items()}
        super().__init__(**kwargs)
        for name, value in given.items():
            kind = _KINDS.get(name.rsplit("_", 1)[-1])
            setattr(self, name, value if kind is None else kind.get(value))

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = dict(super().get_config())
        for name in self.ARGUMENTS:
            value, kind = getattr(self, name), _KINDS.get(name.rsplit("_", 1)[-1])
            config[name] = value if kind is None or value is None else kind.serialize(value)
        return config

    def variable(self, name: str, shape: tuple[int, ...], kind: str = "kernel", **kwargs: Any) -> Any:
        """A weight with the initializer, regularizer and constraint of its kind."""
        options = {
            option: getattr(self, f"{kind}_{option}")
            for option in ("initializer", "regularizer", "constraint")
            if hasattr(self, f"{kind}_{option}")
        }
        return self.add_weight(name=name, shape=shape, **{**options, **kwargs})


_DENSE = {
    "kernel_initializer": "glorot_uniform",
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
    "use_bias": True,
}


def _again(initializer: Any) -> Any:
    """Another instance of an initializer: Keras 2 gives the same values, and a warning, where one is called twice."""
    if hasattr(initializer, "get_config"):
        return type(initializer).from_config(initializer.get_config())
    return initializer


@_register("safeload", "MaxoutDense")
class MaxoutDense(_Configured):
    """The largest of several linear units."""

    ARGUMENTS = {"units": None, "features": 4, **_DENSE}

    def build(self, input_shape: Any) -> None:
        self.kernel = self.variable("kernel", (self.features, int(input_shape[-1]), self.units))
        if self.use_bias:
            self.bias = self.variable("bias", (self.features, self.units), "bias", initializer="zeros")
        self.built = True

    def call(self, inputs: Any) -> Any:
        output = tf.einsum("bi,fio->bfo", inputs, tf.convert_to_tensor(self.kernel))
        if self.use_bias:
            output += self.bias
        return tf.reduce_max(output, axis=1)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        return (input_shape[0], self.units)


@_register("safeload", "Highway")
class Highway(_Configured):
    """A dense layer that a gate mixes with its input."""

    ARGUMENTS = {"activation": "linear", **_DENSE}

    def build(self, input_shape: Any) -> None:
        size = int(input_shape[-1])
        self.kernel = self.variable("kernel", (size, size))
        self.carry_kernel = self.add_weight(
            name="carry_kernel", shape=(size, size), initializer=_again(self.kernel_initializer)
        )
        if self.use_bias:
            self.bias = self.variable("bias", (size,), "bias", initializer="zeros")
            self.carry_bias = self.add_weight(name="carry_bias", shape=(size,), initializer="ones")
        self.built = True

    def call(self, inputs: Any) -> Any:
        gate = tf.matmul(inputs, tf.convert_to_tensor(self.carry_kernel))
        output = tf.matmul(inputs, tf.convert_to_tensor(self.kernel))
        if self.use_bias:
            gate, output = gate + self.carry_bias, output + self.bias
        gate = tf.sigmoid(gate)
        return self.activation(output) * gate + (1.0 - gate) * inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class _Parametric(_Configured):
    """An activation with a weight of the input's shape, with one element along shared axes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def parameter_shape(self, input_shape: Any) -> tuple[int, ...]:
        shape = [None if d is None else int(d) for d in input_shape[1:]]
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        if None in shape:
            raise ValueError(f"{type(self).__name__} needs to know the shape of its input: {tuple(input_shape)}")
        return tuple(d for d in shape if d is not None)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


@_register("safeload", "ParametricSoftplus")
class ParametricSoftplus(_Parametric):
    """`alpha * softplus(beta * x)` with both learned."""

    ARGUMENTS = {"alpha_init": 0.2, "beta_init": 5.0, "shared_axes": None}

    def build(self, input_shape: Any) -> None:
        shape = self.parameter_shape(input_shape)
        constant = _keras.initializers.Constant
        self.alpha = self.add_weight(name="alpha", shape=shape, initializer=constant(self.alpha_init))
        self.beta = self.add_weight(name="beta", shape=shape, initializer=constant(self.beta_init))
        self.built = True

    def call(self, inputs: Any) -> Any:
        return tf.nn.softplus(tf.convert_to_tensor(self.beta) * inputs) * self.alpha


@_register("safeload", "SReLU")
class SReLU(_Parametric):
    """An S-shaped piecewise linear unit: slopes left of `t_left` and right of `t_left + |t_right|` are learned.

    With `capped`, the left side too stays below `t_left + |t_right|` (Theano's `relu` with a slope and a maximum).
    """

    ARGUMENTS = {
        "t_left_initializer": "zeros",
        "a_left_initializer": "glorot_uniform",
        "t_right_initializer": "glorot_uniform",
        "a_right_initializer": "ones",
        "capped": False,
        "shared_axes": None,
    }

    def build(self, input_shape: Any) -> None:
        shape = self.parameter_shape(input_shape)
        for name in ("t_left", "a_left", "t_right", "a_right"):
            setattr(self, name, self.variable(name, shape, name))
        self.built = True

    def call(self, inputs: Any) -> Any:
        left, slope = tf.convert_to_tensor(self.t_left), tf.convert_to_tensor(self.a_left)
        right = left + tf.abs(tf.convert_to_tensor(self.t_right))
        shifted = inputs - left
        middle = tf.minimum(tf.nn.relu(shifted), right - left) - slope * tf.nn.relu(-shifted)
        if self.capped:
            middle = tf.minimum(middle, right - left)
        return left + middle + tf.nn.relu(inputs - right) * self.a_right


@_register("safeload", "BatchNormalization1")
class BatchNormalization1(_Configured):
    """The modes of Keras 1's BatchNormalization that later Keras lacks.

    Mode 1 normalises each sample over its last axis; mode 2 each feature by the batch at hand, in prediction too.
    The running averages are kept as Keras 1 stored them; neither mode uses them.
    """

    ARGUMENTS = {
        "mode": 1,
        "axis": -1,
        "momentum": 0.99,
        "epsilon": 1e-3,
        "gamma_initializer": "ones",
        "beta_initializer": "zeros",
        "gamma_regularizer": None,
        "beta_regularizer": None,
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        shape = (int(input_shape[self.axis]),)
        self.gamma = self.variable("gamma", shape, "gamma")
        self.beta = self.variable("beta", shape, "beta")
        self.moving_mean = self.add_weight(name="moving_mean", shape=shape, initializer="zeros", trainable=False)
        self.moving_variance = self.add_weight(name="moving_variance", shape=shape, initializer="ones", trainable=False)
        self.built = True

    def call(self, inputs: Any) -> Any:
        if self.mode == 1:
            mean, variance = tf.nn.moments(inputs, axes=[-1], keepdims=True)
            normal = (inputs - mean) / (tf.sqrt(variance + self.epsilon) + self.epsilon)
            return tf.convert_to_tensor(self.gamma) * normal + self.beta
        rank = len(inputs.shape)
        own = self.axis % rank
        mean, variance = tf.nn.moments(inputs, axes=[a for a in range(rank) if a != own], keepdims=True)
        shape = [-1 if a == own else 1 for a in range(rank)]
        gamma, beta = (tf.reshape(tf.convert_to_tensor(w), shape) for w in (self.gamma, self.beta))
        return (inputs - mean) / tf.sqrt(variance + self.epsilon) * gamma + beta

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


@_register("safeload", "Cosine")
class Cosine(_Configured):
    """`Merge(mode="cos")`: a product of two tensors over an axis of each, by the root of both products with themselves."""

    ARGUMENTS = {"axes": -1}

    def call(self, inputs: Any) -> Any:
        first, second = inputs
        numerator = self._dot(first, second)
        denominator = tf.sqrt(self._dot(first, first) * self._dot(second, second))
        return tf.expand_dims(numerator / tf.maximum(denominator, _keras.backend.epsilon()), 1)

    def _dot(self, first: Any, second: Any) -> Any:
        axes = self.axes if isinstance(self.axes, list | tuple) else (self.axes, self.axes)
        product = _keras.layers.Dot(axes=tuple(a % len(t.shape) for a, t in zip(axes, (first, second))))
        return tf.convert_to_tensor(product([first, second]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        first, second = (list(shape) for shape in input_shape)
        axes = self.axes if isinstance(self.axes, list | tuple) else (self.axes, self.axes)
        left, right = axes[0] % len(first), axes[1] % len(second)
        rest = [d for a, d in enumerate(first) if a != left] + [d for a, d in enumerate(second) if a not in (0, right)]
        return (rest[0], 1, *(rest[1:] or [1]))
