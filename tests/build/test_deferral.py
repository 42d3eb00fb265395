"""Variables that get their first value from the file: none is left without one, and none is drawn at random for nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import safeload
from safeload.build.deferral import deferred, give
from safeload.runtime import detect

FIXTURES = Path(__file__).parents[1] / "fixtures"

pytestmark = pytest.mark.skipif(
    detect().flavour != "keras3", reason="Keras 2 has other variables: it builds the plain way"
)


@pytest.fixture
def drawn(keras: ModuleType) -> Any:
    """An initializer that counts how often it is run."""

    class Counting(keras.initializers.Initializer):
        calls = 0

        def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
            Counting.calls += 1
            return keras.ops.full(shape, 7.0, dtype)

    return Counting


def test_a_filled_variable_is_never_initialized(keras: ModuleType, drawn: Any) -> None:
    with deferred(keras) as pending:
        variable = keras.Variable(drawn(), shape=(2, 3), dtype="float32", name="kernel")
        assert len(pending.waiting) == 1
        give(variable, np.ones((2, 3), "float32"))
    assert drawn.calls == 0
    np.testing.assert_array_equal(variable.numpy(), np.ones((2, 3)))


def test_what_nobody_fills_gets_its_initial_value(keras: ModuleType, drawn: Any) -> None:
    with deferred(keras):
        variable = keras.Variable(drawn(), shape=(2,), dtype="float16", name="kernel")
    assert drawn.calls == 1
    np.testing.assert_array_equal(variable.numpy(), np.full((2,), 7, "float16"))
    variable.assign([1, 2])
    np.testing.assert_array_equal(variable.numpy(), [1, 2])


def test_whoever_looks_first_sees_the_initial_value_and_always_the_same(keras: ModuleType) -> None:
    with deferred(keras) as pending:
        variable = keras.Variable(keras.initializers.RandomNormal(), shape=(4,), dtype="float32", name="w")
        first, second = variable.numpy(), (variable + 0).numpy()
        assert not pending.waiting
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, variable.numpy())


def test_assigning_is_filling(keras: ModuleType, drawn: Any) -> None:
    with deferred(keras):
        variable = keras.Variable(drawn(), shape=(2,), dtype="float32", name="w")
        variable.assign([3, 4])
        variable.assign_add([1, 1])
    assert drawn.calls == 0
    np.testing.assert_array_equal(variable.numpy(), [4, 5])


def test_names_are_those_of_the_plain_way(keras: ModuleType) -> None:
    def build() -> list[tuple[str, str]]:
        keras.backend.clear_session()
        inner = keras.Sequential([keras.layers.Dense(2, name="b")], name="inner")
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="a"), inner], name="outer")
        return [(v.path, v.value.name) for v in model.variables]

    plain = build()
    with deferred(keras):
        assert build() == plain


def test_an_error_leaves_usable_variables_and_no_hooks(keras: ModuleType) -> None:
    cls = type(keras.Variable(1.0))
    before = {name: cls.__dict__.get(name) for name in ("value", "_direct_assign", "_initialize_with_initializer")}
    held = []
    with pytest.raises(RuntimeError, match="inside"), deferred(keras):
        held.append(keras.Variable("ones", shape=(2,), dtype="float32", name="w"))
        raise RuntimeError("inside")
    assert {name: cls.__dict__.get(name) for name in before} == before
    np.testing.assert_array_equal((held[0] * 2).numpy(), [2, 2])


def test_other_threads_build_the_plain_way(keras: ModuleType) -> None:
    made = []
    with deferred(keras) as pending:
        thread = threading.Thread(target=lambda: made.append(keras.Variable("ones", shape=(2,), name="w")))
        thread.start()
        thread.join(60)
        assert not pending.waiting
    np.testing.assert_array_equal(made[0].numpy(), [1, 1])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, while it saves
def test_a_layer_that_reads_its_weights_while_it_is_built(keras: ModuleType, tmp_path: Path) -> None:
    @keras.saving.register_keras_serializable("tests")
    class Norm(keras.layers.Layer):
        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight(shape=(shape[-1],), initializer="random_normal", name="kernel")
            self.seen = self.kernel.numpy()
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
            self.scale.assign(keras.ops.sum(self.kernel))

        def call(self, x: Any) -> Any:
            return x * self.kernel * self.scale

    model = keras.Sequential([keras.Input((3,)), Norm()])
    model.save(tmp_path / "model.keras")
    loaded = safeload.load_model(tmp_path / "model.keras")
    assert np.isfinite(loaded.layers[0].seen).all()
    for ours, theirs in zip(loaded.variables, model.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_loading_draws_no_random_numbers(keras: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: Any, **named: Any) -> Any:
        raise AssertionError("an initial value was drawn for a variable that the file fills")

    monkeypatch.setattr(keras.initializers.GlorotUniform, "__call__", never)
    model = safeload.load_model(FIXTURES / "k315" / "mlp.keras")
    assert all(np.isfinite(v.numpy()).all() for v in model.variables)


def test_memory_is_handed_over_only_where_nobody_else_has_it(keras: ModuleType) -> None:
    room = np.empty((1 << 18) + 64, "u1")
    start = -room.ctypes.data % 64
    array = room[start : start + (1 << 18)].view("float32")
    array[:] = 1
    with deferred(keras):
        shared = keras.Variable("zeros", shape=array.shape, dtype="float32", name="shared")
        copied = keras.Variable("zeros", shape=array.shape, dtype="float32", name="copied")
        shifted = keras.Variable("zeros", shape=(1 << 15,), dtype="float32", name="shifted")
        give(shared, array, owned=True)
        give(copied, array)
        give(shifted, array[1 : 1 + (1 << 15)], owned=True)  # not aligned: TensorFlow would abort
    array[:] = 2
    assert shared.numpy()[0] == 2
    assert copied.numpy()[0] == shifted.numpy()[0] == 1


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, while it saves
def test_handed_over_memory_is_trained_as_any_other(keras: ModuleType, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((300,)), keras.layers.Dense(200), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.save(tmp_path / "model.keras")
    loaded = safeload.load_model(tmp_path / "model.keras")
    x, y = np.ones((4, 300), "float32"), np.ones((4, 1), "float32")
    for _ in range(3):
        loaded.train_on_batch(x, y)
        model.train_on_batch(x, y)
    for ours, theirs in zip(loaded.variables, model.variables, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-7)
