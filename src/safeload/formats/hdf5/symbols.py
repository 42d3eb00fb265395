"""Groups as h5py writes them by default: a B-tree of version 1, symbol nodes, and names in a local heap."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from safeload.formats.hdf5.faults import Damaged, Unsafe
from safeload.formats.hdf5.image import Image
from safeload.formats.hdf5.limits import MAX_NAME

__all__ = ["nodes_v1", "symbol_links"]

_MAX_LEVELS = 32
_SOFT_LINK = 2
"""Cache type of a symbol table entry that is a soft link."""


def symbol_links(image: Image, body: bytes) -> list[tuple[bytes, int]]:
    """(name, address of the object header) of each link of a group, by its symbol table message."""
    tree, heap = struct.unpack_from("<QQ", body)
    names = _local_heap(image, heap)
    left = len(names)
    links: list[tuple[bytes, int]] = []
    for _, leaf in nodes_v1(image, tree, kind=0, key=8):
        head = image.read(image.claim(leaf), 8)
        if not head.startswith(b"SNOD") or head[4] != 1:
            raise Damaged(f"SNOD expected at {leaf:,}")
        count = struct.unpack_from("<H", head, 6)[0]
        image.spend(count)
        for offset, address, cache, _, _ in struct.iter_unpack("<QQIIQ8x", image.read(leaf + 8, 40 * count)):
            if cache == _SOFT_LINK:
                raise Unsafe("a soft link")
            end = names.find(b"\0", offset, offset + MAX_NAME + 1)
            if end < 0:
                raise Damaged("a link's name has no end or is too long")
            links.append((names[offset:end], address))
            left -= end - offset
            if left < 0:
                raise Damaged("names of links overlap")
    return links


def _local_heap(image: Image, address: int) -> bytes:
    head = image.read(image.claim(address), 32)
    if not head.startswith(b"HEAP") or head[4]:
        raise Damaged(f"HEAP expected at {address:,}")
    size, _, data = struct.unpack_from("<QQQ", head, 8)
    return image.read(image.claim(data), size)


def nodes_v1(image: Image, address: int, *, kind: int, key: int) -> Iterator[tuple[bytes, int]]:
    """(key before it, address) of everything that the leaves of a version 1 B-tree point to, in its order.

    Args:
        image: The file.
        address: Of the root node.
        kind: 0 for groups, 1 for chunks.
        key: Bytes of a key.
    """
    stack = [(address, -1)]
    while stack:
        address, expected = stack.pop()
        head = image.read(image.claim(address), 24)
        if not head.startswith(b"TREE") or head[4] != kind:
            raise Damaged(f"TREE expected at {address:,}")
        level, count = struct.unpack_from("<BH", head, 5)
        if level > _MAX_LEVELS or expected not in (-1, level):
            raise Damaged(f"the B-tree at {address:,} is uneven")
        image.spend(count + 1)
        data = image.read(address + 24, count * (key + 8) + key)
        children = [
            (data[at : at + key], struct.unpack_from("<Q", data, at + key)[0])
            for at in range(0, count * (key + 8), key + 8)
        ]
        if level:
            stack += [(child, level - 1) for _, child in reversed(children)]
        else:
            yield from children
