"""Undo the filters of a chunk. Nothing grows past the size that the chunk should have."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from safeload.formats.hdf5.checksum import fletcher32
from safeload.formats.hdf5.faults import Damaged
from safeload.formats.hdf5.storage import Filter

__all__ = ["unfiltered"]

_CHECKSUM = 4


def unfiltered(raw: bytes, filters: Sequence[Filter], skipped: int, size: int, element: int) -> bytes:
    """The elements of a chunk.

    Args:
        raw: As stored.
        filters: In the order in which they were applied.
        skipped: The chunk's filter mask: a bit is set for each filter that was left out.
        size: Bytes of a whole chunk.
        element: Bytes of an element.
    """
    limit = size + _CHECKSUM * len(filters)
    for number in reversed(range(len(filters))):
        if skipped >> number & 1:
            continue
        step = filters[number]
        if step.name == "deflate":
            raw = _inflated(raw, limit)
        elif step.name == "lzf":
            raw = _lzf(raw, limit)
        elif step.name == "shuffle":
            raw = _unshuffled(raw, element)
        else:
            raw = _verified(raw)
    if len(raw) != size:
        raise Damaged(f"a chunk holds {len(raw):,} bytes instead of {size:,}")
    return raw


def _inflated(raw: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj()
    data = inflater.decompress(raw, limit)
    if not inflater.eof:
        raise Damaged("a compressed chunk is cut off or too large")
    return data


def _unshuffled(raw: bytes, element: int) -> bytes:
    if element == 1:
        return raw
    import numpy as np

    count = len(raw) // element
    body = np.frombuffer(raw, np.uint8, count * element).reshape(element, count)
    return bytes(body.T.tobytes()) + raw[count * element :]


def _verified(raw: bytes) -> bytes:
    if len(raw) < _CHECKSUM:
        raise Damaged("a chunk is shorter than its checksum")
    data, stored = raw[:-_CHECKSUM], raw[-_CHECKSUM:]
    if fletcher32(data) != struct.unpack("<I", stored)[0]:
        raise Damaged("the checksum of a chunk is wrong")
    return data


def _lzf(raw: bytes, limit: int) -> bytes:
    """LibLZF: runs of literals, and copies of what came up to 8 KB before."""
    data = bytearray()
    at = 0
    while at < len(raw):
        control = raw[at]
        at += 1
        if control < 32:
            data += raw[at : at + control + 1]
            at += control + 1
        else:
            length = control >> 5
            if length == 7:
                length += raw[at]
                at += 1
            distance = (control & 31) << 8 | raw[at]
            at += 1
            start = len(data) - distance - 1
            if start < 0:
                raise Damaged("a compressed chunk refers to what is before it")
            length += 2
            while length > 0:  # the copy may overlap what it makes
                piece = data[start : start + length]
                data += piece
                start += len(piece)
                length -= len(piece)
        if at > len(raw) or len(data) > limit:
            raise Damaged("a compressed chunk is cut off or too large")
    return bytes(data)
