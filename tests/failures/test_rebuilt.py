"""Reported failures, rebuilt as files: what the bare loader says (`bare.json`), and what safeload does with the file.

One row for each file and outcome, with the numbers of the reports. `message` is a part of what was reported and has to
stand in what the bare loader of the version concerned said to the very file (`make/bare.py` recorded it).
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import safeload

HERE = Path(__file__).parent
TESTS = HERE.parent
BARE = json.loads((HERE / "bare.json").read_text())


@dataclass(frozen=True)
class Row:
    """A file that stands for reports.

    Attributes:
        reports: Their numbers.
        message: What they report, as far as it is the same each time; empty where the report has no verbatim message.
        file: Below `files`, or below the tests' folder where there is a slash in it.
        raises: The exception; None where it loads with the right numbers.
        told: What the error says.
        remedy: What the hint says; with `cure` it is done and the model loads.
        weights: The weights given with an architecture.
        objects: Makes the custom objects of the first call.
        cure: Makes what is passed to the second call, as the hint told.
        tolerance: Of the numbers.
    """

    reports: str
    message: str
    file: str
    raises: type[safeload.SafeLoadError] | None = None
    told: str = ""
    remedy: str = ""
    weights: str | None = None
    objects: Callable[[Any], dict[str, Any]] | None = None
    cure: Callable[[Any], dict[str, Any]] | None = None
    tolerance: float = 1e-5
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"F{self.reports.replace(' ', '-F')}-{Path(self.file).stem}"


def layer(name: str, call: Callable[[Any], Any], *arguments: str, **more: Any) -> Callable[[Any], dict[str, Any]]:
    """A custom layer as it should be: it takes what is stored of it."""

    def make(keras: Any) -> dict[str, Any]:
        def init(self: Any, *, _defaults: dict[str, Any] = more, **kwargs: Any) -> None:
            for argument in arguments:
                setattr(self, argument, kwargs.pop(argument, _defaults.get(argument)))
            super(made, self).__init__(**kwargs)

        made = type(name, (keras.layers.Layer,), {"__init__": init, "call": lambda self, x: call(x)})
        return {name: made}

    return make


def of(module: str, name: str) -> Callable[[Any], dict[str, Any]]:
    """A custom object with its author's faults."""

    def make(keras: Any) -> dict[str, Any]:
        sys.path.insert(0, str(HERE))
        try:
            return {name: getattr(__import__(module), name)}
        finally:
            sys.path.remove(str(HERE))

    return make


def needs(name: str, base: str, *arguments: str) -> Callable[[Any], dict[str, Any]]:
    """A class with arguments that no default is for."""

    def make(keras: Any) -> dict[str, Any]:
        kind = getattr(keras.layers if base == "Layer" else keras.initializers, base)
        text = f"def __init__(self, {', '.join(arguments)}, **kwargs): kind.__init__(self, **kwargs)"
        space: dict[str, Any] = {"kind": kind}
        exec(text, space)
        return {name: type(name, (kind,), {"__init__": space["__init__"]})}

    return make


def wb_init(keras: Any) -> dict[str, Any]:
    class WB_Init(keras.initializers.Initializer):
        def __init__(self, vals: Any = None) -> None:
            self.vals = vals

        def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
            return np.reshape(self.vals, shape).astype("float32")

    return {"WB_Init": WB_Init}


def sum_one(keras: Any) -> dict[str, Any]:
    class SumOne(keras.regularizers.Regularizer):
        def __init__(self, l: float = 0.0) -> None:  # noqa: E741
            self.l = l

        def __call__(self, x: Any) -> Any:
            return 0.0

    return {"SumOne": SumOne}


def weight_clip() -> Callable[[Any], dict[str, Any]]:
    def make(keras: Any) -> dict[str, Any]:
        class WeightClip(keras.constraints.Constraint):
            def __init__(self, c: float = 2, name: str = "WeightClip") -> None:
                self.c = c

            def __call__(self, w: Any) -> Any:
                return w

        return {"WeightClip": WeightClip}

    return make


Missing, Mismatch = safeload.MissingCustomObjectError, safeload.CustomObjectMismatchError
Weights, Package, NoOp = safeload.WeightsMismatchError, safeload.MissingDependencyError, safeload.MissingOpError
NESTED = {"weights": "k2_nested_weights.h5", "tolerance": 1e-4}

ROWS = (
    # Another Keras wrote it.
    Row("229", "Unknown layer: Merge", "k1_merge_concat.h5"),
    Row("234", "Unknown layer: Merge", "k1_merge_mul.json", weights="k1_merge_mul_weights.h5"),
    Row("236", "Unknown layer: Merge", "k1_merge_sum.h5"),
    Row("238", "Unknown layer: Merge", "k1_merge_ave.json", weights="k1_merge_ave_weights.h5"),
    Row("244", "Unknown layer: Merge", "k11_merge_dropout.h5"),
    Row("224", "got an unexpected keyword argument 'input_dtype'", "k1_inception.h5"),
    Row("226", "", "k1_inception.h5"),
    Row("64", "", "k2_hierarchical.h5"),
    Row("230", "Unknown layer:name", "fixtures/keras224/mlp.h5"),
    Row("277", "Unknown layer:", "fixtures/tf24/mlp.h5"),
    Row("251 254", "'list' object has no attribute 'items'", "k205_list.h5"),
    Row("248", "('Unrecognized keyword arguments:', dict_keys(['ragged']))", "tf24_teachable.h5"),
    Row("258 259", "", "tf24_teachable.h5"),
    Row("280 284", "Error when deserializing class 'DepthwiseConv2D'", "tf24_teachable.h5"),
    Row("286", "DepthwiseConv2D", "tf24_teachable.h5"),
    Row("281", "Unrecognized keyword arguments passed to BatchNormalization: {'renorm': True}", "tf215_renorm.h5"),
    Row("304", "Unrecognized keyword arguments passed to LSTM: {'time_major': False}", "tf215_lstm.h5"),
    Row("285", "its parent module keras.src.engine.functional cannot be imported", "tf215_image.keras"),
    Row("291", "", "tf215_parts.json", weights="tf215_parts_weights.h5"),
    Row("288", "", "k3_bidirectional.h5"),
    Row("298", "", "k3_mae.h5"),
    Row("299", "", "fixtures/k315/mlp.keras"),
    Row("300 307", "its parent module keras.src.models.functional cannot be imported", "fixtures/k315/functional.keras"),
    Row("301", "", "tf28_compiled"),
    Row("306", "", "tf213_norms.keras"),
    Row("270", "", "tf24_virtual_batch.h5"),
    Row("272", "", "tf27_lookup"),
    Row("66", "", "tf26_normalization.h5", tolerance=1e-2),
    Row("190", "Could not find matching function to call loaded from the SavedModel.", "tf24_mixed", tolerance=1e-2),
    Row("252 253", "Could not find matching function to call loaded from the SavedModel.", "tf24_mixed", tolerance=1e-2),
    Row("12", "module 'tensorflow' has no attribute 'placeholder'", "fixtures/keras224/mlp.h5"),
    Row("14", "", "k2_nested.json", **NESTED),
    Row("15", "", "tf23_lstm.h5"),
    Row("182", "is not an element of this graph", "fixtures/keras224/mlp.h5"),
    Row("184", "thread._local' object has no attribute 'value'", "fixtures/keras224/mlp.h5"),
    # Lambdas.
    Row("220 225 233", "unknown opcode", "py35_lambda.h5"),
    Row("227", "bad marshal data (unknown type code)", "k1_lambda_plain.h5"),
    Row("223", "", "k205_lambda.h5"),
    Row("221", "global name 'tf' is not defined", "k1_lambda_tf.h5"),
    Row("242", "name 'tf' is not defined", "k2_lambda_tf.h5"),
    Row("274", "name 'K' is not defined", "tf26_lambda_K.h5"),
    Row("261", "name 'batch_size' is not defined", "tf26_batch_size.h5", safeload.UnsafeModelError, "it uses batch_size",
        "rebuild the layer from its source code"),
    # Another backend, another ordering.
    Row("1", "", "k1_tf_order.json", weights="k1_tf_order_weights.h5"),
    Row("4", "", "k1_theano_conv.json", weights="k1_theano_conv_weights.h5"),
    Row("7", "", "k1_inception.h5"),
    Row("5", "", "k205_conv1d.h5"),
    # Weights and architecture.
    Row("6", "Dimension 1 in both shapes must be equal, but are 10 and 9", "k2_ten.json", Weights,
        "expected (512, 10), found (512, 9)", "come from different models", "k2_nine_weights.h5"),
    Row("310 320 323 326", "axes don't match array", "k2_nested.json", **NESTED),
    Row("314", "", "k2_nested.json", **NESTED),
    Row("321", "axes don't match array", "k2_axes.json", Weights, "conv2d_1/kernel: expected (3, 3, 2, 2), found (2, 2)",
        "come from different models", "k2_axes_weights.h5"),
    Row("324", "weight file containing 25 layers into a model with 31 layers", "k2_31.json", Weights,
        "the model has 31 layers with weights, the file holds 25", "come from different models", "k2_25_weights.h5"),
    Row("327", "weight file containing 77 layers into a model with 78 layers", "k2_78.json", Weights,
        "the model has 78 layers with weights, the file holds 77", "come from different models", "k2_77_weights.h5"),
    Row("325", 'named "batch_normalization_34" in the current model) was found to correspond to layer conv2d_35',
        "k2_order.json", Weights, "expected 4 arrays, found 2", "come from different models", "k2_order_weights.h5"),
    Row("336", "Weight expects shape (256, 25). Received saved weight with shape (256, 10)", "k3_25.json", Weights,
        "dense_5/kernel: expected (256, 25), found (256, 10)", "come from different models", "k3_ten.h5"),
    Row("333", "", "k2_bidirectional.h5"),
    Row("334", "", "tf215_parts.json", weights="tf215_parts_weights.h5"),
    # Custom objects: missing, or not what was saved.
    Row("40", "", "k11_attention.h5", Mismatch, "it needs size", "get_config", objects=needs("Attention", "Layer", "size")),
    Row("41 42", "", "k2_spatial.h5", Mismatch, "it needs localization_net, output_size", "give them defaults",
        objects=needs("SpatialTransformer", "Layer", "localization_net", "output_size"),
        cure=layer("SpatialTransformer", lambda x: x[:, :3] * 2.0)),
    Row("43", "", "k2_icnr.h5", Mismatch, "it needs scale, initializer", "give them defaults",
        objects=needs("ICNR", "Initializer", "scale", "initializer"),
        cure=lambda keras: {"ICNR": type("ICNR", (keras.initializers.Ones,), {})}),
    Row("45", "__init__() got an unexpected keyword argument 'name'", "k2_weightclip.h5", Missing, "WeightClip",
        "WeightClip", cure=weight_clip()),
    Row("46", "", "tf115_patches.h5", Missing, "Patches", "Patches", cure=layer("Patches", lambda x: x[:, :2], "size")),
    Row("50", "use_chrono_initialization", "k2_chrono.h5", Mismatch, "use_chrono_initialization", "as it was",
        objects=lambda keras: {"AttentionLSTM": type("AttentionLSTM", (keras.layers.LSTM,), {})}),
    Row("53", "__init__() got an unexpected keyword argument 'name'", "tf24_positional.h5", Missing, "PositionalEncoding",
        "PositionalEncoding", cure=layer("PositionalEncoding", lambda x: x + 2.0, "position")),
    Row("59", "Error when deserializing class 'Dense'", "tf215_function.h5", Missing, "my_package>custom_fn", "custom_fn",
        cure=lambda keras: {"custom_fn": lambda x: x * 2.0}),
    Row("98", "", "k1_regularizer.json", Missing, "SumOne", "SumOne", weights="k1_regularizer_weights.h5", cure=sum_one),
    Row("99", "", "k205_nested_custom.h5", Missing, "TrigPosEmbedding", "TrigPosEmbedding",
        cure=layer("TrigPosEmbedding", lambda x: x + 1.0, "output_dim", "mode")),
    Row("102", "Unknown layer: TrigPosEmbedding", "k2_trigpos.h5", Missing, "TrigPosEmbedding", "TrigPosEmbedding",
        cure=layer("TrigPosEmbedding", lambda x: x + 1.0, "output_dim", "mode")),
    Row("118", "", "k2_wb_init.h5", Missing, "WB_Init", "WB_Init", cure=wb_init),
    # What is not there: packages, operations, kernels.
    Row("141", "Op type not registered 'SentencepieceEncodeSparse'", "op_sentencepiece_sparse", Package,
        "SentencepieceEncodeSparse", "pip install"),
    Row("142", "Op type not registered 'SentencepieceOp'", "op_sentencepiece", Package, "SentencepieceOp", "tensorflow-text"),
    Row("147", "Op type not registered 'NormalizeUTF8'", "op_normalize", Package, "NormalizeUTF8", "tensorflow-text"),
    Row("148", "CaseFoldUTF8", "op_casefold", Package, "CaseFoldUTF8", "tensorflow-text"),
    Row("73", "No OpKernel was registered to support Op 'CudnnRNNCanonicalToParams'", "op_cudnn_canonical", NoOp,
        "CudnnRNNCanonicalToParams", "machine with the device"),
    Row("75", "No OpKernel was registered to support Op 'CudnnRNNParamsToCanonical'", "op_cudnn_params", NoOp,
        "CudnnRNNParamsToCanonical", "machine with the device"),
    Row("76", "No OpKernel was registered to support Op 'CudnnRNN'", "repairs/keras2_files/keras224-cudnn_gru.h5"),
    Row("94", "No OpKernel was registered to support Op 'CudnnRNN'", "op_cudnn_rnn", NoOp, "CudnnRNN",
        "machine with the device"),
    Row("97", "No OpKernel was registered to support Op 'CudnnRNNV3'", "op_cudnn_rnn_v3", NoOp, "CudnnRNNV3",
        "machine with the device"),
    Row("134 139", "`load_model` requires h5py.", "fixtures/keras224/mlp.h5"),
    Row("136 144 145", "`save_model` requires h5py.", "fixtures/keras224/mlp.h5"),
    # The optimizer's state, and what is no Keras model.
    Row("157", "Optimizer weight shape", "k11_optimizer.h5"),
    Row("164", "Error in loading the saved optimizer state. As a result, your model is starting with", "k2_optimizer.h5"),
    Row("163", "'_UserObject' object has no attribute '_create_or_restore_slot_variable'", "tf26_adam"),
    Row("93", "'_UserObject' object has no attribute 'add_slot'", "tf26_adam"),
    Row("171", "restore a checkpoint from a legacy Keras optimizer into a v2.11+ Optimizer", "tf28_legacy.json",
        weights="tf28_legacy_checkpoint"),
    Row("173 175 176", "", "tf213_legacy_adam.keras"),
    Row("187 188 192", "'_UserObject' object has no attribute 'summary'", "tf28_module"),
    Row("193", "'_UserObject' object has no attribute 'predict'", "tf28_module"),
)  # fmt: skip

ALIKE = (
    Row("9", "", "k2_lambda_slice.h5"),
    Row("16", "", "k3_torch_model.keras", objects=of("customs_keras3", "TorchModel")),
    Row("58", "", "k3_rescaling.keras"),
    Row("65", "", "tf24_mixed", tolerance=1e-2),
    Row("71", "", "op_pinned"),
    Row("170", "", "tf26_adam"),
    Row("194", "", "tf28_lookup.json", weights="tf28_lookup_weights"),
    Row("196", "", "tf27_lookup"),
    Row("276", "", "tf211_lambda"),
    Row("289", "", "k3_norm.keras"),
    Row("296", "", "k3_two_outputs.keras"),
    Row("309", "", "k1_nested.json", weights="k1_nested_weights.h5"),
    Row("315", "", "k1_theano_conv.json", weights="k1_theano_conv_weights.h5"),
    Row("318", "", "k2_nested.json", **NESTED),
    Row("329", "", "tf213_norms.keras"),
    Row("332", "", "k3_bidirectional.keras"),
    Row("363", "", "tf28_compiled"),
    Row("", "", "k1_input_dtype.h5"),
    Row("", "", "k2_conv1d.h5"),
    Row("", "", "k2_lambda_K.h5"),
    Row("", "", "py35_raw.h5"),
    Row("", "", "tf115_lambda_K.h5"),
    Row("", "", "tf21_rnn"),
    Row("", "", "k11_attention.h5", Missing, "Attention was not found", "Attention"),
    Row(
        "",
        "",
        "k3_block.keras",
        Mismatch,
        "does not take name, trainable, dtype",
        "**kwargs",
        objects=of("customs_keras3", "TransformerBlock"),
    ),
    Row(
        "",
        "",
        "k3_block_functional.keras",
        Mismatch,
        "does not take name, trainable, dtype",
        "**kwargs",
        objects=of("customs_keras3", "TransformerBlock"),
    ),
    Row("", "", "tf115_patches.h5", Mismatch, "does not take", "**kwargs", objects=of("customs_tf", "Patches")),
)
"""Files of the kind that a report names, whose message the versions at hand don't give (a report's number), and other
files of a kind with those above."""

MADE_BY_CODE = {
    "21": "Only instances of `keras.Layer` can be added to a Sequential model",
    "119": "Unknown layer: Mean",
    "132": "cannot import name load_model",
    "179": "Could not interpret optimizer identifier",
    "283": "Unrecognized keyword arguments passed to Conv2D: {'weights'",
    "293": "A KerasTensor cannot be used as input to a TensorFlow function.",
    "294": "has never been called and thus has no defined input.",
    "302": "Unrecognized keyword arguments passed to DepthwiseConv2D: {'kernel_initializer': 'he_normal'}",
    "57": "could not be deserialized properly",
    "62": "<class 'keras.src.models.functional.Functional'> could not be deserialized properly",
    "44": "",
}
"""Reports whose message was rebuilt, and for which a row of `ROWS` would say too little: see the README."""


def place(name: str) -> str:
    return str(TESTS / name if "/" in name else HERE / "files" / name)


def load(row: Row, objects: dict[str, Any] | None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return safeload.load_model(
            place(row.file), objects, weights=place(row.weights) if row.weights else None, **row.options
        )


def assert_numbers(row: Row, model: Any) -> None:
    import tensorflow as tf

    stem = Path(place(row.file))
    found = next((p for p in (stem.with_suffix(".npz"), stem.with_name(f"{stem.name}.npz")) if p.is_file()), None)
    assert found is not None or row.file[:4] in ("py35", "op_p"), "a file without numbers"
    if found is None:
        if row.file == "op_pinned":
            x = np.eye(3, dtype="float32") * 2
            np.testing.assert_array_equal(np.asarray(_first(model(x))), x @ x)
            return
        x = np.random.default_rng(7).normal(size=(6, 4)).astype("float32")
        assert np.isfinite(model.predict(x, verbose=0)).all()
        return
    with np.load(found) as numbers:
        given = [numbers[k] for k in sorted(numbers.files) if k.startswith("in_")]
        expected = [numbers[k] for k in sorted(numbers.files) if k.startswith("out_")]
    given = [tf.constant(x) if x.dtype.kind in "US" else x for x in given]
    outputs = model.predict(given if len(given) > 1 else given[0], verbose=0)
    outputs = list(outputs.values()) if isinstance(outputs, dict) else outputs
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    for output, wanted in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(np.asarray(output), wanted, atol=row.tolerance, rtol=1e-4)


def _first(outputs: Any) -> Any:
    return next(iter(outputs.values())) if isinstance(outputs, dict) else outputs


@pytest.mark.parametrize("row", [*ROWS, *ALIKE], ids=lambda row: row.name)
def test_what_safeload_does(row: Row, keras: Any) -> None:
    if row.raises is None:
        assert_numbers(row, load(row, row.objects(keras) if row.objects else None))
        return
    with pytest.raises(row.raises) as caught:
        load(row, row.objects(keras) if row.objects else None)
    assert row.told in str(caught.value)
    assert row.remedy in (caught.value.hint or "")
    if row.cure is not None:
        assert_numbers(row, load(row, row.cure(keras)))


def test_a_class_of_the_other_keras(keras: Any) -> None:
    """Report 21: tensorflow_hub's layer derives from tf_keras, whichever Keras runs."""
    import tf_keras

    other = tf_keras if keras.__name__ != "tf_keras" else __import__("keras")
    row = next(r for r in ROWS if r.file == "k2_trigpos.h5")
    foreign = layer("TrigPosEmbedding", lambda x: x, "output_dim", "mode")(other)
    with pytest.raises(safeload.CustomObjectMismatchError, match=f"is a class of {other.__name__}, and") as caught:
        load(row, foreign)
    assert "pass a class that derives from" in (caught.value.hint or "")


def test_the_bare_loader_says_what_was_reported() -> None:
    for row in ROWS:
        for number in row.reports.split():
            said = BARE[f"F{int(number):03}"]["raised"]
            assert row.message in said, (number, said)
    for number, message in MADE_BY_CODE.items():
        assert message in BARE[f"F{int(number):03}"]["raised"]


def test_each_report_is_rebuilt_once() -> None:
    numbers = [n for row in ROWS for n in row.reports.split()] + list(MADE_BY_CODE)
    assert sorted(f"F{int(n):03}" for n in numbers) == sorted(BARE)
    assert len(set(numbers)) == len(numbers)
