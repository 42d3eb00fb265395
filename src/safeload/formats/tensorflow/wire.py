"""Decode protocol buffers by a table of the fields that we need.

The wire format is a sequence of (field number, wire type, value). Fields that a table doesn't list are passed over
unread, so later versions of a message are read like older ones. Nothing is allocated but what the bytes hold: every
value is at least as long in the file as its tag, and messages nest at most `MAX_DEPTH` deep, so time and memory are
bounded by the size of the file. See https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safeload.errors import CorruptedModelError

__all__ = [
    "BLOB",
    "BOOL",
    "BYTES",
    "DOUBLE",
    "FIXED32",
    "FLOAT",
    "INT",
    "RAW",
    "TEXT",
    "Field",
    "Schema",
    "parse",
    "varint",
]

MAX_DEPTH = 100
"""As deep as protobuf's own parsers go (`CodedInputStream::kDefaultRecursionLimit`)."""

INT, BOOL, FLOAT, DOUBLE, FIXED32, TEXT, BYTES, RAW, BLOB = (
    "int", "bool", "float", "double", "fixed32", "text", "bytes", "raw", "blob",
)  # fmt: skip
"""Kinds of values. `RAW` leaves a message unparsed, until it is wanted; `BLOB` leaves bytes where they are."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_PACKED = {FLOAT: ("f", 4), DOUBLE: ("d", 8), FIXED32: ("I", 4)}
_WIRE = {INT: _VARINT, BOOL: _VARINT, FLOAT: _FIXED32, FIXED32: _FIXED32, DOUBLE: _FIXED64}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message: its name, its kind (one of the constants, or the schema of a message), how often it is."""

    name: str
    kind: Any
    many: bool = False


Schema = Mapping[int, Field]
"""The fields of a message that we read, by number."""


class WireError(ValueError):
    """The bytes are no such message."""


def parse(data: Any, schema: Schema, *, path: str | None, where: str) -> dict[str, Any]:
    """The fields of a message that are there, by name; a repeated field is a list.

    Raises:
        CorruptedModelError: The bytes are no such message.
    """
    try:
        return _message(memoryview(data).cast("B"), schema, 0)
    except (WireError, UnicodeDecodeError, struct.error, IndexError) as error:
        raise CorruptedModelError(f"{where} is damaged: {error}", path=path, where=where, damage=(where,)) from error


def varint(data: Any, at: int) -> tuple[int, int]:
    """An unsigned variable-length integer and the position behind it.

    Raises:
        WireError: It is longer than 64 bits.
        IndexError: It ends outside the data.
    """
    byte = data[at]
    if byte < 0x80:
        return byte, at + 1
    value, shift = byte & 0x7F, 7
    while shift < 70:
        at += 1
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + 1
        shift += 7
    raise WireError("a number is longer than 64 bits")


def _message(view: memoryview, schema: Schema, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise WireError(f"messages are nested more than {MAX_DEPTH} deep")
    fields: dict[str, Any] = {}
    at, end = 0, len(view)
    while at < end:
        tag, at = varint(view, at)
        if tag >> 32:  # protobuf's own parsers cut the upper bits off: they would see another field
            raise WireError(f"field number {tag >> 3}")
        number, wire = tag >> 3, tag & 7
        value: Any
        if wire == _LENGTH:
            size, at = varint(view, at)
            if size > end - at:
                raise WireError(f"a field of {size:,} bytes where {end - at:,} are left")
            value = view[at : at + size]
            at += size
        elif wire == _VARINT:
            value, at = varint(view, at)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
            if size > end - at:
                raise WireError(f"a number of {size} bytes where {end - at} are left")
            value = view[at : at + size]
            at += size
        else:
            raise WireError(f"wire type {wire}")
        if number == 0:
            raise WireError("field number 0")
        field = schema.get(number)
        if field is not None:
            _put(fields, field, wire, value, depth)
    return fields


def _put(fields: dict[str, Any], field: Field, wire: int, value: Any, depth: int) -> None:
    kind = field.kind
    if field.many:
        held = fields.setdefault(field.name, [])
        if wire == _LENGTH and kind in _WIRE if isinstance(kind, str) else False:
            held.extend(_packed(value, kind))
        else:
            held.append(_value(kind, wire, value, depth))
        return
    new = _value(kind, wire, value, depth)
    old = fields.get(field.name)
    if old is not None and kind == RAW:  # two messages one after the other are the merged message
        fields[field.name] = memoryview(bytes(old) + bytes(new))
    elif isinstance(old, dict) and isinstance(new, dict):
        _merge(old, new)
    else:
        fields[field.name] = new


def _merge(old: dict[str, Any], new: Mapping[str, Any]) -> None:
    """A message that comes twice is merged, as protobuf does: or something could be hidden behind the second."""
    for name, value in new.items():
        held = old.get(name)
        if isinstance(held, dict):
            _merge(held, value)
        elif isinstance(held, memoryview):
            old[name] = memoryview(bytes(held) + bytes(value))
        else:
            old[name] = held + value if isinstance(held, list) else value


def _value(kind: Any, wire: int, value: Any, depth: int) -> Any:
    if not isinstance(kind, str):
        if wire != _LENGTH:
            raise WireError("a number where a message should be")
        return _message(value, kind, depth + 1)
    if wire != _WIRE.get(kind, _LENGTH):
        raise WireError(f"wire type {wire} for {kind}")
    if kind == TEXT:
        return str(value, "utf-8")
    if kind == INT:
        return value - (1 << 64) if value >> 63 else value
    if kind == BYTES:
        return bytes(value)
    if kind == BOOL:
        return bool(value)
    if kind in (RAW, BLOB):
        return value
    code, _ = _PACKED[kind]
    return struct.unpack(f"<{code}", value)[0]


def _packed(view: memoryview, kind: str) -> list[Any]:
    if kind in _PACKED:
        code, size = _PACKED[kind]
        if len(view) % size:
            raise WireError("a packed field of odd length")
        return list(struct.unpack(f"<{len(view) // size}{code}", view))
    numbers, at = [], 0
    while at < len(view):
        number, at = varint(view, at)
        numbers.append(_value(kind, _VARINT, number, 0))
    return numbers
