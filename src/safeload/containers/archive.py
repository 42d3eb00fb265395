"""Read a zip's directory strictly: an archive that two programs could read as two different models is refused.

`zipfile` trusts the central directory and looks at local headers only when it opens a member; other programs go by the
local headers. What is checked here, before a byte of any member is read: names, kinds of entries, that both headers
agree, that members don't overlap, and sizes. Format: PKWARE's APPNOTE.TXT, sections 4.3 and 4.4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from safeload.bytesource import ByteRange
from safeload.containers.limits import MAX_MEMBERS
from safeload.containers.names import check_names
from safeload.errors import CorruptedModelError, SafeLoadError, UnsafeModelError, UnsupportedFormatError

__all__ = ["Entry", "is_zip", "read_directory"]

_END, _END64, _LOCATOR, _CENTRAL, _LOCAL = (b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2", b"PK\3\4")
_TAIL = (1 << 16) + 22
_UNKNOWN16, _UNKNOWN32 = 0xFFFF, 0xFFFFFFFF
_ENCRYPTED, _DESCRIPTOR, _STRONG, _UTF8, _MASKED = 0x1, 0x8, 0x40, 0x800, 0x2000
_METHODS = {0: "stored", 8: "deflated", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 9: "deflate64", 95: "XZ"}
_READABLE = (0, 8)
_UNIX = 3
_KINDS = {
    0o010000: "a FIFO",
    0o020000: "a device",
    0o060000: "a device",
    0o120000: "a symbolic link",
    0o140000: "a socket",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive.

    Attributes:
        name: With forward slashes.
        size: Expanded.
        stored: Bytes in the archive.
        start: Where its bytes begin, in the archive's run.
        crc: CRC-32 of the expanded bytes.
        deflated: Whether it is compressed.
    """

    name: str
    size: int
    stored: int
    start: int
    crc: int
    deflated: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the central directory."""

    raw: bytes
    name: str
    flags: int
    method: int
    crc: int
    stored: int
    size: int
    offset: int
    mode: int


class _Reading:
    """The archive that is being read, for its errors."""

    def __init__(self, run: ByteRange, path: str | None) -> None:
        self.run = run
        self.path = path

    def damaged(self, message: str, where: str | None = None) -> CorruptedModelError:
        place = (f"{where}: {message}",) if where else (message,)
        return CorruptedModelError(
            f"the zip archive is damaged: {message}", path=self.path, where=where, damage=place,
            hint="download or copy it again",
        )  # fmt: skip

    def unsafe(self, message: str, where: str | None = None) -> UnsafeModelError:
        return UnsafeModelError(
            f"the zip archive holds {message}",
            path=self.path,
            where=where,
            hint="no Keras writes such an archive; get the model from someone you trust",
            threats=(f"{where}: {message}" if where else message,),
        )


def is_zip(run: ByteRange) -> bool:
    """Whether the bytes end as a zip does; what lies before it (a stub, a header) doesn't matter."""
    return run.size >= 22 and _END in run.read_at(max(run.size - _TAIL, 0), _TAIL)


def read_directory(run: ByteRange, path: str | None) -> tuple[Entry, ...]:
    """The files of an archive, in the order of its directory; folders are left out.

    Raises:
        CorruptedModelError: It is truncated or damaged.
        UnsafeModelError: Honest archives don't have that: two entries of one name, names that lead outside, links,
            headers that disagree, members that overlap.
        UnsupportedFormatError: Members are encrypted, or compressed in a way that Keras doesn't read.
    """
    reading = _Reading(run, path)
    try:
        count, size, offset, end = _end(reading)
        base = end - size - offset  # bytes before the archive proper
        if base < 0 or size < 0:
            raise reading.damaged("its directory lies outside of it")
        if count > MAX_MEMBERS or count * 46 > size:
            raise reading.damaged(f"a directory of {size:,} bytes can't list {count:,} members")
        rows = list(_rows(reading, run.read_at(end - size, size), count))
    except (struct.error, IndexError) as error:
        raise reading.damaged("a header ends before its last field") from error
    check_names([row.name for row in rows], reading.unsafe)
    return tuple(_checked(reading, rows, base, end - size))


def _end(reading: _Reading) -> tuple[int, int, int, int]:
    """Number of entries, size and offset of the central directory, and where it ends in the run."""
    run = reading.run
    start = max(run.size - _TAIL, 0)
    tail = run.read_at(start, _TAIL)
    found = [at for at in _occurrences(tail, _END) if at + 22 <= len(tail)]
    ending = [at for at in found if at + 22 + struct.unpack_from("<H", tail, at + 20)[0] == len(tail)]
    if len(ending) > 1:
        raise reading.unsafe("two directories: programs would disagree on which one counts")
    if not ending and len(found) != 1:
        raise _truncated(reading)
    at = (ending or found)[0]
    disk, first, here, count, size, offset, _ = struct.unpack_from("<4x4HIIH", tail, at)
    if disk or first or here != count:
        raise reading.damaged("it is one part of several")
    end = start + at
    if at >= 20 and tail[at - 20 : at - 16] == _LOCATOR:
        place = struct.unpack_from("<4xIQI", tail, at - 20)[1]
        wide = run.read_at(end - 76, 56)
        if not wide.startswith(_END64):
            raise reading.damaged("its zip64 end record is missing")
        entries, total, wide_size, wide_offset = struct.unpack_from("<24xQQQQ", wide)
        if entries != total or place > end:
            raise reading.damaged("it is one part of several")
        for narrow, value, unknown in (
            (count, total, _UNKNOWN16), (size, wide_size, _UNKNOWN32), (offset, wide_offset, _UNKNOWN32)
        ):  # fmt: skip
            if narrow not in (value, unknown):
                raise reading.unsafe("two directories: its zip64 end record disagrees with the other one")
        count, size, offset, end = total, wide_size, wide_offset, end - 76
    return count, size, offset, end


def _occurrences(data: bytes, wanted: bytes) -> Iterator[int]:
    at = data.find(wanted)
    while at >= 0:
        yield at
        at = data.find(wanted, at + 1)


def _truncated(reading: _Reading) -> CorruptedModelError:
    """The error for an archive without its directory, with the members that are whole."""
    run, at, needed = reading.run, 0, 0
    whole: list[str] = []
    cut = ""
    while len(whole) < 1000:
        head = run.read_at(at, 30)
        if len(head) < 30 or not head.startswith(_LOCAL):
            break
        flags, stored, names, extra = (*struct.unpack_from("<6xH10xI", head), *struct.unpack_from("<26xHH", head))
        name = run.read_at(at + 30, names).decode("utf-8", "replace")
        more = run.read_at(at + 30 + names, extra)
        if stored == _UNKNOWN32 and len(more) >= 20 and more[:2] == b"\1\0":
            stored = struct.unpack_from("<12xQ", more)[0]
        following = at + 30 + names + extra + stored
        if following > run.size or (flags & _DESCRIPTOR and not stored):
            cut, needed = name, following
            break
        whole.append(name)
        at = following
    size = (
        f"{run.size:,} of at least {needed:,} bytes"
        if needed > run.size
        else f"{run.size:,} bytes, its directory is missing"
    )
    inside = f"; it ends inside {cut}" if cut else ""
    return CorruptedModelError(
        f"the zip archive is truncated: {size}{inside}",
        path=reading.path,
        where=cut or None,
        hint="the download or copy stopped early: do it again",
        damage=(cut or "the archive's directory",),
        recoverable=tuple(whole),
    )


def _rows(reading: _Reading, data: bytes, count: int) -> Iterator[_Row]:
    at = 0
    for _ in range(count):
        if data[at : at + 4] != _CENTRAL:
            raise reading.damaged("its directory is broken")
        made, flags, method, crc, stored, size, names, extra, comment, disk, mode, offset = struct.unpack_from(
            "<4xH2xHH4xIIIHHHH2xII", data, at
        )
        raw = data[at + 46 : at + 46 + names]
        more = data[at + 46 + names : at + 46 + names + extra]
        at += 46 + names + extra + comment
        if at > len(data):
            raise reading.damaged("its directory is broken")
        name = _decoded(reading, raw, flags)
        if disk not in (0, _UNKNOWN16):
            raise reading.damaged("it is one part of several", name)
        size, stored, offset = _wide(reading, more, name, (size, stored, offset))
        unix = mode >> 16 if made >> 8 == _UNIX else 0
        yield _Row(raw, name, flags, method, crc, stored, size, offset, unix)
    if at != len(data):
        raise reading.damaged("its directory has more entries than it says")


def _decoded(reading: _Reading, raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError as error:
        raise reading.unsafe("a name that is no UTF-8") from error


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _wide(reading: _Reading, extra: bytes, name: str, values: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes and offsets with the 64-bit ones in place of those that say 'see there'."""
    seen: set[int] = set()
    found = b""
    for kind, data in _fields(extra):
        if kind in (0x0001, 0x7075):
            if kind in seen:
                raise reading.unsafe("one extra field twice", name)
            seen.add(kind)
        if kind == 0x0001:
            found = data
        elif kind == 0x7075 and data[5:] != name.encode():  # Info-ZIP's other name for the entry
            raise reading.unsafe("an entry with two names", name)
    result = []
    for value in values:
        if value == _UNKNOWN32:
            if len(found) < 8:
                raise reading.damaged("a 64-bit size is missing", name)
            value, found = struct.unpack_from("<Q", found)[0], found[8:]
        result.append(value)
    return tuple(result)


def _checked(reading: _Reading, rows: list[_Row], base: int, limit: int) -> Iterator[Entry]:
    """The files, each compared with its local header; `limit` is where the directory starts."""
    ends: dict[int, int] = {}
    entries = {}
    for row in sorted(rows, key=lambda r: r.offset):
        start, end = _extent(reading, row, base, limit)
        previous = max(ends.values(), default=base)
        if base + row.offset < previous:
            raise reading.unsafe("members that overlap", row.name)
        ends[row.offset] = end
        if len(ends) > 1:  # only the furthest end is needed
            ends = {row.offset: end}
        if not row.name.endswith("/"):
            entries[row.name] = Entry(row.name, row.size, row.stored, start, row.crc, row.method == 8)
    for row in rows:
        if row.name in entries:
            yield entries[row.name]


def _extent(reading: _Reading, row: _Row, base: int, limit: int) -> tuple[int, int]:
    """Where the bytes of a member begin and end in the run."""
    at = base + row.offset
    head = reading.run.read_at(at, 30)
    if len(head) < 30 or not head.startswith(_LOCAL):
        raise reading.damaged("its header is missing", row.name)
    flags, method, crc, stored, size, names, extra = struct.unpack_from("<6xHH4xIIIHH", head)
    rest = reading.run.read_at(at + 30, names + extra)
    if rest[:names] != row.raw or ((flags ^ row.flags) & _UTF8 and not row.raw.isascii()):
        raise reading.unsafe("an entry with two names: its header has another one than the directory", row.name)
    _supported(reading, row, flags | row.flags)
    values: tuple[int, ...] = (size, stored)
    if _UNKNOWN32 in values:
        values = _wide(reading, rest[names:], row.name, values)
    size, stored = values
    streamed = flags & _DESCRIPTOR  # sizes follow the data; Python's zipfile on outputs that can't seek
    told = (method, *((0, 0, 0) if streamed and not (crc or stored or size) else (crc, stored, size)))
    expected = (row.method, *((0, 0, 0) if streamed and told[1:] == (0, 0, 0) else (row.crc, row.stored, row.size)))
    if told != expected:
        raise reading.unsafe("an entry whose two headers disagree", row.name)
    start = at + 30 + names + extra
    end = start + row.stored
    if end > limit:
        raise reading.damaged(f"{row.stored:,} bytes at {start:,} reach into its directory", row.name)
    if row.method == 0 and row.size != row.stored:
        raise reading.unsafe("an entry whose two sizes disagree", row.name)
    return start, end


def _supported(reading: _Reading, row: _Row, flags: int) -> None:
    kind = _KINDS.get(row.mode & 0o170000)
    if kind is not None:
        raise reading.unsafe(kind, row.name)
    problem: SafeLoadError | None = None
    if flags & (_ENCRYPTED | _STRONG | _MASKED):
        problem = UnsupportedFormatError(
            "the archive is encrypted", path=reading.path, where=row.name, detected="encrypted-zip",
            hint="unzip it with its password and load what was inside",
        )  # fmt: skip
    elif row.method not in _READABLE and not row.name.endswith("/"):
        problem = UnsupportedFormatError(
            f"a member is compressed with {_METHODS.get(row.method, f'method {row.method}')}",
            path=reading.path,
            where=row.name,
            detected="zip",
            hint="unzip it and zip it again, stored or deflated",
        )
    if problem is not None:
        raise problem
