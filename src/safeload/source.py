"""Open: what lies at the path, judged by its content and never by its name."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safeload.bytesource import ByteRange
from safeload.errors import CorruptedModelError, ModelAccessError, ModelNotFoundError, UnsupportedFormatError
from safeload.findings import Finding

__all__ = ["FORMATS", "Source", "open_source"]

FORMATS = {
    "keras": "Keras v3 archive (.keras)",
    "keras-directory": "Keras v3 archive, unzipped",
    "hdf5": "HDF5 file",
    "savedmodel": "TensorFlow SavedModel",
    "checkpoint": "TensorFlow checkpoint",
    "json": "architecture as JSON",
    "yaml": "architecture as YAML",
    "weights-json": "sharded Keras weights",
    "npz": "NumPy archive",
    "config": "architecture as a dict",
}

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


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
    """

    path: str | None
    format: str
    size: int
    data: ByteRange | None = None
    members: Mapping[str, ByteRange] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    extras: Mapping[str, Any] = field(default_factory=dict)

    def close(self) -> None:
        for run in (self.data, *self.members.values()):
            if run is not None:
                run.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open_source(filepath: Any) -> Source:
    """Open a path, a buffer, a binary file object or an open `h5py.File`.

    Raises:
        ModelNotFoundError: Nothing lies at the path.
        ModelAccessError: The operating system refuses to read it.
        UnsupportedFormatError: It is no Keras model; says what it is.
        CorruptedModelError: It is one, but truncated or damaged.
    """
    if isinstance(filepath, Mapping):
        return Source(None, "config", 0, extras={"config": filepath})
    if isinstance(filepath, bytes | bytearray | memoryview):
        return _of_data(ByteRange.of_buffer(filepath), None)
    if hasattr(filepath, "read") and hasattr(filepath, "seek"):
        return _of_data(ByteRange.of_file(filepath), getattr(filepath, "name", None))
    path = os.fspath(filepath)
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        if Path(path + ".index").exists():
            return _of_checkpoint(path)
        raise ModelNotFoundError(
            "there is no such file or directory", path=path, hint=f"the working directory is {Path.cwd()}"
        ) from error
    except (OSError, ValueError) as error:
        raise ModelAccessError(f"can't be opened: {error}", path=path) from error
    if stat.S_ISDIR(status.st_mode):
        return _of_directory(path)
    try:
        run = ByteRange.of_path(path)
    except OSError as error:
        raise ModelAccessError(f"can't be opened: {error.strerror or error}", path=path) from error
    return _of_data(run, path)


def _of_data(run: ByteRange, path: str | None) -> Source:
    head = run.read_at(0, 512)
    if head.startswith(HDF5_SIGNATURE):
        return Source(path, "hdf5", run.size, run)
    if head.startswith(b"PK\x03\x04"):
        return _of_zip(run, path)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith((b"{", b"[")):
        name = "weights-json" if b'"weight_map"' in run.read_at(0, 1 << 16) else "json"
        return Source(path, name, run.size, run)
    if b"class_name:" in run.read_at(0, 1 << 16):
        return Source(path, "yaml", run.size, run)
    raise UnsupportedFormatError("this is no Keras model", path=path)


def _of_zip(run: ByteRange, path: str | None) -> Source:
    try:
        with zipfile.ZipFile(run.open()) as archive:
            members = {}
            for info in archive.infolist():
                local = run.read_at(info.header_offset, 30)
                start = (
                    info.header_offset
                    + 30
                    + int.from_bytes(local[26:28], "little")
                    + int.from_bytes(local[28:30], "little")
                )
                if info.compress_type == zipfile.ZIP_STORED:
                    members[info.filename] = run.slice(start, info.file_size, info.filename)
                else:
                    members[info.filename] = ByteRange.of_buffer(archive.read(info), info.filename)
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise CorruptedModelError(f"the zip archive is damaged: {error}", path=path) from error
    if "config.json" in members:
        return Source(path, "keras", run.size, run, members)
    if any(name.endswith(".npy") for name in members):
        return Source(path, "npz", run.size, run, members)
    raise UnsupportedFormatError("a zip archive without config.json is no Keras model", path=path)


def _of_directory(path: str) -> Source:
    members = {}
    root = Path(path)
    for file in sorted(root.rglob("*")):
        if file.is_file():
            members[file.relative_to(root).as_posix()] = ByteRange.of_path(file)
    size = sum(run.size for run in members.values())
    if "saved_model.pb" in members:
        return Source(path, "savedmodel", size, None, members)
    if "config.json" in members:
        return Source(path, "keras-directory", size, None, members)
    raise UnsupportedFormatError("the directory holds no model", path=path)


def _of_checkpoint(prefix: str) -> Source:
    folder, name = Path(prefix).parent, Path(prefix).name
    members = {f.name: ByteRange.of_path(f) for f in sorted(folder.iterdir()) if f.name.startswith(name + ".")}
    return Source(prefix, "checkpoint", sum(r.size for r in members.values()), None, members)
