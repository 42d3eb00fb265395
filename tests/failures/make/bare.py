"""What the bare loader of another version says to each file: `python bare.py ENVIRONMENT`; adds to ../bare.json.

The environment names a Keras and the TensorFlow (or Theano) below it; the README beside the files has the versions.
Runs on Python 2.7 as well.
"""

from __future__ import print_function

import io
import json
import os
import platform
import re
import sys
import warnings

FILES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "files")
sys.path.insert(0, os.path.dirname(FILES))


def here(name):
    return os.path.join(FILES, name) if "/" not in name else os.path.join(os.path.dirname(os.path.dirname(FILES)), name)


def load(name, **options):
    """The bare `load_model`, and one prediction where there are numbers."""
    if TF_KERAS:
        import tensorflow as tf

        load_model = getattr(tf, "keras", None) and tf.keras.models.load_model
        if load_model is None:
            from tensorflow.python.keras.models import load_model
    else:
        from keras.models import load_model
    model = load_model(here(name), **options)
    stem = os.path.splitext(here(name))[0] + ".npz"
    if os.path.exists(stem) and options.get("compile") is not None:
        predict(model, stem)
    return model


def predict(model, numbers):
    import numpy as np

    arrays = np.load(numbers)
    given = [arrays[k] for k in sorted(arrays.files) if k.startswith("in_")]
    return model.predict(given if len(given) > 1 else given[0])


def parts(architecture, weights=None, order=None, custom=None, call=False):
    """`model_from_json` and `load_weights`."""
    from keras import backend as K

    if order:
        K.set_image_dim_ordering(order)
    if TF_KERAS:
        from tensorflow.keras.models import model_from_json
    else:
        from keras.models import model_from_json
    with io.open(here(architecture), encoding="utf-8") as file:
        text = file.read()
    model = model_from_json(text, **({"custom_objects": custom} if custom else {}))
    if weights:
        model.load_weights(here(weights))
    return model


def of(module, *names):
    found = __import__(module)
    return {name: getattr(found, name) for name in names}


def k2(*names):
    return of("customs_keras2", *names)


def warned(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        load(name)


def wrong_order():
    """A model of the other dimension ordering: the code is the same, the ordering the one of this backend."""
    from keras.layers import Convolution2D, Input, MaxPooling2D, UpSampling2D, merge

    x = Input((8, 8, 2))
    wide, narrow = Convolution2D(64, 3, 3, border_mode="same")(x), Convolution2D(32, 3, 3, border_mode="same")(x)
    return merge([wide, UpSampling2D()(MaxPooling2D((4, 4))(narrow))], mode="concat", concat_axis=1)


def transposed():
    """As `load_weights` with the kernels as the other backend stores them."""
    import h5py
    import numpy as np
    from keras.layers import Convolution2D
    from keras.models import Sequential

    model = Sequential([Convolution2D(4, 3, 3, input_shape=(8, 8, 2))])
    with h5py.File(here("k1_theano_conv_weights.h5"), "r") as file:
        group = file[file.attrs["layer_names"][0]]
        model.layers[0].set_weights([np.array(group[n]) for n in group.attrs["weight_names"]])


def saved(name):
    import tensorflow as tf

    return tf.saved_model.load(here(name))


def run(name, *shape):
    import tensorflow as tf

    return saved(name).call(tf.zeros(shape))


def called(name, attribute):
    return getattr(saved(name), attribute)()


def legacy_checkpoint():
    import tensorflow as tf

    model = parts("tf28_legacy.json")
    model.compile("adam", "mse")
    tf.train.Checkpoint(model=model, optimizer=model.optimizer).restore(here("tf28_legacy_checkpoint"))


def without(module):
    """As if a module were not installed."""
    sys.modules[module] = None


def no_h5py(name="fixtures/keras224/mlp.h5"):
    without("h5py")
    return load(name)


def elsewhere(function):
    """Run a function in another thread, and raise here what it raised there."""
    import threading

    caught = []

    def run_it():
        try:
            function()
        except Exception as error:  # whatever it is, it is what this script records
            caught.append(error)

    thread = threading.Thread(target=run_it)
    thread.start()
    thread.join()
    if caught:
        raise caught[0]


def threads():
    """A model that is loaded in one thread and asked in another."""
    model = load("fixtures/keras224/mlp.h5")
    elsewhere(lambda: predict(model, here("fixtures/keras224/mlp.npz")))


def in_thread():
    """A model that is loaded in another thread than the one that imported Keras."""
    import keras  # noqa: F401

    elsewhere(lambda: load("fixtures/keras224/mlp.h5"))


def by_name():
    model = parts("k3_25.json")
    model.load_weights(here("k3_ten.h5"), by_name=True)


def young_parts(architecture, weights):
    """The architecture without the keys that only tf.keras knows; the weights as they are."""
    from keras.models import model_from_json

    text = io.open(here(architecture), encoding="utf-8").read()
    for key in ('"ragged": false, ', ', "ragged": false', '"ragged": false', '"groups": 1, '):
        text = text.replace(key, "")
    config = json.loads(text)

    def stripped(node):
        if isinstance(node, dict):
            if node.get("class_name") in ("Zeros", "Ones", "GlorotUniform"):
                return {"Zeros": "zeros", "Ones": "ones"}.get(node["class_name"], "glorot_uniform")
            config = {k: stripped(v) for k, v in node.items()}
            if node.get("class_name") == "BatchNormalization" and isinstance(config["config"]["axis"], list):
                config["config"]["axis"] = config["config"]["axis"][0]
            return config
        return [stripped(v) for v in node] if isinstance(node, list) else node

    model_from_json(json.dumps(stripped(config))).load_weights(here(weights))


def made(layer, **arguments):
    """A layer that code of Keras 2 makes."""
    import keras

    return getattr(keras.layers, layer)(**arguments)


def never_called():
    import keras

    return keras.Sequential([keras.layers.Dense(2)]).input


def tensor_into_function():
    import keras
    import tensorflow as tf

    return tf.reduce_mean(keras.Input((4,)))


def foreign_layer():
    """A layer of the other Keras, as tensorflow_hub's is."""
    import keras
    import tf_keras

    class KerasLayer(tf_keras.layers.Layer):
        pass

    return keras.Sequential([KerasLayer()])


def foreign_optimizer():
    import keras
    import tf_keras

    keras.Sequential([keras.layers.Dense(1)]).compile(tf_keras.optimizers.Adam(), "mse")


RUNS = {
    "keras-1.2.2-theano27": {
        "F001": lambda: predict(parts("k1_tf_order.json", "k1_tf_order_weights.h5", "th"), here("k1_inception.npz")),
        "F221": lambda: load("k1_lambda_tf.h5"),
    },
    "keras-1.1.1-theano27": {
        "F040": lambda: load("k11_attention.h5", custom_objects={"Attention": __import__("keras1").Attention}),
        "F157": lambda: load("k11_optimizer.h5"),
    },
    "keras-1.2.2-tf14": {
        "F004": transposed,
        "F007": wrong_order,
    },
    "keras-1.2.0-tf14": {
        "F098": lambda: parts("k1_regularizer.json", custom=of("keras1", "SumOne")),
        "F226": lambda: load("k1_inception.h5"),
    },
    "keras-1.0.1-theano27": {"F132": lambda: exec_("from keras.models import load_model")},
    "keras-2.0.0-tf14": {
        "F099": lambda: load("k205_nested_custom.h5", custom_objects=k2("TrigPosEmbedding")),
    },
    "keras-2.0.1-tf14": {"F064": lambda: load("k2_hierarchical.h5"), "F224": lambda: load("k1_inception.h5")},
    "keras-2.0.3-theano27": {"F005": lambda: predict(load("k205_conv1d.h5"), here("k205_conv1d.npz"))},
    "keras-2.1.2-tf14": {
        "F223": lambda: load("k205_lambda.h5"),
        "F309": lambda: parts("k1_nested.json", "k1_nested_weights.h5"),
        "F220": lambda: load("py35_lambda.h5"),
        "F225": lambda: load("py35_lambda.h5"),
    },
    "keras-2.2.4-tf115:h5py": {"F134": no_h5py, "F139": no_h5py},
    "tf114:h5py": {"F144": lambda: (without("h5py"), load_and_save())},
    "tf21:h5py": {
        "F136": lambda: (without("h5py"), load_and_save()),
        "F145": lambda: (without("h5py"), load_and_save()),
    },
    "tf14": {"F230": lambda: load("fixtures/keras224/mlp.h5"), "F277": lambda: load("fixtures/tf24/mlp.h5")},
    "k224theano": {"F003": lambda: predict(load("k1_tf_order.h5"), here("k1_tf_order.npz"))},
    "keras-2.2.4-tf115": {
        "F006": lambda: parts("k2_ten.json", "k2_nine_weights.h5"),
        "F041": lambda: load("k2_spatial.h5", custom_objects=k2("SpatialTransformer")),
        "F042": lambda: load("k2_spatial.h5", custom_objects=k2("SpatialTransformer")),
        "F043": lambda: load("k2_icnr.h5", custom_objects=k2("ICNR")),
        "F044": lambda: load("k2_same_name.h5", custom_objects=k2("Scale")),
        "F045": lambda: load("k2_weightclip.h5", custom_objects=k2("WeightClip")),
        "F076": lambda: predict(
            load("repairs/keras2_files/keras224-cudnn_gru.h5"), here("repairs/keras2_files/keras224-cudnn_gru.h5.npz")
        ),
        "F102": lambda: load("k2_trigpos.h5"),
        "F118": lambda: load("k2_wb_init.h5"),
        "F182": threads,
        "F227": lambda: load("k1_lambda_plain.h5"),
        "F229": lambda: load("k1_merge_concat.h5"),
        "F234": lambda: parts("k1_merge_mul.json"),
        "F236": lambda: load("k1_merge_sum.h5"),
        "F238": lambda: parts("k1_merge_ave.json"),
        "F242": lambda: load("k2_lambda_tf.h5"),
        "F244": lambda: load("k11_merge_dropout.h5"),
        "F310": lambda: parts("k2_nested.json", "k2_nested_weights.h5"),
        "F314": lambda: parts("k2_nested.json", "k2_nested_weights.h5"),
        "F320": lambda: parts("k2_nested.json", "k2_nested_weights.h5"),
        "F321": lambda: parts("k2_axes.json", "k2_axes_weights.h5"),
        "F323": lambda: parts("k2_nested.json", "k2_nested_weights.h5"),
        "F326": lambda: parts("k2_nested.json", "k2_nested_weights.h5"),
        "F233": lambda: load("py35_lambda.h5"),
        "F324": lambda: parts("k2_31.json", "k2_25_weights.h5"),
        "F325": lambda: parts("k2_order.json", "k2_order_weights.h5"),
        "F327": lambda: parts("k2_78.json", "k2_77_weights.h5"),
    },
    "keras-2.3.0-tf115": {"F184": in_thread},
    "keras-2.3.1-tf115": {
        "F015": lambda: load("tf23_lstm.h5"),
        "F050": lambda: load("k2_chrono.h5", custom_objects=k2("AttentionLSTM")),
        "F164": lambda: warned("k2_optimizer.h5"),
    },
    "keras-2.2.4-tf23": {
        "F012": lambda: load("fixtures/keras224/mlp.h5"),
        "F014": lambda: parts("k2_nested.json", "k2_nested_weights.h5"),
    },
    "tf114": {
        "F046": lambda: load("tf115_patches.h5", custom_objects=of("customs_tf", "Patches")),
        "F248": lambda: load("tf24_teachable.h5"),
        "F258": lambda: load("tf24_teachable.h5"),
        "F259": lambda: load("tf24_teachable.h5"),
    },
    "tf21": {
        "F251": lambda: load("k205_list.h5"),
        "F254": lambda: load("k205_list.h5"),
    },
    "tf23": {
        "F119": lambda: load("tf23_mean.h5", custom_objects=of("customs_tf", "VAE")),
        "F187": lambda: called("tf28_module", "summary"),
        "F188": lambda: called("tf28_module", "summary"),
    },
    "tf24": {
        "F053": lambda: load("tf24_positional.h5", custom_objects=of("customs_tf", "PositionalEncoding")),
        "F190": lambda: saved("tf24_mixed")(1.0),
        "F252": lambda: saved("tf24_mixed")(1.0),
        "F253": lambda: saved("tf24_mixed")(1.0),
        "F141": lambda: saved("op_sentencepiece_sparse"),
        "F142": lambda: saved("op_sentencepiece"),
        "F147": lambda: saved("op_normalize"),
        "F148": lambda: saved("op_casefold"),
        "F270": lambda: load("tf24_virtual_batch.h5"),
        "F163": lambda: called("tf26_adam", "_create_or_restore_slot_variable"),
    },
    "tf25": {"F066": lambda: load("tf26_normalization.h5")},
    "tf26": {
        "F261": lambda: load("tf26_batch_size.h5"),
        "F093": lambda: called("tf26_adam", "add_slot"),
    },
    "tf27": {"F274": lambda: load("tf26_lambda_K.h5")},
    "tf28": {
        "F192": lambda: called("tf28_module", "summary"),
        "F193": lambda: load("tf28_module").predict(1),
        "F073": lambda: run("op_cudnn_canonical", 3, 3),
        "F075": lambda: run("op_cudnn_params", 96),
        "F272": lambda: load("tf27_lookup"),
    },
    "tf211": {
        "F171": legacy_checkpoint,
        "F306": lambda: load("tf213_norms.keras"),
    },
    "tf213": {
        "F307": lambda: load("fixtures/k315/functional.keras"),
        "F175": lambda: load("tf213_legacy_adam.keras"),
        "F176": lambda: load("tf213_legacy_adam.keras"),
        "F173": lambda: load("tf213_legacy_adam.keras"),
    },
    "tf-2.15": {
        "F059": lambda: load("tf215_function.h5"),
        "F299": lambda: load("fixtures/k315/mlp.keras"),
        "F300": lambda: load("fixtures/k315/functional.keras"),
        "F094": lambda: run("op_cudnn_rnn", 4, 2, 3),
        "F097": lambda: run("op_cudnn_rnn_v3", 4, 2, 3),
    },
    "tf-2.18": {
        "F281": lambda: made("BatchNormalization", renorm=True),
    },
    "k3": {
        "F021": foreign_layer,
        "F057": lambda: load("k3_block.keras", custom_objects=of("customs_keras3", "TransformerBlock")),
        "F062": lambda: load("k3_block_functional.keras", custom_objects=of("customs_keras3", "TransformerBlock")),
        "F179": foreign_optimizer,
        "F280": lambda: load("tf24_teachable.h5"),
        "F283": lambda: made("Conv2D", filters=1, kernel_size=1, weights=[1]),
        "F284": lambda: load("tf24_teachable.h5"),
        "F285": lambda: load("tf215_image.keras"),
        "F286": lambda: load("tf24_teachable.h5"),
        "F288": lambda: load("k3_bidirectional.h5"),
        "F291": lambda: parts("tf215_parts.json", "tf215_parts_weights.h5"),
        "F293": tensor_into_function,
        "F294": never_called,
        "F298": lambda: load("k3_mae.h5"),
        "F301": lambda: load("tf28_compiled"),
        "F302": lambda: made("DepthwiseConv2D", kernel_size=1, kernel_initializer="he_normal"),
        "F304": lambda: load("tf215_lstm.h5"),
        "F333": lambda: load("k2_bidirectional.h5"),
        "F334": lambda: load("tf215_parts_weights.h5"),
        "F336": by_name,
    },
}
TF_KERAS = False


def exec_(text):
    exec(text, {})


def load_and_save():
    from tensorflow.keras.layers import Dense
    from tensorflow.keras.models import Sequential

    Sequential([Dense(1, input_shape=(1,))]).save("never.h5")


def versions():
    found = ["Python " + platform.python_version()]
    for name in ("keras", "tensorflow", "theano", "h5py"):
        module = sys.modules.get(name)
        if getattr(module, "__version__", None):
            found.append(name + " " + str(module.__version__))
    return ", ".join(found)


def fresh():
    """Forget the graph of the case before."""
    module = sys.modules.get("keras.backend") if not TF_KERAS else None
    if module is not None and module.backend() == "tensorflow":
        module.clear_session()


def main(environment):
    global TF_KERAS
    TF_KERAS = environment.startswith("tf") or environment == "k3"
    record = os.path.join(os.path.dirname(FILES), "bare.json")
    known = json.load(open(record)) if os.path.exists(record) else {}
    for case, run_case in sorted(RUNS[environment].items()):
        fresh()
        try:
            run_case()
            raised = None
        except Exception as error:  # the old loader's error, of any class, is what is recorded
            raised = "{}: {}".format(type(error).__name__, error)
        print(case, (raised or "-")[:230].replace("\n", " "))
        if raised is not None:
            known[case] = {"loader": versions(), "raised": re.sub(r"\(?/[\w.]+/[^\s'\"),]*", "", raised[:400])}
        else:
            known.pop(case, None)
    with io.open(record, "w", encoding="utf-8") as file:
        file.write("" + json.dumps(known, indent=1, sort_keys=True, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
