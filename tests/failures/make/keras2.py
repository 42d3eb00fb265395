"""Files of standalone Keras 2, written with Keras 2.2.4 on TensorFlow 1.15 (Python 3.7) unless said otherwise."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import customs_keras2 as customs
import keras
import numpy as np
import tensorflow as tf  # named by the functions that are saved
from keras import backend as K  # the same
from keras.layers import (
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    Lambda,
    TimeDistributed,
)
from keras.models import Model, Sequential

from saving import floats, integers, numbers, place, save, save_parts


def lambdas():
    save("k2_lambda_slice", Sequential([Dense(4, input_shape=(4,)), Lambda(lambda x: x[:, :2])]), floats(6, 4))
    save("k2_lambda_tf", Sequential([Dense(4, input_shape=(4,)), Lambda(lambda x: tf.square(x))]), floats(6, 4))
    save("k2_lambda_K", Sequential([Dense(4, input_shape=(4,)), Lambda(lambda x: K.mean(x, axis=1, keepdims=True))]),
         floats(6, 4))  # fmt: skip


def custom():
    save("k2_spatial", Sequential([Dense(4, input_shape=(4,)), customs.SpatialTransformer(2.0, 3)]), floats(6, 4))
    save("k2_icnr", Sequential([Dense(4, input_shape=(4,), kernel_initializer=customs.ICNR(2, "zeros"))]), floats(6, 4))
    save("k2_same_name",
         Sequential([Dense(4, input_shape=(4,)), customs.Scale(2.0, name="a"), Dense(3), customs.Scale(3.0, name="b")]),
         floats(6, 4))  # fmt: skip
    save("k2_weightclip", Sequential([GRU(3, input_shape=(4, 2), recurrent_constraint=customs.WeightClip(0.5))]),
         floats(6, 4, 2))  # fmt: skip
    save("k2_chrono", Sequential([customs.AttentionLSTM(3, input_shape=(4, 2))]), floats(6, 4, 2))
    inner = Sequential([Embedding(9, 4, input_length=5), customs.TrigPosEmbedding()])
    x = Input((5,))
    save("k2_trigpos", Model(x, Dense(2)(Flatten()(inner(x)))), integers(9, 6, 5))
    save("k2_wb_init", Sequential([Dense(2, input_shape=(3,), kernel_initializer=customs.WB_Init(np.arange(6)))]),
         floats(6, 3))  # fmt: skip


def classifier(classes):
    return Sequential([Dense(512, input_shape=(2,), activation="tanh", name="hidden"), Dense(classes, name="head")])


def heads():
    nine = classifier(9)
    nine.save_weights(place("k2_nine_weights.h5"))
    numbers("k2_nine", nine, floats(4, 2))
    open(place("k2_nine.json"), "w").write(nine.to_json())
    open(place("k2_ten.json"), "w").write(classifier(10).to_json())


def backbone(trainable, name):
    x = Input((8, 8, 2))
    y = Activation("relu")(BatchNormalization(name="bn")(Conv2D(3, 3, name="conv")(x)))
    model = Model(x, BatchNormalization(name="bn2")(Conv2D(4, 3, name="conv2")(y)), name=name)
    model.trainable = trainable
    return model


def transfer(trainable, frozen_part=False):
    x = Input((8, 8, 2))
    inner = backbone(trainable, "backbone")
    if frozen_part:
        inner.get_layer("conv").trainable = False
    return Model(x, Dense(2, name="head")(GlobalAveragePooling2D()(inner(x))))


def nested():
    """Weights in another order than the architecture beside them says: what was frozen had changed."""
    saved, frozen = transfer(True), transfer(True, frozen_part=True)
    for weights in saved.weights:
        K.set_value(weights, np.random.RandomState(len(weights.name)).uniform(0.5, 1.5, K.int_shape(weights)))
    open(place("k2_nested.json"), "w").write(frozen.to_json())
    saved.save_weights(place("k2_nested_weights.h5"))
    numbers("k2_nested", saved, floats(3, 8, 8, 2))
    deep = TimeDistributed(transfer(True))
    x = Input((4, 8, 8, 2))
    model = Model(x, LSTM(3)(deep(x)))
    save("k2_hierarchical", model, floats(2, 4, 8, 8, 2))


def optimizer():
    model = Sequential([Dense(4, input_shape=(4,)), Dense(2)])
    model.compile("adam", "mse")
    model.fit(floats(16, 4), floats(16, 2), epochs=1, verbose=0)
    model.layers[0].trainable = False
    save("k2_optimizer", model, floats(6, 4))


def counts():
    """Weights of one architecture beside another one."""

    def tower(n):
        return Sequential(
            [Dense(3, input_shape=(3,), name="dense_1")] + [Dense(3, name="dense_%d" % i) for i in range(2, n + 1)]
        )

    tower(25).save_weights(place("k2_25_weights.h5"))
    open(place("k2_31.json"), "w").write(tower(31).to_json())
    tower(77).save_weights(place("k2_77_weights.h5"))
    open(place("k2_78.json"), "w").write(tower(78).to_json())
    x = Input((6, 6, 2))
    y = Flatten()(BatchNormalization(name="batch_normalization_34")(Conv2D(2, 3, name="conv2d_34")(x)))
    with_norm = Model(x, Dense(2, name="head")(y))
    z = Flatten()(Conv2D(2, 1, name="conv2d_35")(Conv2D(2, 3, name="conv2d_34")(x)))
    Model(x, Dense(2, name="head")(z)).save_weights(place("k2_order_weights.h5"))
    open(place("k2_order.json"), "w").write(with_norm.to_json())
    same = Model(x, Dense(2)(Flatten()(Conv2D(2, 3)(x))))
    open(place("k2_axes.json"), "w").write(same.to_json())
    Model(x, Flatten()(Dense(2)(Dense(2)(x)))).save_weights(place("k2_axes_weights.h5"))


def recurrent():
    save("k2_bidirectional", Sequential([Bidirectional(LSTM(3), input_shape=(4, 2)), Dense(2)]), floats(6, 4, 2))
    save(
        "k2_conv1d", Sequential([Conv1D(3, 3, input_shape=(8, 2)), Conv1D(2, 2), Flatten(), Dense(2)]), floats(6, 8, 2)
    )


def cudnn():
    """The same layer, saved as the one for GPUs alone."""
    twin = Sequential([GRU(3, input_shape=(4, 2), reset_after=True, recurrent_activation="sigmoid")])
    weights = twin.get_weights()
    numbers("k2_cudnn_gru", twin, floats(6, 4, 2))
    K.clear_session()
    model = Sequential([keras.layers.CuDNNGRU(3, input_shape=(4, 2))])
    model.set_weights([weights[0], weights[1], weights[2].flatten()])
    model.save(place("k2_cudnn_gru.h5"))
    K.clear_session()


def young():
    """With Keras 2.0.5 on TensorFlow 1.4 (Python 3.6)."""
    save("k205_lambda", Sequential([Dense(4, input_shape=(4,)), Lambda(lambda x: x * 2 + 200)]), floats(6, 4))
    x = Input((8, 2))
    conv = Dense(2)(Flatten()(Conv1D(2, 2)(Conv1D(3, 3)(x))))
    save("k205_conv1d", Model(x, conv), floats(6, 8, 2))
    inner = Sequential([Dense(4, input_shape=(4,)), customs.TrigPosEmbedding()])
    x = Input((4,))
    save("k205_nested_custom", Model(x, Dense(2)(inner(x))), floats(6, 4))
    save("k205_list", Sequential([Dense(4, input_shape=(4,)), Dense(3)]), floats(6, 4))


if __name__ == "__main__":
    np.random.seed(3)
    writers = (young,) if keras.__version__ < "2.1" else (
        lambdas, custom, heads, nested, optimizer, counts, recurrent, cudnn,
    )  # fmt: skip
    for write in [w for w in writers if len(sys.argv) == 1 or w.__name__ in sys.argv]:
        write()
        print(write.__name__)
