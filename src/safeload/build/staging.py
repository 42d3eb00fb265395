"""The folder that TensorFlow loads a SavedModel from: what was checked, whatever happens at the path meanwhile.

The graphs and the index of the variables are written from the bytes that were checked. Shards and assets may be large,
and are not copied where the system lets an open file be named (`/proc/self/fd`): the link leads to the very file that
was opened, not to a name that someone may exchange. Nothing else of the model's folder is there.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from safeload.bytesource import ByteRange
from safeload.document import ModelDocument
from safeload.formats.savedmodel import PB
from safeload.formats.tensorflow.loadable import loadable

__all__ = ["staged"]

_FOLDERS = ("variables", "assets")
_PIECE = 1 << 22
_SMALL = 1 << 22
"""Bytes of a file that is copied, so that not every file is held open."""
_OPEN_FILES = "/proc/self/fd"
"""Where Linux has the open files of a process by number; opening one of them opens that file, whatever its name is."""


@contextlib.contextmanager
def staged(document: ModelDocument) -> Iterator[str]:
    """A folder of the SavedModel, for as long as TensorFlow reads from it."""
    members = document.extras["members"]
    with tempfile.TemporaryDirectory(prefix="safeload-") as folder, contextlib.ExitStack() as stack:
        Path(folder, PB).write_bytes(loadable(members[PB].read(), document.extras["meta_graph"]))
        for name, run in members.items():
            parts = PurePosixPath(name).parts
            if len(parts) > 1 and parts[0] in _FOLDERS and _stays_inside(parts):
                target = Path(folder, *parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                _give(run, target, stack)
        yield folder


def _stays_inside(parts: tuple[str, ...]) -> bool:
    return ".." not in parts and not any("\\" in part or ":" in part for part in parts)


def _give(run: ByteRange, target: Path, stack: contextlib.ExitStack) -> None:
    """The bytes of a member under a name: linked where they are a file that can be held open, else written."""
    if run.opener is not None and run.size > _SMALL and os.path.isdir(_OPEN_FILES):
        descriptor = run.opener()
        stack.callback(os.close, descriptor)
        target.symlink_to(f"{_OPEN_FILES}/{descriptor}")
        return
    with target.open("wb") as file:
        for at in range(0, run.size, _PIECE):
            file.write(run.read_at(at, _PIECE))
