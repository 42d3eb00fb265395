"""The links of a group, compact or dense; hard links only."""

from __future__ import annotations

import struct
from typing import NamedTuple

from safeload.formats.hdf5.btree2 import records_v2
from safeload.formats.hdf5.faults import Damaged, Unsafe
from safeload.formats.hdf5.fractal_heap import FractalHeap
from safeload.formats.hdf5.headers import LINK_INFO, SYMBOL_TABLE, Header
from safeload.formats.hdf5.image import UNDEFINED, Image
from safeload.formats.hdf5.limits import MAX_NAME, MAX_OBJECTS
from safeload.formats.hdf5.symbols import symbol_links

__all__ = ["group_links"]

_NAME_RECORDS = 5
_IMPOSSIBLE = {"", ".", ".."}
_TRACKED = 1


class _Link(NamedTuple):
    name: bytes
    address: int
    order: int


def group_links(image: Image, header: Header) -> dict[str, int] | None:
    """The links of a group in h5py's order: by creation where the group keeps track of it, else by name.

    Returns:
        Addresses of object headers by name; None: the object is no group.
    """
    table, info = header.bodies.get(SYMBOL_TABLE), header.bodies.get(LINK_INFO)
    if table is not None:
        return _named(symbol_links(image, table))
    if info is None:
        return None
    links, tracked = _dense_links(image, info)
    links += [_link(body) for body in header.links]
    if tracked:
        links.sort(key=lambda link: link.order)
        return _named([link[:2] for link in links], ordered=True)
    return _named([link[:2] for link in links])


def _named(links: list[tuple[bytes, int]], *, ordered: bool = False) -> dict[str, int]:
    if len(links) > MAX_OBJECTS:
        raise Unsafe(f"more than {MAX_OBJECTS:,} objects")
    if not ordered:
        links.sort()
    named: dict[str, int] = {}
    for raw, address in links:
        name = raw.decode("utf-8")
        if name in named or name in _IMPOSSIBLE or "/" in name:
            raise Damaged(f"a link has the impossible or double name {name[:80]!r}")
        named[name] = address
    return named


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
