"""Read chunked datasets: the index says where chunks lie, we read and unfilter them ourselves."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from safeload.formats.hdf5.faults import Damaged, Unsafe
from safeload.formats.hdf5.filters import unfiltered
from safeload.formats.hdf5.image import UNDEFINED, Image
from safeload.formats.hdf5.limits import MAX_UNSTORED
from safeload.formats.hdf5.symbols import nodes_v1
from safeload.formats.hdf5.values import empty_array

if TYPE_CHECKING:
    from safeload.formats.hdf5.tree import Dataset

__all__ = ["Chunk", "read_chunks"]


_MAX_ONE_BY_ONE = 2_000
"""Chunks that are asked for one by one where h5py can't list them: each question walks the whole index."""


class Chunk(NamedTuple):
    """A stored chunk: its first element's coordinates, where its bytes lie, which filters were left out."""

    first: tuple[int, ...]
    address: int
    size: int
    skipped: int


def read_chunks(image: Image, dataset: Dataset) -> Any:
    """The stored elements as an array in the file's byte order; elements that no chunk holds have the fill value."""
    storage, shape, datatype = dataset.stored, dataset.shape, dataset.datatype
    chunks = storage.chunks
    assert chunks is not None
    size = datatype.size
    for length in chunks.shape:
        size *= length
    grid = [-(-length // chunk) for length, chunk in zip(shape, chunks.shape, strict=True)]
    wanted = 1
    for steps in grid:
        wanted *= steps
    found: dict[tuple[int, ...], Chunk] = {}
    for chunk in _chunks(image, dataset, size):
        if any(at % step for at, step in zip(chunk.first, chunks.shape, strict=True)) or chunk.first in found:
            raise Damaged("the index of chunks contradicts itself")
        if all(at < length for at, length in zip(chunk.first, shape, strict=True)):  # others were cut off by a resize
            found[chunk.first] = chunk
    if (wanted - len(found)) * size > MAX_UNSTORED:
        raise Unsafe(f"{wanted - len(found):,} chunks that are not stored")
    array = empty_array(datatype, shape)
    if len(found) < wanted:
        array.view(f"V{datatype.size}")[...] = _fill(storage.fill, datatype.size)
    for first, chunk in found.items():
        place = tuple(slice(at, min(at + c, d)) for at, c, d in zip(first, chunks.shape, shape, strict=True))
        partial = any(p.stop - p.start < c for p, c in zip(place, chunks.shape, strict=True))
        filters = () if partial and chunks.plain_edges else storage.filters
        raw = unfiltered(image.fetch(chunk.address, chunk.size), filters, chunk.skipped, size, datatype.size)
        array[place] = _shaped(raw, datatype.code, chunks.shape)[tuple(slice(p.stop - p.start) for p in place)]
    return array


def _fill(fill: bytes, size: int) -> Any:
    import numpy as np

    return np.frombuffer(fill or bytes(size), f"V{size}")[0]


def _shaped(raw: bytes, code: str, shape: tuple[int, ...]) -> Any:
    import numpy as np

    return np.frombuffer(raw, code).reshape(shape)


def _chunks(image: Image, dataset: Dataset, size: int) -> Iterator[Chunk]:
    chunks = dataset.stored.chunks
    assert chunks is not None
    rank = len(chunks.shape)
    origin = (0,) * rank
    if chunks.address == UNDEFINED:
        return
    if chunks.index == "single":
        stored, skipped = chunks.stored or (size, 0)
        yield Chunk(origin, chunks.address, stored, skipped)
    elif chunks.index == "implicit":
        steps = [range(0, length, chunk) for length, chunk in zip(dataset.shape, chunks.shape, strict=True)]
        for number, first in enumerate(itertools.product(*steps)):
            image.spend()
            yield Chunk(first, chunks.address + number * size, size, 0)
    elif chunks.index == "btree":
        for key, address in nodes_v1(image, chunks.address, kind=1, key=16 + 8 * rank):
            stored, skipped, *coordinates = struct.unpack_from(f"<II{rank}Q", key)
            yield Chunk(tuple(coordinates), address, stored, skipped)
    else:
        yield from _listed_by_h5py(image, dataset)


def _listed_by_h5py(image: Image, dataset: Dataset) -> Iterator[Chunk]:
    """Chunks by the indexes of HDF5 1.10 on (fixed and extensible arrays, B-trees of version 2).

    libhdf5 sees an object that our own parse has found allowed, and gives no more than the list of places.
    """
    import h5py

    try:
        with h5py.File(image.run.open(), "r") as file:
            node = h5py.h5o.open(file.id, dataset.name.encode())
            if h5py.h5o.get_info(node).addr != dataset.address:
                raise Damaged("h5py finds another object under this name")
            count = node.get_num_chunks()
            image.spend(count)
            listed: list[Any] = []
            if hasattr(node, "chunk_iter"):  # HDF5 1.12.3 on
                node.chunk_iter(listed.append)
            elif count <= _MAX_ONE_BY_ONE:
                listed += (node.get_chunk_info(i) for i in range(count))
            else:
                raise Damaged(f"this h5py is too old to list {count:,} chunks")
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"the index of chunks can't be read: {error}") from error
    for info in listed:
        yield Chunk(tuple(info.chunk_offset), info.byte_offset - image.base, info.size, info.filter_mask)
