"""List a directory once, open its files when they are read, and never follow a link out of it.

Each entry is looked at without following links. A file is opened by that very path, component by component from the
root's descriptor and without following links, and must still be the file that was listed: nothing that changes in
between can lead a read elsewhere.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safeload.bytesource import ByteRange
from safeload.containers.limits import MAX_DEPTH, MAX_FILES, MAX_OPEN_FILES
from safeload.errors import ModelAccessError, UnsafeModelError

__all__ = ["Folder", "listing"]

_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
_FILE = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_FILE |= getattr(os, "O_BINARY", 0)
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")


@dataclass(frozen=True, slots=True)
class File:
    """A file of a listing: its real path below the trusted root, and which file that was."""

    root: str
    parts: tuple[str, ...]
    size: int
    identity: tuple[int, int]


@dataclass
class Folder:
    """The regular files of a directory.

    Attributes:
        path: As the caller gave it.
        files: By name with forward slashes, in sorted order.
        refused: Names of entries that can't be members, and why: links out of the directory, devices, FIFOs.
        folders: Names of the folders at the top.
        complete: False where there were more entries than any model has.
    """

    path: str
    files: Mapping[str, File]
    refused: Mapping[str, str]
    folders: tuple[str, ...] = ()
    complete: bool = True
    _opened: OrderedDict[str, list[int]] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def member(self, name: str) -> ByteRange:
        """A file's bytes; it is opened at the first read.

        Raises:
            KeyError: There is no such file.
            UnsafeModelError: It is a link that leads out of the directory, or no regular file.
        """
        if name in self.refused:
            what = self.refused[name]
            raise UnsafeModelError(
                f"a file of the model is {what}",
                path=self.path,
                where=name,
                hint="copy the model with the contents of its links (cp -rL) if you trust them",
                threats=(f"{name}: {what}",),
            )
        file = self.files[name]
        return ByteRange(
            lambda offset, length: self._read(name, offset, length),
            0,
            file.size,
            name,
            opener=lambda: self._open(name),
        )

    def members(self, names: Iterable[str]) -> dict[str, ByteRange]:
        """Files by name; one that is a link out of the directory is an error, as in `member`."""
        return {name: self.member(name) for name in names}

    def _read(self, name: str, offset: int, length: int) -> bytes:
        descriptor = self._acquire(name)
        try:
            pieces = []
            while length > 0:
                if hasattr(os, "pread"):
                    piece = os.pread(descriptor, min(length, 1 << 30), offset)
                else:  # Windows: one position for all threads
                    with self._lock:
                        os.lseek(descriptor, offset, os.SEEK_SET)
                        piece = os.read(descriptor, min(length, 1 << 30))
                if not piece:
                    break
                pieces.append(piece)
                offset += len(piece)
                length -= len(piece)
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        except OSError as error:
            raise ModelAccessError(f"can't be read: {error.strerror or error}", path=self.path, where=name) from error
        finally:
            self._release(name)

    def _acquire(self, name: str) -> int:
        with self._lock:
            slot = self._opened.get(name)
            if slot is None:
                slot = self._opened[name] = [self._open(name), 0]
            slot[1] += 1
            self._opened.move_to_end(name)
            idle = [n for n, (_, users) in self._opened.items() if not users]
            for other in idle[: max(len(self._opened) - MAX_OPEN_FILES, 0)]:
                os.close(self._opened.pop(other)[0])
            return slot[0]

    def _release(self, name: str) -> None:
        with self._lock:
            slot = self._opened.get(name)
            if slot is not None:
                slot[1] -= 1

    def _open(self, name: str) -> int:
        file = self.files[name]
        try:
            descriptor = _open_below(file.root, file.parts)
        except OSError as error:
            raise ModelAccessError(f"can't be opened: {error.strerror or error}", path=self.path, where=name) from error
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or (found.st_dev, found.st_ino) != file.identity:
            os.close(descriptor)
            raise ModelAccessError(
                "it was replaced while the model was being read", path=self.path, where=name, hint="load it again"
            )
        return descriptor

    def close(self) -> None:
        with self._lock:
            for descriptor, _ in self._opened.values():
                os.close(descriptor)
            self._opened.clear()


def _open_below(root: str, parts: tuple[str, ...]) -> int:
    """Open a file below a directory, following no link on the way."""
    if not _BY_DESCRIPTOR:  # Windows: the caller compares the file's identity
        return os.open(os.path.join(root, *parts), _FILE)
    folder = os.open(root, os.O_RDONLY | _DIRECTORY | getattr(os, "O_CLOEXEC", 0))
    try:
        for part in parts[:-1]:
            following = os.open(part, _FILE | _DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = following
        return os.open(parts[-1], _FILE, dir_fd=folder)
    finally:
        os.close(folder)


def listing(path: str, wanted: Callable[[str], bool]) -> Folder:
    """The files below a directory.

    Args:
        path: The directory; if it is a link itself, the caller named it so.
        wanted: Whether to take a file by its name, and whether to look into a folder (its name ends in `/`).

    Raises:
        ModelAccessError: It can't be read.
    """
    root = os.path.realpath(path)
    trusted = (root, *_blobs(root))
    files: dict[str, File] = {}
    refused: dict[str, str] = {}
    folders: list[str] = []
    count = 0
    stack: list[tuple[str, str, frozenset[str]]] = [(root, "", frozenset((root,)))]
    while stack:
        real, prefix, above = stack.pop()
        try:
            with os.scandir(real) as scan:
                entries = sorted(itertools.islice(scan, MAX_FILES + 1), key=lambda e: e.name)
        except OSError as error:
            if prefix:
                refused[prefix.rstrip("/")] = "a folder that can't be read"
                continue
            raise ModelAccessError(f"can't be opened: {error.strerror or error}", path=path) from error
        for entry in entries:
            count += 1
            if count > MAX_FILES:
                return Folder(path, files, refused, tuple(folders), complete=False)
            name = f"{prefix}{entry.name}"
            if not (wanted(name) or wanted(f"{name}/")):
                continue
            place = _place(entry, trusted)
            if isinstance(place, str):
                refused[name] = place
                continue
            target, status = place
            if stat.S_ISDIR(status.st_mode):
                if not prefix:
                    folders.append(name)
                if target not in above and name.count("/") < MAX_DEPTH and wanted(f"{name}/"):
                    stack.append((target, f"{name}/", above | {target}))
            elif stat.S_ISREG(status.st_mode):
                if wanted(name):
                    home = next(t for t in trusted if target.startswith(os.path.join(t, "")))
                    parts = tuple(os.path.relpath(target, home).split(os.sep))
                    files[name] = File(home, parts, status.st_size, (status.st_dev, status.st_ino))
            else:
                refused[name] = "no regular file"
    return Folder(path, dict(sorted(files.items())), refused, tuple(folders))


def _place(entry: os.DirEntry[str], trusted: tuple[str, ...]) -> tuple[str, os.stat_result] | str:
    """The real path of an entry and what lies there; what is wrong with it, as text."""
    try:
        if not entry.is_symlink():
            return entry.path, os.lstat(entry.path)
        target = os.path.realpath(entry.path)
        if not any(target.startswith(os.path.join(t, "")) for t in trusted):
            return "a link that leads out of its directory"
        return target, os.lstat(target)
    except OSError:
        return "a link that leads nowhere"


def _blobs(root: str) -> Iterator[str]:
    """The store that the links of a Hugging Face snapshot lead to: `models--*/snapshots/REVISION` and `models--*/blobs`.

    The snapshots of huggingface_hub's cache are made of links alone; everything in the store was downloaded with them.
    """
    for folder in Path(root).parents:
        if folder.name == "snapshots" and folder.parent.name.startswith("models--"):
            with contextlib.suppress(OSError):
                yield os.path.realpath(folder.parent / "blobs")
            return
