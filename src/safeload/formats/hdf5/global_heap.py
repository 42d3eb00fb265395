"""Global heaps: where the texts of variable length lie."""

from __future__ import annotations

import struct

from safeload.formats.hdf5.faults import Damaged
from safeload.formats.hdf5.image import UNDEFINED, Image

__all__ = ["GlobalHeaps"]

_HEAD = 16


class GlobalHeaps:
    """The collections of a file, each indexed once."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._collections: dict[int, dict[int, tuple[int, int]]] = {}

    def texts(self, raw: bytes) -> list[bytes]:
        """The texts that elements of variable length (length, collection, index) stand for.

        A text ends at its first null, as h5py has it. Together they can't be longer than the file: a file that points to
        one long text many times is refused before the copies are made.
        """
        texts = []
        left = self._image.size
        for length, address, index in struct.iter_unpack("<IQI", raw):
            if not length or address in (0, UNDEFINED):
                texts.append(b"")
                continue
            if address not in self._collections:
                self._collections[address] = self._index(address)
            start, size = self._collections[address].get(index, (0, 0))
            left -= length
            if length > size or left < 0:
                raise Damaged("a text of variable length is not where it should be")
            texts.append(self._image.fetch(start, length).partition(b"\0")[0])
        return texts

    def _index(self, address: int) -> dict[int, tuple[int, int]]:
        head = self._image.read(address, _HEAD)
        signature, version, end = struct.unpack("<4sB3xQ", head)
        if signature != b"GCOL" or version != 1 or address + end > self._image.size:
            raise Damaged(f"GCOL expected at {address:,}")
        objects: dict[int, tuple[int, int]] = {}
        at = address + _HEAD
        end += address
        while at + _HEAD <= end:
            index, _, size = struct.unpack("<HH4xQ", self._image.read(at, _HEAD))
            if index == 0 or at + _HEAD + size > end:
                break  # index 0 is the free space that ends a collection
            self._image.spend()
            objects[index] = (at + _HEAD, size)
            at += _HEAD + (size + 7 & ~7)
        return objects
