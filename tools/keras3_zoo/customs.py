"""Registered custom objects that the models of `graphs.py` use; for Keras 3 and, where the models are read, Keras 2."""

import os
import types

if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
    import tensorflow as tf

    keras = tf.keras
else:
    import keras

if hasattr(keras, "ops"):
    ops, Variable = keras.ops, keras.Variable
else:
    ops = types.SimpleNamespace(abs=tf.abs, mean=tf.reduce_mean, sum=tf.reduce_sum, tanh=tf.tanh, cast=tf.cast)
    ops.matmul, Variable = tf.matmul, tf.Variable

register = keras.utils.register_keras_serializable("zoo")


@register
def named_double(x):
    return x * 2.0


@register
def my_activation(x):
    return ops.tanh(x) * 0.5 + 0.1


@register
def my_loss(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred) ** 1.5, axis=-1)


@register
def my_metric(y_true, y_pred):
    return ops.mean(y_pred)


@register
class MyLoss(keras.losses.Loss):
    def __init__(self, power=1.0, name="my_loss", **kwargs):
        super().__init__(name=name)
        self.power = power

    def call(self, y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred) * self.power, axis=-1)

    def get_config(self):
        return {"power": self.power, "name": self.name}


@register
class MyMetric(keras.metrics.Metric):
    def __init__(self, name="my_metric", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(ops.sum(y_pred))

    def result(self):
        return self.total


@register
class MyRegularizer(keras.regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return self.factor * ops.sum(ops.abs(x))

    def get_config(self):
        return {"factor": self.factor}


@register
class MySchedule(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.rate / (1.0 + ops.cast(step, "float32"))

    def get_config(self):
        return {"rate": self.rate}


@register
class Scale(keras.layers.Layer):
    def __init__(self, start, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def call(self, x):
        return x * self.scale * self.start

    def get_config(self):
        return {**super().get_config(), "start": self.start}


@register
class Block(keras.layers.Layer):
    """Makes its layers in `__init__` and builds them."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first = keras.layers.Dense(units, activation="relu")
        self.norm = keras.layers.LayerNormalization()

    def build(self, input_shape):
        self.first.build(input_shape)
        self.norm.build((*input_shape[:-1], self.units))

    def call(self, x):
        return self.norm(self.first(x))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
class Lazy(keras.layers.Layer):
    """Makes its layers in `__init__` and has no `build`."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.inner = keras.Sequential([keras.layers.Dense(units), keras.layers.Dense(units)])

    def call(self, x):
        return self.inner(x)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
class Tower(keras.layers.Layer):
    """Layers in a list and in a dict."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.tower = [keras.layers.Dense(units) for _ in range(2)]
        self.heads = {"a": keras.layers.Dense(units), "b": keras.layers.Dense(units)}

    def build(self, input_shape):
        shape = input_shape
        for layer in self.tower:
            layer.build(shape)
            shape = (*shape[:-1], self.units)
        for layer in self.heads.values():
            layer.build(shape)

    def call(self, x):
        for layer in self.tower:
            x = layer(x)
        return self.heads["a"](x) + self.heads["b"](x)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
class Counted(keras.layers.Layer):
    """A variable that is not a weight, and one that is a plain `keras.Variable`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.offset = Variable([1.0, 2.0, 3.0, 4.0], name="offset")
        self.seen = Variable(3, trainable=False, dtype="int32", name="seen")
        self.built = True

    def call(self, x):
        return x + self.offset + ops.cast(self.seen, x.dtype)


@register
class MinimalCell(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, self.units), name="recurrent")

    def call(self, x, states):
        state = ops.tanh(ops.matmul(x, self.kernel) + ops.matmul(states[0], self.recurrent))
        return state, [state]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
class Subclassed(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first = keras.layers.Dense(units, activation="relu")
        self.last = keras.layers.Dense(2)

    def call(self, x):
        return self.last(self.first(x))

    def get_config(self):
        return {"units": self.units}


@register
class KeptFunctional(keras.Model):
    """A functional model by a class of its own."""
