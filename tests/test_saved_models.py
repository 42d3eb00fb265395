"""SavedModels and checkpoints, from bytes to working models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import safeload
from safeload.errors import MissingDependencyError, SafeLoadError, UnsafeModelError

pytestmark = pytest.mark.core


@pytest.fixture(scope="session")
def folder(fixtures: Path) -> Path:
    return fixtures / "tensorflow"


@pytest.fixture
def recorded(folder: Path) -> Any:
    """The inputs of a fixture, and what the writing version made of them."""

    def read(name: str) -> tuple[Any, np.ndarray]:
        import tensorflow as tf

        stored = np.load(folder / f"{name}.npz")
        x = stored["in_0"]
        return (tf.constant(x.astype(object)) if x.dtype.kind in "US" else x), stored["out_0"]

    return read


@pytest.fixture
def tiny_model(keras: ModuleType) -> type:
    """The class of the fixture `tf24_custom_model`."""
    layers = keras.layers

    class TinyModel(keras.Model):
        def __init__(self, hidden: int = 5, out: int = 2, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.d1 = layers.Dense(hidden, activation="tanh")
            self.bn = layers.BatchNormalization()
            self.d2 = layers.Dense(out)

        def call(self, x: Any, training: bool | None = None) -> Any:
            return self.d2(self.bn(self.d1(x), training=training))

        @classmethod
        def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
            return cls(hidden=config["hidden"], out=config["out"])

    return TinyModel


def is_function(model: Any) -> bool:
    return bool(getattr(model, "safeload_inference_only", False))


def test_a_registered_class_is_built_with_its_variables(folder: Path, recorded: Any, tiny_model: type) -> None:
    x, expected = recorded("tf24_custom_model")
    model = safeload.load_model(folder / "tf24_custom_model", {"TinyModel": tiny_model}, compile=False)
    assert type(model) is tiny_model
    assert not is_function(model)
    np.testing.assert_allclose(np.asarray(model(x, training=False)), expected, atol=1e-5)


def test_without_its_class_a_model_is_its_function(folder: Path, recorded: Any) -> None:
    x, expected = recorded("tf24_custom_model")
    with pytest.warns(safeload.SafeLoadWarning, match="as a function"):
        model = safeload.load_model(folder / "tf24_custom_model", compile=False)
    assert is_function(model)
    assert model.input_names == ["input_1"] and model.output_names == ["output_1"]
    np.testing.assert_allclose(np.asarray(model(x, training=False)), expected, atol=1e-5)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-5)
    assert len(model.trainable_weights) == 6 and len(model.weights) == 8


def test_the_function_of_a_keras_model_trains(folder: Path, recorded: Any) -> None:
    import tensorflow as tf

    x, _ = recorded("tf24_custom_model")
    with pytest.warns(safeload.SafeLoadWarning):
        model = safeload.load_model(folder / "tf24_custom_model", compile=False)
    kernel = model.trainable_weights[0]
    before = np.asarray(model(x, training=False))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x, training=True) ** 2)
    variable = kernel if isinstance(kernel, tf.Variable) else kernel.value  # Keras 3's variables hold TensorFlow's
    gradient = tape.gradient(loss, variable)
    assert gradient is not None
    kernel.assign(kernel - 0.1 * gradient)
    assert not np.allclose(before, np.asarray(model(x, training=False)))


def test_a_module_without_keras_is_its_signature(folder: Path, recorded: Any) -> None:
    x, expected = recorded("tf215_sm_raw_module")
    model = safeload.load_model(folder / "tf215_sm_raw_module")
    assert is_function(model) and model.input_names == ["x"]
    for inputs in (x, [x], {"x": x}):
        np.testing.assert_allclose(np.asarray(model(inputs)), expected, atol=1e-5)
    model.summary(print_fn=lambda *args, **kwargs: None)


def test_an_adapted_vocabulary_comes_back(folder: Path, recorded: Any) -> None:
    x, expected = recorded("tf215_pre_text")
    document = safeload.inspect(folder / "tf215_pre_text")
    config = next(
        layer["config"]
        for layer in document.architecture["config"]["layers"]
        if layer["class_name"] == "TextVectorization"
    )
    assert config["vocabulary"][:3] == ["the", "sat", "dog"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *args, **kwargs: None)
        model = safeload.load_model(folder / "tf215_pre_text")
    np.testing.assert_allclose(np.asarray(model(x, training=False)), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["tf28_checkpoint", "tf115_checkpoint"])
def test_a_checkpoint_fills_an_architecture(folder: Path, recorded: Any, name: str) -> None:
    x, expected = recorded(name)
    model = safeload.load_model(folder / f"{name}.json", weights=folder / name / "model", compile=False)
    np.testing.assert_allclose(np.asarray(model(x, training=False)), expected, atol=1e-5)


# ---- TensorFlow 1


@pytest.fixture
def tensorflow1(tmp_path: Path) -> Iterator[tuple[Path, Any, Any]]:
    """A SavedModel of TensorFlow 1 with a table that is filled from an asset, as `tf.compat.v1` writes it."""
    import tensorflow as tf

    v1 = tf.compat.v1
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("a\nb\nc\n")
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 3], "x")
        t = v1.placeholder(tf.string, [None], "t")
        w = v1.get_variable("w", [3, 2], use_resource=True)
        initializer = tf.lookup.TextFileInitializer(
            str(vocabulary),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        table = tf.lookup.StaticHashTable(initializer, -1)
        y = tf.matmul(x, w) + tf.cast(table.lookup(t), tf.float32)[:, None]
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        builder = v1.saved_model.Builder(str(tmp_path / "model"))
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {"serving_default": v1.saved_model.predict_signature_def({"x": x, "t": t}, {"y": y})},
            assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
            main_op=v1.tables_initializer(),
        )
        builder.save()
        values = np.random.default_rng(0).random((2, 3), np.float32)
        expected = session.run(y, {x: values, t: ["b", "zz"]})
    vocabulary.unlink()
    yield tmp_path / "model", {"x": values, "t": tf.constant(["b", "zz"])}, expected


def test_a_saved_model_of_tensorflow_1(tensorflow1: tuple[Path, Any, Any]) -> None:
    path, inputs, expected = tensorflow1
    assert safeload.inspect(path).extras["kind"] == "tensorflow1"
    model = safeload.load_model(path)
    assert is_function(model)
    np.testing.assert_allclose(np.asarray(model(inputs)), expected, atol=1e-6)
    assert [tuple(w.shape) for w in model.weights] == [(3, 2)]


def test_a_missing_asset_is_named(tensorflow1: tuple[Path, Any, Any]) -> None:
    path, _, _ = tensorflow1
    (path / "assets" / "vocab.txt").unlink()
    with pytest.raises(safeload.CorruptedModelError, match=r"vocab\.txt"):
        safeload.load_model(path)


# ---- graphs that would act


def module(function: Any) -> Any:
    import tensorflow as tf

    holder = tf.Module()
    holder.f = tf.function(function, input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    return holder


def refused(path: Path, match: str) -> None:
    report = safeload.check(path)
    assert not report.ok
    with pytest.raises(UnsafeModelError, match=match) as caught:
        safeload.load_model(path)
    assert caught.value.threats


@pytest.mark.parametrize(
    "attack",
    ["ReadFile", "WriteFile", "MatchingFiles", "PrintV2", "EagerPyFunc", "TextLineDataset", "CreateSummaryFileWriter"],
)
def test_operations_that_reach_outside_are_refused(tmp_path: Path, attack: str) -> None:
    import tensorflow as tf

    secret, target = tmp_path / "secret", tmp_path / "canary"
    secret.write_text("secret")

    def body(x: Any) -> Any:
        if attack == "ReadFile":
            return tf.strings.length(tf.io.read_file(str(secret)))
        if attack == "WriteFile":
            tf.io.write_file(str(target), "x")
        elif attack == "MatchingFiles":
            return tf.size(tf.io.matching_files(str(tmp_path / "*")))
        elif attack == "PrintV2":
            tf.print("x", output_stream=f"file://{target}")
        elif attack == "EagerPyFunc":
            return tf.py_function(lambda v: v, [x], tf.float32)
        elif attack == "TextLineDataset":
            return tf.data.TextLineDataset(str(secret)).reduce(0, lambda n, line: n + 1)
        else:
            writer = tf.raw_ops.SummaryWriter(shared_name="w", container="")
            tf.raw_ops.CreateSummaryFileWriter(
                writer=writer, logdir=str(target), max_queue=1, flush_millis=1, filename_suffix=""
            )
        return x

    path = tmp_path / "model"
    tf.saved_model.save(module(body), str(path))
    target.unlink(missing_ok=True)
    refused(path, attack)
    assert not target.exists()


def test_saving_outside_the_saver_is_refused(tmp_path: Path) -> None:
    import tensorflow as tf

    target = tmp_path / "canary"

    def body(x: Any) -> Any:
        tf.raw_ops.SaveV2(prefix=str(target), tensor_names=["x"], shape_and_slices=[""], tensors=[x])
        return x

    path = tmp_path / "model"
    tf.saved_model.save(module(body), str(path))
    refused(path, "SaveV2")
    assert not list(tmp_path.glob("canary*"))


def test_an_initialiser_that_reads_a_file_is_refused(tmp_path: Path) -> None:
    """The table's file is no asset: the name was changed in the bytes after saving."""
    import tensorflow as tf

    class Holder(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            vocabulary = tmp_path / "vocabulary.txt"
            vocabulary.write_text("a\nb\n")
            initializer = tf.lookup.TextFileInitializer(
                str(vocabulary),
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            )
            self.table = tf.lookup.StaticHashTable(initializer, -1)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "x")])
        def f(self, x: Any) -> Any:
            return self.table.lookup(x)

    path = tmp_path / "model"
    tf.saved_model.save(Holder(), str(path))
    assert safeload.check(path).ok
    pb = path / "saved_model.pb"
    data = pb.read_bytes()
    pb.write_bytes(data.replace(b"vocabulary.txt", b"../../secret.."))
    refused(path, "outside the model")


def test_a_loop_in_an_initialiser_is_refused(tmp_path: Path) -> None:
    import tensorflow as tf

    class Table(tf.lookup.StaticHashTable):
        pass

    class Forever(tf.lookup.KeyValueTensorInitializer):
        def initialize(self, table: Any) -> Any:
            tf.while_loop(lambda i: i >= 0, lambda i: i * 0, [tf.constant(0)])
            return super().initialize(table)

    class Holder(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "x")])
        def f(self, x: Any) -> Any:
            return self.table.lookup(x)

    holder = Holder()
    initializer = tf.lookup.KeyValueTensorInitializer(["a"], tf.constant([1], tf.int64))
    holder.table = Table(initializer, -1)
    initializer.__class__ = Forever
    path = tmp_path / "model"
    tf.saved_model.save(holder, str(path))
    refused(path, "loop")


def test_a_constant_that_stands_for_billions_is_refused(tmp_path: Path) -> None:
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    path = tmp_path / "model"
    tf.saved_model.save(module(lambda x: x + tf.constant([1.5, 2.5])[0]), str(path))
    pb = path / "saved_model.pb"
    proto = saved_model_pb2.SavedModel.FromString(pb.read_bytes())
    nodes = [n for f in proto.meta_graphs[0].graph_def.library.function for n in f.node_def if n.op == "Const"]
    tensor = nodes[0].attr["value"].tensor
    tensor.Clear()
    tensor.dtype = 1
    tensor.float_val.append(1.0)
    tensor.tensor_shape.dim.add(size=1 << 40)
    pb.write_bytes(proto.SerializeToString())
    refused(path, "stands for")


def test_operations_of_a_package_name_it(tmp_path: Path) -> None:
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    path = tmp_path / "model"
    tf.saved_model.save(module(lambda x: x * 2), str(path))
    pb = path / "saved_model.pb"
    proto = saved_model_pb2.SavedModel.FromString(pb.read_bytes())
    node = next(n for f in proto.meta_graphs[0].graph_def.library.function for n in f.node_def if n.op == "Mul")
    node.op = "SentencepieceOp"
    pb.write_bytes(proto.SerializeToString())
    with pytest.raises(MissingDependencyError, match="tensorflow-text") as caught:
        safeload.load_model(path)
    assert caught.value.packages == ("tensorflow-text",)


def test_honest_saved_models_pass(folder: Path) -> None:
    from safeload.checks.graph_ops import judge

    for path in sorted(folder.iterdir()):
        if (path / "saved_model.pb").exists():
            document = safeload.inspect(path)
            for saved in document.extras["all_graphs"]:
                assert not list(judge(saved, document.extras["object_graph"], runs=True)), path.name


def test_the_bytes_that_were_checked_are_those_that_are_loaded(folder: Path, tmp_path: Path, recorded: Any) -> None:
    """A file that is exchanged while it is loaded changes nothing: TensorFlow is given the bytes that were judged."""
    path = Path(shutil.copytree(folder / "tf215_sm_raw_module", tmp_path / "model"))
    x, expected = recorded("tf215_sm_raw_module")

    def exchange(event: Any) -> None:
        if event.step == "check":
            (path / "saved_model.pb").rename(tmp_path / "other.pb")
            (path / "saved_model.pb").write_bytes(b"\x00" * 100)

    model = safeload.load_model(path, on_event=exchange)
    np.testing.assert_allclose(np.asarray(model(x)), expected, atol=1e-5)


def test_errors_are_typed_for_what_is_no_graph(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.mkdir()
    for data in (b"", b"\x08\x01", b"\xff" * 50, json.dumps({}).encode()):
        (path / "saved_model.pb").write_bytes(data)
        with pytest.raises(SafeLoadError):
            safeload.load_model(path)
