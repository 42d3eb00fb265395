"""The layers of a team, as an installable package."""

import tensorflow as tf


class Swish1(tf.keras.layers.Layer):
    """x * sigmoid(beta * x)."""

    def __init__(self, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.beta = beta

    def call(self, inputs):
        return inputs * tf.sigmoid(self.beta * inputs)

    def get_config(self):
        return {**super().get_config(), "beta": self.beta}
