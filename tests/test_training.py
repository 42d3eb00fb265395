"""Training goes on where it stopped: the next step is the writer's next step, whichever Keras wrote the file."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest

import safeload

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras 3 with NumPy 2
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),  # Keras 2
]

FOLDER = Path(__file__).parent / "fixtures" / "training"
FILES = sorted(p for p in FOLDER.rglob("*") if p.suffix in (".h5", ".keras"))


def step(model: Any, x: Any, y: Any) -> list[Any]:
    model.run_eagerly = True  # tracing takes longer than a step
    model.train_on_batch(x, y)
    return model.get_weights()


@pytest.mark.core
@pytest.mark.filterwarnings("ignore:.*the number of steps starts at 0")  # RMSprop, Adagrad, Adadelta before Keras 2.3
@pytest.mark.parametrize("path", FILES, ids=[f"{p.parent.name}-{p.name}" for p in FILES])
def test_the_next_step_is_the_writers(path: Path) -> None:
    with np.load(path.with_suffix(".npz")) as recorded:
        data = {name: recorded[name] for name in recorded.files}
    model = safeload.load_model(path, compile="strict")
    before = model.get_weights()
    for i, after in enumerate(step(model, data["x"], data["y"])):
        moved = np.abs(data[f"after_{i}"] - data[f"before_{i}"]).max()
        np.testing.assert_array_equal(before[i], data[f"before_{i}"])
        np.testing.assert_allclose(after, data[f"after_{i}"], atol=1e-4 * moved + 1e-6, rtol=0)


def small(keras: ModuleType, outputs: int = 1) -> Any:
    inputs = keras.layers.Input((5,))
    hidden = keras.layers.Dense(4, activation="tanh", name="hidden")(inputs)
    hidden = keras.layers.Dense(4, trainable=False, name="frozen")(hidden)
    made = [keras.layers.Dense(2, name=f"out{i}")(hidden) for i in range(outputs)]
    return keras.Model(inputs, made if outputs > 1 else made[0])


def data(outputs: int = 1) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(8, 5)).astype("float32"), random.normal(size=(8, 2)).astype("float32")
    return x, [y] * outputs if outputs > 1 else y


OPTIMIZERS = {
    "adam": lambda keras: keras.optimizers.Adam(0.01, amsgrad=True),
    "rmsprop": lambda keras: keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "ema": lambda keras: keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True),
    "schedule": lambda keras: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
}


@pytest.mark.core
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_files_of_the_keras_at_hand(keras: ModuleType, tmp_path: Path, name: str, suffix: str) -> None:
    model, (x, y) = small(keras), data()
    model.compile(OPTIMIZERS[name](keras), "mse", metrics=["mae"], run_eagerly=True)
    for _ in range(3):
        model.train_on_batch(x, y)
    path = tmp_path / f"model{suffix}"
    model.save(path)
    expected = step(model, x, y)
    loaded = safeload.load_model(path, compile="strict")
    assert int(loaded.optimizer.iterations) == 3
    for a, b in zip(step(loaded, x, y), expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert {"loss", "mae"} <= set(loaded.evaluate(x, y, verbose=0, return_dict=True))


@pytest.mark.core
def test_loss_scale_is_restored(keras: ModuleType, tmp_path: Path) -> None:
    if not hasattr(keras, "ops"):  # Keras 2 stores no scale
        return
    model, (x, y) = small(keras), data()
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01), dynamic_growth_steps=2), "mse")
    for _ in range(5):
        model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    expected = step(model, x, y)
    loaded = safeload.load_model(tmp_path / "model.keras", compile="strict")
    assert float(loaded.optimizer.dynamic_scale.numpy()) == 2.0**17
    for a, b in zip(step(loaded, x, y), expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.core
def test_a_repaired_layer_takes_its_slots_along() -> None:
    from safeload.document import WeightTransform
    from safeload.fill.optimizer.order import Trained

    flip = WeightTransform("flip", lambda arrays: [arrays[0][::-1], arrays[1]])
    kernel, bias = np.arange(6.0).reshape(3, 2), np.arange(2.0)
    moved = Trained(("a",), (0, 1), 2, (), (flip,)).built([kernel, bias])
    np.testing.assert_array_equal(moved[0], kernel[::-1])
    add = WeightTransform("add", lambda arrays: [arrays[0] + arrays[1]])
    np.testing.assert_array_equal(Trained(("a",), (0,), 2, (), (add,)).built([bias, bias])[0], bias)
    root = WeightTransform("root", lambda arrays: [np.sqrt(arrays[0])])
    with pytest.raises(ValueError, match="more than move"):
        Trained(("a",), (0,), 1, (), (root,)).built([bias])


def edited(source: Path, target: Path, **changes: Any) -> Path:
    """A copy of an HDF5 file with some keys of its training config changed."""
    target.write_bytes(source.read_bytes())
    with h5py.File(target, "r+") as file:
        stored = file.attrs["training_config"]
        config = json.loads(stored if isinstance(stored, str) else stored.decode())
        file.attrs["training_config"] = json.dumps({**config, **changes})
    return target


@pytest.mark.core
def test_what_is_missing_leaves_the_model_uncompiled(tmp_path: Path) -> None:
    path = edited(FOLDER / "tf28" / "adam.h5", tmp_path / "m.h5", loss="focal", metrics=["other"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = safeload.load_model(path)
    told = [str(w.message) for w in caught if issubclass(w.category, safeload.SafeLoadWarning)]
    assert len(told) == 1 and "focal" in told[0] and "other" in told[0]
    assert getattr(model, "optimizer", None) is None
    with pytest.raises(safeload.MissingCustomObjectError) as error:
        safeload.load_model(path, compile="strict")
    assert set(error.value.missing) == {"focal", "other"}


@pytest.mark.core
def test_state_that_does_not_fit_starts_anew_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes((FOLDER / "tf28" / "adam.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        group = file["optimizer_weights"]
        group.attrs["weight_names"] = list(group.attrs["weight_names"])[:-2]
    with pytest.warns(safeload.SafeLoadWarning, match="starts? anew"):
        model = safeload.load_model(path)
    assert int(model.optimizer.iterations) == 0
    assert "SL602" in {f.rule for f in model.safeload_report.warnings}
    with pytest.raises(safeload.WeightsMismatchError):
        safeload.load_model(path, compile="strict")


@pytest.mark.core
def test_a_flat_list_of_metrics_stands_for_every_output(keras: ModuleType, tmp_path: Path) -> None:
    model, (x, y) = small(keras, 2), data(2)
    model.compile("adam", ["mse", "mse"])
    model.train_on_batch(x, y)
    model.save(tmp_path / "m.h5")
    stored = edited(tmp_path / "m.h5", tmp_path / "n.h5", metrics=["mae"])
    if hasattr(keras, "ops"):
        with h5py.File(stored, "r+") as file:
            file.attrs["keras_version"] = "2.2.4"
            del file["optimizer_weights"]
    loaded = safeload.load_model(stored)
    names = loaded.evaluate(x, y, verbose=0, return_dict=True)
    assert sum("mae" in name for name in names) == 2


@pytest.mark.core
def test_gates_of_keras_1_are_told_by_name() -> None:
    """Keras 1 sorted what it trained by name: `lstm_1_U_c`, `lstm_1_U_f` ... `lstm_1_b_o`."""
    path = FOLDER.parent / "keras122" / "recurrent.h5"
    with h5py.File(path) as file:
        layers = [file["model_weights"][n].attrs["weight_names"] for n in file["model_weights"].attrs["layer_names"]]
        names = sorted(n for layer in layers for n in layer)
        slots = [file["optimizer_weights"][n][()] for n in file["optimizer_weights"].attrs["weight_names"]]
    by_name = dict(zip(names, slots[1 : 1 + len(names)], strict=True))
    model = safeload.load_model(path, compile="strict")
    found = optimizer_arrays(model)
    for part in "WUb":
        wanted = np.concatenate([by_name[f"lstm_1_{part}_{gate}".encode()] for gate in "ifco"], axis=-1)
        assert wanted.any()
        assert any(a.shape == wanted.shape and np.array_equal(a, wanted) for a in found)


def optimizer_arrays(model: Any) -> list[Any]:
    variables = model.optimizer.variables
    return [np.asarray(v) for v in (variables() if callable(variables) else variables)]


@pytest.mark.core
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_steps_that_are_not_stored_are_told(tmp_path: Path, decay: float) -> None:
    path = edited(FOLDER / "keras224" / "rmsprop.h5", tmp_path / "m.h5")
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["training_config"])
        config["optimizer_config"]["config"]["decay"] = decay
        file.attrs["training_config"] = json.dumps(config)
    with pytest.warns(safeload.SafeLoadWarning, match="number of steps starts at 0"):
        model = safeload.load_model(path)
    assert any(a.any() for a in optimizer_arrays(model)[2:])
    if decay:
        with pytest.raises(safeload.WeightsMismatchError, match="decay"):
            safeload.load_model(path, compile="strict")


@pytest.mark.core
def test_slots_that_start_anew_beside_restored_steps_are_told(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes((FOLDER / "keras122" / "adam.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        group = file["model_weights"]["one"]
        group.attrs["weight_names"] = [b"param_0", b"param_1"]
        group.move("one_W", "param_0")
        group.move("one_b", "param_1")
    with pytest.warns(safeload.SafeLoadWarning, match=r"slots start anew.*steps is restored \(3\)"):
        model = safeload.load_model(path)
    assert int(model.optimizer.iterations) == 3


@pytest.mark.core
def test_state_that_keras_never_stores_is_told() -> None:
    path = FOLDER.parent / "tf215" / "legacy_sgd.keras"
    with pytest.warns(safeload.SafeLoadWarning, match=r"stores no state of optimizers\.legacy"):
        safeload.load_model(path)
    with pytest.raises(safeload.WeightsMismatchError):
        safeload.load_model(path, compile="strict")
