"""Fractal heaps: where groups and objects with many links or attributes keep them ("dense" storage)."""

from __future__ import annotations

import struct

from safeload.formats.hdf5.btree2 import records_v2
from safeload.formats.hdf5.faults import Damaged, Unsafe
from safeload.formats.hdf5.image import UNDEFINED, Image

__all__ = ["FractalHeap"]

_HEADER = "<BHHBIQQQQQQQQQQQQHQQHHQH"
_CHECKSUMMED_BLOCKS = 2
_HUGE_RECORDS = 1
"""Type of the B-tree of huge objects that are found by number and not filtered."""

_MAX_ROWS = 64


class FractalHeap:
    """The objects of a heap by id.

    Args:
        image: The file.
        address: Of the heap's header.
    """

    def __init__(self, image: Image, address: int) -> None:
        self._image = image
        self._address = address
        length = 4 + struct.calcsize(_HEADER) + 4
        data = image.checked(image.claim(address), length, b"FRHP") if _unfiltered(image, address) else b""
        (
            version, self._id_length, _, self._flags, self._max_managed, _, self._huge, *_,
        ) = struct.unpack_from(_HEADER, data, 4)  # fmt: skip
        width, start, max_direct, bits, _, root, rows = struct.unpack_from("<HQQHHQH", data, length - 4 - 32)
        if version or not width or bits > 64 or start < 1 or max_direct < start or rows > _MAX_ROWS:
            raise Damaged(f"the fractal heap at {address:,} contradicts itself")
        if start & (start - 1) or max_direct & (max_direct - 1):
            raise Damaged(f"the fractal heap at {address:,} has blocks of odd sizes")
        self._width, self._start, self._max_direct = width, start, max_direct
        self._offset_bytes = (bits + 7) // 8
        self._length_bytes = min(_log256(max_direct), _log256(self._max_managed))
        self._root, self._rows = root, rows
        self._blocks: dict[int, bytes] = {}
        self._indirect: dict[int, bytes] = {}
        self._huge_objects: dict[int, tuple[int, int]] | None = None

    def get(self, identifier: bytes) -> bytes:
        """The object with an id (as the records of the B-tree have it)."""
        self._image.spend()
        kind = identifier[0] >> 4 & 3
        if identifier[0] >> 6 or kind > 2:
            raise Damaged("a heap id of an unknown kind")
        if kind == 2:
            return self._tiny(identifier)
        if kind == 1:
            return self._image.read(*self._huge_place(identifier))
        offset = int.from_bytes(identifier[1 : 1 + self._offset_bytes], "little")
        at = 1 + self._offset_bytes
        length = int.from_bytes(identifier[at : at + self._length_bytes], "little")
        return self._managed(offset, length)

    def _tiny(self, identifier: bytes) -> bytes:
        if self._id_length - 1 <= 16:
            length, at = (identifier[0] & 15) + 1, 1
        else:
            length, at = ((identifier[0] & 15) << 8 | identifier[1]) + 1, 2
        return identifier[at : at + length]

    def _huge_place(self, identifier: bytes) -> tuple[int, int]:
        if self._id_length >= 17:  # address and length fit into the id itself
            address, length = struct.unpack_from("<QQ", identifier, 1)
            return address, length
        if self._huge_objects is None:
            self._huge_objects = {}
            for record in records_v2(self._image, self._huge, _HUGE_RECORDS):
                address, length, number = struct.unpack("<QQQ", record)
                self._huge_objects[number] = (address, length)
        number = int.from_bytes(identifier[1:9].ljust(8, b"\0"), "little")
        if number not in self._huge_objects:
            raise Damaged("a huge object is missing from its heap")
        return self._huge_objects[number]

    def _managed(self, offset: int, length: int) -> bytes:
        self._image.account(length)
        block, start = self._block_of(offset)
        at = offset - start
        if at + length > len(block):
            raise Damaged("an object reaches over the end of its heap block")
        return block[at : at + length]

    def _block_of(self, offset: int) -> tuple[bytes, int]:
        """The direct block that holds an offset of the heap's own address space, and where it starts there."""
        if self._root == UNDEFINED:
            raise Damaged("an object of an empty heap")
        if not self._rows:
            return self._direct(self._root, self._start, 0), 0
        address, rows, base = self._root, self._rows, 0
        direct_rows = _log2(self._max_direct) - _log2(self._start) + 2
        for _ in range(_MAX_ROWS):
            row, column, start, size = self._place(offset - base, rows)
            table = self._indirect_block(address, rows, base)
            address = struct.unpack_from("<Q", table, 8 * (row * self._width + column))[0]
            base += start
            if row < direct_rows:
                return self._direct(address, size, base), base
            rows = _log2(size) - _log2(self._start * self._width) + 1
        raise Damaged("the blocks of a heap are nested without end")

    def _place(self, offset: int, rows: int) -> tuple[int, int, int, int]:
        """Row, column, start and size of the block at an offset inside an indirect block."""
        start = 0
        for row in range(rows):
            size = self._start << max(row - 1, 0)
            if offset < start + size * self._width:
                column = (offset - start) // size
                return row, column, start + column * size, size
            start += size * self._width
        raise Damaged("an object lies outside its heap")

    def _indirect_block(self, address: int, rows: int, base: int) -> bytes:
        """The addresses of the children of an indirect block, direct ones first."""
        if address not in self._indirect:
            head = 13 + self._offset_bytes
            length = head + 8 * rows * self._width + 4
            data = self._image.checked(self._image.claim(address), length, b"FHIB")
            self._image.spend(rows * self._width)
            self._check_owner(data, base)
            self._indirect[address] = data[head:-4]
        return self._indirect[address]

    def _direct(self, address: int, size: int, base: int) -> bytes:
        if address not in self._blocks:
            if size > self._max_direct:
                raise Damaged("a block of a heap is too large")
            data = self._image.read(self._image.claim(address), size)
            if not data.startswith(b"FHDB"):
                raise Damaged(f"FHDB expected at {address:,}")
            self._check_owner(data, base)
            if self._flags & _CHECKSUMMED_BLOCKS:
                at = 13 + self._offset_bytes
                stored = struct.unpack_from("<I", data, at)[0]
                self._image.verify(data[:at] + bytes(4) + data[at + 4 :], stored, b"FHDB")
            self._blocks[address] = data
        return self._blocks[address]

    def _check_owner(self, data: bytes, base: int) -> None:
        owner = struct.unpack_from("<Q", data, 5)[0]
        if data[4] or owner != self._address or int.from_bytes(data[13 : 13 + self._offset_bytes], "little") != base:
            raise Damaged("a block of another heap")


def _unfiltered(image: Image, address: int) -> bool:
    if struct.unpack_from("<H", image.read(address, 9), 7)[0]:
        raise Unsafe("a compressed heap of links or attributes")
    return True


def _log2(number: int) -> int:
    return number.bit_length() - 1


def _log256(number: int) -> int:
    """Bytes that hold numbers up to this one (H5VM_limit_enc_size)."""
    return _log2(max(number, 1)) // 8 + 1
