"""Files of Keras 1, written with Keras 1.2.2 (KERAS_BACKEND=theano, Python 2.7); `old` with Keras 1.1.1."""

import sys

import keras
import numpy as np
from keras import backend as K
from keras.engine.topology import Layer
from keras.layers import (
    LSTM,
    Activation,
    BatchNormalization,
    Convolution2D,
    Dense,
    Embedding,
    Flatten,
    Input,
    Lambda,
    MaxPooling2D,
    UpSampling2D,
    merge,
)
from keras.models import Model, Sequential
from keras.regularizers import Regularizer

from saving import floats, integers, save, save_parts

if keras.__version__ < "2":
    from keras.layers import Merge


class tf:
    """Stands for TensorFlow, which the saved functions name but this environment doesn't have."""

    square = staticmethod(lambda x: x * x)
    reduce_mean = staticmethod(lambda x, axis: x.mean(axis))


class SumOne(Regularizer):
    def __init__(self, l=0.0):
        self.l = float(l)

    def __call__(self, x):
        return self.l * K.sum(K.abs(x))

    def get_config(self):
        return {"name": self.__class__.__name__, "l": self.l}


class Attention(Layer):
    """A layer whose author forgot `get_config`."""

    def __init__(self, size, **kwargs):
        self.size = size
        super(Attention, self).__init__(**kwargs)

    def build(self, input_shape):
        self.W = K.variable(floats(input_shape[-1], self.size), name="{}_W".format(self.name))
        self.trainable_weights = [self.W]
        super(Attention, self).build(input_shape)

    def call(self, x, mask=None):
        return K.dot(x, self.W)

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], self.size)

    compute_output_shape = get_output_shape_for


def branches(mode, **options):
    left = Sequential([Dense(3, input_dim=4, activation="tanh")])
    right = Sequential([Dense(3, input_dim=5, activation="tanh")])
    model = Sequential()
    model.add(Merge([left, right], mode=mode, **options))
    model.add(Dense(2))
    return model


def merged():
    save("k1_merge_concat", branches("concat", concat_axis=1), floats(6, 4), floats(6, 5))
    save_parts("k1_merge_mul", branches("mul"), floats(6, 4), floats(6, 5))
    a, b = Input((4,)), Input((4,))
    shared = Dense(3, activation="tanh")
    together = Merge(mode="sum")([shared(a), shared(b)])
    save("k1_merge_sum", Model([a, b], Dense(2)(together)), floats(6, 4), floats(6, 4)[::-1].copy())
    save_parts("k1_merge_ave", branches("ave"), floats(6, 4), floats(6, 5))


def input_dtype():
    model = Sequential([Embedding(9, 4, input_length=5), LSTM(3), Dense(1, activation="sigmoid")])
    model.compile("rmsprop", "binary_crossentropy")
    save("k1_input_dtype", model, integers(9, 6, 5))


def nested():
    inner = Sequential([Dense(4, input_dim=3), BatchNormalization(), Activation("relu"), Dense(4), Dense(4), Dense(4)])
    outer = Sequential([inner, Dense(2)])
    save_parts("k1_nested", outer, floats(6, 3))


def convolutions():
    model = Sequential(
        [Convolution2D(4, 3, 3, input_shape=(2, 8, 8)), MaxPooling2D(), Convolution2D(3, 2, 2), Flatten(), Dense(2)]
    )
    save_parts("k1_theano_conv", model, floats(5, 2, 8, 8))
    save("k1_inception", towers("th"), floats(4, 2, 8, 8))


def towers(ordering):
    channel = 1 if ordering == "th" else -1
    x = Input((2, 8, 8) if ordering == "th" else (8, 8, 2))
    a = Convolution2D(3, 1, 1, border_mode="same", dim_ordering=ordering)(x)
    b = Convolution2D(4, 3, 3, border_mode="same", dim_ordering=ordering)(x)
    c = UpSampling2D(dim_ordering=ordering)(MaxPooling2D(dim_ordering=ordering)(b))
    together = merge([a, b, c], mode="concat", concat_axis=channel)
    return Model(x, Dense(2)(Flatten()(BatchNormalization(axis=channel)(together))))


def tensorflow_order():
    K.set_image_dim_ordering("tf")
    save_parts("k1_tf_order", towers("tf"), floats(4, 8, 8, 2))
    K.set_image_dim_ordering("th")


def lambdas():
    save("k1_lambda_tf", Sequential([Dense(3, input_dim=4), Lambda(lambda x: tf.square(x)), Dense(2)]), floats(6, 4))
    save("k1_lambda_plain", Sequential([Dense(3, input_dim=4), Lambda(lambda x: x * 2), Dense(2)]), floats(6, 4))


def regularized():
    model = Sequential([Dense(3, input_dim=4, W_regularizer=SumOne(0.1)), Dense(2)])
    save_parts("k1_regularizer", model, floats(6, 4))


def old():
    """With Keras 1.1.1: an optimizer's state, a layer without `get_config`, an embedding with dropout."""
    model = Sequential([Dense(8, input_dim=4), Dense(2)])
    model.compile("adam", "mse")
    model.fit(floats(16, 4), floats(16, 2), nb_epoch=1, verbose=0)
    save("k11_optimizer", model, floats(6, 4))
    save("k11_attention", Sequential([Dense(3, input_dim=4), Attention(3), Dense(2)]), floats(6, 4))
    left = Sequential([Embedding(9, 4, input_length=5, dropout=0.2), LSTM(3)])
    right = Sequential([Dense(3, input_dim=4)])
    model = Sequential()
    model.add(Merge([left, right], mode="concat"))
    model.add(Dense(2))
    save("k11_merge_dropout", model, integers(9, 6, 5), floats(6, 4))


if __name__ == "__main__":
    np.random.seed(3)
    K.set_image_dim_ordering("th")
    for write in (old,) if keras.__version__ < "1.2" else (
        merged, input_dtype, nested, convolutions, tensorflow_order, lambdas, regularized,
    ):  # fmt: skip
        write()
        sys.stdout.write(write.__name__ + "\n")
