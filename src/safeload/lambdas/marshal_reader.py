"""Marshalled code objects of CPython 2.7 and 3.3 to 3.13, read as data.

`marshal.loads` trusts its input: a stranger's bytes can crash the interpreter. This reader knows the types that constants
of a function can have, counts what it reads, and makes no code object, so that nothing it returns can run.

The format: `Python/marshal.c` of each version. A byte tells the type; from 3.4 on its highest bit says that the value is
kept for references (`r`); Python 2 keeps interned strings (`t`) for references (`R`). A code object is a row of numbers and
values whose order is in `_LAYOUTS`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Code", "Malformed", "read_code"]

MAX_BYTES = 1 << 20
MAX_VALUES = 50_000
MAX_DEPTH = 60
MAX_DIGITS = 64
"""Digits of 15 bits that an integer may have."""

_FLAG = 0x80
_CELL, _FREE = 0x40, 0x80
"""Kinds of local variables in code objects of 3.11 on (`CO_FAST_CELL`, `CO_FAST_FREE`)."""

_TAIL = ("bytecode", "constants", "names", "variables", "free", "cells", "filename", "name")
_NUMBERS = frozenset("arguments positional_only keyword_only locals stack flags line".split())
_LAYOUTS: tuple[tuple[tuple[int, int], tuple[str, ...]], ...] = (
    # the first Python of a layout, and its fields
    ((2, 7), ("arguments", "locals", "stack", "flags", *_TAIL, "line", "lines")),
    ((3, 3), ("arguments", "keyword_only", "locals", "stack", "flags", *_TAIL, "line", "lines")),
    ((3, 8), ("arguments", "positional_only", "keyword_only", "locals", "stack", "flags", *_TAIL, "line", "lines")),
    (
        (3, 11),
        (
            *("arguments", "positional_only", "keyword_only", "stack", "flags", "bytecode", "constants", "names"),
            *("variables", "kinds", "filename", "name", "qualified", "line", "lines", "exceptions"),
        ),
    ),
)


class Malformed(ValueError):
    """These bytes are no code object of that Python."""


@dataclass(frozen=True, slots=True)
class Code:
    """A function's code as data.

    Attributes:
        name: The function's name; `<lambda>` for lambdas.
        arguments: The number of parameters that can be given by position.
        keyword_only: The number of parameters behind them that can't.
        flags: `CO_VARARGS` is 4, `CO_VARKEYWORDS` 8, generators and coroutines 0x20, 0x80, 0x200.
        bytecode: The instructions.
        constants, names: What the instructions refer to by number.
        variables: Local variables; the parameters come first.
        cells, free: Variables that inner functions use, and those of outer functions.
        kinds: From 3.11 on, one byte for each of `variables`, which then holds cells and free variables as well.
        exceptions: Whether it handles exceptions (3.11 on; before, instructions say so).
    """

    name: str
    arguments: int
    keyword_only: int
    flags: int
    bytecode: bytes
    constants: tuple[Any, ...]
    names: tuple[str, ...]
    variables: tuple[str, ...]
    cells: tuple[str, ...]
    free: tuple[str, ...]
    kinds: bytes
    exceptions: bool


def read_code(data: bytes, python: tuple[int, int]) -> Code:
    """The code object that some bytes hold.

    Args:
        data: All of them; nothing may follow the code object.
        python: The version to read them as.

    Raises:
        Malformed: That Python didn't write them, or they ask for more than a small function needs.
    """
    if len(data) > MAX_BYTES:
        raise Malformed(f"{len(data)} bytes of bytecode")
    reader = _Reader(data, python)
    value = reader.value(0)
    if not isinstance(value, Code):
        raise Malformed("it is no code object")
    if reader.at != len(data):
        raise Malformed("something follows the code object")
    return value


class _Null:
    """The end of a dictionary."""


_NULL = _Null()
_SINGLE: Mapping[bytes, Any] = {b"N": None, b"T": True, b"F": False, b".": Ellipsis, b"0": _NULL}


class _Reader:
    def __init__(self, data: bytes, python: tuple[int, int]) -> None:
        self.data, self.python, self.at, self.count = data, python, 0, 0
        self.layout = [fields for since, fields in _LAYOUTS if since <= python][-1]
        self.kept: list[Any] = []
        self.interned: list[Any] = []

    def take(self, length: int) -> bytes:
        if length < 0 or self.at + length > len(self.data):
            raise Malformed("it ends too early")
        self.at += length
        return self.data[self.at - length : self.at]

    def number(self, form: str, size: int) -> Any:
        return struct.unpack(form, self.take(size))[0]

    def long(self) -> int:
        return int(self.number("<i", 4))

    def value(self, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_VALUES or depth > MAX_DEPTH:
            raise Malformed("it holds too much")
        kind = self.take(1)[0]
        keep = bool(kind & _FLAG) and self.python >= (3, 4)
        key = bytes([kind & ~_FLAG if keep else kind])
        if key in _SINGLE:
            return _SINGLE[key]
        if key == b"r":
            return self.reference(self.kept)
        if key == b"R" and self.python < (3,):
            return self.reference(self.interned)
        reader = _READERS.get(key)
        if reader is None:
            raise Malformed(f"a value of the type {key!r}")
        place = len(self.kept)
        if keep:
            self.kept.append(_NULL)  # a value may not refer to itself
        found = reader(self, depth)
        if keep:
            self.kept[place] = found
        return found

    def reference(self, values: list[Any]) -> Any:
        index = self.long()
        if not 0 <= index < len(values) or values[index] is _NULL:
            raise Malformed("a reference to nothing")
        return values[index]

    def integer(self, depth: int) -> int:
        digits = self.long()
        if abs(digits) > MAX_DIGITS:
            raise Malformed(f"an integer of {abs(digits)} digits")
        total = 0
        for place in range(abs(digits)):
            digit = self.number("<H", 2)
            if digit >= 1 << 15:
                raise Malformed("a digit out of range")
            total |= digit << (15 * place)
        return -total if digits < 0 else total

    def text_float(self, depth: int) -> float:
        text = self.take(self.take(1)[0])
        try:
            return float(text.decode("ascii"))
        except ValueError as error:
            raise Malformed("a number that is none") from error

    def sequence(self, depth: int, size: int) -> list[Any]:
        if not 0 <= size <= len(self.data) - self.at:
            raise Malformed("a sequence longer than the bytes")
        found = [self.value(depth + 1) for _ in range(size)]
        if any(item is _NULL for item in found):
            raise Malformed("a hole in a sequence")
        return found

    def mapping(self, depth: int) -> dict[Any, Any]:
        found = {}
        while (key := self.value(depth + 1)) is not _NULL:
            value = self.value(depth + 1)
            if value is _NULL or not isinstance(key, str | int | float | bool | None):
                raise Malformed("a dictionary with strange keys")
            found[key] = value
        return found

    def members(self, depth: int) -> frozenset[Any]:
        found = self.sequence(depth, self.long())
        if not all(isinstance(v, str | int | float | bool | bytes | None) for v in found):
            raise Malformed("a set of strange values")
        return frozenset(found)

    def text(self, raw: bytes, encoding: str) -> str:
        try:
            return raw.decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
        except UnicodeDecodeError as error:
            raise Malformed("a text that is none") from error

    def interned_text(self, depth: int) -> Any:
        raw = self.take(self.long())
        if self.python < (3,):
            self.interned.append(raw)
            return raw
        return self.text(raw, "utf-8")

    def code(self, depth: int) -> Code:
        fields: dict[str, Any] = {}
        for name in self.layout:
            fields[name] = self.long() if name in _NUMBERS else self.value(depth + 1)
        kinds = _bytes(fields.get("kinds", b""))
        variables = _texts(fields["variables"])
        if "kinds" in fields:
            if len(kinds) != len(variables):
                raise Malformed("variables without a kind")
            cells = tuple(v for v, k in zip(variables, kinds, strict=True) if k & _CELL)
            free = tuple(v for v, k in zip(variables, kinds, strict=True) if k & _FREE)
        else:
            cells, free = _texts(fields["cells"]), _texts(fields["free"])
        constants = fields["constants"]
        arguments, keyword_only = fields["arguments"], fields.get("keyword_only", 0)
        if not isinstance(constants, tuple) or min(arguments, keyword_only, fields["flags"]) < 0:
            raise Malformed("a code object with strange fields")
        if arguments + keyword_only > len(variables):
            raise Malformed("more parameters than variables")
        return Code(
            _text(fields["name"]),
            arguments,
            keyword_only,
            fields["flags"],
            _bytes(fields["bytecode"]),
            constants,
            _texts(fields["names"]),
            variables,
            cells,
            free,
            kinds,
            bool(_bytes(fields.get("exceptions", b""))),
        )


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise Malformed("a code object without bytes")
    return value


def _text(value: Any) -> str:
    try:
        text = value.decode("ascii") if isinstance(value, bytes) else value
    except UnicodeDecodeError as error:
        raise Malformed("a strange name") from error
    if not isinstance(text, str) or len(text) > 500:
        raise Malformed("a name that is no text")
    return text


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, tuple):
        raise Malformed("names that are no tuple")
    return tuple(_text(v) for v in value)


_READERS: Mapping[bytes, Callable[[_Reader, int], Any]] = {
    b"i": lambda r, d: r.long(),
    b"I": lambda r, d: int(r.number("<q", 8)),
    b"l": _Reader.integer,
    b"f": _Reader.text_float,
    b"g": lambda r, d: float(r.number("<d", 8)),
    b"x": lambda r, d: complex(r.text_float(d), r.text_float(d)),
    b"y": lambda r, d: complex(r.number("<d", 8), r.number("<d", 8)),
    b"s": lambda r, d: r.take(r.long()),
    b"t": _Reader.interned_text,
    b"u": lambda r, d: r.text(r.take(r.long()), "utf-8"),
    b"a": lambda r, d: r.text(r.take(r.long()), "latin-1"),
    b"A": lambda r, d: r.text(r.take(r.long()), "latin-1"),
    b"z": lambda r, d: r.text(r.take(r.take(1)[0]), "latin-1"),
    b"Z": lambda r, d: r.text(r.take(r.take(1)[0]), "latin-1"),
    b"(": lambda r, d: tuple(r.sequence(d, r.long())),
    b")": lambda r, d: tuple(r.sequence(d, r.take(1)[0])),
    b"[": lambda r, d: r.sequence(d, r.long()),
    b"{": _Reader.mapping,
    b"<": _Reader.members,
    b">": _Reader.members,
    b"c": _Reader.code,
}
