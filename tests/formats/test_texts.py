"""JSON and YAML: what passes, and what is refused within bounded time and memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

import safeload
from safeload.formats import texts
from safeload.formats.texts import parse_json, parse_yaml

VALUE = {"class_name": "Sequential", "config": [{"name": "ä", "quote\\": 'a":b', "x": [1.5, None, True]}]}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_honest_json(indent: int | None, ascii_only: bool, encoding: str) -> None:
    text = json.dumps(VALUE, indent=indent, ensure_ascii=ascii_only)
    assert parse_json(text.encode(encoding), path=None, where="x") == VALUE
    assert parse_json(text, path=None, where="x") == VALUE


def test_what_python_writes_for_numbers_that_are_none() -> None:
    value = parse_json('{"max_value": Infinity}', path=None, where="x")
    assert value == {"max_value": float("inf")}


REFUSED = {
    "no JSON": "{",
    "trailing": '{"a": 1} x',
    "a key twice": '{"a":1,"a":2}',
    "a key twice, with blanks": '{"a" : 1, "a" : 2}',
    "a key twice, one blank": '{"a":1,"b" :1,"a":2}',
    "a key twice, escaped": '{"a":1,"\\u0061":2}',
    "deep lists": "[" * 500 + "]" * 500,
    "deeper lists": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"a":' * 500 + "1" + "}" * 500,
    "half a character": '{"a": "\\ud800"}',
    "a long number": "1" * 10_000,
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused_json(text: str) -> None:
    with pytest.raises(safeload.CorruptedModelError) as caught:
        parse_json(text, path=None, where="config")
    assert caught.value.where == "config"
    assert len(str(caught.value)) < 500


def test_no_utf_8() -> None:
    with pytest.raises(safeload.CorruptedModelError):
        parse_json(b'{"a": "\xff"}', path=None, where="x")


def test_too_many_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MAX_CONTAINERS", 10)
    with pytest.raises(safeload.CorruptedModelError, match="more lists"):
        parse_json("[" + "[]," * 20 + "[]]", path=None, where="x")


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MAX_TEXT", 10)
    with pytest.raises(safeload.CorruptedModelError, match="a text of"):
        parse_json('"' + "a" * 20 + '"', path=None, where="x")


def test_honest_yaml() -> None:
    text = b"class_name: Sequential\nconfig:\n- {shape: !!python/tuple [1, 2], again: &a [1], and: *a}\n"
    assert parse_yaml(text, path=None) == {
        "class_name": "Sequential",
        "config": [{"shape": [1, 2], "again": [1], "and": [1]}],
    }


def laughs() -> bytes:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return "\n".join(lines).encode()


YAML: dict[str, Any] = {
    "a Python object": b"class_name: !!python/object/apply:os.system [echo]",
    "a module": b"class_name: !!python/module:os",
    "billion laughs": laughs(),
    "a cycle": b"a: &a [*a]",
    "no YAML": b"a: [1",
    "a key twice": b"class_name: A\nclass_name: B\n",
    "deep": b"[" * 400 + b"]" * 400,
}


@pytest.mark.parametrize("text", YAML.values(), ids=YAML)
def test_refused_yaml(text: bytes) -> None:
    with pytest.raises(safeload.CorruptedModelError):
        parse_yaml(text, path=None)
