"""The byte plan of a file, and what is left of one that was cut off."""

from __future__ import annotations

from dataclasses import dataclass

from safeload.bytesource import ByteRange
from safeload.errors import CorruptedModelError, SafeLoadError
from safeload.formats.hdf5.faults import FAULTS, as_error
from safeload.formats.hdf5.superblock import Superblock, find_superblock
from safeload.formats.hdf5.tree import Dataset, Group, Tree

__all__ = ["DatasetPlace", "byte_plan", "open_hdf5", "recoverable"]

_OPTIMIZER = ("optimizer_weights", "optimizer")


@dataclass(frozen=True, slots=True)
class DatasetPlace:
    """Where one dataset lies.

    Attributes:
        path: Its full path, with a leading slash.
        shape, dtype: As `Dataset` has them.
        offset, length: The run of bytes in the file; None where it is no contiguous run.
        storage: `contiguous`, `compact`, `chunked` or `empty`.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    offset: int | None
    length: int | None
    storage: str


def open_hdf5(run: ByteRange, path: str | None = None) -> Group:
    """The root group of an HDF5 file. All objects are walked and checked; no array is read.

    Args:
        run: The file's bytes.
        path: As the caller gave it, for messages.

    Raises:
        CorruptedModelError: The file is truncated or damaged; `recoverable` has the layers that are whole.
        UnsafeModelError: It holds links or datasets of a kind that no model needs.
    """
    superblock = _superblock(run, path)
    if superblock.end > run.size:
        raise _truncated(run, path, superblock)
    return Tree(run, superblock, path).root


def byte_plan(run: ByteRange, path: str | None = None) -> tuple[DatasetPlace, ...]:
    """Every dataset of a file in the order of its bytes, those without a run of bytes last. Raises as `open_hdf5`."""
    places = [_place(dataset) for dataset in open_hdf5(run, path).walk()]
    return tuple(sorted(places, key=lambda place: (place.offset is None, place.offset or 0)))


def recoverable(run: ByteRange, path: str | None = None) -> tuple[DatasetPlace, ...]:
    """The datasets that are whole in a file that was cut off or damaged; nothing where even its start is damaged."""
    tree = _remains(run, path)
    return tuple(_place(dataset) for dataset in tree.root.walk()) if tree else ()


def _place(dataset: Dataset) -> DatasetPlace:
    return DatasetPlace(dataset.name, dataset.shape, dataset.dtype, dataset.offset, dataset.length, dataset.storage)


def _superblock(run: ByteRange, path: str | None) -> Superblock:
    try:
        return find_superblock(run)
    except FAULTS as fault:
        raise as_error(fault, path=path, where="superblock") from fault


def _remains(run: ByteRange, path: str | None) -> Tree | None:
    try:
        return Tree(run, _superblock(run, path), path, lenient=True)
    except SafeLoadError:
        return None


def _truncated(run: ByteRange, path: str | None, superblock: Superblock) -> CorruptedModelError:
    tree = _remains(run, path)
    whole = _whole_layers(tree) if tree else ()
    rest = f"the weights of {len(whole)} layers are whole; " if whole else ""
    return CorruptedModelError(
        f"the HDF5 file is truncated: {run.size:,} of {superblock.end:,} bytes",
        path=path,
        where=run.name if run.name != path else None,
        hint=f"{rest}download or copy it again",
        damage=(f"{run.size:,} of {superblock.end:,} bytes",),
        recoverable=whole,
    )


def _whole_layers(tree: Tree) -> tuple[str, ...]:
    """Layers with at least one array, all of whose arrays are whole."""
    broken = {_layer(place) for place in tree.broken}
    found = dict.fromkeys(_layer(dataset.name) for dataset in tree.root.walk())
    lost = tuple(f"{place}/" for place in tree.broken)
    return tuple(layer for layer in found if layer and layer not in broken and not f"/{layer}/".startswith(lost))


def _layer(path: str) -> str:
    """The layer that an array belongs to: what stands before `vars`, or the group below the legacy layout's root."""
    parts = path.strip("/").split("/")
    if parts[0] in _OPTIMIZER:
        return ""
    if "vars" in parts:
        return "/".join(parts[: parts.index("vars")])
    if parts[0] == "model_weights":
        parts = parts[1:]
    return parts[0] if len(parts) > 1 or path.startswith("/model_weights/") else ""
