"""Object headers: the list of messages that describes a group or a dataset, in versions 1 and 2."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from safeload.formats.hdf5.faults import Damaged, Unsafe
from safeload.formats.hdf5.image import Image

__all__ = ["Header", "read_header"]

DATASPACE, LINK_INFO, DATATYPE, FILL_OLD, FILL, LINK, EXTERNAL, LAYOUT = 1, 2, 3, 4, 5, 6, 7, 8
FILTERS, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE, DRIVER_INFO, ATTRIBUTE_INFO = 11, 12, 16, 17, 20, 21
SHARED_TABLE, CACHE_IMAGE = 15, 24

_LAST_KNOWN = 0x18
_REFUSED = {
    EXTERNAL: "external storage: its data would be read from other files",
    SHARED_TABLE: "a table of shared messages",
    DRIVER_INFO: "driver information: its data would lie in other files",
    CACHE_IMAGE: "an image of the metadata cache, which would replace what the file says",
}
_PASSED_OVER = {0, 10, 13, 14, 18, 22}
"""Messages that say nothing about links, types or data: gaps, group info, comments, times, reference counts."""

_SHARED = 0x02
_TRACKS_ATTRIBUTES = 0x04


_HEAD_V1 = struct.Struct("<HHB").unpack_from
_HEAD_V2 = struct.Struct("<BHB").unpack_from
_AHEAD = 512
"""Bytes that are read with an object header's first ones: nearly every header ends within them."""


@dataclass(slots=True)
class Header:
    """The messages of an object header.

    Attributes:
        bodies: Of the messages that an object has once, by kind.
        links: Of the link messages.
        attributes: Of the attribute messages, with when each was made (0 where the header doesn't keep track).
        tracks_attributes: Whether attributes have a creation order, by which h5py lists them.
    """

    tracks_attributes: bool = False
    bodies: dict[int, bytes] = field(default_factory=dict)
    links: list[bytes] = field(default_factory=list)
    attributes: list[tuple[int, bytes]] = field(default_factory=list)


def read_header(image: Image, address: int) -> Header:
    """All messages of the object header at an address, those of its continuations included."""
    data = image.peek(address, _AHEAD)
    if data.startswith(b"OHDR"):
        return _read_v2(image, address, data)
    version, _, _, _, size = struct.unpack_from("<BBHII", data)
    if version != 1:
        raise Damaged(f"there is no object header at {address:,}")
    header = Header()
    blocks: list[tuple[int, int]] = []
    if 16 + size > _AHEAD:
        data = image.read(address, 16 + size)
    _messages(image, header, blocks, data, 16, 16 + size)
    for start, length in blocks:
        _messages(image, header, blocks, image.read(start, length), 0, length)
    return header


def _messages(image: Image, header: Header, blocks: list[tuple[int, int]], data: bytes, at: int, end: int) -> None:
    """The messages of a block in a header of version 1."""
    count = 0
    while at + 8 <= end:
        count += 1
        kind, size, flags = _HEAD_V1(data, at)
        at += 8
        if at + size > end:
            raise Damaged("a message is longer than its object header")
        if kind not in _PASSED_OVER:
            _take(image, header, blocks, kind, flags, data[at : at + size], 0)
        at += size
    image.spend(count)


def _read_v2(image: Image, address: int, data: bytes) -> Header:
    version, flags = data[4], data[5]
    if version != 2:
        raise Damaged(f"an object header of version {version} is unknown")
    at = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(data[at : at + width], "little")
    header = Header(bool(flags & _TRACKS_ATTRIBUTES))
    blocks: list[tuple[int, int]] = []
    at += width
    _messages_v2(image, header, blocks, image.checked(address, at + size + 4, b"OHDR"), at)
    for start, length in blocks:
        if length < 8:
            raise Damaged(f"a continuation of {length} bytes")
        _messages_v2(image, header, blocks, image.checked(start, length, b"OCHK"), 4)
    return header


def _messages_v2(image: Image, header: Header, blocks: list[tuple[int, int]], data: bytes, at: int) -> None:
    """The messages of a block in a header of version 2."""
    tracks = header.tracks_attributes
    end = len(data) - 4
    head = 6 if tracks else 4
    count = 0
    while at + head <= end:  # what is left is a gap
        count += 1
        kind, size, flags = _HEAD_V2(data, at)
        order = struct.unpack_from("<H", data, at + 4)[0] if tracks else 0
        at += head
        if at + size > end:
            raise Damaged("a message is longer than its object header")
        if kind not in _PASSED_OVER:
            _take(image, header, blocks, kind, flags, data[at : at + size], order)
        at += size
    image.spend(count)


def _take(
    image: Image,
    header: Header,
    blocks: list[tuple[int, int]],
    kind: int,
    flags: int,
    body: bytes,
    order: int,
) -> None:
    if kind == CONTINUATION:
        start, length = struct.unpack_from("<QQ", body)
        blocks.append((image.claim(start), length))
        return
    if kind > _LAST_KNOWN:
        raise Damaged(f"a message of kind {kind} is unknown")
    if kind in _REFUSED:
        raise Unsafe(_REFUSED[kind])
    if flags & _SHARED:
        raise Unsafe("a message shared with another object (a committed datatype)")
    if kind == ATTRIBUTE:
        header.attributes.append((order, body))
    elif kind == LINK:
        header.links.append(body)
    elif header.bodies.setdefault(kind, body) is not body:
        raise Damaged(f"an object header has two messages of kind {kind}")
