"""The bytes of a zip's members, read when they are wanted, with their CRC compared."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterable

from safeload.bytesource import ByteRange
from safeload.containers.archive import Entry
from safeload.containers.limits import ALWAYS_CHECKED, HONEST_RATIO, MAX_INFLATED, UNSUSPICIOUS
from safeload.errors import CorruptedModelError, InsufficientMemoryError, UnsafeModelError

__all__ = ["check_sizes", "member", "verifier"]

_PIECE = 1 << 20


def check_sizes(entries: Iterable[Entry], path: str | None, available: int | None) -> None:
    """Refuse compressed members that would fill the memory, by what the directory says, before any is expanded.

    Raises:
        UnsafeModelError: They expand further than any honest model does.
        InsufficientMemoryError: They would not fit into the memory of this machine.
    """
    total = 0
    for entry in entries:
        if not entry.deflated:
            continue
        total += entry.size
        if entry.size > UNSUSPICIOUS and entry.size > HONEST_RATIO * entry.stored:
            raise UnsafeModelError(
                f"a member of {entry.stored:,} bytes would expand to {entry.size:,}",
                path=path,
                where=entry.name,
                hint="no weights compress that well; get the model from someone you trust",
                threats=(f"{entry.name}: a deflate bomb",),
            )
    if total > MAX_INFLATED:
        raise UnsafeModelError(
            f"its members would expand to {total:,} bytes",
            path=path,
            hint="Keras stores weights without compression: unzip it and load the folder",
            threats=("a deflate bomb",),
        )
    if available is not None and total > available:
        raise InsufficientMemoryError(
            f"its compressed members expand to {total:,} bytes",
            path=path,
            hint="Keras stores weights without compression: unzip it and load the folder",
            needed=total,
            available=available,
        )


def member(archive: ByteRange, entry: Entry, path: str | None) -> ByteRange:
    """A member's bytes. Stored ones are read in place; compressed and small ones once, whole, and their CRC compared."""
    raw = archive.slice(entry.start, entry.stored, entry.name)
    if not entry.deflated and entry.size > ALWAYS_CHECKED:
        return raw
    lock = threading.Lock()
    whole: list[bytes] = []

    def read_at(offset: int, length: int) -> bytes:
        with lock:
            if not whole:
                whole.append(_whole(raw, entry, path))
        return whole[0][offset : offset + length]

    return ByteRange(read_at, 0, entry.size, entry.name)


def _whole(raw: ByteRange, entry: Entry, path: str | None) -> bytes:
    data = _inflated(raw, entry, path) if entry.deflated else raw.read()
    if len(data) != entry.size or zlib.crc32(data) != entry.crc:
        raise _wrong(entry, path, "its checksum is wrong")
    return data


def _inflated(raw: ByteRange, entry: Entry, path: str | None) -> bytes:
    engine = zlib.decompressobj(-15)
    pieces, left = [], entry.size
    try:
        for at in range(0, raw.size, _PIECE):
            data = raw.read_at(at, _PIECE)
            while data and left >= 0:
                piece = engine.decompress(data, left + 1)
                left -= len(piece)
                pieces.append(piece)
                data = engine.unconsumed_tail
            if left < 0:
                raise _wrong(entry, path, f"it expands to more than the {entry.size:,} bytes that it should have")
        while not engine.eof and (piece := engine.decompress(b"", max(left, 0) + 1)):  # what its window still holds
            left -= len(piece)
            pieces.append(piece)
    except zlib.error as error:
        raise _wrong(entry, path, "its compressed data is broken") from error
    if not engine.eof:
        raise _wrong(entry, path, "its compressed data ends early")
    return b"".join(pieces)


def verifier(archive: ByteRange, entry: Entry, path: str | None) -> Callable[[], None]:
    """A function that reads a member once and compares its CRC.

    Raises:
        CorruptedModelError: By that function, where it is another one.
    """

    def verify() -> None:
        raw = archive.slice(entry.start, entry.stored)
        if entry.deflated:
            _whole(raw, entry, path)
            return
        crc = 0
        for at in range(0, raw.size, _PIECE):
            crc = zlib.crc32(raw.read_at(at, _PIECE), crc)
        if crc != entry.crc:
            raise _wrong(entry, path, "its checksum is wrong")

    return verify


def _wrong(entry: Entry, path: str | None, message: str) -> CorruptedModelError:
    return CorruptedModelError(
        f"the zip archive is damaged: {message}",
        path=path,
        where=entry.name,
        hint="download or copy it again",
        damage=(f"{entry.name}: {message}",),
    )
