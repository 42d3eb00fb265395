"""Honest files that look like attacks: each loads. A check that refuses these gets switched off."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import safeload
from conftest import Canary, watched

HONEST: dict[str, Callable[[ModuleType], tuple[Any, dict[str, Any]]]] = {}
"""From Keras to a model, and the custom objects that it needs."""


def honest(make: Callable[[ModuleType], Any]) -> Callable[[ModuleType], Any]:
    def both(keras: ModuleType) -> tuple[Any, dict[str, Any]]:
        made = make(keras)
        return made if isinstance(made, tuple) else (made, {})

    HONEST[make.__name__] = both
    return make


@honest
def a_layer_called_lambda2(keras: ModuleType) -> Any:
    class Lambda2(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2

    return keras.Sequential([keras.Input((3,)), Lambda2()]), {"Lambda2": Lambda2}


@honest
def an_activation_named_like_a_metric(keras: ModuleType) -> Any:
    def accuracy(x: Any) -> Any:
        return x + 1

    return keras.Sequential([keras.Input((3,)), keras.layers.Activation(accuracy)]), {"accuracy": accuracy}


@honest
def an_inline_vocabulary_of_paths(keras: ModuleType) -> Any:
    inputs = keras.Input((1,), dtype="string")
    lookup = keras.layers.StringLookup(vocabulary=["/etc/passwd", "http://127.0.0.1/", "../x", "\u4f60\u597d"])
    return keras.Model(inputs, lookup(inputs))


@honest
def names_that_sound_dangerous(keras: ModuleType) -> Any:
    inputs = keras.Input((3,), name="os_system")
    outputs = keras.layers.Dense(2, name="eval")(keras.layers.Dense(2, name="pickle_loads")(inputs))
    return keras.Model(inputs, outputs, name="subprocess_popen")


@honest
def names_in_other_scripts(keras: ModuleType) -> Any:
    name = "\u5c42" if hasattr(keras, "ops") else "L.1>a"  # TensorFlow's name scopes, which Keras 2 uses, are ASCII
    inputs = keras.Input((3,), name="x")
    return keras.Model(inputs, keras.layers.Dense(2, name=name)(inputs), name="m.1")


@honest
def a_compiled_model_with_state(keras: ModuleType) -> Any:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_regularizer="l2")])
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    return model


@honest
def a_shared_nested_model(keras: ModuleType) -> Any:
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)], name="inner")
    inputs = keras.Input((3,))
    outputs = inputs
    for _ in range(8):
        outputs = inner(outputs)
    return keras.Model(inputs, outputs)


@honest
def a_layer_as_an_activation(keras: ModuleType) -> Any:
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation=keras.layers.LeakyReLU())])


@honest
def large_outputs_of_small_layers(keras: ModuleType) -> Any:
    layers = [keras.layers.UpSampling2D(64), keras.layers.ZeroPadding2D(100), keras.layers.Flatten()]
    return keras.Sequential([keras.Input((8, 8, 1)), *layers])


@honest
def a_repeated_vector(keras: ModuleType) -> Any:
    return keras.Sequential([keras.Input((3,)), keras.layers.RepeatVector(5000), keras.layers.GRU(2)])


@honest
def a_table_of_many_words(keras: ModuleType) -> Any:
    return keras.Sequential([keras.Input((2,), dtype="int32"), keras.layers.Embedding(100_000, 4)])


@pytest.mark.core
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("name", HONEST)
def test_loaded(name: str, suffix: str, canary: Canary, keras: ModuleType) -> None:
    model, custom = HONEST[name](keras)
    path = str(canary.folder / f"model{suffix}")
    model.save(path)
    with watched(canary, keras):
        report = safeload.check(path, custom)
        loaded = safeload.load_model(path, custom)
    assert report.ok
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
