"""Elements from their stored bytes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from safeload.formats.hdf5.faults import Damaged

if TYPE_CHECKING:
    from safeload.formats.hdf5.datatypes import Datatype
    from safeload.formats.hdf5.global_heap import GlobalHeaps

__all__ = ["decoded_texts", "empty_array", "native", "plain_array", "text_array"]


def decoded_texts(heaps: GlobalHeaps, datatype: Datatype, raw: bytes) -> list[bytes]:
    """The bytes of each text, without its padding."""
    if datatype.variable:
        return heaps.texts(raw)
    texts = [raw[at : at + datatype.size] for at in range(0, len(raw), datatype.size)]
    if datatype.padding == 0:
        return [text.partition(b"\0")[0] for text in texts]
    return [text.rstrip(b"\0" if datatype.padding == 1 else b" ") for text in texts]


def text_array(heaps: GlobalHeaps, datatype: Datatype, shape: tuple[int, ...], raw: bytes) -> Any:
    """An array of strings as h5py gives it: `S` for fixed length, objects (bytes) for variable length."""
    import numpy as np

    texts = decoded_texts(heaps, datatype, raw)
    if not datatype.variable:
        return np.array(texts, f"S{datatype.size}").reshape(shape)
    array = np.empty(len(texts), object)
    array[:] = texts
    return array.reshape(shape)


_ALIGNMENT = 64
"""What TensorFlow takes over without a copy is aligned to this many bytes (EIGEN_MAX_ALIGN_BYTES)."""


def empty_array(datatype: Datatype, shape: tuple[int, ...]) -> Any:
    """An aligned array to read stored elements into: in the byte order of the file."""
    import numpy as np

    try:
        dtype = np.dtype(datatype.code)
        size = math.prod(shape) * dtype.itemsize
        room = np.empty(size + _ALIGNMENT, "u1")
        start = -room.ctypes.data % _ALIGNMENT
        return room[start : start + size].view(dtype).reshape(shape)
    except (ValueError, MemoryError) as error:
        raise Damaged(f"no array of the shape {shape} can be made: {error}") from error


def plain_array(datatype: Datatype, shape: tuple[int, ...], raw: bytes) -> Any:
    """A writable array of numbers in native byte order from stored bytes."""
    array = empty_array(datatype, shape)
    memoryview(array.reshape(-1).view("u1")).cast("B")[:] = raw
    return native(datatype, array)


def native(datatype: Datatype, array: Any) -> Any:
    """The array in native byte order and in its real type."""
    if datatype.name == "bool":
        return array.view("u1").astype(bool)
    if array.dtype.byteorder == ">" or not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array.view(_bfloat16()) if datatype.name == "bfloat16" else array


def _bfloat16() -> Any:
    try:
        import ml_dtypes
    except ImportError as error:
        from safeload.errors import MissingDependencyError

        raise MissingDependencyError(
            "bfloat16 weights need the package ml_dtypes", hint="pip install ml_dtypes", packages=("ml_dtypes",)
        ) from error
    return ml_dtypes.bfloat16
