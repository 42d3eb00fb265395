"""Files of Keras 3.15 on TensorFlow."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import customs_keras3 as customs
import keras
import numpy as np
from keras import Input, Model, Sequential
from keras import layers as L

from saving import floats, place, save


def custom():
    model = Sequential([Input((4,)), L.Dense(4), customs.TransformerBlock(4)])
    save("k3_block", model, floats(6, 4), ending=".keras")
    x = Input((4,))
    y = customs.TransformerBlock(4)(L.Dense(4)(x))
    save("k3_block_functional", Model(x, y), floats(6, 4), ending=".keras")
    save("k3_torch_model", customs.TorchModel(inputs=x, outputs=L.Dense(2)(x)), floats(6, 4), ending=".keras")


def rescaling():
    model = Sequential([Input((4,)), L.Rescaling(np.array([1.0, 2.0, 3.0, 4.0]), 0.5), L.Dense(2)])
    save("k3_rescaling", model, floats(6, 4), ending=".keras")


def axis():
    model = Sequential([Input((4, 4, 3)), L.Conv2D(3, 2), L.BatchNormalization(axis=-1), L.Flatten(), L.Dense(2)])
    save("k3_norm", model, floats(3, 4, 4, 3), ending=".keras")


def current():
    x = Input((4, 2))
    model = Model(x, L.Dense(2)(L.Bidirectional(L.LSTM(3))(x)))
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(floats(16, 4, 2), floats(16, 2), verbose=0)
    save("k3_bidirectional", model, floats(6, 4, 2), ending=".keras")
    save("k3_bidirectional", model, floats(6, 4, 2))
    x = Input((4,))
    model = Model(x, L.Dense(2)(x))
    model.compile("adam", "mae")
    save("k3_mae", model, floats(6, 4))


def heads():
    def model(classes):
        return Sequential([Input((4,)), L.Dense(256, name="dense_4"), L.Dense(classes, name="dense_5")])

    model(10).save(place("k3_ten.h5"))
    with open(place("k3_25.json"), "w") as file:
        file.write(model(25).to_json())


def sequence_of_two():
    x = Input((4,))
    backbone = Model(x, [L.Dense(3)(x), L.Dense(3)(x)], name="backbone")
    y = Input((4,))
    parts = backbone(y)
    save("k3_two_outputs", Model(y, L.Dense(2)(L.Add()(parts))), floats(6, 4), ending=".keras")


if __name__ == "__main__":
    keras.utils.set_random_seed(3)
    for write in (custom, rescaling, axis, current, heads, sequence_of_two):
        write()
        print(write.__name__)
