"""Lambdas of every Python from 2.7 to 3.13: read in agreement, shown as source, computed as the original computes."""

from __future__ import annotations

import base64
import contextlib
import json
import lzma
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeload.lambdas import read_function, validate
from safeload.lambdas.instructions import PYTHONS
from safeload.lambdas.marshal_reader import Malformed, read_code

FOLDER = Path(__file__).parent
WRITTEN: dict[str, Any] = json.loads(lzma.decompress((FOLDER / "codes.json.xz").read_bytes()))
CODES: dict[str, dict[str, str]] = {
    python: {name: row["code"] for name, row in found["functions"].items() if name.startswith("lambda")}
    for python, found in WRITTEN.items()
}
SOURCES: dict[str, str] = json.loads((FOLDER / "sources.json").read_text(encoding="utf-8"))
EXPRESSIONS = sorted(CODES["3.11"])


def test_there_are_many_in_every_python() -> None:
    assert len(CODES) == 9
    assert all(len(codes) >= 200 for codes in CODES.values())


@pytest.mark.core
@pytest.mark.parametrize("python", CODES)
def test_source_is_that_of_the_lambda(python: str) -> None:
    """The writer is among the Pythons that are found, and each expression reads the same in all of them."""
    for expression, code in CODES[python].items():
        reading = read_function(code, tensorflow=2)
        assert reading.stopped is None, (expression, reading)
        assert reading.source == SOURCES.get(expression, expression)
        assert tuple(map(int, python.split("."))) in reading.pythons
        validate(reading.program)


def own(function: Any) -> str:
    import marshal

    return base64.b64encode(marshal.dumps(function.__code__)).decode()


def loop(x: Any) -> Any:
    while True:
        x = x + 1


def doubling(x: Any) -> Any:
    for _ in range(900):
        x = x * x
    return x


def nested(x: Any) -> Any:
    a = [x, x]
    for _ in range(500):
        a = [a, a]
    return a


HOSTILE = {
    "class": lambda x: x.__class__.__mro__[1].__subclasses__(),
    "import": lambda x: __import__("os").system("true"),
    "io": lambda x: tf.io.write_file("a", "b"),  # noqa: F821
    "module of a module": lambda x: K.tf.os.system("true"),  # noqa: F821
    "py_function": lambda x: tf.py_function(id, [x], "float32"),  # noqa: F821
    "numpy file": lambda x: np.load("a"),
    "evaluation": lambda x: eval("1"),
    "attribute of a function": lambda x: K.mean.__globals__,  # noqa: F821
    "huge power": lambda x: (lambda n: n**n**n)(10),
    "huge shift": lambda x: (lambda n: 1 << n)(10**9),
    "huge text": lambda x: (lambda n: "a" * n)(10**10),
    "huge list": lambda x: (lambda n: [0] * n)(10**10),
    "huge range": lambda x: [x * i for i in range(10**9)],
    "huge tensor": lambda x: tf.zeros((10**6, 10**6)),  # noqa: F821
    "huge backend tensor": lambda x: K.ones((10**6, 10**6)),  # noqa: F821
    "recursion": lambda x: (lambda f: f(f))(lambda f: f(f)),
    "endless": loop,
    "a deep chain": doubling,
    "a deep list": nested,
    "generator": lambda x: (yield x),
    "function as a value": lambda x: tf.foldl(lambda a, b: a + b, x),  # noqa: F821
    "format": lambda x: f"{x}",
}


@pytest.mark.core
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_functions_are_stopped(name: str) -> None:
    start = time.process_time()
    reading = read_function(own(HOSTILE[name]), tensorflow=2)
    assert reading.program is None
    assert reading.stopped
    assert time.process_time() - start < 2


@pytest.mark.core
def test_what_stopped_it_is_said() -> None:
    reading = read_function(own(HOSTILE["module of a module"]), tensorflow=2)
    assert reading.source == "lambda x: K.tf.os.system('true')"
    assert reading.stopped == "it calls K.tf.os.system, which is not in the table of pure functions"


def test_closures_defaults_and_arguments() -> None:
    scale = 2.5

    def function(x: Any, factor: float, offset: float = 1.0) -> Any:
        return x * factor * scale + offset

    stored = [own(function), [1.0], [2.5]]
    assert read_function(stored, arguments={"factor": 3.0}).source == "lambda x: x * 3.0 * 2.5 + 1.0"
    assert "'factor' is not in the file" in str(read_function(stored).stopped)
    assert "outer variables" in str(read_function([own(function), [1.0], None], arguments={"factor": 3.0}).stopped)


def test_python_2_divides_integers() -> None:
    """`/` of Python 2 is another operator than that of Python 3: of integers it gives integers."""
    program = read_function(CODES["2.7"]["lambda x: x / 127.5 - 1"]).program
    assert program is not None
    assert ["binary", "div"] in [node[:2] for node in program["nodes"]]
    folded = read_function(CODES["2.7"]["lambda x: x / (2 * 3)"])
    assert folded.source == "lambda x: x / 6"


def test_resizing_needs_to_know_which_tensorflow() -> None:
    code = own(lambda x: tf.image.resize(x, (8, 8)))  # noqa: F821
    assert "tf.image.resize" in str(read_function(code, tensorflow=None).stopped)
    first, second = (str(read_function(code, tensorflow=n).source) for n in (1, 2))
    assert "compat.v1" in first
    assert "compat.v1" not in second


@given(st.binary(max_size=400), st.sampled_from(PYTHONS))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes, python: tuple[int, int]) -> None:
    with contextlib.suppress(Malformed):
        read_code(b"\xe3" + data, python)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_changed_bytecode_is_read_or_refused(data: st.DataObject) -> None:
    """Bytes of real functions with some of them changed: no other exception, and programs that are valid."""
    python = data.draw(st.sampled_from(sorted(CODES)))
    code = bytearray(base64.b64decode(CODES[python][data.draw(st.sampled_from(EXPRESSIONS[:60]))]))
    for _ in range(data.draw(st.integers(1, 4))):
        code[data.draw(st.integers(0, len(code) - 1))] = data.draw(st.integers(0, 255))
    reading = read_function(base64.b64encode(bytes(code)).decode(), tensorflow=2)
    assert (reading.program is None) == (reading.stopped is not None)
    if reading.program is not None:
        validate(reading.program)
