"""The bytes of an HDF5 file, by the addresses that its structures use."""

from __future__ import annotations

import struct

from safeload.bytesource import ByteRange
from safeload.formats.hdf5.checksum import lookup3
from safeload.formats.hdf5.faults import Damaged
from safeload.formats.hdf5.limits import MAX_BLOCK, MAX_ITEMS, MAX_REREAD, MIN_WORK_BYTES

__all__ = ["MAX_PEEK", "UNDEFINED", "Image"]

UNDEFINED = 0xFFFFFFFFFFFFFFFF
"""The address of what is not stored (HADDR_UNDEF)."""

_WHOLE = 1 << 22
"""Files up to this size are read at once."""

_PAGE = 1 << 16
MAX_PEEK = 1 << 12
"""Pages overlap by this much, so that a small structure always lies in one."""

_MAX_PAGES = 256
_CHECKSUM_ITEM = 24
"""Bytes under a checksum that take about as long as one decoded item."""


_TOO_MUCH = "its structures overlap or are larger than any honest one"


class Image:
    """Reads metadata through pages, and keeps count of the work that the file makes.

    Args:
        run: The file.
        base: Where address 0 lies in it: the size of the user block.
    """

    __slots__ = ("_claimed", "_items", "_left", "_pages", "_whole", "base", "run", "size")

    def __init__(self, run: ByteRange, base: int) -> None:
        self.run = run
        self.base = base
        self.size = run.size - base
        self._whole = run.read_at(base, self.size) if self.size <= _WHOLE else None
        self._pages: dict[int, bytes] = {}
        self._restart()

    def _restart(self) -> None:
        self._claimed: set[int] = set()
        self._items = 0
        self._left = MAX_REREAD * self.size + MIN_WORK_BYTES

    def fork(self) -> Image:
        """The same bytes with the work counted from the start: for what is decoded anew at each call."""
        other = object.__new__(Image)
        other.run, other.base, other.size = self.run, self.base, self.size
        other._whole, other._pages = self._whole, self._pages
        other._restart()
        return other

    def peek(self, address: int, length: int) -> bytes:
        """Up to `length` bytes of metadata, fewer at the file's end: to look at a structure whose size isn't known yet.

        At most `MAX_PEEK` bytes. This is the innermost step of the walk, hence written out.
        """
        self._left -= length
        if self._left < 0:
            raise Damaged(_TOO_MUCH)
        if self._whole is not None:
            return self._whole[address : address + length]
        start = address % _PAGE
        page = self._pages.get(address - start)
        if page is None:
            page = self._page(address - start)
        return page[start : start + length]

    def read(self, address: int, length: int) -> bytes:
        """`length` bytes of metadata: all of them or `Damaged`. The length is checked before anything is read."""
        self.account(length)
        return self.fetch(address, length)

    def account(self, length: int) -> None:
        """Count bytes of metadata; structures that overlap make us read the same bytes again and again."""
        self._left -= length
        if length > MAX_BLOCK or self._left < 0:
            raise Damaged(_TOO_MUCH)

    def fetch(self, address: int, length: int) -> bytes:
        """`length` bytes of anything; not counted."""
        if address + length > self.size:
            what = "nowhere" if address == UNDEFINED else f"{length:,} bytes at {address:,}"
            raise Damaged(f"a structure points to {what} of {self.size:,} bytes")
        if self._whole is not None:
            return self._whole[address : address + length]
        if length > MAX_PEEK:
            return self._exactly(address, length)
        start = address % _PAGE
        page = self._pages.get(address - start) or self._page(address - start)
        data = page[start : start + length]
        return data if len(data) == length else self._exactly(address, length)

    def fetch_into(self, address: int, buffer: memoryview) -> None:
        """Fill a buffer with data that starts at an address; not counted."""
        if self._whole is not None:
            buffer[:] = self._whole[address : address + len(buffer)]
        elif self.run.read_into(self.base + address, buffer) != len(buffer):
            raise Damaged(f"the file ends inside a structure of {len(buffer):,} bytes at {address:,}")

    def _page(self, start: int) -> bytes:
        if len(self._pages) >= _MAX_PAGES:
            self._pages.clear()
        page = self._pages[start] = self.run.read_at(self.base + start, _PAGE + MAX_PEEK)
        return page

    def _exactly(self, address: int, length: int) -> bytes:
        data = self.run.read_at(self.base + address, length)
        if len(data) != length:
            raise Damaged(f"the file ends inside a structure of {length:,} bytes at {address:,}")
        return data

    def checked(self, address: int, length: int, signature: bytes) -> bytes:
        """A structure with a signature at its start and a lookup3 checksum in its last four bytes."""
        data = self.read(address, length)
        if not data.startswith(signature):
            raise Damaged(f"{signature.decode()} expected at {address:,}")
        self.verify(data[:-4], struct.unpack_from("<I", data, length - 4)[0], signature)
        return data

    def verify(self, data: bytes, stored: int, signature: bytes) -> None:
        """Compare a lookup3 checksum."""
        self.spend(len(data) // _CHECKSUM_ITEM)
        if lookup3(data) != stored:
            raise Damaged(f"the checksum of {signature.decode()} is wrong")

    def claim(self, address: int) -> int:
        """Take a block that belongs to one owner only; a second time means a cycle or structures that overlap."""
        if address in self._claimed:
            raise Damaged(f"two structures share the block at {address:,}")
        self._claimed.add(address)
        return address

    def spend(self, items: int = 1) -> None:
        """Count decoded items; a file that makes us decode more than any honest one is refused."""
        self._items += items
        if self._items > MAX_ITEMS:
            raise Damaged(f"its structures hold more than {MAX_ITEMS:,} items")
