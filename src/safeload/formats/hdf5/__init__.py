"""HDF5: groups, attributes and datasets of a file, read through h5py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safeload.bytesource import ByteRange
from safeload.errors import CorruptedModelError

__all__ = ["Dataset", "Group", "open_hdf5"]


def open_hdf5(run: ByteRange, path: str | None = None) -> Group:
    """The root group of an HDF5 file.

    Raises:
        CorruptedModelError: The file is truncated or damaged.
    """
    import h5py

    try:
        return Group(h5py.File(run.open(), "r"))
    except OSError as error:
        raise CorruptedModelError(f"the HDF5 file is damaged: {error}", path=path) from error


def _value(value: Any) -> Any:
    import numpy as np

    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.dtype.kind in "OSU":
        return [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in value.ravel()]
    if isinstance(value, np.generic):
        return value.item()
    return value


class _Attributes(Mapping[str, Any]):
    def __init__(self, attributes: Any) -> None:
        self._attributes = attributes

    def __getitem__(self, name: str) -> Any:
        return _value(self._attributes[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)


class Group:
    """A group: attributes, and groups and datasets by name."""

    def __init__(self, group: Any) -> None:
        self._group = group
        self.name: str = group.name
        self.attrs: Mapping[str, Any] = _Attributes(group.attrs)

    def keys(self) -> list[str]:
        return list(self._group.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def get(self, name: str) -> Group | Dataset | None:
        import h5py

        try:
            node = self._group.get(name)
        except (KeyError, ValueError):
            return None
        if isinstance(node, h5py.Group):
            return Group(node)
        return Dataset(node) if isinstance(node, h5py.Dataset) else None

    def groups(self) -> Iterator[tuple[str, Group]]:
        for name in self.keys():
            node = self.get(name)
            if isinstance(node, Group):
                yield name, node

    def datasets(self) -> Iterator[tuple[str, Dataset]]:
        for name in self.keys():
            node = self.get(name)
            if isinstance(node, Dataset):
                yield name, node


class Dataset:
    """A dataset: its shape and type, and its array when it is asked for."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self.name: str = dataset.name
        self.shape: tuple[int, ...] = dataset.shape or ()
        self.dtype: str = "string" if dataset.dtype.kind in "OSU" else dataset.dtype.name
        self.attrs: Mapping[str, Any] = _Attributes(dataset.attrs)
        self.offset: int | None = dataset.id.get_offset() if dataset.chunks is None else None
        self.length: int | None = int(dataset.id.get_storage_size()) if self.offset is not None else None

    def read(self) -> Any:
        return self._dataset[()]
