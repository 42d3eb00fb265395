"""B-trees of version 2: the records of dense links, dense attributes and huge heap objects."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from safeload.formats.hdf5.faults import Damaged
from safeload.formats.hdf5.image import UNDEFINED, Image

__all__ = ["records_v2"]

_HEADER = 38
_MAX_DEPTH = 16
_NODE_PREFIX = 6
"""Signature, version and type; a checksum of four bytes ends a node."""


def records_v2(image: Image, address: int, kind: int) -> Iterator[bytes]:
    """The records of the tree in its order; `kind` is the type of record that is expected."""
    head = image.checked(image.claim(address), _HEADER, b"BTHD")
    version, found, node, record, depth, _, _, root, count, _ = struct.unpack_from("<BBIHHBBQHQ", head, 4)
    if version or found != kind or not record or depth > _MAX_DEPTH or node < _NODE_PREFIX + 4 + record:
        raise Damaged(f"the B-tree at {address:,} is none of kind {kind}")
    if root == UNDEFINED or not count:
        return
    yield from _node(image, root, count, depth, _widths(node, record, depth), kind, node, record)


def _widths(node: int, record: int, depth: int) -> list[tuple[int, int]]:
    """For each level, bytes of a child's number of records, and of the number in all its subtree (0 at the leaves)."""
    usable = node - _NODE_PREFIX - 4
    most = usable // record
    width = _bytes_for(most)
    widths = [(0, 0), (width, 0)]
    total = most
    for level in range(1, depth):
        pointer = 8 + width + widths[level][1]
        most = max(usable - pointer, 0) // (record + pointer)
        total = (most + 1) * total + most
        widths.append((width, _bytes_for(total)))
    return widths


def _bytes_for(number: int) -> int:
    return max(1, (number.bit_length() + 7) // 8)


def _node(
    image: Image, address: int, count: int, level: int, widths: list[tuple[int, int]], kind: int, size: int, record: int
) -> Iterator[bytes]:
    image.spend(count + 1)
    image.claim(address)
    own, total = widths[level]
    pointer = 8 + own + total
    length = _NODE_PREFIX + count * record + (0 if level == 0 else (count + 1) * pointer) + 4
    if length > size:
        raise Damaged(f"a node of the B-tree at {address:,} is too full")
    data = image.checked(address, length, b"BTIN" if level else b"BTLF")
    if data[4] or data[5] != kind:
        raise Damaged(f"a node of another B-tree at {address:,}")
    records = [data[at : at + record] for at in range(_NODE_PREFIX, _NODE_PREFIX + count * record, record)]
    if level == 0:
        yield from records
        return
    at = _NODE_PREFIX + count * record
    for i in range(count + 1):
        child = struct.unpack_from("<Q", data, at)[0]
        children = int.from_bytes(data[at + 8 : at + 8 + own], "little")
        yield from _node(image, child, children, level - 1, widths, kind, size, record)
        if i < count:
            yield records[i]
        at += pointer
