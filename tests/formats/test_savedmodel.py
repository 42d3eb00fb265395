"""SavedModels and checkpoints, read without TensorFlow, against TensorFlow's own readers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safeload.errors import CorruptedModelError, SafeLoadError
from safeload.formats import read
from safeload.source import open_source

pytestmark = pytest.mark.core

SAVED_MODELS = ("tf21_sm_signatures", "tf24_custom_model", "tf215_pre_text", "tf215_sm_raw_module")
CHECKPOINTS = ("tf28_checkpoint/model", "tf115_checkpoint/model")


@pytest.fixture(scope="session")
def folder(fixtures: Path) -> Path:
    return fixtures / "tensorflow"


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Any:
    return lambda name: Path(shutil.copytree(folder / name, tmp_path / name))


@pytest.mark.parametrize("name", SAVED_MODELS)
def test_weights_are_those_that_tensorflow_reads(folder: Path, name: str) -> None:
    import tensorflow as tf

    theirs = tf.train.load_checkpoint(str(folder / name / "variables" / "variables"))
    with open_source(folder / name) as source:
        entries = list(read(source).weights.walk())
        assert entries
        for entry in entries:
            expected = np.asarray(theirs.get_tensor(entry.where))
            assert tuple(entry.shape) == expected.shape
            np.testing.assert_array_equal(entry.read(), expected)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_every_variable_of_a_checkpoint_is_found(folder: Path, name: str) -> None:
    import tensorflow as tf

    theirs = tf.train.load_checkpoint(str(folder / name))
    shapes = theirs.get_variable_to_shape_map()
    with open_source(folder / name) as source:
        document = read(source)
        groups = [g for g in (document.weights, document.optimizer_weights) if g is not None]
        ours = {entry.where: entry for group in groups for entry in group.walk()}
        stored = {k for k in shapes if ".ATTRIBUTES" in k and "save_counter" not in k}
        hyper = {k for k in stored if k.startswith("optimizer/") and "iter" not in k}
        assert set(ours) == stored - hyper
        for key, entry in ours.items():
            np.testing.assert_array_equal(entry.read(), theirs.get_tensor(key))


def test_graphs_have_the_operations_that_tensorflow_parses(folder: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    for name in SAVED_MODELS:
        theirs = saved_model_pb2.SavedModel.FromString((folder / name / "saved_model.pb").read_bytes())
        graph = theirs.meta_graphs[0].graph_def
        functions = {f.signature.name for f in graph.library.function}
        expected: dict[str, int] = {}
        for node in [*graph.node, *(n for f in graph.library.function for n in f.node_def)]:
            if node.op not in functions:
                expected[node.op] = expected.get(node.op, 0) + 1
        with open_source(folder / name) as source:
            assert read(source).extras["graphs"].ops() == expected


def test_what_a_keras_model_says_of_itself(folder: Path) -> None:
    with open_source(folder / "tf21_sm_signatures") as source:
        document = read(source)
    assert (document.writer.keras, document.writer.tensorflow) == ("2.3.0", "2.1.4")
    assert (document.dialect, document.extras["kind"]) == ("keras2", "keras2")
    assert document.architecture is not None and document.architecture["class_name"] == "Sequential"
    assert document.training is not None and document.training["optimizer"]["class_name"] == "Adam"
    assert document.extras["tags"] == ("serve",)
    serving = document.extras["signatures"]["serving_default"]
    assert {name: (t.dtype, t.shape) for name, t in serving.inputs.items()} == {"q": ("float32", (None, 5))}
    assert sorted(serving.outputs) == ["double", "scores"]
    assert document.optimizer_weights is not None
    names = [entry.name for entry in document.optimizer_weights.entries]
    assert names[:2] == ["Adam/iter:0", "dense/kernel/m:0"] and len(names) == 9


def test_what_a_module_without_keras_says_of_itself(folder: Path) -> None:
    with open_source(folder / "tf215_sm_raw_module") as source:
        document = read(source)
    assert (document.architecture, document.dialect, document.extras["kind"]) == (None, None, "tensorflow2")
    assert document.writer.tensorflow == "2.15.1" and document.writer.keras is None


def test_a_truncated_shard_names_the_variables(copy: Any) -> None:
    path = copy("tf24_custom_model")
    shard = path / "variables" / "variables.data-00000-of-00001"
    whole = shard.stat().st_size
    shard.write_bytes(shard.read_bytes()[:100])
    with (
        pytest.raises(CorruptedModelError, match=f"100 of {whole:,} bytes") as caught,
        open_source(path) as source,
    ):
        read(source)
    assert any("ATTRIBUTES" in line for line in caught.value.damage)
    assert caught.value.recoverable


def test_a_missing_shard_is_named(copy: Any) -> None:
    path = copy("tf24_custom_model")
    (path / "variables" / "variables.data-00000-of-00001").unlink()
    with pytest.raises(CorruptedModelError, match="data-00000-of-00001 is missing"), open_source(path) as source:
        read(source)


def test_a_flipped_bit_of_a_weight_is_found(copy: Any) -> None:
    path = copy("tf24_custom_model")
    shard = path / "variables" / "variables.data-00000-of-00001"
    with open_source(path) as source:
        entry = next(e for e in read(source).weights.walk() if e.name == "kernel")
    data = bytearray(shard.read_bytes())
    data[entry.offset + 5] ^= 4
    shard.write_bytes(data)
    with open_source(path) as source:
        damaged = next(e for e in read(source).weights.walk() if e.name == "kernel")
        with pytest.raises(CorruptedModelError, match="check sum"):
            damaged.read()


@pytest.mark.parametrize("member", ["saved_model.pb", "keras_metadata.pb", "variables/variables.index"])
def test_any_truncation_and_any_flip_ends_typed(copy: Any, member: str) -> None:
    path = copy("tf215_pre_text")
    file = path / member
    whole = file.read_bytes()
    step = max(len(whole) // 60, 1)
    for at in range(0, len(whole), step):
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]):
            file.write_bytes(data)
            try:
                with open_source(path) as source:
                    for entry in read(source).weights.walk():
                        entry.read()
            except SafeLoadError:
                continue


def test_a_partitioned_variable_is_one_array(tmp_path: Path) -> None:
    import tensorflow as tf

    v1 = tf.compat.v1
    prefix = str(tmp_path / "model")
    with tf.Graph().as_default(), v1.Session() as session:
        for name, shape, parts, axis in (("rows", (301, 7), 3, 0), ("columns", (4, 70), 2, 1)):
            partitioner = v1.fixed_size_partitioner(parts, axis)
            v1.get_variable(name, shape=shape, partitioner=partitioner, use_resource=False)
        v1.get_variable("half", initializer=tf.cast(tf.range(12), tf.bfloat16))
        v1.get_variable("texts", initializer=tf.constant([["a", ""], ["bc", "é"]]))
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, prefix, write_meta_graph=False)
    theirs = tf.train.load_checkpoint(prefix)
    with open_source(prefix) as source:
        ours = {entry.where: entry.read() for entry in read(source).weights.walk()}
    assert ours.keys() == theirs.get_variable_to_shape_map().keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(np.asarray(array), np.asarray(theirs.get_tensor(name)))
