"""Where a dataset's elements lie: its layout, its filters, its fill value."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from safeload.formats.hdf5.datatypes import Dataspace, Datatype
from safeload.formats.hdf5.faults import Damaged, Unsafe
from safeload.formats.hdf5.headers import FILL, FILL_OLD, FILTERS, LAYOUT, Header
from safeload.formats.hdf5.image import UNDEFINED
from safeload.formats.hdf5.limits import MAX_RANK

__all__ = ["FILTER_NAMES", "Chunks", "Filter", "Storage", "parse_storage"]

FILTER_NAMES = {1: "deflate", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
"""The filters that we undo ourselves; no other is ever looked up, so that no plugin is loaded."""

_COMPACT, _CONTIGUOUS, _CHUNKED, _VIRTUAL = range(4)
_BTREE_V1 = 0
_SINGLE, _IMPLICIT, _FIXED_ARRAY, _EXTENSIBLE_ARRAY, _BTREE_V2 = range(1, 6)
_INDEX_BYTES = {_IMPLICIT: 0, _FIXED_ARRAY: 1, _EXTENSIBLE_ARRAY: 5, _BTREE_V2: 6}


@dataclass(frozen=True, slots=True)
class Filter:
    """One step of a filter pipeline: `deflate`, `shuffle`, `fletcher32` or `lzf`."""

    name: str
    parameters: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chunks:
    """How a chunked dataset is cut and indexed.

    Attributes:
        shape: Of a chunk.
        index: `btree`, `single`, `implicit`, or `other` for the indexes that h5py lists for us.
        address: Of the index, or of the chunk itself.
        stored: Bytes and filter mask of a filtered single chunk.
        plain_edges: Whether partial chunks at the edges are stored without filters.
    """

    shape: tuple[int, ...]
    index: str
    address: int
    stored: tuple[int, int] | None = None
    plain_edges: bool = False


class Storage(NamedTuple):
    """Where the elements lie.

    Attributes:
        kind: `contiguous`, `compact`, `chunked` or `empty` (nothing is stored).
        address, length: Of a contiguous run.
        data: Of compact storage.
        chunks, filters: Of chunked storage, filters in the order in which they were applied.
        fill: The bytes of an element that is not stored; empty for zeros.
    """

    kind: str
    address: int = UNDEFINED
    length: int = 0
    data: bytes = b""
    chunks: Chunks | None = None
    filters: tuple[Filter, ...] = ()
    fill: bytes = b""


_NOTHING = Storage("empty")


def parse_storage(header: Header, datatype: Datatype, dataspace: Dataspace) -> Storage:
    """The storage of a dataset from the messages of its header."""
    layout = header.bodies[LAYOUT]
    version, kind = layout[0], layout[1]
    if version == 3 and kind == _CONTIGUOUS:  # nearly every weight of every Keras
        _, _, address, length = struct.unpack_from("<BBQQ", layout)
        found = Storage("contiguous", address, length) if address != UNDEFINED else _NOTHING
    elif version in (1, 2):
        found = _old_layout(layout, datatype, dataspace)
    elif version in (3, 4, 5):
        found = _layout(layout, version, kind, datatype)
    else:
        raise Damaged(f"a layout of version {version} is unknown")
    if found.kind == "contiguous" or found.kind == "compact":
        return found
    filters = _filters(header.bodies[FILTERS]) if FILTERS in header.bodies else ()
    fill = _fill(header)
    return Storage(found.kind, chunks=found.chunks, filters=filters, fill=fill if len(fill) == datatype.size else b"")


def _layout(body: bytes, version: int, kind: int, datatype: Datatype) -> Storage:
    if kind == _COMPACT:
        length = struct.unpack_from("<H", body, 2)[0]
        return Storage("compact", length=length, data=body[4 : 4 + length])
    if kind == _CONTIGUOUS:
        address, length = struct.unpack_from("<QQ", body, 2)
        return Storage("contiguous", address, length) if address != UNDEFINED else _NOTHING
    if kind == _VIRTUAL:
        raise Unsafe("a virtual dataset: its data would be read from other files")
    if kind != _CHUNKED:
        raise Damaged(f"a layout of class {kind} is unknown")
    if version == 3:
        rank, address = struct.unpack_from("<BQ", body, 2)
        return _chunked(struct.unpack_from(f"<{_axes(rank)}I", body, 11), "btree", address, datatype)
    return _chunked_v4(body, datatype)


def _chunked_v4(body: bytes, datatype: Datatype) -> Storage:
    flags, rank, width = struct.unpack_from("<BBB", body, 2)
    at = 5 + _axes(rank) * width
    if not 1 <= width <= 8:
        raise Damaged("the shape of chunks is stored in a foreign way")
    shape = tuple(int.from_bytes(body[p : p + width], "little") for p in range(5, at, width))
    index = body[at]
    at += 1
    stored = None
    if index == _SINGLE:
        if flags & 2:
            stored = struct.unpack_from("<QI", body, at)
            at += 12
    elif index in _INDEX_BYTES:
        at += _INDEX_BYTES[index]
    else:
        raise Damaged(f"an index of chunks of kind {index} is unknown")
    address = struct.unpack_from("<Q", body, at)[0]
    name = {_SINGLE: "single", _IMPLICIT: "implicit"}.get(index, "other")
    return _chunked(shape, name, address, datatype, stored, plain_edges=bool(flags & 1))


def _chunked(
    shape: tuple[int, ...],
    index: str,
    address: int,
    datatype: Datatype,
    stored: tuple[int, int] | None = None,
    *,
    plain_edges: bool = False,
) -> Storage:
    *axes, element = shape
    if element != datatype.size or not all(axes):
        raise Damaged("the shape of chunks doesn't fit the datatype")
    return Storage("chunked", chunks=Chunks(tuple(axes), index, address, stored, plain_edges))


def _axes(rank: int) -> int:
    """The number of a chunk's axes; the element's size counts as one."""
    if not 2 <= rank <= MAX_RANK + 1:
        raise Damaged(f"chunks of {rank} axes")
    return rank


def _old_layout(body: bytes, datatype: Datatype, dataspace: Dataspace) -> Storage:
    """Layouts of versions 1 and 2 (HDF5 before 1.6.3)."""
    _, rank, kind = struct.unpack_from("<BBB", body)
    if rank > MAX_RANK + 1:
        raise Damaged(f"{rank} axes are more than HDF5 has")
    if kind == _COMPACT:
        at = 8 + 4 * rank
        length = struct.unpack_from("<I", body, at)[0]
        return Storage("compact", length=length, data=body[at + 4 : at + 4 + length])
    address = struct.unpack_from("<Q", body, 8)[0]
    if kind == _CONTIGUOUS:
        return Storage("contiguous", address, dataspace.count * datatype.size) if address != UNDEFINED else _NOTHING
    if kind == _CHUNKED:
        return _chunked(struct.unpack_from(f"<{_axes(rank)}I", body, 16), "btree", address, datatype)
    raise Damaged(f"a layout of class {kind} is unknown")


def _filters(body: bytes) -> tuple[Filter, ...]:
    version, count = struct.unpack_from("<BB", body)
    if version not in (1, 2) or count > 32:
        raise Damaged("a filter pipeline of an unknown version")
    at = 8 if version == 1 else 2
    found = []
    for _ in range(count):
        number = struct.unpack_from("<H", body, at)[0]
        at += 2
        length = 0
        if version == 1 or number >= 256:
            length = struct.unpack_from("<H", body, at)[0]
            at += 2
        _, values = struct.unpack_from("<HH", body, at)
        at += 4 + (length + 7 & ~7 if version == 1 else length)
        if number not in FILTER_NAMES:
            raise Unsafe(f"a filter that would have to be loaded as a plugin (number {number})")
        found.append(Filter(FILTER_NAMES[number], struct.unpack_from(f"<{values}I", body, at)))
        at += 4 * (values + (values & 1 if version == 1 else 0))
    return tuple(found)


def _fill(header: Header) -> bytes:
    """The fill value's bytes; empty where none is defined (zeros)."""
    body = header.bodies.get(FILL)
    if body is None:
        body = header.bodies.get(FILL_OLD)
        if body is None:
            return b""
        length = struct.unpack_from("<I", body)[0]
        return body[4 : 4 + length]
    version, flags = body[0], body[1]
    if version in (1, 2):
        if version == 2 and not body[3]:
            return b""
        length = struct.unpack_from("<I", body, 4)[0]
        return body[8 : 8 + length] if length < 1 << 31 else b""
    if version != 3:
        raise Damaged(f"a fill value of version {version} is unknown")
    if not flags & 0x20:
        return b""
    length = struct.unpack_from("<I", body, 2)[0]
    return body[6 : 6 + length]
