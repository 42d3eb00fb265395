"""Functions of every Python from 2.7 to 3.13: what we read in their bytecode gives what they gave where they were written."""

from __future__ import annotations

import base64
import json
import lzma
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safeload.lambdas import Setting, read_function

FOLDER = Path(__file__).parent
WRITTEN: dict[str, Any] = json.loads(lzma.decompress((FOLDER / "codes.json.xz").read_bytes()))
INPUTS: dict[str, list[Any]] = json.loads((FOLDER / "inputs.json").read_text(encoding="utf-8"))


def given(kind: str) -> list[np.ndarray]:
    return [np.array(given["data"], given["dtype"]).reshape(given["shape"]) for given in INPUTS[kind]]


def values(row: dict[str, Any]) -> list[np.ndarray]:
    return [np.frombuffer(base64.b64decode(v["data"]), v["dtype"]).reshape(v["shape"]) for v in row["values"]]


def program(python: str, row: dict[str, Any]) -> Any:
    first = WRITTEN[python]["tensorflow"].startswith("1.")
    count = len(INPUTS[row["input"]])
    setting = Setting(
        1 if first else 2,
        backend="tensorflow",
        data_format="channels_last",
        inputs=count if count > 1 else None,
    )
    reading = read_function([row["code"], row["defaults"], row["closure"]], setting=setting)
    assert reading.stopped is None, reading
    assert tuple(map(int, python.split("."))) in reading.pythons
    return reading.program


def test_each_python_ran_many() -> None:
    assert set(WRITTEN) == {"2.7", *(f"3.{n}" for n in range(6, 14))}
    for found in WRITTEN.values():
        assert sum("values" in row for row in found["functions"].values()) >= 400


@pytest.mark.core
@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
@pytest.mark.parametrize("python", WRITTEN)
def test_numbers_are_those_of_the_writer(python: str) -> None:
    """With the real TensorFlow and Keras of that Python's time on the other side."""
    import tensorflow as tf

    from safeload.layers.expression import evaluate

    wrong = []
    for name, row in WRITTEN[python]["functions"].items():
        if "values" not in row:
            continue
        tensors = [tf.constant(x) for x in given(row["input"])]
        try:
            result = evaluate(program(python, row), tensors if len(tensors) > 1 else tensors[0], training=False)
            found = [np.asarray(v) for v in tf.nest.flatten(result)]
            expected = values(row)
            assert [f.shape for f in found] == [e.shape for e in expected]
            for f, e in zip(found, expected, strict=True):
                np.testing.assert_allclose(f, e, rtol=2e-5, atol=1e-5)
        except Exception as error:  # all that differ are told at once, at the end
            wrong.append(f"{name}: {type(error).__name__}: {re.sub(chr(10), ' ', str(error))[:300]}")
    assert not wrong, "\n".join(wrong)
