"""Lambdas of real files of every era as expressions: the numbers, what is reported, and saving the result again."""

from __future__ import annotations

import base64
import marshal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import safeload
from safeload.lambdas import bytecodes

pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning")


def stored(function: Any, **more: Any) -> dict[str, Any]:
    code = base64.b64encode(marshal.dumps(function.__code__)).decode()
    return {"function": [code, None, None], "function_type": "lambda", "output_shape": None, **more}


def model(*configs: dict[str, Any]) -> dict[str, Any]:
    first = {
        "class_name": "InputLayer",
        "config": {"name": "input", "batch_input_shape": [None, 4], "dtype": "float32"},
    }
    layers = [{"class_name": "Lambda", "config": {"name": f"l{i}", **c}} for i, c in enumerate(configs)]
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [first, *layers]}, "keras_version": "2.4.0"}


def named(x: Any, factor: float) -> Any:
    y = x * factor
    return y - 1.0


CONFIG = model(
    stored(lambda x: K.l2_normalize(x, axis=1)),  # noqa: F821
    stored(named, arguments={"factor": 3.0}),
)


@pytest.fixture
def written(tmp_path: Path) -> str:
    """A file of the Keras that runs here, with Lambdas of one input and of two."""
    import tensorflow

    from safeload.runtime import detect, keras_module

    globals()["tf"] = tensorflow  # a global of the Lambdas below, as in a user's script
    keras = keras_module(detect())
    layers = keras.layers
    given = keras.Input((4,))
    dense = layers.Dense(4, kernel_initializer="identity", name="dense")(given)
    unit = layers.Lambda(lambda x: tf.math.l2_normalize(x, axis=1), name="unit")(dense)  # noqa: F821
    both = layers.Lambda(lambda a: a[0] * 3.0 - a[1][:, :1], name="both")([unit, dense])
    path = str(tmp_path / "written.h5")
    keras.Model(given, both).save(path)
    return path


X = np.array([[3.0, 4.0, 0.0, 0.0]], "float32")
Y = [[-1.2, -0.6, -3.0, -3.0]]


@pytest.mark.core
def test_a_lambda_is_computed_from_what_it_says(written: str) -> None:
    report = safeload.check(written)
    assert report.ok
    told = " ".join(f.message for f in report if f.rule == "SL800")
    assert "lambda x: tf.math.l2_normalize(x, axis=1)" in told
    assert "lambda a: a[0] * 3.0 - a[1][:, :1]" in told
    np.testing.assert_allclose(np.asarray(safeload.load_model(written)(X)), Y, rtol=1e-5)


@pytest.mark.core
def test_a_lambda_in_a_wrapper(tmp_path: Path) -> None:
    """Of another shape and, behind it, of another type."""
    from safeload.runtime import detect, keras_module

    keras = keras_module(detect())
    layers = keras.layers
    path = str(tmp_path / "wrapped.h5")
    keras.Sequential(
        [
            keras.Input((3, 4)),
            layers.Dense(4, kernel_initializer="identity"),
            layers.TimeDistributed(layers.Lambda(lambda x: x[:, :2] / 2)),
            layers.Lambda(lambda x: x > 1),
        ]
    ).save(path)
    found = safeload.load_model(path)(np.arange(12, dtype="float32").reshape(1, 3, 4))
    np.testing.assert_array_equal(np.asarray(found), [[[False, False], [True, True], [True, True]]])


@pytest.mark.core
def test_the_result_is_plain_data(tmp_path: Path, written: str) -> None:
    """A model that was saved again holds no bytecode, and loads by the bare call and by ours."""
    from safeload.runtime import detect, keras_module

    for name in ("again.h5", "again.keras"):
        path = str(tmp_path / name)
        safeload.load_model(written).save(path)
        assert not list(bytecodes(safeload.inspect(path).architecture))
        for load in (safeload.load_model, keras_module(detect()).models.load_model):
            np.testing.assert_allclose(np.asarray(load(path)(X)), Y, rtol=1e-5)


@pytest.mark.core
def test_a_changed_program_is_refused() -> None:
    """Programs come from files too: one that calls what no table has is refused, and isn't built by the layer either."""
    from safeload.layers import own_object

    program = {"parameters": ["x"], "nodes": [["parameter", 0], ["call", "tf.io.read_file", [0], {}]], "result": 1}
    config = model()
    config["config"]["layers"].append(
        {
            "class_name": "safeload>Expression",
            "registered_name": "safeload>Expression",
            "config": {"name": "e", "program": program},
        }
    )
    assert isinstance(safeload.check(config).error(), safeload.UnsafeModelError)
    with pytest.raises(ValueError, match="not in the table"):
        own_object("Expression")(program)


@pytest.mark.core
def test_sizes_that_are_known_late_are_bounded() -> None:
    from safeload.layers import own_object

    power = ["binary", "**", 1, 1]
    nodes = [["parameter", 0], ["constant", 10], power, ["binary", "**", 1, 2], ["binary", "*", 0, 3]]
    layer = own_object("Expression")({"parameters": ["x"], "nodes": nodes, "result": 4})
    with pytest.raises(ValueError, match="huge"):
        layer(np.zeros((1, 4), "float32"))


@pytest.mark.core
def test_inspect_shows_the_source() -> None:
    found = safeload.inspect(CONFIG).findings
    assert [f.evidence["source"] for f in found if f.rule == "SL210"][1] == "lambda x: x * 3.0 - 1.0"


@pytest.mark.core
def test_what_stopped_the_reading_is_told() -> None:
    error = safeload.check(model(stored(lambda x: __import__("os").system("true")))).error()
    assert isinstance(error, safeload.UnsafeModelError)
    assert "__import__('os').system('true')" in str(error)
