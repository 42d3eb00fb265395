"""Partitioned variables (TF 1's partitioners, TF 2's sharded variables under a parameter server) as one array each.

A bundle stores each slice under a key of its own, an ordered code of the variable's name and the slice's extent
(`checkpoint::EncodeTensorNameSlice`): the string, then for each dimension start and length as signed ordered numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from safeload.document import WeightEntry
from safeload.errors import CorruptedModelError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["encoded", "joined"]


def encoded(name: str, extents: Sequence[tuple[int, int]]) -> bytes:
    """The key of a slice: a leading number 0, the name, the rank, then (start, length) pairs."""
    escaped = name.encode().replace(b"\xff", b"\xff\x00").replace(b"\x00", b"\x00\xff")
    code = _increasing(0) + escaped + b"\x00\x01" + _increasing(len(extents))
    for start, length in extents:
        code += _signed(start) + _signed(length)
    return code


def _increasing(number: int) -> bytes:
    """`OrderedCode::WriteNumIncreasing`: the number of bytes, then the bytes, big-endian."""
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes([len(body)]) + body


def _signed(number: int) -> bytes:
    """`OrderedCode::WriteSignedNumIncreasing`: leading ones say how many bytes follow, like UTF-8."""
    magnitude = ~number if number < 0 else number
    length = 1
    while length < 10 and magnitude >> (7 * length - 1):
        length += 1
    positive = magnitude.to_bytes(10, "big")
    head = bytearray(positive[10 - length :])
    marker = ((1 << length) - 1) << (16 - length) if length < 9 else 0xFF80 | (0x40 if length == 10 else 0)
    first, second = marker >> 8, marker & 0xFF
    head[0] ^= first
    if length > 8:
        head[1] ^= second
    elif length == 8:
        head[0] = 0xFF
    return bytes(b ^ 0xFF for b in head) if number < 0 else bytes(head)


def joined(
    key: str,
    dtype: str,
    shape: tuple[int, ...],
    slices: Sequence[Mapping[str, Any]],
    pieces: Sequence[WeightEntry],
    path: str | None,
) -> WeightEntry:
    """One entry for a variable whose slices are `pieces`.

    Raises:
        CorruptedModelError: A slice is missing.
    """
    by_key = {piece.name: piece for piece in pieces}
    parts: list[tuple[tuple[slice, ...], WeightEntry]] = []
    covered = 0
    for part in slices:
        extents = [(e.get("start", 0), e.get("length", -1)) for e in part.get("extent", ())]
        piece = by_key.get(encoded(key, extents).decode("utf-8", "backslashreplace"))
        ranges = tuple(
            slice(start, start + length) if length >= 0 else slice(0, size)
            for (start, length), size in zip(extents, shape, strict=False)
        )
        sizes = tuple(r.stop - r.start for r in ranges)
        if (
            piece is None
            or piece.shape != sizes
            or any(r.start < 0 or r.stop > n for r, n in zip(ranges, shape, strict=False))
        ):
            raise CorruptedModelError(f"a slice of the variable {key} is missing", path=path, where=key, damage=(key,))
        parts.append((ranges, piece))
        covered += piece.size
    entry_size = 1
    for d in shape:
        entry_size *= d
    if covered != entry_size:
        raise CorruptedModelError(f"the slices of {key} don't cover it", path=path, where=key, damage=(key,))

    def read() -> np.ndarray:
        import numpy as np

        arrays = [(ranges, piece.read()) for ranges, piece in parts]
        array = np.empty(shape, arrays[0][1].dtype)
        for ranges, values in arrays:
            array[ranges] = values
        return array

    return WeightEntry(key, shape, dtype, read, key)
