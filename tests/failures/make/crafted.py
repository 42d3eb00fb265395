"""Files that no environment at hand can write: bytecode of Python 3.5, graphs with operations of other packages.

`python crafted.py` with TensorFlow 2.8; the graphs are traced by it, never run.
"""

import base64
import json
import shutil

import h5py
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from saving import place

PY35 = (
    b"\xe3\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00C\x00\x00\x00"
    b"s\x08\x00\x00\x00|\x00\x00d\x01\x00\x14S"
    b")\x02N\xe9\x02\x00\x00\x00\xa9\x00)\x01\xda\x01xr\x02\x00\x00\x00r\x02\x00\x00\x00"
    b"\xfa\x04a.py\xda\x08<lambda>\x01\x00\x00\x00\xf3\x00\x00\x00\x00"
)
"""`lambda x: x * 2` as Python 3.5 compiles it: instructions of one or three bytes, which 3.6 gave up."""


def bytecode():
    """A model of Keras 2.2.4 whose Lambda was written by Python 3.5."""
    for name, code in (
        ("py35_lambda", base64.b64encode(PY35).decode()),
        ("py35_raw", PY35.decode("raw_unicode_escape")),
    ):
        shutil.copy(place_of("k205_lambda.h5"), place(name + ".h5"))
        with h5py.File(place_of(name + ".h5"), "r+") as file:
            config = json.loads(file.attrs["model_config"])
            layers = config["config"]  # a bare list in Keras 2.0.5
            next(x for x in layers if x["class_name"] == "Lambda")["config"]["function"] = [code, None, None]
            file.attrs["model_config"] = np.bytes_(json.dumps(config))


def place_of(name):
    return place("nothing").replace("nothing", name)


def traced(name, function, *specs):
    shutil.rmtree(place(name), ignore_errors=True)
    module = tf.Module()
    module.call = tf.function(function, input_signature=list(specs))
    tf.saved_model.save(module, place(name), signatures={"serving_default": module.call})


def unregistered(name, operation):
    """A graph whose last node is an operation of a package that is not there."""
    traced(name, lambda x: {"y": tf.strings.lower(x)}, tf.TensorSpec((None,), tf.string, name="x"))
    model = SavedModel()
    with open(place_of(name) + "/saved_model.pb", "rb") as file:
        model.ParseFromString(file.read())
    for function in model.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "StringLower":
                node.op = operation
                node.attr.clear()
    with open(place_of(name) + "/saved_model.pb", "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


def graphs():
    for name, operation in (
        ("op_sentencepiece_sparse", "SentencepieceEncodeSparse"),
        ("op_sentencepiece", "SentencepieceOp"),
        ("op_normalize", "NormalizeUTF8"),
        ("op_casefold", "CaseFoldUTF8"),
    ):
        unregistered(name, operation)
    raw, floats = tf.raw_ops, tf.float32

    def rnn(operation):
        def call(x):
            state = tf.zeros((1, 2, 3))
            found = operation(input=x, input_h=state, input_c=state, params=tf.zeros((96,)), rnn_mode="lstm",
                              **({"sequence_lengths": tf.constant([4, 4])} if operation is raw.CudnnRNNV3 else {}))  # fmt: skip
            return {"y": found.output}

        return call

    given = tf.TensorSpec((4, 2, 3), floats, name="x")
    traced("op_cudnn_rnn", rnn(raw.CudnnRNN), given)
    traced("op_cudnn_rnn_v3", rnn(raw.CudnnRNNV3), given)
    sizes = {"num_layers": 1, "num_units": 3, "input_size": 3}
    weights, biases = [tf.zeros((3, 3))] * 8, [tf.zeros((3,))] * 8
    traced("op_cudnn_canonical",
           lambda x: {"y": raw.CudnnRNNCanonicalToParams(weights=[x] + weights[1:], biases=biases, **sizes)},
           tf.TensorSpec((3, 3), floats, name="x"))  # fmt: skip
    traced("op_cudnn_params",
           lambda x: {"y": raw.CudnnRNNParamsToCanonical(params=x, num_params=8, **sizes).weights[0]},
           tf.TensorSpec((96,), floats, name="x"))  # fmt: skip
    with tf.device("/GPU:0"):
        traced("op_pinned", lambda x: {"y": tf.matmul(x, x)}, tf.TensorSpec((3, 3), floats, name="x"))


if __name__ == "__main__":
    bytecode()
    graphs()
