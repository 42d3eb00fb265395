"""The custom objects of the files that tf.keras wrote, as their authors wrote them: faults included."""

import tensorflow as tf

keras = tf.keras


class Patches(keras.layers.Layer):
    """Stores what it doesn't take, and takes no `**kwargs` for what Keras stores of each layer."""

    def __init__(self, size):
        super(Patches, self).__init__()
        self.size = size

    def call(self, x):
        return x[:, : self.size]

    def get_config(self):
        return dict(super(Patches, self).get_config(), size=self.size)


class PositionalEncoding(keras.layers.Layer):
    """Takes no `**kwargs`, and stores only one of its two arguments."""

    def __init__(self, position, d_model):
        super(PositionalEncoding, self).__init__()
        self.position, self.d_model = position, d_model

    def call(self, x):
        return x + float(self.position)

    def get_config(self):
        return dict(super(PositionalEncoding, self).get_config(), position=self.position)


class VAE(keras.Model):
    """Keeps a metric, which Keras 2.3 stores among the layers."""

    def __init__(self, *args, **kwargs):
        super(VAE, self).__init__(*args, **kwargs)
        self.tracker = keras.metrics.Mean(name="loss")
