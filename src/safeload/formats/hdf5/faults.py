"""What the parsers raise inside, and how it becomes one of safeload's exceptions."""

from __future__ import annotations

import struct
import zlib

from safeload.errors import CorruptedModelError, SafeLoadError, UnsafeModelError

__all__ = ["FAULTS", "Damaged", "Unsafe", "as_error"]


class Damaged(Exception):
    """The bytes are no valid HDF5."""


class Unsafe(Exception):
    """Valid HDF5, but a construct that no weights need and that reaches further than the file's own plain data."""


FAULTS = (Damaged, Unsafe, struct.error, IndexError, UnicodeDecodeError, OverflowError, zlib.error)
"""What parsing raises on bytes that are not as they should be: slices that are too short end in `struct.error`."""

_SAFE_HINT = (
    "weights are plain arrays; rewrite the file with h5py, with hard links and plain arrays only, if you trust it"
)


def as_error(fault: Exception, *, path: str | None, where: str) -> SafeLoadError:
    """The exception to raise for a fault at a place in the file."""
    if isinstance(fault, Unsafe):
        return UnsafeModelError(
            f"the HDF5 file holds {fault}", path=path, where=where, hint=_SAFE_HINT, threats=(f"{where}: {fault}",)
        )
    return CorruptedModelError(
        f"the HDF5 file is damaged: {_text(fault)}", path=path, where=where, damage=(f"{where}: {_text(fault)}",)
    )


def _text(fault: Exception) -> str:
    if isinstance(fault, Damaged):
        return str(fault)
    if isinstance(fault, UnicodeDecodeError):
        return "a text is no UTF-8"
    if isinstance(fault, zlib.error):
        return "compressed data is broken"
    return "a structure ends before its last field"
