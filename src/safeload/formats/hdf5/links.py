"""The links of a group, compact or dense; hard links only."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from safeload.formats.hdf5.btree2 import records_v2
from safeload.formats.hdf5.faults import Damaged, Unsafe
from safeload.formats.hdf5.fractal_heap import FractalHeap
from safeload.formats.hdf5.headers import LINK, LINK_INFO, SYMBOL_TABLE, Message
from safeload.formats.hdf5.image import UNDEFINED, Image
from safeload.formats.hdf5.limits import MAX_NAME, MAX_OBJECTS
from safeload.formats.hdf5.symbols import symbol_links

__all__ = ["group_links", "is_group"]

_GROUP_MESSAGES = {LINK_INFO, SYMBOL_TABLE}
_NAME_RECORDS = 5
_TRACKED = 1


class _Link(NamedTuple):
    name: bytes
    address: int
    order: int


def is_group(messages: Sequence[Message]) -> bool:
    return any(m.kind in _GROUP_MESSAGES for m in messages)


def group_links(image: Image, messages: Sequence[Message]) -> list[tuple[str, int]]:
    """(name, address) of each link, in h5py's order: by creation where the group keeps track of it, else by name."""
    links: list[_Link] = []
    tracked = False
    for message in messages:
        if message.kind == SYMBOL_TABLE:
            links += [_Link(name, address, 0) for name, address in symbol_links(image, message.body)]
        elif message.kind == LINK:
            links.append(_link(message.body))
        elif message.kind == LINK_INFO:
            dense, tracked = _dense_links(image, message.body)
            links += dense
    if len(links) > MAX_OBJECTS:
        raise Unsafe(f"more than {MAX_OBJECTS:,} objects")
    links.sort(key=(lambda link: link.order) if tracked else (lambda link: link.name))
    named = {link.name.decode("utf-8"): link.address for link in links}
    if len(named) != len(links):
        raise Damaged("two links have the same name")
    if not all(name and "/" not in name and name not in (".", "..") for name in named):
        raise Damaged("a link has no possible name")
    return list(named.items())


def _dense_links(image: Image, body: bytes) -> tuple[list[_Link], bool]:
    version, flags = struct.unpack_from("<BB", body)
    if version:
        raise Damaged(f"link info of version {version} is unknown")
    at = 10 if flags & _TRACKED else 2
    heap_address, names = struct.unpack_from("<QQ", body, at)
    tracked = bool(flags & _TRACKED)
    if heap_address == UNDEFINED:
        return [], tracked
    heap = FractalHeap(image, heap_address)
    return [_link(heap.get(record[4:])) for record in records_v2(image, names, _NAME_RECORDS)], tracked


def _link(body: bytes) -> _Link:
    version, flags = struct.unpack_from("<BB", body)
    if version != 1:
        raise Damaged(f"a link of version {version} is unknown")
    at = 2
    kind = order = 0
    if flags & 0x08:
        kind = body[at]
        at += 1
    if kind:
        raise Unsafe({1: "a soft link", 64: "an external link: it leads into another file"}.get(kind, "a foreign link"))
    if flags & 0x04:
        order = struct.unpack_from("<q", body, at)[0]
        at += 8
    if flags & 0x10:
        at += 1  # the character set: ASCII is UTF-8 too
    width = 1 << (flags & 3)
    length = int.from_bytes(body[at : at + width], "little")
    at += width
    if length > MAX_NAME:
        raise Damaged("a link's name is too long")
    return _Link(body[at : at + length], struct.unpack_from("<Q", body, at + length)[0], order)
