"""Files of Keras 2.0 - 2.3 and tf.keras 1.15, layer by layer: the writer's numbers in the Keras at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import safeload

HERE = Path(__file__).parent / "keras2_files"
FILES = sorted(HERE.glob("*.h5"))


def recorded(path: Path) -> tuple[list[Any], list[Any]]:
    with np.load(f"{path}.npz") as arrays:
        inputs = [arrays[f"in_{i}"] for i in range(sum(n.startswith("in_") for n in arrays.files))]
        outputs = [arrays[f"out_{i}"] for i in range(sum(n.startswith("out_") for n in arrays.files))]
    return inputs, outputs


def called(model: Any, inputs: list[Any]) -> list[Any]:
    import tensorflow as tf

    tensors = [tf.constant(x) for x in inputs]
    return [np.asarray(y) for y in tf.nest.flatten(model(tensors if len(tensors) > 1 else tensors[0], training=False))]


@pytest.mark.core
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_the_writers_numbers(path: Path) -> None:
    inputs, expected = recorded(path)
    model = safeload.load_model(path)
    for ours, theirs in zip(called(model, inputs), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.core
@pytest.mark.parametrize(
    "name",
    ["keras224-conv2d_square_cf", "keras224-bidir_convlstm_cf", "keras224-up2d_bil_cl", "keras224-local2d_cf"],
)
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # Keras 3 with NumPy 2
def test_a_repaired_model_is_saved_and_loaded_again_by_keras(name: str, tmp_path: Path) -> None:
    """Layers of our own are in the file by their registered names, so bare Keras finds them."""
    from safeload.runtime import detect, keras_module

    inputs, expected = recorded(HERE / f"{name}.h5")
    saved = tmp_path / "again.keras"
    safeload.load_model(HERE / f"{name}.h5").save(saved)
    again = keras_module(detect()).models.load_model(saved)
    for ours, theirs in zip(called(again, inputs), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.core
def test_a_graph_predicts_what_calling_does() -> None:
    inputs, expected = recorded(HERE / "keras224-conv2d_square_cf.h5")
    model = safeload.load_model(HERE / "keras224-conv2d_square_cf.h5")
    np.testing.assert_allclose(model.predict(inputs[0], verbose=0), expected[0], atol=1e-4, rtol=1e-4)


@pytest.mark.core
def test_channels_first_keeps_its_class_and_attributes() -> None:
    from safeload.runtime import detect, keras_module

    model = safeload.load_model(HERE / "keras224-conv2d_square_cf.h5")
    layer = model.layers[-1]
    assert isinstance(layer, keras_module(detect()).layers.Conv2D)
    assert type(layer).__name__ == "Conv2D"
    assert layer.data_format == "channels_first"
    assert tuple(model.output_shape) == (None, 8, 8, 8)


@pytest.mark.core
def test_cudnn_layers_are_reported() -> None:
    report = safeload.check(HERE / "keras224-cudnn_bidir_lstm.h5")
    assert "cudnn-layer" in {f.name for f in report}
    assert report.ok


def test_slashes_are_renamed_consistently() -> None:
    from safeload.runtime import detect

    report = safeload.check(HERE / "keras224-names_slash_nested.h5")
    told = [f.message for f in report if f.name == "layer-names"]
    assert bool(told) == (detect().dialect == "keras3")
    if told:
        assert "x/y is x_y" in told[0]
        assert "q/r is q_r" in told[0]


@pytest.mark.core
def test_names_that_are_no_scope_are_renamed() -> None:
    """Keras 2 stops at them while it builds, Keras 3 at `predict`, which makes a graph."""
    path = HERE / "keras224_theano-names_space.h5"
    model = safeload.load_model(path)
    inputs, expected = recorded(path)
    np.testing.assert_allclose(model.predict(inputs[0], verbose=0), expected[0], atol=1e-4)
    assert [layer.name for layer in model.layers[1:]] == ["my_layer_1", "couche__t_"]
    told = [f.message for f in safeload.check(path) if f.name == "layer-names"]
    assert len(told) == 1
    assert "my layer 1 is my_layer_1" in told[0]


@pytest.mark.parametrize(
    ("dialect", "nested", "outermost"), [("keras2", "layer_a", "layer_m"), ("keras3", "_a", "layer_m")]
)
def test_first_signs_count_where_a_scope_is_the_outermost(dialect: str, nested: str, outermost: str) -> None:
    from safeload.document import ModelDocument, Writer
    from safeload.repairs import repair
    from safeload.runtime import Runtime

    dense = {"class_name": "Dense", "config": {"name": "_a", "units": 2}}
    again = {"class_name": "Dense", "config": {"name": "b c", "units": 2}}
    taken = {"class_name": "Dense", "config": {"name": "b_c", "units": 2}}
    architecture = {"class_name": "Sequential", "config": {"name": "_m", "layers": [dense, again, taken]}}
    document = ModelDocument(None, "hdf5", 0, Writer("2.15.0"), "keras2", architecture)
    model = repair(document, Runtime(dialect, "3.15.1", "2.21.0", "3.11.7")).architecture
    assert model is not None
    assert model["config"]["name"] == outermost
    names = [x["config"]["name"] for x in model["config"]["layers"]]
    assert [n for n in names if n in (nested, "b_c_1", "b_c")] == [nested, "b_c_1", "b_c"]
