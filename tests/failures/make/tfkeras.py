"""Files of tf.keras 1.15 to 2.15; each function says in its name which TensorFlow wrote it. `python tfkeras.py NAME`."""

import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import customs_tf as customs
import numpy as np
import tensorflow as tf
from tensorflow.keras import backend as K

from saving import floats, integers, numbers, place, save, save_parts

keras = tf.keras
L = keras.layers
Sequential, Model, Input = keras.models.Sequential, keras.models.Model, keras.layers.Input


def folder(name):
    shutil.rmtree(place(name), ignore_errors=True)
    return place(name)


def saved_model(name, model, *inputs, **options):
    model.save(folder(name), save_format="tf", **options)
    numbers(name, model, *inputs)


def application():
    """An image model in small: depthwise convolutions, padding, normalisation, as MobileNet has them."""
    x = Input((8, 8, 3))
    y = L.ReLU(6.0)(L.BatchNormalization()(L.Conv2D(4, 3, use_bias=False)(L.ZeroPadding2D(1)(x))))
    y = L.BatchNormalization()(L.DepthwiseConv2D(3, padding="same", use_bias=False)(y))
    return Model(x, L.Conv2D(3, 1)(y))


def tf115():
    save("tf115_patches", Sequential([L.Dense(4, input_shape=(4,)), customs.Patches(2)]), floats(6, 4))
    save("tf115_lambda_K", Sequential([L.Dense(4, input_shape=(4,)), L.Lambda(lambda x: K.square(x))]), floats(6, 4))


def tf23():
    save("tf23_lstm", Sequential([L.LSTM(3, input_shape=(4, 2)), L.Dense(2)]), floats(6, 4, 2))
    x = Input((4,))
    save("tf23_mean", customs.VAE(x, L.Dense(2)(x)), floats(6, 4))


def tf24():
    save("tf24_positional", Sequential([L.Dense(4, input_shape=(4,)), customs.PositionalEncoding(2, 4)]), floats(6, 4))
    inner = Sequential([application(), L.GlobalAveragePooling2D()])
    model = Sequential([inner, Sequential([L.Dense(5, activation="relu"), L.Dense(2, "softmax", use_bias=False)])])
    model.build((None, 8, 8, 3))
    save("tf24_teachable", model, floats(3, 8, 8, 3))
    x = Input((4,))
    model = Model(x, L.BatchNormalization(virtual_batch_size=2)(L.Dense(3)(x)))
    save("tf24_virtual_batch", model, floats(6, 4))
    keras.mixed_precision.set_global_policy("mixed_float16")
    x = Input((4,))
    model = Model(x, L.Activation("linear", dtype="float32")(L.Dense(2)(L.Dense(3)(x))))
    saved_model("tf24_mixed", model, floats(6, 4))
    save("tf24_mixed", model, floats(6, 4))


def tf26_normalization():
    keras.mixed_precision.set_global_policy("mixed_float16")
    x = Input((4, 4, 2))
    norm = L.Normalization()
    norm.adapt(floats(8, 4, 4, 2))
    y = L.Flatten()(L.Conv2D(2, 3)(norm(x)))
    save("tf26_normalization", Model(x, L.Dense(2, dtype="float32")(y)), floats(3, 4, 4, 2))


def tf26():
    global batch_size
    batch_size = 3
    save("tf26_lambda_K", Sequential([L.Dense(4, input_shape=(4,)), L.Lambda(lambda x: K.square(x))]), floats(6, 4))
    model = Sequential([L.Dense(4, input_shape=(4,)), L.Lambda(lambda x: tf.reshape(x, (batch_size, -1)))])
    model.save(place("tf26_batch_size.h5"))
    model = Sequential([L.Dense(4, input_shape=(4,)), L.Dense(2)])
    model.compile("adam", "mse")
    model.fit(floats(16, 4), floats(16, 2), epochs=2, verbose=0)
    saved_model("tf26_adam", model, floats(6, 4))


def tf28():
    class Module(tf.Module):
        def __init__(self):
            self.w = tf.Variable(floats(4, 2))

        @tf.function(input_signature=[tf.TensorSpec((None, 4))])
        def __call__(self, x):
            return {"scores": tf.matmul(x, self.w)}

    module = Module()
    tf.saved_model.save(module, folder("tf28_module"), signatures=module.__call__)
    x = floats(6, 4)
    np.savez_compressed(place("tf28_module.npz"), in_0=x, out_0=module(x)["scores"].numpy())
    words = Sequential([Input((1,), dtype="string"), L.StringLookup(vocabulary=["a", "b", "c"]), L.Embedding(5, 2)])
    words.save_weights(place("tf28_lookup_weights"), save_format="tf")
    open(place("tf28_lookup.json"), "w").write(words.to_json())
    out = words.predict(np.array([["a"], ["c"]]))
    np.savez_compressed(place("tf28_lookup.npz"), in_0=np.array([["a"], ["c"]]), out_0=out)
    model = Sequential([L.Dense(4, input_shape=(4,)), L.Dense(2)])
    model.compile(keras.optimizers.Adam(), "mse")
    model.fit(floats(16, 4), floats(16, 2), epochs=2, verbose=0)
    saved_model("tf28_compiled", model, floats(6, 4))
    tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(place("tf28_legacy_checkpoint"))
    open(place("tf28_legacy.json"), "w").write(model.to_json())
    numbers("tf28_legacy", model, floats(6, 4))


def tf21():
    x = Input((5, 4))
    y = L.Bidirectional(L.LSTM(3, return_sequences=True))(x)
    saved_model("tf21_rnn", Model(x, L.Dense(2)(L.GRU(3)(y))), floats(3, 5, 4))


def tf27():
    words = L.StringLookup(vocabulary=["a", "b", "c"], output_mode="one_hot")
    x = Input((1,), dtype="string", name="word")
    model = Model(x, L.Dense(2)(words(x)))
    model.save(folder("tf27_lookup"))
    given = np.array([["a"], ["c"], ["z"]])
    np.savez_compressed(place("tf27_lookup.npz"), in_0=given, out_0=model.predict(given))


def tf211():
    model = Sequential([L.Dense(4, input_shape=(4,)), L.Lambda(lambda x: x * 2.0), L.Dense(2)])
    saved_model("tf211_lambda", model, floats(6, 4))


def tf213():
    x = Input((4, 6))
    y = L.LayerNormalization()(L.Dense(6)(x))
    encoder = Model(x, L.LayerNormalization()(L.Dense(6)(y)), name="Encoder")
    model = Model(x, L.Dense(2)(encoder(x)), name="actor")
    save("tf213_norms", model, floats(3, 4, 6), ending=".keras")
    model = Sequential([L.Dense(4, input_shape=(4,)), L.Dense(2)])
    model.compile(keras.optimizers.legacy.Adam(0.01), "mse", metrics=["mae"])
    model.fit(floats(16, 4), floats(16, 2), epochs=2, verbose=0)
    save("tf213_legacy_adam", model, floats(6, 4), ending=".keras")


def tf215():
    @keras.saving.register_keras_serializable("my_package")
    def custom_fn(x):
        return x * 2.0

    save("tf215_function", Sequential([L.Dense(3, custom_fn, input_shape=(4,))]), floats(6, 4))
    x = Input((8, 8, 3))
    y = L.GlobalAveragePooling2D()(application()(x))
    model = Model(x, L.Dense(2)(y))
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(floats(8, 8, 8, 3), floats(8, 2), verbose=0)
    save("tf215_image", model, floats(3, 8, 8, 3), ending=".keras")
    save("tf215_image", model, floats(3, 8, 8, 3))
    save_parts("tf215_parts", model, floats(3, 8, 8, 3))
    x = Input((4,))
    save("tf215_renorm", Model(x, L.BatchNormalization(renorm=True)(L.Dense(3)(x))), floats(6, 4))
    save("tf215_lstm", Sequential([L.LSTM(3, input_shape=(4, 2)), L.Dense(2)]), floats(6, 4, 2))


if __name__ == "__main__":
    np.random.seed(3)
    for name in sys.argv[1:]:
        globals()[name]()
        print(name)
