"""load_model, inspect and check on files of real versions."""

from __future__ import annotations

import io
import json
import shutil
import threading
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import safeload

pytestmark = [
    pytest.mark.core,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras 3 with NumPy 2
]

FIXTURES = Path(__file__).parent / "fixtures"
WRITERS = ("keras122", "keras224", "tf115", "tf24", "tf212", "tf215", "k315")
"""Folders of the same models by different versions (make.py); the others hold what one subject needs."""
CASES = ("mlp", "cnn", "functional", "nested", "recurrent")
FILES = sorted(
    p for w in WRITERS for c in CASES for p in (FIXTURES / w).glob(f"{c}.*") if p.suffix in (".h5", ".keras")
)
CURRENT = FIXTURES / "tf215" / "mlp.h5"
KERAS_FILE = FIXTURES / "tf215" / "mlp.keras"


def recorded(path: Path) -> tuple[list[Any], Any]:
    with np.load(path.with_suffix(".npz")) as arrays:
        inputs = [arrays[f"in_{i}"] for i in range(sum(n.startswith("in_") for n in arrays.files))]
        return inputs, arrays["out_0"]


def assert_same_numbers(model: Any, path: Path, atol: float = 1e-5) -> None:
    inputs, expected = recorded(path)
    found = np.asarray(model(inputs if len(inputs) > 1 else inputs[0], training=False))
    np.testing.assert_allclose(found, expected, atol=atol)


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_the_writers_numbers(path: Path) -> None:
    model = safeload.load_model(path)
    assert_same_numbers(model, path)
    assert model.optimizer is not None
    assert model.safeload_report.ok


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_trains_on(path: Path) -> None:
    model = safeload.load_model(path)
    inputs, expected = recorded(path)
    loss = model.train_on_batch(inputs if len(inputs) > 1 else inputs[0], expected)
    assert np.isfinite(np.asarray(loss, dtype="float64")).all()


def test_every_kind_of_filepath(tmp_path: Path) -> None:
    import h5py

    data = CURRENT.read_bytes()
    with h5py.File(CURRENT, "r") as opened, CURRENT.open("rb") as file:
        for filepath in (
            str(CURRENT),
            CURRENT,
            data,
            bytearray(data),
            memoryview(data),
            io.BytesIO(data),
            file,
            opened,
        ):
            assert_same_numbers(safeload.load_model(filepath), CURRENT)
    assert_same_numbers(safeload.load_model(KERAS_FILE.read_bytes()), KERAS_FILE)


def test_unknown_keyword_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="no_such_argument"):
        safeload.load_model(CURRENT, no_such_argument=1)


@pytest.mark.parametrize("argument", ["repair", "device", "saved_backend", "compile", "integrity"])
def test_arguments_are_checked(argument: str) -> None:
    with pytest.raises(ValueError, match=f"{argument} must be one of"):
        safeload.load_model(CURRENT, **{argument: "nonsense"})


def test_compile_false() -> None:
    model = safeload.load_model(CURRENT, compile=False)
    assert getattr(model, "optimizer", None) is None
    assert_same_numbers(model, CURRENT)


def test_missing_file_names_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(safeload.ModelNotFoundError) as caught:
        safeload.load_model(tmp_path / "nothing.h5")
    assert isinstance(caught.value, FileNotFoundError)


def test_architecture_and_weights(tmp_path: Path, keras: ModuleType) -> None:
    model = safeload.load_model(CURRENT)
    architecture, weights = tmp_path / "m.json", tmp_path / "m.weights.h5"
    architecture.write_text(model.to_json(), encoding="utf-8")
    model.save_weights(weights)
    assert_same_numbers(safeload.load_model(architecture, weights=weights), CURRENT)
    config = json.loads(architecture.read_text(encoding="utf-8"))
    assert_same_numbers(safeload.load_model(config, weights=weights), CURRENT)
    with pytest.raises(safeload.WeightsOnlyError) as caught:
        safeload.load_model(weights)
    assert caught.value.architecture == str(architecture)
    assert any((5, 8) in shapes for _, shapes in caught.value.layers)
    assert f"weights={str(weights)!r}" in str(caught.value.hint)
    with pytest.raises(safeload.WeightsMismatchError, match="no weights"):
        safeload.load_model(architecture)


def test_weights_in_an_npz_file(tmp_path: Path) -> None:
    model = safeload.load_model(CURRENT)
    architecture, weights = tmp_path / "m.json", tmp_path / "weights.npz"
    architecture.write_text(model.to_json(), encoding="utf-8")
    arrays = model.get_weights()
    np.savez(weights, *arrays)
    assert_same_numbers(safeload.load_model(architecture, weights=weights), CURRENT)
    np.savez(weights, *arrays[:-1])
    with pytest.raises(safeload.WeightsMismatchError, match=f"expected {len(arrays)} arrays, found {len(arrays) - 1}"):
        safeload.load_model(architecture, weights=weights)
    names = [str(getattr(v, "path", v.name)) for v in model.weights]
    np.savez(weights, **dict(zip(names, arrays, strict=True)))
    assert_same_numbers(safeload.load_model(architecture, weights=weights), CURRENT)
    np.savez(weights, **dict(zip([*names[:-1], "elsewhere"], arrays, strict=True)))
    with pytest.raises(safeload.WeightsMismatchError, match="elsewhere: no variable of the model has this name"):
        safeload.load_model(architecture, weights=weights)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    other = FIXTURES / "tf215" / "cnn.h5"
    architecture = tmp_path / "m.json"
    architecture.write_text(safeload.load_model(CURRENT).to_json(), encoding="utf-8")
    with pytest.raises(safeload.WeightsMismatchError) as caught:
        safeload.load_model(architecture, weights=other)
    assert caught.value.mismatches


def test_fallbacks(tmp_path: Path) -> None:
    broken = tmp_path / "model.h5"
    broken.write_bytes(CURRENT.read_bytes()[:5000])
    with pytest.raises(safeload.CorruptedModelError):
        safeload.load_model(broken)
    with pytest.warns(safeload.SafeLoadWarning, match="trying"):
        model = safeload.load_model(broken, fallbacks=[tmp_path / "none.h5", CURRENT])
    assert_same_numbers(model, CURRENT)


def test_events_tell_every_step() -> None:
    events: list[safeload.Event] = []
    safeload.load_model(CURRENT, on_event=events.append)
    steps = list(dict.fromkeys(e.step for e in events))
    assert steps == ["open", "read", "repair", "check", "build", "fill", "compile", "verify"]
    filled = [e for e in events if e.step == "fill"]
    assert filled[-1].done == filled[-1].total > 0
    assert [e.done for e in filled] == sorted(e.done for e in filled)


def test_two_threads_at_once() -> None:
    paths = [CURRENT, KERAS_FILE, FIXTURES / "tf215" / "recurrent.h5", FIXTURES / "tf215" / "functional.keras"] * 2
    failures: list[BaseException] = []

    def work(path: Path) -> None:
        try:
            assert_same_numbers(safeload.load_model(path), path)
        except BaseException as error:  # reported below, with its thread's traceback
            failures.append(error)

    threads = [threading.Thread(target=work, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures, failures


def state(keras: ModuleType) -> dict[str, Any]:
    saving = keras.saving if hasattr(keras.saving, "get_custom_objects") else keras.utils
    policy = keras.config.dtype_policy() if hasattr(keras, "config") else keras.mixed_precision.global_policy()
    return {
        "custom_objects": dict(saving.get_custom_objects()),
        "floatx": keras.backend.floatx(),
        "image_data_format": keras.backend.image_data_format(),
        "policy": policy.name,
        "next name": keras.layers.Dense(1).name,
    }


def test_global_state_is_left_alone(keras: ModuleType, tmp_path: Path) -> None:
    broken = tmp_path / "model.h5"
    broken.write_bytes(CURRENT.read_bytes()[:5000])
    first = state(keras)
    safeload.load_model(CURRENT)
    safeload.load_model(KERAS_FILE)
    with pytest.raises(safeload.CorruptedModelError):
        safeload.load_model(broken)
    second = state(keras)
    number = (
        int(first.pop("next name").rpartition("_")[2] or 0)
        if "_" in first["next name"]
        else first.pop("next name") and 0
    )
    following = second.pop("next name")
    assert following == f"dense_{number + 1}"
    assert first == second


def test_patch_routes_and_is_undone(keras: ModuleType) -> None:
    import tensorflow as tf

    before = tf.keras.models.load_model, keras.saving.load_model
    with safeload.patch():
        model = tf.keras.models.load_model(str(CURRENT))
        assert model.safeload_report.ok
        with pytest.raises(RuntimeError, match="installed already"):
            safeload.install()
    assert (tf.keras.models.load_model, keras.saving.load_model) == before


def test_nothing_is_written_beside_the_file(tmp_path: Path) -> None:
    for source in (CURRENT, KERAS_FILE):
        shutil.copy(source, tmp_path)
    tmp_path.chmod(0o555)
    try:
        for source in (CURRENT, KERAS_FILE):
            safeload.load_model(tmp_path / source.name)
    finally:
        tmp_path.chmod(0o755)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mlp.h5", "mlp.keras"]


def test_nothing_on_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    safeload.load_model(CURRENT)
    assert capfd.readouterr().out == ""


def test_inspect_is_plain_data() -> None:
    document = safeload.inspect(CURRENT)
    data = json.loads(json.dumps(document.to_dict()))
    assert data["format"] == "hdf5"
    assert data["writer"]["keras"].startswith("2.15")
    assert data["parameters"] == 98
    assert "Sequential" in document.summary()


def test_check_never_raises(tmp_path: Path) -> None:
    for name, data in {"empty.h5": b"", "text.keras": b"hello", "half.h5": CURRENT.read_bytes()[:3000]}.items():
        path = tmp_path / name
        path.write_bytes(data)
        report = safeload.check(path)
        assert not report.ok
        assert report.error() is not None
        json.dumps(report.to_dict())
    assert not safeload.check(tmp_path / "missing").ok


def test_loading_leaves_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "non-integer arguments to randrange")  # Keras 2's own seeds
        safeload.load_model(KERAS_FILE)


def test_upsampling_is_built_as_it_is_called(tmp_path: Path, keras: ModuleType) -> None:
    """Bounds on axes that Keras 2 splits must not change what a layer is thought to take."""
    layers = [keras.layers.Dense(3), keras.layers.UpSampling1D(2), keras.layers.Dropout(0.0)]
    model = keras.Sequential([keras.layers.InputLayer((4, 3)), *layers])
    (tmp_path / "m.json").write_text(model.to_json(), encoding="utf-8")
    model.save_weights(tmp_path / "m.weights.h5")
    loaded = safeload.load_model(tmp_path / "m.json", weights=tmp_path / "m.weights.h5")
    x = np.ones((2, 4, 3), "float32")
    np.testing.assert_allclose(np.asarray(loaded(x, training=True)), np.asarray(model(x, training=True)), rtol=1e-6)
