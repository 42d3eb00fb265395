"""Names in op layers are looked up in the reviewed tables and nowhere else; constants can't ask for everything."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import safeload
from safeload.errors import InsufficientMemoryError, UnsafeModelError
from safeload.findings import Severity
from safeload.operations import elements, function, functions
from safeload.runtime import detect


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


def keras3(path: Path, name: str, options: dict[str, Any], *args: Any) -> Path:
    """A file of Keras 3 with one operation of `keras.ops`."""
    tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None, 4], "dtype": "float32"}}
    tensor["config"]["keras_history"] = ["x", 0, 0]
    home = {"module": "keras.src.ops.numpy", "registered_name": name}
    layers = [
        {
            "class_name": "InputLayer",
            "name": "x",
            "config": {"batch_shape": [None, 4], "name": "x"},
            "inbound_nodes": [],
        },
        {"class_name": name, **home, "name": "op", "config": {"name": "op", **options}},
    ]
    layers[0] |= {"module": "keras.layers", "registered_name": None}
    layers[1]["inbound_nodes"] = [{"args": [tensor, *args], "kwargs": {}}]
    config = {"name": "m", "layers": layers, "input_layers": ["x", 0, 0], "output_layers": ["op", 0, 0]}
    tree = {"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional"}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.8.0", "date_saved": "2025-01-01@00:00:00"}))
        archive.writestr("config.json", json.dumps({**tree, "config": config}))
        with h5py.File(path.with_suffix(".h5"), "w"):
            pass
        archive.write(path.with_suffix(".h5"), "model.weights.h5")
    return path


@pytest.mark.core
@pytest.mark.parametrize(
    ("name", "options", "args"),
    [
        ("Histogram", {"bins": 2**40}, []),
        ("SegmentSum", {"num_segments": 2**40}, [[0, 1]]),
        ("Scatter", {}, [[[0]], [2**20, 2**20]]),
        ("CropImages", {"target_height": 2**20, "target_width": 2**20}, []),
        ("Diagflat", {"k": 2**20}, []),
    ],
)
def test_giant_sizes_of_keras_operations_are_refused(
    tmp_path: Path, name: str, options: dict[str, Any], args: list[Any]
) -> None:
    found = safeload.check(keras3(tmp_path / "m.keras", name, options, *args)).findings
    small = dict.fromkeys(options, 2)
    fine = safeload.check(keras3(tmp_path / "n.keras", name, small, *[[1, 1] for _ in args])).findings
    if detect().dialect == "keras3":
        assert "SL750" in {finding.rule for finding in found}
    else:  # Keras 2 is given an operation that it can have, or none
        assert any(finding.severity is Severity.ERROR for finding in found)
    assert "SL750" not in {finding.rule for finding in fine}


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
