"""The superblock: where an HDF5 file starts, how long it should be, where its root group is."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from safeload.bytesource import ByteRange
from safeload.formats.hdf5.checksum import lookup3
from safeload.formats.hdf5.faults import Damaged, Unsafe
from safeload.formats.hdf5.image import UNDEFINED

__all__ = ["SIGNATURE", "Superblock", "find_superblock"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"

_V0, _V2 = "<8s8BHHI", "<8s4BQQQQ"
_OPEN_FOR_WRITING = 0x05
"""Consistency flags of version 3: bit 0, a writer has it open; bit 2, a single writer with many readers (SWMR)."""


@dataclass(frozen=True, slots=True)
class Superblock:
    """What the superblock says.

    Attributes:
        base: Bytes of user block before it; addresses count from there.
        end: Where the file should end at the least, in bytes from the file's own start.
        root: Address of the root group's object header.
        extension: Address of the superblock's own object header, or `UNDEFINED`.
    """

    base: int
    end: int
    root: int
    extension: int


def find_superblock(run: ByteRange) -> Superblock:
    """The superblock at 0, 512, 1024, 2048 ... (a user block lies before it)."""
    base = 0
    while base < run.size:
        head = run.read_at(base, 120)
        if head.startswith(SIGNATURE):
            return _decode(head, base)
        base = base * 2 or 512
    raise Damaged("there is no HDF5 signature")


def _decode(head: bytes, base: int) -> Superblock:
    version = head[8] if len(head) > 8 else 0
    if version in (0, 1):
        _, _, _, _, _, _, offsets, lengths, _, _, _, _ = struct.unpack_from(_V0, head)
        at = 24 if version == 0 else 28
        stored_base, _, end, driver, _, root = struct.unpack_from("<6Q", head, at)
        extension = UNDEFINED
        _check_widths(offsets, lengths)
        if driver != UNDEFINED:
            raise Unsafe("a driver information block: its data would lie in other files")
    elif version in (2, 3):
        _, _, offsets, lengths, flags, stored_base, extension, end, root = struct.unpack_from(_V2, head)
        if lookup3(head[:44]) != struct.unpack_from("<I", head, 44)[0]:
            raise Damaged("the checksum of the superblock is wrong")
        if version == 3 and flags & _OPEN_FOR_WRITING:
            raise Damaged("its writer did not close it")
        _check_widths(offsets, lengths)
    else:
        raise Damaged(f"a superblock of version {version} is unknown")
    # Like the library: where the superblock lies counts, also when a tool moved it behind a user block.
    return Superblock(base, end + base - stored_base, root, extension)


def _check_widths(offsets: int, lengths: int) -> None:
    """HDF5 can be told to use other widths; h5py never does."""
    if (offsets, lengths) != (8, 8):
        raise Damaged(f"offsets of {offsets} and lengths of {lengths} bytes are not supported")
