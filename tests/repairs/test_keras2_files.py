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
