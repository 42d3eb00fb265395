"""Open: what lies at the path, judged by its content and never by its name."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from safeload.bytesource import ByteRange
from safeload.containers import directories, zips
from safeload.containers.found import FORMATS, Found
from safeload.containers.handles import of_h5py, of_object
from safeload.containers.kinds import NAME_SAYS_OTHERWISE, TF_TABLE, kind_of
from safeload.containers.nearby import hint_for, similar
from safeload.containers.strangers import stranger, unsupported
from safeload.errors import ModelAccessError, ModelNotFoundError
from safeload.findings import Finding

__all__ = ["FORMATS", "Source", "open_source"]

_SHARD = re.compile(r"(.+)\.data-\d{5}-of-\d{5}")
_SPECIAL = (
    (stat.S_ISFIFO, "fifo", "a pipe (FIFO)"),
    (stat.S_ISSOCK, "socket", "a socket"),
    (stat.S_ISCHR, "device", "a device"),
    (stat.S_ISBLK, "device", "a device"),
)


@dataclass(frozen=True)
class Source:
    """What lies at the path.

    Attributes:
        path: As the caller gave it; None for buffers and file objects.
        format: One of `FORMATS`.
        size: Bytes of the file, or of all files of the directory.
        data: The file's bytes; None for directories.
        members: Files inside a zip or a directory, by name with forward slashes.
        findings: What opening saw (a name that says otherwise than the content, for example).
        extras: `config`: the dict that was given; `group`: the group of an open HDF5 file that was given.
        verifiers: By member, functions that read it once and compare its checksum; they raise `CorruptedModelError`.
        closing: What `close` calls.
    """

    path: str | None
    format: str
    size: int
    data: ByteRange | None = None
    members: Mapping[str, ByteRange] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    extras: Mapping[str, Any] = field(default_factory=dict)
    verifiers: Mapping[str, Callable[[], None]] = field(default_factory=dict, repr=False)
    closing: tuple[Callable[[], None], ...] = field(default=(), repr=False)

    def close(self) -> None:
        for run in (self.data, *self.members.values()):
            if run is not None:
                run.close()
        for close in self.closing:
            close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open_source(filepath: Any) -> Source:
    """Open a path, a buffer, a binary file object, an object with `open`, an `h5py.File` or group, or a config dict.

    Raises:
        ModelNotFoundError: Nothing lies at the path.
        ModelAccessError: The operating system refuses to read it.
        UnsupportedFormatError: It is no Keras model; says what it is.
        CorruptedModelError: It is one, but truncated or damaged.
        UnsafeModelError: Its container is one that no honest writer makes.
        TypeError: `filepath` is none of these.
    """
    if type(filepath).__module__.split(".")[0] == "h5py":  # a Mapping as well, so before them
        run, group, name = of_h5py(filepath)
        return Source(name, "hdf5", run.size, run, extras={"group": group})
    if isinstance(filepath, Mapping):
        return Source(None, "config", 0, extras={"config": filepath})
    if isinstance(filepath, bytes | bytearray | memoryview):
        return _of_data(ByteRange.of_buffer(filepath), None)
    handle = of_object(filepath)
    if handle is not None:
        return _closing_on_error(handle[0], handle[1])
    path = os.fsdecode(os.fspath(filepath))
    path, status = _status(path)
    if status is None:
        return _source(directories.of_checkpoint(path), path)
    if stat.S_ISDIR(status.st_mode):
        return _source(directories.of_directory(path), path)
    for test, detected, what in _SPECIAL:
        if test(status.st_mode):
            hint = "models are read in any order: copy it to a file first, or pass the bytes"
            raise unsupported(detected, f"this is {what}, not a file", hint, path)
    try:
        run = ByteRange.of_path(path)
    except OSError as error:
        raise _access(error, path) from error
    return _closing_on_error(run, path)


def _status(path: str) -> tuple[str, os.stat_result | None]:
    """The path and what lies there; None at the prefix of a checkpoint, of which no file has that very name."""
    try:
        return path, os.stat(path)
    except NotADirectoryError as error:
        plain = path.rstrip("/" + (os.altsep or os.sep))
        if plain != path and os.path.isfile(plain):  # `model.h5/`
            return plain, os.stat(plain)
        raise _not_found(path) from error
    except (FileNotFoundError, ValueError) as error:
        if "\0" not in path and os.path.isfile(f"{path}.index"):
            return path, None
        raise _not_found(path) from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise _not_found(path) from error
        raise _access(error, path) from error


def _not_found(path: str) -> ModelNotFoundError:
    if path.lstrip().startswith(("{", "[")):
        return ModelNotFoundError("this is a JSON text, not a path", hint="pass json.loads(text), with weights=")
    if "\0" in path or len(path) > 4096:
        return ModelNotFoundError("no path can be like that: it is too long or has a NUL in it", path=path[:80])
    if os.path.islink(path):
        target = os.readlink(path)
        return ModelNotFoundError(f"is a link to {target}, which does not exist", path=path, hint="mend the link")
    return ModelNotFoundError(
        "there is no such file or directory", path=path, hint=hint_for(path), similar=similar(path)
    )


def _access(error: OSError, path: str) -> ModelAccessError:
    permission = isinstance(error, PermissionError)
    hint = (
        "check the permissions of the file and of the folders above it" if permission else "check where its links lead"
    )
    return ModelAccessError(f"can't be opened: {error.strerror or error}", path=path, hint=hint)


def _closing_on_error(run: ByteRange, path: str | None) -> Source:
    try:
        return _of_data(run, path)
    except BaseException:
        run.close()
        raise


def _of_data(run: ByteRange, path: str | None) -> Source:
    kind = kind_of(run)
    if kind == TF_TABLE and path is not None and path.endswith(".index"):
        prefix = path.removesuffix(".index")
        run.close()
        return _source(directories.of_checkpoint(prefix), path)
    shard = _SHARD.fullmatch(path) if path is not None and kind is None else None
    if shard and os.path.isfile(f"{shard.group(1)}.index"):
        run.close()
        return _source(directories.of_checkpoint(shard.group(1)), path)
    if kind == "checkpoint-state" and path is not None:
        run.close()
        return _source(directories.of_directory(os.path.dirname(path) or "."), path)
    if kind == "zip":
        source = _source(zips.of_zip(run, path), path)
    elif kind in FORMATS:
        source = Source(path, str(kind), run.size, run)
    else:
        raise stranger(run, path)
    told = _name_says(path, source.format)
    return source if told is None else replace(source, findings=(*source.findings, told))


def _source(found: Found, path: str | None) -> Source:
    return Source(
        path=path,
        format=found.format,
        size=found.size,
        data=found.data,
        members=found.members,
        findings=found.findings,
        verifiers=found.verifiers,
        closing=found.closing,
    )


_ENDINGS = {
    ".keras": ("keras", "keras-directory"),
    ".h5": ("hdf5",),
    ".hdf5": ("hdf5",),
    ".json": ("json", "weights-json"),
    ".yaml": ("yaml",),
    ".yml": ("yaml",),
    ".npz": ("npz",),
}


def _name_says(path: str | None, format: str) -> Finding | None:
    """A note where the name promises another format: Keras itself goes by the name."""
    ending = os.path.splitext(path or "")[1].lower()
    expected = _ENDINGS.get(ending)
    if expected is None or format in expected:
        return None
    return NAME_SAYS_OTHERWISE.finding(
        f"the name ends in {ending}, but it is a {FORMATS[format]}",
        hint="rename it: Keras goes by the name, safeload by the content",
        evidence={"ending": ending, "format": format},
    )
