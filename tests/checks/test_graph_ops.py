"""Graphs that would act, hidden in every corner of a SavedModel: nothing of them runs, and honest ones are let through.

Each hostile graph is an honest SavedModel whose bytes were edited; what it would do is leave a file, the canary.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import safeload
from safeload.errors import CorruptedModelError, MissingOpError, SafeLoadError, UnsafeModelError

pytestmark = pytest.mark.core

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "float32")


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel of a module with a variable, a table and a branch."""
    import tensorflow as tf

    class Honest(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = tf.Variable(np.ones((3, 2), "float32"), name="w")
            keys = tf.lookup.KeyValueTensorInitializer(["a"], tf.constant([1], tf.int64))
            self.table = tf.lookup.StaticHashTable(keys, -1)

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, "x")])
        def f(self, x: Any) -> Any:
            found = tf.cast(self.table.lookup(tf.constant("a")), tf.float32)
            return tf.cond(tf.reduce_sum(x) > -1e9, lambda: found * tf.matmul(x, self.w), lambda: x[:, :2])

    path = tmp_path_factory.mktemp("honest") / "model"
    tf.saved_model.save(Honest(), str(path))
    return path


@pytest.fixture
def edited(honest: Path, tmp_path: Path) -> Callable[[Callable[[Any], None]], Path]:
    """A copy of the honest model whose meta graph was changed by a function."""

    def edit(change: Callable[[Any], None]) -> Path:
        from tensorflow.core.protobuf import saved_model_pb2

        path = Path(shutil.copytree(honest, tmp_path / "model"))
        proto = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
        change(proto.meta_graphs[0])
        (path / "saved_model.pb").write_bytes(proto.SerializeToString())
        return path

    return edit


def the_function(meta: Any) -> Any:
    return next(f for f in meta.graph_def.library.function if f.signature.name.startswith("__inference_f_"))


def writing(graph: Any, canary: Path, prefix: str = "attack") -> str:
    """Add nodes that write the canary; the name of the last."""
    for name, text in (("name", str(canary)), ("text", "x")):
        node = graph.add(name=f"{prefix}_{name}", op="Const")
        node.attr["dtype"].type = 7
        node.attr["value"].tensor.dtype = 7
        node.attr["value"].tensor.tensor_shape.SetInParent()
        node.attr["value"].tensor.string_val.append(text.encode())
    graph.add(name=prefix, op="WriteFile", input=[f"{prefix}_name", f"{prefix}_text"])
    return prefix


def refused(path: Path, match: str, canary: Path, error: type[SafeLoadError] = UnsafeModelError) -> None:
    assert not safeload.check(path).ok
    with pytest.raises(error, match=match):
        safeload.load_model(path)
    assert not canary.exists()


def test_an_honest_graph_gives_its_numbers(honest: Path) -> None:
    assert safeload.check(honest).ok
    np.testing.assert_allclose(np.asarray(safeload.load_model(honest)(X)), X @ np.ones((3, 2)), atol=1e-6)


@pytest.mark.parametrize("first", [True, False])
def test_a_second_graph_behind_the_first_is_merged_and_judged(honest: Path, tmp_path: Path, first: bool) -> None:
    """Protobuf merges a field that comes twice; a reader that takes the last one would judge half of what runs."""
    from tensorflow.core.framework import graph_pb2
    from tensorflow.core.protobuf import saved_model_pb2

    canary = tmp_path / "canary"
    hidden = graph_pb2.GraphDef()
    writing(hidden.node, canary)
    path = Path(shutil.copytree(honest, tmp_path / "model"))
    proto = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    field = b"\x12" + _length(hidden.SerializeToString())
    meta = proto.meta_graphs[0].SerializeToString()
    both = field + meta if first else meta + field
    data = b"\x08\x01\x12" + _length(both)
    assert len(saved_model_pb2.SavedModel.FromString(data).meta_graphs[0].graph_def.node) > 3
    (path / "saved_model.pb").write_bytes(data)
    refused(path, "WriteFile", canary)


def _length(data: bytes) -> bytes:
    size, out = len(data), bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*out, size]) + data


def test_a_field_number_that_overflows_is_damage(honest: Path, tmp_path: Path) -> None:
    """Parsers that count in 32 bits take field 0x200000002 for field 2."""
    path = Path(shutil.copytree(honest, tmp_path / "model"))
    data = (path / "saved_model.pb").read_bytes()
    assert data[:3] == b"\x08\x01\x12"
    (path / "saved_model.pb").write_bytes(data[:2] + b"\x92\x80\x80\x80\x10" + data[3:])
    refused(path, "field number", tmp_path / "canary", CorruptedModelError)


def test_an_operation_called_by_the_name_of_a_function_is_refused(edited: Any, tmp_path: Path) -> None:
    def change(meta: Any) -> None:
        node = the_function(meta).node_def.add(name="attack", op="PartitionedCall")
        node.attr["f"].func.name = "WriteFile"

    refused(edited(change), "WriteFile", tmp_path / "canary")


@pytest.mark.parametrize("dtype", [20, 21])
def test_a_constant_that_is_a_handle_is_refused(edited: Any, tmp_path: Path, dtype: int) -> None:
    def change(meta: Any) -> None:
        node = the_function(meta).node_def.add(name="attack", op="Const")
        node.attr["dtype"].type = dtype
        node.attr["value"].tensor.dtype = dtype
        node.attr["value"].tensor.resource_handle_val.add(name="other", container="localhost")

    refused(edited(change), "handle", tmp_path / "canary")


def test_a_handle_made_of_bytes_is_refused(edited: Any, tmp_path: Path) -> None:
    def change(meta: Any) -> None:
        node = the_function(meta).node_def.add(name="attack", op="ParseTensor", input=["x"])
        node.attr["out_type"].type = 20

    refused(edited(change), "handle", tmp_path / "canary")


def test_a_function_that_calls_itself_is_refused(edited: Any, tmp_path: Path) -> None:
    def change(meta: Any) -> None:
        function = the_function(meta)
        node = function.node_def.add(name="again", op="PartitionedCall")
        node.attr["f"].func.name = function.signature.name

    refused(edited(change), "calls itself", tmp_path / "canary")


def test_functions_that_multiply_are_refused(edited: Any, tmp_path: Path) -> None:
    def change(meta: Any) -> None:
        library = meta.graph_def.library
        for i in range(60):
            function = library.function.add()
            function.signature.name = f"doubled_{i}"
            for k in range(2):
                node = function.node_def.add(name=f"n{k}", op="PartitionedCall" if i else "NoOp")
                if i:
                    node.attr["f"].func.name = f"doubled_{i - 1}"

    refused(edited(change), "come to", tmp_path / "canary")


def test_a_constant_hidden_in_another_operation_is_counted(edited: Any, tmp_path: Path) -> None:
    def change(meta: Any) -> None:
        tensor = meta.graph_def.node.add(name="attack", op="NoOp").attr["value"].tensor
        tensor.dtype = 1
        tensor.float_val.append(1.0)
        tensor.tensor_shape.dim.add(size=1 << 40)

    refused(edited(change), "stands for", tmp_path / "canary")


def test_pins_to_other_machines_are_left_out(edited: Any) -> None:
    pins = ["/job:ps/replica:0/task:3/device:GPU:2", "/device:GPU:0", "/job:worker", "nonsense", "/job:a/task:1/cpu:0"]

    def change(meta: Any) -> None:
        nodes = [*meta.graph_def.node, *(n for f in meta.graph_def.library.function for n in f.node_def)]
        for i, node in enumerate(nodes):
            node.device = pins[i % len(pins)]
        for held in meta.object_graph_def.nodes:
            if held.HasField("variable"):
                held.variable.device = pins[0]

    path = edited(change)
    np.testing.assert_allclose(np.asarray(safeload.load_model(path)(X)), X @ np.ones((3, 2)), atol=1e-6)


def test_only_the_meta_graph_for_serving_is_loaded(honest: Path, tmp_path: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    path = Path(shutil.copytree(honest, tmp_path / "model"))
    proto = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    other = proto.meta_graphs.add()
    other.meta_info_def.tags.extend(["serve", "tpu"])
    other.graph_def.node.add(name="tpu", op="TPUReplicateMetadata")
    proto.meta_graphs.reverse()
    (path / "saved_model.pb").write_bytes(proto.SerializeToString())
    model = safeload.load_model(path)
    np.testing.assert_allclose(np.asarray(model(X)), X @ np.ones((3, 2)), atol=1e-6)
    writing(other.graph_def.node, tmp_path / "canary")
    (path / "saved_model.pb").write_bytes(proto.SerializeToString())
    writing(proto.meta_graphs[0].graph_def.node, tmp_path / "canary")
    (path / "saved_model.pb").write_bytes(proto.SerializeToString())
    refused(path, "WriteFile", tmp_path / "canary")


@pytest.mark.parametrize("name", ["variables/variables.data-00000-of-00001", "variables/variables.index", "variables"])
def test_a_link_that_leads_out_of_the_model_is_refused(honest: Path, tmp_path: Path, name: str) -> None:
    path = Path(shutil.copytree(honest, tmp_path / "model"))
    (path / name).rename(tmp_path / "elsewhere")
    (path / name).symlink_to(tmp_path / "elsewhere")
    refused(path, "link", tmp_path / "canary")


def test_an_index_that_is_exchanged_while_it_is_loaded_changes_nothing(
    honest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was judged is what is loaded; shards are linked here, as large ones are."""
    from safeload.build import staging

    monkeypatch.setattr(staging, "_SMALL", 0)
    path = Path(shutil.copytree(honest, tmp_path / "model"))
    real = staging.loadable

    def exchange(data: bytes, number: int) -> bytes:
        (path / "variables" / "variables.index").write_bytes(b"\x00" * 100)
        return real(data, number)

    monkeypatch.setattr(staging, "loadable", exchange)
    np.testing.assert_allclose(np.asarray(safeload.load_model(path)(X)), X @ np.ones((3, 2)), atol=1e-6)


# ---- TensorFlow 1: one graph, with a saver in it


@pytest.fixture
def session(tmp_path: Path) -> Iterator[tuple[Path, Any]]:
    """A SavedModel of a session in which two savers were made, as `save_weights` before `simple_save` leaves them."""
    import tensorflow as tf

    v1 = tf.compat.v1
    path = tmp_path / "model"
    with tf.Graph().as_default(), v1.Session() as opened:
        x = v1.placeholder(tf.float32, [None, 3], "x")
        w = v1.get_variable("w", [3, 2], initializer=v1.ones_initializer(), use_resource=True)
        y = tf.matmul(x, w)
        opened.run(v1.global_variables_initializer())
        v1.train.Saver(name="first").save(opened, str(tmp_path / "beside"))
        v1.saved_model.simple_save(opened, str(path), {"x": x}, {"y": y})
    yield path, v1


def test_what_another_saver_left_in_the_graph_is_let_be(session: tuple[Path, Any]) -> None:
    path, _ = session
    data = (path / "saved_model.pb").read_bytes()
    assert data.count(b"SaveV2") >= 2
    np.testing.assert_allclose(np.asarray(safeload.load_model(path)(X)), X @ np.ones((3, 2)), atol=1e-6)


@pytest.mark.parametrize("key", ["saved_model_main_op", "legacy_init_op", "table_initializer", "local_variables"])
def test_saving_when_the_model_is_loaded_is_refused(session: tuple[Path, Any], tmp_path: Path, key: str) -> None:
    """`SaveV2` with a name of its own, made an initialiser by each of the ways that TensorFlow knows."""
    from tensorflow.core.framework import variable_pb2
    from tensorflow.core.protobuf import saved_model_pb2

    path, canary = session[0], tmp_path / "canary"
    proto = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    meta = proto.meta_graphs[0]
    nodes = {node.name: node for node in meta.graph_def.node}
    saving = next(node for node in nodes.values() if node.op == "SaveV2" and node.name.startswith("first"))
    name = writing_name(meta.graph_def.node, canary)
    saving.input[0] = name
    if key == "local_variables":
        held = variable_pb2.VariableDef(variable_name="w:0", initializer_name=saving.name)
        meta.collection_def[key].bytes_list.value.append(held.SerializeToString())
    else:
        meta.collection_def[key].node_list.value.append(saving.name)
    (path / "saved_model.pb").write_bytes(proto.SerializeToString())
    refused(path, "SaveV2", canary)
    assert not list(tmp_path.glob("canary*"))


def writing_name(graph: Any, canary: Path) -> str:
    node = graph.add(name="attack_name", op="Const")
    node.attr["dtype"].type = 7
    node.attr["value"].tensor.dtype = 7
    node.attr["value"].tensor.tensor_shape.SetInParent()
    node.attr["value"].tensor.string_val.append(str(canary).encode())
    return str(node.name)


# ---- devices


def test_an_operation_that_the_cpu_cannot_run_is_named(tmp_path: Path) -> None:
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU that runs it")

    class Pooling(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 2, 8, 8], tf.float32, "x")])
        def f(self, x: Any) -> Any:
            return tf.nn.max_pool2d(x, 2, 2, "SAME", data_format="NCHW")

    path = tmp_path / "model"
    tf.saved_model.save(Pooling(), str(path))
    with pytest.raises(MissingOpError, match="MaxPool in the layout NCHW") as caught:
        safeload.load_model(path)
    assert caught.value.ops == ("MaxPool",) and "CPU" in caught.value.devices


def test_a_module_lowered_for_another_device_is_named(edited: Any) -> None:
    def change(meta: Any) -> None:
        node = the_function(meta).node_def.add(name="lowered", op="XlaCallModule")
        node.attr["platforms"].list.s.extend([b"CUDA"])
        node.attr["version"].i = 5
        node.attr["module"].s = b""
        for name in ("Tin", "Tout", "Sout"):
            node.attr[name].list.SetInParent()

    with pytest.raises(MissingOpError, match="XlaCallModule for CUDA"):
        safeload.load_model(edited(change))
