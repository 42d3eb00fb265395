"""Object headers: the list of messages that describes a group or a dataset, in versions 1 and 2."""

from __future__ import annotations

import struct
from typing import NamedTuple

from safeload.formats.hdf5.faults import Damaged, Unsafe
from safeload.formats.hdf5.image import Image

__all__ = ["Header", "Message", "read_header"]

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
_SHARED = 0x02
_TRACKS_ATTRIBUTES = 0x04


class Message(NamedTuple):
    """One message of an object header."""

    kind: int
    body: bytes
    order: int
    """When it was made, where the header keeps track; 0 otherwise."""


class Header(NamedTuple):
    """The messages of an object header in the file's order."""

    messages: list[Message]
    tracks_attributes: bool
    """Whether attributes have a creation order, by which h5py lists them."""


def read_header(image: Image, address: int) -> Header:
    """All messages of the object header at an address, those of its continuations included."""
    head = image.read(address, 16)
    image.claim(address)
    if head.startswith(b"OHDR"):
        return _read_v2(image, address, head)
    version, _, _, _, size = struct.unpack_from("<BBHII", head)
    if version != 1:
        raise Damaged(f"there is no object header at {address:,}")
    messages: list[Message] = []
    blocks = [(address + 16, size)]
    for start, length in blocks:
        data = image.read(start, length)
        at = 0
        while at + 8 <= length:
            image.spend()
            kind, size, flags = struct.unpack_from("<HHB", data, at)
            at += 8
            if at + size > length:
                raise Damaged(f"a message at {start + at:,} is longer than its object header")
            if kind:
                _take(image, messages, blocks, kind, flags, data[at : at + size], 0)
            at += size
    return Header(messages, False)


def _read_v2(image: Image, address: int, head: bytes) -> Header:
    version, flags = head[4], head[5]
    if version != 2:
        raise Damaged(f"an object header of version {version} is unknown")
    prefix = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(image.read(address + prefix, width), "little")
    messages: list[Message] = []
    tracks = bool(flags & _TRACKS_ATTRIBUTES)
    blocks: list[tuple[int, int]] = []
    _messages_v2(
        image, messages, blocks, image.checked(address, prefix + width + size + 4, b"OHDR"), prefix + width, tracks
    )
    for start, length in blocks:
        if length < 8:
            raise Damaged(f"a continuation of {length} bytes")
        _messages_v2(image, messages, blocks, image.checked(start, length, b"OCHK"), 4, tracks)
    return Header(messages, tracks)


def _messages_v2(
    image: Image, messages: list[Message], blocks: list[tuple[int, int]], data: bytes, at: int, tracks: bool
) -> None:
    end = len(data) - 4
    head = 6 if tracks else 4
    while at + head <= end:  # what is left is a gap
        image.spend()
        kind, size, flags = struct.unpack_from("<BHB", data, at)
        order = struct.unpack_from("<H", data, at + 4)[0] if tracks else 0
        at += head
        if at + size > end:
            raise Damaged("a message is longer than its object header")
        if kind:
            _take(image, messages, blocks, kind, flags, data[at : at + size], order)
        at += size


def _take(
    image: Image,
    messages: list[Message],
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
    messages.append(Message(kind, body, order))
