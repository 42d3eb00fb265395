"""Whole models in HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import safeload
from safeload.errors import WeightsMismatchError
from safeload.runtime import detect


def test_a_class_whose_file_says_no_shape_is_told_how_to_go_on(tmp_path: Path) -> None:
    if detect().dialect != "keras3":
        return  # Keras 2 writes no such file: it stores subclassed models as SavedModels alone
    import tensorflow as tf

    class Tiny(tf.keras.Model):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.first = tf.keras.layers.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.first(inputs)

    model = Tiny()
    model(np.zeros((1, 3), "float32"))
    path = tmp_path / "tiny.h5"
    model.save(path)
    with pytest.raises(WeightsMismatchError) as caught:
        safeload.load_model(path, custom_objects={"Tiny": Tiny})
    assert "call it once on a batch" in str(caught.value.hint)
