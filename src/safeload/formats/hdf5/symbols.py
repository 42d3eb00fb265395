"""Groups as h5py writes them by default: a B-tree of version 1, symbol nodes, and names in a local heap."""

from __future__ import annotations

import struct

from safeload.formats.hdf5.faults import Damaged, Unsafe
from safeload.formats.hdf5.image import Image
from safeload.formats.hdf5.limits import MAX_NAME

__all__ = ["nodes_v1", "symbol_links"]

_MAX_LEVELS = 32
_SOFT_LINK = 2
"""Cache type of a symbol table entry that is a soft link."""

_ENTRIES = struct.Struct("<QQI20x").iter_unpack
_NODE_HEAD = struct.Struct("<BBH").unpack_from
_ADDRESS = struct.Struct("<Q").unpack_from
_AHEAD = 328
"""Bytes that are read with a node's first ones: a node of symbols has room for eight by default."""


def symbol_links(image: Image, body: bytes) -> list[tuple[bytes, int]]:
    """(name, address of the object header) of each link of a group, by its symbol table message."""
    tree, heap = struct.unpack_from("<QQ", body)
    names = _local_heap(image, heap)
    left = len(names)
    links: list[tuple[bytes, int]] = []
    for _, leaf in nodes_v1(image, tree, kind=0, key=8):
        data = image.peek(leaf, _AHEAD)
        if not data.startswith(b"SNOD\1"):
            raise Damaged(f"SNOD expected at {leaf:,}")
        end = 8 + 40 * struct.unpack_from("<H", data, 6)[0]
        if end > len(data):
            data = image.read(leaf, end)
        image.spend(end // 40)
        for offset, address, cache in _ENTRIES(data[8:end]):
            if cache == _SOFT_LINK:
                raise Unsafe("a soft link")
            stop = names.find(b"\0", offset, offset + MAX_NAME + 1)
            if stop < 0:
                raise Damaged("a link's name has no end or is too long")
            links.append((names[offset:stop], address))
            left -= stop - offset
            if left < 0:
                raise Damaged("names of links overlap")
    return links


def _local_heap(image: Image, address: int) -> bytes:
    head = image.peek(address, _AHEAD)
    if not head.startswith(b"HEAP\0"):
        raise Damaged(f"HEAP expected at {address:,}")
    size, _, data = struct.unpack_from("<QQQ", head, 8)
    if data == address + 32 and size <= len(head) - 32:  # where a new group has it
        return head[32 : 32 + size]
    return image.read(data, size)


def nodes_v1(image: Image, address: int, *, kind: int, key: int) -> list[tuple[bytes, int]]:
    """(key before it, address) of everything that the leaves of a version 1 B-tree point to, in its order.

    Args:
        image: The file.
        address: Of the root node.
        kind: 0 for groups, 1 for chunks.
        key: Bytes of a key.
    """
    level, children = _node(image, address, kind, key)
    if level > _MAX_LEVELS:
        raise Damaged(f"the B-tree at {address:,} is too deep")
    while level:  # each level is one lower than the one above, so that a cycle can't be
        level -= 1
        below = []
        for _, child in children:
            found, entries = _node(image, child, kind, key)
            if found != level:
                raise Damaged(f"the B-tree at {address:,} is uneven")
            below += entries
        children = below
    return children


def _node(image: Image, address: int, kind: int, key: int) -> tuple[int, list[tuple[bytes, int]]]:
    """The level of a node, and its children."""
    data = image.peek(address, _AHEAD)
    if not data.startswith(b"TREE"):
        raise Damaged(f"TREE expected at {address:,}")
    found, level, count = _NODE_HEAD(data, 4)
    if found != kind:
        raise Damaged(f"the B-tree at {address:,} is of another kind")
    image.spend(count + 1)
    step = key + 8
    end = 24 + count * step
    if end > len(data):
        data = image.read(address, end)
    return level, [(data[at : at + key], _ADDRESS(data, at + key)[0]) for at in range(24, end, step)]
