"""Names in op layers are looked up in the reviewed tables and nowhere else; constants can't ask for everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import safeload
from safeload.errors import InsufficientMemoryError, UnsafeModelError
from safeload.operations import elements, function, functions


def model(path: Path, layer: dict[str, Any], node: Any) -> Path:
    """A file of tf.keras 2.4 with one op layer."""
    first = {"class_name": "InputLayer", "name": "x", "inbound_nodes": []}
    first["config"] = {
        "batch_input_shape": [None, 4],
        "dtype": "float32",
        "sparse": False,
        "ragged": False,
        "name": "x",
    }
    second = {**layer, "name": layer["config"]["name"], "inbound_nodes": [node]}
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [[second["name"], 0, 0]]}
    config = {"class_name": "Functional", "config": {"name": "m", "layers": [first, second], **ends}}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"], file.attrs["backend"] = b"2.4.0", b"tensorflow"
        file.create_group("model_weights").attrs["layer_names"] = np.array([], "S1")
    return path


def call(function: str) -> dict[str, Any]:
    return {
        "class_name": "TFOpLambda",
        "config": {"name": "op", "trainable": True, "dtype": "float32", "function": function},
    }


@pytest.mark.core
@pytest.mark.parametrize("repair", ["auto", "off"])
@pytest.mark.parametrize(
    "name", ["io.write_file", "io.read_file", "py_function", "print", "raw_ops.WriteFile", "os.system"]
)
def test_impure_functions_are_refused(tmp_path: Path, name: str, repair: str) -> None:
    path = model(tmp_path / "m.h5", call(name), ["x", 0, 0, {"contents": "a"}])
    with pytest.raises(UnsafeModelError):
        safeload.load_model(path, repair=repair)


@pytest.mark.core
@pytest.mark.parametrize("operation", ["WriteFile", "ReadFile", "PyFunc", "StatelessIf", "Assign"])
def test_impure_nodes_are_refused(tmp_path: Path, operation: str) -> None:
    node = {"name": "op", "op": operation, "input": ["x", "y"], "attr": {}}
    config = {"name": "op", "trainable": True, "dtype": "float32", "node_def": node, "constants": {"1": "a"}}
    layer = {"class_name": "TensorFlowOpLayer", "config": config}
    with pytest.raises(UnsafeModelError):
        safeload.load_model(model(tmp_path / "m.h5", layer, [["x", 0, 0, {}]]))


@pytest.mark.core
@pytest.mark.parametrize("kind", ["ClassMethod", "InstanceMethod", "InstanceProperty"])
def test_other_attributes_are_refused(tmp_path: Path, kind: str) -> None:
    config = {"name": "op", "attr_name": "__class__", "cls_symbol": "io", "method_name": "write_file"}
    with pytest.raises(safeload.SafeLoadError):
        safeload.load_model(model(tmp_path / "m.h5", {"class_name": kind, "config": config}, ["x", 0, 0, {}]))


@pytest.mark.core
def test_giant_sizes_are_refused(tmp_path: Path) -> None:
    path = model(tmp_path / "m.h5", call("tile"), ["x", 0, 0, {"multiples": [1, 2_000_000_000]}])
    with pytest.raises(InsufficientMemoryError):
        safeload.load_model(path)
    assert safeload.load_model(
        model(tmp_path / "n.h5", call("tile"), ["x", 0, 0, {"multiples": [1, 2]}])
    ).output_shape == (
        None,
        8,
    )


@pytest.mark.core
def test_the_table() -> None:
    assert len(functions()) > 600
    assert function("reduce_sum") is function("math.reduce_sum")
    assert function("keras.backend.sum") is not None
    assert function("io.write_file") is None
    row = function("linalg.matmul")
    assert row is not None
    assert row.bind((1, 2), {"transpose_b": True}) == {"a": 1, "b": 2, "transpose_b": True}
    with pytest.raises(TypeError):
        row.bind((1,), {"nothing": 2})
    assert all(name in row.parameters for row in functions().values() for name in row.sizes)
    assert not [r.id for r in functions().values() if r.id.split(".")[0] in ("io", "audio", "debugging", "summary")]
    assert elements(("dims",), {"dims": [1000, -1, None]}) == 1000
