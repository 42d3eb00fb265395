"""The custom objects of the files that Keras 3 wrote, as their authors wrote them: faults included."""

import keras


class TransformerBlock(keras.layers.Layer):
    """Takes no `**kwargs`, for the `name` and `trainable` that Keras stores of each layer."""

    def __init__(self, units):
        super().__init__()
        self.units = units
        self.inner = keras.layers.Dense(units)

    def call(self, x):
        return x + self.inner(x)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class TorchModel(keras.Model):
    """A class of its own whose objects are functional models: its config is that of one."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
