"""Packages that a file needs: which, and the line that installs one that fits the TensorFlow here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import safeload
from safeload.checks.graph_ops import Available, judge
from safeload.checks.packages import OPERATIONS, PACKAGES, install_line, package_of_op, packages_of

pytestmark = pytest.mark.core

BY_MODULE = {p.module: p for p in PACKAGES}


@pytest.mark.parametrize(
    ("module", "tensorflow", "flavour", "line"),
    [
        ("tensorflow_text", "2.21.0", "keras3", 'python -m pip install "tensorflow-text==2.21.*"; then'),
        ("tensorflow_text", "2.13.1", "keras2", 'python -m pip install "tensorflow-text==2.13.0rc0"; then'),
        ("tensorflow_decision_forests", "2.18.0", "tf_keras", 'python -m pip install "tensorflow-decision-forests==1.11.*"; then'),
        ("tensorflow_addons", "2.15.1", "keras2", 'python -m pip install "tensorflow-addons"; then'),
        ("tensorflow_addons", "2.21.0", "keras3",
         'tensorflow-addons has no release for TensorFlow 2.21, its last is for 2.15: pass the class in custom_objects=, or load '
         'the file in an environment of its own: python -m pip install "tensorflow==2.15.*" "tensorflow-addons"  # Python 3.9-3.11; then'),
        ("tensorflow_decision_forests", "2.21.0", "keras3", 'python -m pip install "tensorflow==2.19.*" "tensorflow-decision-forests==1.12.*"  # Python 3.9-3.12'),
        ("tensorflow_hub", "2.21.0", "keras3",
         'python -m pip install "tensorflow-hub" "tf-keras==2.21.*" and set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported'),
        ("tensorflow_hub", "2.21.0", "tf_keras", 'python -m pip install "tensorflow-hub"; then'),
        ("keras_hub", "2.21.0", "keras3", 'python -m pip install "keras-hub"; then'),
    ],
)  # fmt: skip
def test_the_line_fits_the_tensorflow_here(module: str, tensorflow: str, flavour: str, line: str) -> None:
    told = install_line(BY_MODULE[module], tensorflow, flavour)
    assert line in told
    assert told.endswith(f'then safeload.register_module("{module}")')


def model(*layers: dict[str, Any]) -> dict[str, Any]:
    return {
        "class_name": "Sequential",
        "config": {"name": "m", "layers": [{"config": {"name": "l"}, **x} for x in layers]},
    }


def test_a_name_of_two_packages_names_both() -> None:
    found = [f for f in safeload.check(model({"class_name": "InstanceNormalization"})).errors if f.rule == "SL502"]
    assert found[0].fields["packages"][0] == "tensorflow-addons" and len(found[0].fields["packages"]) == 2
    assert "tensorflow-addons or keras-contrib" in found[0].message


def test_a_registered_name_or_module_names_one() -> None:
    assert [p.pip for p in packages_of("InstanceNormalization", "Addons>InstanceNormalization", None)] == [
        "tensorflow-addons"
    ]
    assert [p.pip for p in packages_of("X", None, "keras_cv.src.layers")] == ["keras-cv"]
    assert packages_of("TCN", None, "my_own.layers") == ()
    assert packages_of("MyLayer", None, None) == ()


def test_all_packages_of_a_file_at_once() -> None:
    layers = ({"class_name": "QDense"}, {"class_name": "GCNConv"}, {"class_name": "QActivation"})
    with pytest.raises(safeload.MissingDependencyError) as caught:
        safeload.load_model(model(*layers))
    assert caught.value.packages == ("qkeras", "spektral")
    assert caught.value.where == "layers[0], layers[1]"
    assert json.dumps(caught.value.to_dict())


def test_keras_own_need_no_package() -> None:
    assert not [f for f in safeload.check(model({"class_name": "Dense", "config": {"units": 1}})) if f.rule == "SL502"]


# ---- operations


@pytest.mark.parametrize(
    ("op", "package"),
    [
        ("SentencepieceOp", "tensorflow-text"), ("CaseFoldUTF8", "tensorflow-text"), ("TFText>Utf8Binarize", "tensorflow-text"),
        ("SimpleMLInferenceOpWithHandle", "tensorflow-decision-forests"), ("Addons>Resampler", "tensorflow-addons"),
        ("IO>DecodeDICOMImage", "tensorflow-io"), ("TFRA>CuckooHashTableFind", "tensorflow-recommenders-addons"),
    ],
)  # fmt: skip
def test_the_package_of_an_operation(op: str, package: str) -> None:
    found = package_of_op(op)
    assert found is not None and found.pip == package


def test_no_operation_of_tensorflow_is_taken_for_a_package_s() -> None:
    from safeload.checks.graph_op_table import PURE, STATEFUL
    from safeload.checks.graph_ops import HAZARDS

    assert [op for op in {*PURE, *STATEFUL, *HAZARDS} if package_of_op(op) is not None] == []
    assert {module for _, module in OPERATIONS} <= BY_MODULE.keys()


@pytest.fixture
def with_op(tmp_path: Path) -> Any:
    """A SavedModel one of whose operations was exchanged for another."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    holder = tf.Module()
    holder.f = tf.function(lambda x: x * 2, input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    path = tmp_path / "model"
    tf.saved_model.save(holder, str(path))

    def exchange(op: str) -> Path:
        proto = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
        functions = proto.meta_graphs[0].graph_def.library.function
        next(n for f in functions for n in f.node_def if n.op == "Mul").op = op
        (path / "saved_model.pb").write_bytes(proto.SerializeToString())
        return path

    return exchange


def test_the_line_for_operations(with_op: Any) -> None:
    minor = ".".join(str(safeload.check("nothing").runtime["tensorflow"]).split(".")[:2])
    with pytest.raises(safeload.MissingDependencyError) as caught:
        safeload.load_model(with_op("SentencepieceOp"))
    assert f"tensorflow-text=={minor}." in str(caught.value.hint)
    assert caught.value.packages == ("tensorflow-text",)


@pytest.mark.parametrize(
    ("op", "modules", "told"),
    [
        ("CaseFoldUTF8", (), ["graph-package"]),
        ("CaseFoldUTF8", ("tensorflow_text",), []),
        ("IO>FileRead", (), ["graph-package"]),
        ("IO>FileRead", ("tensorflow_io",), ["graph-package"]),
        ("NobodysOp", ("tensorflow_text",), ["graph-operation"]),
    ],
)
def test_which_operations_may_run(op: str, modules: tuple[str, ...], told: list[str], with_op: Any) -> None:
    document = safeload.inspect(with_op(op))
    (saved,) = document.extras["all_graphs"]
    available = Available(frozenset(modules), "2.21.0", "keras3")
    assert [f.name for f in judge(saved, document.extras["object_graph"], runs=True, packages=available)] == told
