"""A module of custom objects, as a project would have one."""

import tensorflow as tf


class Scale(tf.keras.layers.Layer):
    """Multiply by a learned number for each feature."""

    def __init__(self, initial=1.0, **kwargs):
        super().__init__(**kwargs)
        self.initial = initial

    def build(self, input_shape):
        start = tf.keras.initializers.Constant(self.initial)
        self.factor = self.add_weight(name="factor", shape=(int(input_shape[-1]),), initializer=start)
        super().build(input_shape)

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return {**super().get_config(), "initial": self.initial}
