"""Op layers give the numbers that the writing version gave, expression by expression, in every flavour."""

from __future__ import annotations

import functools
import gzip
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import safeload

FOLDER = Path(__file__).parent / "operations"
FILES = sorted(p.name for p in FOLDER.iterdir() if p.name.endswith((".h5.gz", ".keras")) and "_lost_" not in p.name)
AGAIN = ["tf24_reduce_a.h5.gz", "tf21_reduce_a.h5.gz", "k33_shapes.keras"]


def content(name: str) -> Any:
    path = FOLDER / name
    return gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()


@functools.cache
def loaded(name: str) -> Any:
    """The model of a file, built once."""
    return safeload.load_model(content(name), compile=False)


def outputs(model: Any, arrays: Any) -> list[np.ndarray]:
    import tensorflow as tf

    given = [tf.constant(arrays["in_" + tensor.name.split(":")[0]]) for tensor in model.inputs]
    return [np.asarray(value) for value in tf.nest.flatten(model(given))]


def compare(found: list[np.ndarray], arrays: Any) -> None:
    labels = arrays["labels"]
    assert len(found) == len(labels)
    for index, (label, value) in enumerate(zip(labels, found, strict=True)):
        wanted = arrays[f"out_{index:03d}"]
        assert value.dtype == wanted.dtype, label
        assert value.shape == wanted.shape, label
        np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-5, err_msg=str(label))


@pytest.mark.core
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
def test_numbers_are_the_recorded_ones(name: str, keras: ModuleType) -> None:
    arrays = np.load(FOLDER / (name.split(".")[0] + ".npz"))
    compare(outputs(loaded(name), arrays), arrays)


@pytest.mark.core
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "suffix"), [*((n, "keras") for n in AGAIN), ("tf24_reduce_a.h5.gz", "h5")])
def test_a_loaded_model_can_be_saved_and_loaded_again(
    name: str, suffix: str, keras: ModuleType, tmp_path: Path
) -> None:
    arrays = np.load(FOLDER / (name.split(".")[0] + ".npz"))
    again = tmp_path / f"again.{suffix}"
    loaded(name).save(again)
    compare(outputs(safeload.load_model(again, compile=False), arrays), arrays)


@pytest.mark.core
@pytest.mark.parametrize("name", ["tf24_lost_a.h5.gz", "tf24_lost_b.h5.gz"])
def test_lost_arguments_are_a_typed_error(name: str) -> None:
    with pytest.raises(safeload.VersionMismatchError):
        safeload.load_model(content(name), compile=False)


@pytest.mark.core
def test_gradients_go_through_graph_nodes(keras: ModuleType) -> None:
    import tensorflow as tf

    from safeload.layers import own_object

    layer = own_object("TensorFlowNode")("Mul", {"T": "float32"}, {"0": 3.0})
    x = tf.Variable(2.0)

    @tf.function
    def gradient() -> Any:
        with tf.GradientTape() as tape:
            y = layer(x.value())
        return tape.gradient(y, x)

    assert float(gradient()) == 3.0


@pytest.mark.core
def test_layers_refuse_names_outside_the_tables(keras: ModuleType) -> None:
    from safeload.layers import own_object

    arguments = {"args": ["/etc/passwd"], "kwargs": {}}
    with pytest.raises(ValueError, match="not in the table"):
        own_object("TensorFlowFunction")("io.read_file", arguments)
    with pytest.raises(ValueError, match="not in the table"):
        own_object("TensorFlowNode")("ReadFile", {}, {"0": "/etc/passwd"})
    with pytest.raises(ValueError, match="not known"):
        own_object("Keras3Operation")("Map", {}, arguments)


@pytest.mark.core
def test_every_operation_of_the_table_is_computed(keras: ModuleType) -> None:
    from safeload.layers.ops3 import _COMPUTED
    from safeload.operations.keras3 import OPERATIONS

    assert set(_COMPUTED) == OPERATIONS


@pytest.mark.core
def test_functions_of_the_table_are_there(keras: ModuleType) -> None:
    from safeload.layers.ops_functions import implementation
    from safeload.operations import functions

    gone = []
    for name in functions():
        try:
            implementation(name)
        except ValueError:
            gone.append(name)
    assert not [name for name in gone if not name.startswith("keras.")]
