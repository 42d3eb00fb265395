"""Objects that a caller may pass in place of a path: open files, and things that can be opened."""

from __future__ import annotations

import os
from typing import Any

from safeload.bytesource import ByteRange
from safeload.errors import ModelAccessError

__all__ = ["of_h5py", "of_object"]

_ON_DISK = ("sec2", "stdio", "windows", "direct", "split")


def of_object(thing: Any) -> tuple[ByteRange, str | None] | None:
    """The bytes of a binary file object, or of something with `open` (fsspec, importlib.resources, zipfile.Path).

    Returns:
        The bytes and what to call them; None when it is neither: a path, perhaps.

    Raises:
        TypeError: It gives text.
        ModelAccessError: Reading it raises.
    """
    owned = False
    if not hasattr(thing, "read"):
        if isinstance(thing, str | os.PathLike) or not callable(getattr(thing, "open", None)):
            return None
        called = str(getattr(thing, "path", None) or getattr(thing, "name", None) or thing)
        try:
            thing, owned = _opened(thing), True
        except OSError as error:
            raise ModelAccessError(f"can't be opened: {error.strerror or error}", path=called) from error
    name = getattr(thing, "name", None) or getattr(thing, "path", None)
    path = name if isinstance(name, str) else None
    try:
        if not (hasattr(thing, "seek") and (not hasattr(thing, "seekable") or thing.seekable())):
            data = thing.read()
            if owned:
                thing.close()
            return ByteRange.of_buffer(_binary(data), path or "stream"), path
        position = thing.tell()
        _binary(thing.read(0))
        thing.seek(position)
        return ByteRange.of_file(thing, path or "file object", owned=owned), path
    except (OSError, ValueError) as error:  # ValueError: it is closed
        raise ModelAccessError(f"can't be read: {error}", path=path) from error


def _opened(thing: Any) -> Any:
    try:
        return thing.open("rb")
    except TypeError:  # fsspec.core.OpenFile has its mode already
        return thing.open()


def _binary(data: Any) -> Any:
    if isinstance(data, str):
        raise TypeError("the file object gives text: open it in binary mode, open(path, 'rb')")
    return data


def of_h5py(thing: Any) -> tuple[ByteRange, str, str | None]:
    """The bytes of an open `h5py.File`, the name of the group that was given, and the file's name.

    Raises:
        ModelAccessError: It is closed, or h5py can't give its bytes.
        TypeError: It is an object of h5py that holds no model.
    """
    if not hasattr(type(thing), "file") or not hasattr(type(thing), "keys"):
        raise TypeError(f"an h5py.File or Group is expected, not {type(thing).__name__}")
    try:
        file, group = thing.file, str(thing.name or "/")
        name = os.fsdecode(file.filename)
        if file.mode != "r":
            file.flush()
        if file.driver in _ON_DISK and os.path.isfile(name):
            return ByteRange.of_path(name), group, name
        return ByteRange.of_buffer(_image(file), "h5py file"), group, None
    except (ValueError, RuntimeError, OSError) as error:  # a closed file, a driver without an image
        raise ModelAccessError(f"the h5py file can't be read: {error}", hint="pass the path, or the bytes") from error


def _image(file: Any) -> bytes:
    try:
        image: bytes = file.id.get_file_image()
        return image
    except (RuntimeError, ValueError, OSError):
        stream = file.id.get_access_plist().get_fileobj_driver()  # h5py.File(io.BytesIO(...))
        position = stream.tell()
        try:
            stream.seek(0)
            data: bytes = stream.read()
            return data
        finally:
            stream.seek(position)
