"""LocallyConnected1D and 2D, which Keras 3 does not have: convolutions with weights of their own at each place."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import tensorflow as tf

from safeload.runtime import detect, keras_module

__all__ = ["LocallyConnected1D", "LocallyConnected2D"]

keras: Any = keras_module(detect())


def _length(size: int, kernel: int, stride: int, padding: str) -> int:
    return -(-size // stride) if padding == "same" else (size - kernel) // stride + 1


def _windows(size: int, kernel: int, stride: int, padding: str) -> list[range]:
    """The places of the input that each place of the output sees, along one axis, as Keras 2 counts them.

    With `same`, Keras 2 centres the window (`conv_utils.conv_kernel_mask`): from `i * stride - kernel // 2` on.
    """
    found = []
    for i in range(_length(size, kernel, stride, padding)):
        centre = i * stride + (0 if padding == "same" else kernel // 2)
        low, high = centre - kernel // 2, centre - kernel // 2 + kernel
        found.append(range(max(0, low), min(size, high)))
    return found


class _LocallyConnected(keras.layers.Layer):
    """What both share. `implementation` decides the form of the kernel, as in tf.keras 1.14 and later.

    The bias has the shape `(places, filters)`. In channels_first, `K.bias_add` of Keras 2 reshapes it to the output's,
    where one would expect a transposition; the same here, since the numbers must be the writer's.
    """

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if padding != "valid" and implementation == 1:
            raise ValueError(f"padding {padding!r} needs implementation 2 or 3")
        self.filters = filters
        self.kernel_size = self._sizes(kernel_size)
        self.strides = self._sizes(strides)
        self.padding = padding
        self.data_format = data_format or keras.backend.image_data_format()
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.implementation = implementation

    def _sizes(self, value: Any) -> tuple[int, ...]:
        return tuple(value) if isinstance(value, list | tuple) else (value,) * self.rank

    @property
    def _first(self) -> bool:
        return bool(self.data_format == "channels_first")

    def build(self, input_shape: Any) -> None:
        spatial = tuple(input_shape[2:] if self._first else input_shape[1:-1])
        channels = input_shape[1 if self._first else -1]
        if any(n is None for n in (*spatial, channels)):
            raise ValueError(f"the input's shape must be known, not {tuple(input_shape)}")
        out = tuple(_length(n, k, s, self.padding) for n, k, s in zip(spatial, self.kernel_size, self.strides))
        inside = (channels, *spatial) if self._first else (*spatial, channels)
        outside = (self.filters, *out) if self._first else (*out, self.filters)
        self._out = outside
        window = int(np.prod(self.kernel_size))
        shape: tuple[int, ...] = (int(np.prod(out)), window * channels, self.filters)
        if self.implementation == 1:
            self._patches = self._gathered(spatial, channels, out)
        else:
            self._connections = self._connected(spatial, channels, out)
            self._flat = (int(np.prod(inside)), int(np.prod(outside)))
            shape = (*inside, *outside) if self.implementation == 2 else (len(self._connections),)
        self.kernel = self.add_weight(
            shape=shape,
            initializer=self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(*out, self.filters),
                initializer=self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def _pairs(self, spatial: tuple[int, ...], out: tuple[int, ...]) -> Any:
        """Each place of the output with the places of the input that it sees, in order."""
        axes = [_windows(n, k, s, self.padding) for n, k, s in zip(spatial, self.kernel_size, self.strides)]
        for place in itertools.product(*(range(n) for n in out)):
            yield place, list(itertools.product(*(axis[i] for axis, i in zip(axes, place))))

    def _channels_last(self, flat: Any, spatial: tuple[int, ...], channels: int) -> Any:
        """Flat positions on the grid that they stand for, the channels behind."""
        if self._first:
            return np.moveaxis(flat.reshape((channels, *spatial)), 0, -1)
        return flat.reshape((*spatial, channels))

    def _gathered(self, spatial: tuple[int, ...], channels: int, out: tuple[int, ...]) -> Any:
        """Positions in the flat input of each patch; the order in a patch is that of the slice (`K.local_conv`)."""
        flat = np.arange(int(np.prod(spatial)) * channels)
        grid = self._channels_last(flat, spatial, channels)
        rows = []
        for _, seen in self._pairs(spatial, out):
            index = tuple(np.array(seen).T)
            patch = grid[index]
            rows.append((patch.T if self._first else patch).reshape(-1))
        return np.stack(rows)

    def _connected(self, spatial: tuple[int, ...], channels: int, out: tuple[int, ...]) -> Any:
        """Pairs (output, input) of flat positions that are connected, sorted: the order of the sparse kernel."""
        inside = np.arange(int(np.prod(spatial)) * channels)
        outside = np.arange(int(np.prod(out)) * self.filters)
        ins = self._channels_last(inside, spatial, channels)
        outs = self._channels_last(outside, out, self.filters)
        pairs = []
        for place, seen in self._pairs(spatial, out):
            for at in seen:
                pairs += list(itertools.product(outs[place].tolist(), ins[at].tolist()))
        return np.array(sorted(pairs), dtype="int64").reshape(-1, 2)

    def call(self, inputs: Any) -> Any:
        batch = tf.shape(inputs)[0]
        flat = tf.reshape(inputs, (batch, -1))
        kernel = tf.convert_to_tensor(self.kernel)
        if self.implementation == 1:
            patches = tf.gather(flat, self._patches, axis=1)  # (batch, places, window)
            outputs = tf.einsum("bpw,pwf->bpf", patches, kernel)
            if self._first:
                outputs = tf.transpose(outputs, (0, 2, 1))
        else:
            if self.implementation == 2:
                mask = np.zeros(self._flat, "bool")
                mask[self._connections[:, 1], self._connections[:, 0]] = True
                dense = tf.reshape(kernel, self._flat) * tf.cast(mask, kernel.dtype)
            else:
                dense = tf.scatter_nd(self._connections[:, ::-1], kernel, self._flat)
            outputs = tf.matmul(flat, dense)
        outputs = tf.reshape(outputs, (batch, *self._out))
        outputs.set_shape((inputs.shape[0], *self._out))
        if self.bias is not None:
            outputs += tf.reshape(tf.convert_to_tensor(self.bias), (1, *self._out))  # reshaped, see the class
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        spatial = input_shape[2:] if self._first else input_shape[1:-1]
        out = tuple(
            None if n is None else _length(n, k, s, self.padding)
            for n, k, s in zip(spatial, self.kernel_size, self.strides)
        )
        return (input_shape[0], self.filters, *out) if self._first else (input_shape[0], *out, self.filters)

    def get_config(self) -> dict[str, Any]:
        kept = ("filters", "kernel_size", "strides", "padding", "data_format", "use_bias", "implementation")
        config = {name: getattr(self, name) for name in kept}
        config["activation"] = keras.activations.serialize(self.activation)
        for kind in ("initializer", "regularizer", "constraint"):
            module = getattr(keras, f"{kind}s")
            for of in ("kernel", "bias"):
                config[f"{of}_{kind}"] = module.serialize(getattr(self, f"{of}_{kind}"))
        config["activity_regularizer"] = keras.regularizers.serialize(self.activity_regularizer)
        return {**super().get_config(), **config}


@keras.utils.register_keras_serializable("safeload")
class LocallyConnected1D(_LocallyConnected):
    """Keras 2's, in all three implementations."""

    rank = 1


@keras.utils.register_keras_serializable("safeload")
class LocallyConnected2D(_LocallyConnected):
    """Keras 2's, in all three implementations."""

    rank = 2
