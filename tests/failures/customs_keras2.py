"""The custom objects of the files that standalone Keras 2 wrote, as their authors wrote them: faults included."""

from __future__ import print_function

import keras
import numpy as np
from keras import backend as K
from keras.constraints import Constraint
from keras.initializers import Initializer
from keras.layers import Layer


class SpatialTransformer(Layer):
    """Takes two arguments that `get_config` doesn't store."""

    def __init__(self, localization_net, output_size, **kwargs):
        self.locnet = localization_net
        self.output_size = output_size
        super(SpatialTransformer, self).__init__(**kwargs)

    def call(self, x):
        return x[:, : self.output_size] * self.locnet

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_size)


class ICNR(Initializer):
    """An initializer without `get_config`."""

    def __init__(self, scale, initializer):
        self.scale = scale
        self.initializer = initializer

    def __call__(self, shape, dtype=None):
        return K.constant(np.ones(shape), dtype=dtype or "float32")


class Scale(Layer):
    """Stores a name of its own: each one is called `scale` when it is built again."""

    def __init__(self, factor=2.0, **kwargs):
        self.factor = factor
        super(Scale, self).__init__(**kwargs)

    def call(self, x):
        return x * self.factor

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super(Scale, self).get_config()
        config.update({"factor": self.factor, "name": "scale"})
        return config


class WeightClip(Constraint):
    """Stores a name that it doesn't take."""

    def __init__(self, c=2):
        self.c = c

    def __call__(self, p):
        return K.clip(p, -self.c, self.c)

    def get_config(self):
        return {"name": self.__class__.__name__, "c": self.c}


class AttentionLSTM(keras.layers.LSTM):
    """Stores an argument that it doesn't take any more."""

    def get_config(self):
        return dict(super(AttentionLSTM, self).get_config(), use_chrono_initialization=True)


class TrigPosEmbedding(Layer):
    """A layer of another package (keras-pos-embd), by name alone."""

    def __init__(self, output_dim=None, mode="add", **kwargs):
        self.output_dim = output_dim
        self.mode = mode
        super(TrigPosEmbedding, self).__init__(**kwargs)

    def call(self, x):
        return x + 1.0

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return dict(super(TrigPosEmbedding, self).get_config(), output_dim=self.output_dim, mode=self.mode)


class WB_Init(Initializer):
    """An initializer that carries its values."""

    def __init__(self, vals=None):
        self.vals = vals

    def __call__(self, shape, dtype=None, partition_info=None):
        return K.constant(np.reshape(self.vals, shape), dtype=dtype or "float32")

    def get_config(self):
        return {"vals": np.asarray(self.vals).tolist()}
