"""Files of Keras 1 give the numbers that they gave where they were written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import safeload
from repairs.stored_numbers import difference
from safeload.repairs.keras1_to_2 import values

FILES = Path(__file__).parent.parent / "fixtures" / "keras1"
NAMES = sorted(f.stem for f in FILES.glob("*.h5"))


@pytest.mark.core
@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_the_writers(name: str) -> None:
    model = safeload.load_model(FILES / f"{name}.h5", compile=False)
    assert difference(model, FILES / f"{name}.npz") < 1e-4


def test_names_of_weights_tell_the_backend() -> None:
    found = {
        name: {f.message for f in safeload.check(FILES / f"{name}.h5") if f.name == "keras1-backend"}
        for name in ("tf_conv2_same", "theano_cnn_basic")
    }
    assert "tensorflow" in found["tf_conv2_same"].pop()
    assert "theano" in found["theano_cnn_basic"].pop()


def test_asks_for_the_backend_where_nothing_tells_it() -> None:
    layer = {
        "class_name": "Convolution2D",
        "config": {
            "name": "c",
            "nb_filter": 1,
            "nb_row": 2,
            "nb_col": 2,
            "dim_ordering": "tf",
            "batch_input_shape": [None, 4, 4, 1],
        },
    }
    config = {"class_name": "Sequential", "config": [layer], "keras_version": "1.2.2"}
    report = safeload.check(json.loads(json.dumps(config)))
    asked = [f for f in report.errors if f.raises is safeload.BackendMismatchError]
    assert asked and asked[0].fields["candidates"] == ("theano", "tensorflow")
    told = safeload.check(config, saved_backend="theano")
    assert not [f for f in told.errors if f.raises is safeload.BackendMismatchError]


def test_a_merge_by_bytecode_is_refused() -> None:
    merge = {"class_name": "Merge", "config": {"name": "m", "mode": ["4wAAAA==", None, None], "mode_type": "lambda"}}
    inputs = [
        {
            "class_name": "InputLayer",
            "name": n,
            "inbound_nodes": [],
            "config": {"name": n, "batch_input_shape": [None, 2], "input_dtype": "float32", "sparse": False},
        }
        for n in "ab"
    ]
    layers = [*inputs, {**merge, "name": "m", "inbound_nodes": [[["a", 0, 0], ["b", 0, 0]]]}]
    ends = {"input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["m", 0, 0]]}
    config = {"class_name": "Model", "config": {"name": "g", "layers": layers, **ends}, "keras_version": "1.2.2"}
    assert [f for f in safeload.check(config).errors if f.raises is safeload.UnsafeModelError]


def test_axes_of_constraints_move_with_the_kernels() -> None:
    stored = {"name": "MaxNorm", "m": 2, "axis": [1, 2, 3]}
    moved = values.constraint(stored, values.TH_KERNEL_AXES[4])
    assert moved == {"class_name": "MaxNorm", "config": {"max_value": 2, "axis": [2, 0, 1]}}
