"""Random access to bytes: of a file, of a buffer, of a part of either.

Everything that safeload reads of a model goes through a `ByteRange`. It knows its size, reads never go outside it, and
it imports nothing but the standard library.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

__all__ = ["ByteRange", "RangeFile"]


class ByteRange:
    """A run of `size` bytes with random access; slices share the same origin.

    Args:
        read_at: `read_at(offset, length)` of the origin; may return fewer bytes at the origin's end, never more.
        offset: Where the run starts in its origin.
        size: Its length in bytes.
        name: What to call it in messages.
        close: Closes the origin.
        opener: Opens the very file whose bytes these are, all of them, once more; None where there is no such file.
        read_into: `read_into(offset, buffer)` of the origin: fills a writable buffer as far as the origin goes and
            returns how far; without it, `read_at` and a copy.
    """

    __slots__ = ("_close", "_read_at", "_read_into", "name", "offset", "opener", "size")

    def __init__(
        self,
        read_at: Callable[[int, int], bytes],
        offset: int,
        size: int,
        name: str = "",
        close: Callable[[], None] | None = None,
        opener: Callable[[], int] | None = None,
        read_into: Callable[[int, memoryview], int] | None = None,
    ) -> None:
        self._read_at = read_at
        self._read_into = read_into
        self._close = close
        self.opener = opener
        self.offset = offset
        self.size = size
        self.name = name

    @classmethod
    def of_path(cls, path: str | os.PathLike[str], *, follow_symlinks: bool = True) -> ByteRange:
        """The bytes of a file, read with `pread` so that threads may share it.

        Raises:
            OSError: As `os.open` does. With `follow_symlinks=False` a link is an error.
        """
        flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        flags |= getattr(os, "O_NONBLOCK", 0)  # a FIFO must not hang us
        if not follow_symlinks:
            flags |= getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(path, flags)
        size = os.fstat(descriptor).st_size
        if not hasattr(os, "pread"):  # Windows
            return cls.of_file(os.fdopen(descriptor, "rb"), name=os.fspath(path), owned=True)
        closed = [False]

        def read_at(offset: int, length: int) -> bytes:
            if closed[0]:
                raise ValueError("the model file was closed")
            pieces = []
            while length > 0:
                piece = os.pread(descriptor, length, offset)
                if not piece:
                    break
                pieces.append(piece)
                offset += len(piece)
                length -= len(piece)
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)

        def read_into(offset: int, buffer: memoryview) -> int:
            if closed[0]:
                raise ValueError("the model file was closed")
            done = 0
            while done < len(buffer):
                count = os.preadv(descriptor, [buffer[done:]], offset + done)
                if not count:
                    break
                done += count
            return done

        def close() -> None:
            if not closed[0]:
                closed[0] = True
                os.close(descriptor)

        reader = read_into if hasattr(os, "preadv") else None
        return cls(read_at, 0, size, os.fspath(path), close, lambda: os.dup(descriptor), reader)

    @classmethod
    def of_buffer(cls, data: Any, name: str = "bytes") -> ByteRange:
        """The bytes of anything with the buffer protocol; not copied."""
        view = memoryview(data).cast("B")
        return cls(lambda offset, length: bytes(view[offset : offset + length]), 0, len(view), name)

    @classmethod
    def of_file(cls, file: BinaryIO, name: str = "file object", *, owned: bool = False) -> ByteRange:
        """The bytes of a seekable binary file object; the caller keeps it open, its position is restored."""
        lock = threading.Lock()
        position = file.tell()
        size = file.seek(0, io.SEEK_END)
        file.seek(position)

        def read_at(offset: int, length: int) -> bytes:
            with lock:
                before = file.tell()
                try:
                    file.seek(offset)
                    return file.read(length)
                finally:
                    file.seek(before)

        return cls(read_at, 0, size, name, file.close if owned else None)

    def read_at(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`; fewer where the run ends before. Negative numbers are an error."""
        if offset < 0 or length < 0:
            raise ValueError(f"negative offset or length: {offset}, {length}")
        length = min(length, self.size - offset)
        return self._read_at(self.offset + offset, length) if length > 0 else b""

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill a buffer of bytes from `offset`, without a copy where the origin can; how many bytes were there."""
        if offset < 0:
            raise ValueError(f"negative offset: {offset}")
        buffer = buffer[: max(self.size - offset, 0)]
        if self._read_into is not None:
            return self._read_into(self.offset + offset, buffer)
        data = self._read_at(self.offset + offset, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self) -> bytes:
        """All of it."""
        return self.read_at(0, self.size)

    def slice(self, offset: int, size: int, name: str | None = None) -> ByteRange:
        """A part of the run, clipped to it."""
        offset = min(max(offset, 0), self.size)
        size = min(max(size, 0), self.size - offset)
        name = self.name if name is None else name
        return ByteRange(self._read_at, self.offset + offset, size, name, read_into=self._read_into)

    def open(self) -> RangeFile:
        """A read-only file object over the run."""
        return RangeFile(self)

    def close(self) -> None:
        if self._close is not None:
            self._close()

    def __repr__(self) -> str:
        return f"<ByteRange {self.name!r} {self.size} bytes>"


class RangeFile(io.RawIOBase):
    """A read-only, seekable file object over a `ByteRange`, for libraries that want one (zipfile, h5py)."""

    def __init__(self, run: ByteRange) -> None:
        super().__init__()
        self._run = run
        self._position = 0
        self.name = run.name

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._run.size}[whence]
        if base + offset < 0:
            raise ValueError("seek before the start")
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:
            size = max(self._run.size - self._position, 0)
        data = self._run.read_at(self._position, size)
        self._position += len(data)
        return data

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
