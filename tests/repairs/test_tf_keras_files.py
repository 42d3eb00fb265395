"""Files of tf.keras 2.1-2.15, tf_keras and Keras 3: the writer's numbers in the Keras at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import safeload

FILES = sorted(p for p in (Path(__file__).parent / "files").iterdir() if p.suffix in (".h5", ".keras"))


def recorded(path: Path) -> tuple[Any, list[Any]]:
    """The inputs as the model takes them, and the writer's outputs."""
    import tensorflow as tf

    with np.load(f"{path}.npz") as arrays:
        stored = [arrays[f"in_{i}"] for i in range(sum(n.startswith("in_") for n in arrays.files))]
        outputs = [arrays[f"out_{i}"] for i in range(sum(n.startswith("out_") for n in arrays.files))]
        names = [str(n) for n in arrays["names"]] if "names" in arrays.files else []
    inputs = [tf.constant(x.astype(object)) if x.dtype.kind in "US" else tf.convert_to_tensor(x) for x in stored]
    if names:
        return dict(zip(names, inputs, strict=True)), outputs
    return (inputs if len(inputs) > 1 else inputs[0]), outputs


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_the_writers_numbers(path: Path) -> None:
    import tensorflow as tf

    inputs, expected = recorded(path)
    model = safeload.load_model(path, compile=False)
    found = tf.nest.flatten(model(inputs, training=False))
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(ours), theirs, atol=1e-4, rtol=1e-4)
