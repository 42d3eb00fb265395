"""Our reader says what h5py says: names, order, attributes, shapes, types, offsets, values."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import pytest
from hdf5_zoo import VERSIONS, made, numbers, storages, variants

from safeload.bytesource import ByteRange
from safeload.formats.hdf5 import Dataset, Group, byte_plan, open_hdf5

FILES = [pytest.param(options, fill, id=f"{version}-{contents}") for version, contents, options, fill in variants()]


def test_zoo_is_whole() -> None:
    assert {p.id.rsplit("-", 1)[0] for p in FILES} == set(VERSIONS)


@pytest.mark.parametrize(("options", "fill"), FILES)
def test_same_as_h5py(options: dict[str, Any], fill: Callable[[h5py.File], None]) -> None:
    data = made(fill, **options)
    with h5py.File(io.BytesIO(data)) as file:
        assert_same(open_hdf5(ByteRange.of_buffer(data)), file)


def test_large_files_are_read_through_pages() -> None:
    def fill(file: h5py.File) -> None:
        for i in range(40):
            file[f"layers/d{i}/vars/0"] = np.full((100, 100), i, "f4")
        file.attrs["text"] = "y" * 100_000

    data = made(fill)
    assert len(data) > 1_500_000
    with h5py.File(io.BytesIO(data)) as file:
        assert_same(open_hdf5(ByteRange.of_buffer(data)), file)


def test_a_slice_of_a_larger_file_is_a_file() -> None:
    data = made(numbers)
    run = ByteRange.of_buffer(b"\x89HDF junk" + data + b"more").slice(9, len(data))
    with h5py.File(io.BytesIO(data)) as file:
        assert_same(open_hdf5(run), file)


@pytest.mark.parametrize("version", VERSIONS)
def test_byte_plan(version: str) -> None:
    data = made(numbers, **VERSIONS[version])
    plan = byte_plan(ByteRange.of_buffer(data))
    expected = {}
    with h5py.File(io.BytesIO(data)) as file:

        def visit(name: str, node: Any) -> None:
            if isinstance(node, h5py.Dataset):
                offset = node.id.get_offset() if node.id.get_storage_size() else None
                length = None if offset is None else node.id.get_storage_size()
                expected["/" + name] = (node.shape or (), node.dtype.name, offset, length)

        file.visititems(visit)
    assert {p.path: (p.shape, p.dtype, p.offset, p.length) for p in plan} == expected
    offsets = [p.offset for p in plan if p.offset is not None]
    assert offsets == sorted(offsets)
    first = next(p for p in plan if p.path == "/little/f4")
    stored = np.frombuffer(data, "<f4", 15, first.offset).reshape(first.shape)
    with h5py.File(io.BytesIO(data)) as file:
        assert np.array_equal(stored, file["little/f4"][()])


def test_bfloat16_as_keras_stores_it() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = np.array([1.5, -2, 3e38]).astype(ml_dtypes.bfloat16)

    def fill(file: h5py.File) -> None:
        file["0"] = values
        file["0"].attrs["dtype"] = "bfloat16"

    dataset = open_hdf5(ByteRange.of_buffer(made(fill))).get("0")
    assert isinstance(dataset, Dataset)
    assert dataset.dtype == "bfloat16"
    array = dataset.read()
    assert array.dtype == ml_dtypes.bfloat16
    assert array.tobytes() == values.tobytes()


def test_storage_kinds() -> None:
    root = open_hdf5(ByteRange.of_buffer(made(storages)))
    kinds = {name: node.storage for name, node in root.datasets()}
    assert kinds == {"compact": "compact", "unwritten": "empty", "filled": "empty"}
    chunked = root.get("chunked")
    assert isinstance(chunked, Group)
    assert {node.storage for _, node in chunked.datasets()} == {"chunked"}
    assert all(node.offset is None and node.length is None for _, node in chunked.datasets())


def test_paths() -> None:
    root = open_hdf5(ByteRange.of_buffer(made(lambda file: file.create_dataset("a/b/c:0", data=1))))
    group = root.get("a")
    assert isinstance(group, Group)
    found = group.get("b/c:0")
    assert isinstance(found, Dataset)
    assert found is root.get("/a/b/c:0") is group.get("/a/b/c:0")
    assert found.name == "/a/b/c:0"
    assert "b/c:0" in group and "b/x" not in group and group.get("b/c:0/d") is None
    assert found.read().shape == ()


def assert_same(node: Group | Dataset | None, reference: Any) -> None:
    """Compare a node and all below it with h5py's."""
    assert node is not None
    place = reference.name
    assert node.name == place
    assert list(node.attrs) == list(reference.attrs), place
    for name, value in reference.attrs.items():
        assert_same_value(node.attrs[name], value, f"{place}@{name}")
    if isinstance(reference, h5py.Group):
        assert isinstance(node, Group), place
        assert node.keys() == list(reference.keys()), place
        for name in reference:
            assert_same(node.get(name), reference[name])
        return
    assert isinstance(node, Dataset), place
    assert node.shape == (reference.shape or ()), place
    if reference.chunks is None and node.storage == "contiguous":
        assert (node.offset, node.length) == (reference.id.get_offset(), reference.id.get_storage_size()), place
    expected = reference[()]
    if isinstance(expected, h5py.Empty):
        return
    array = node.read()
    expected = np.asarray(expected)
    assert array.shape == expected.shape and array.flags.writeable, place
    if node.dtype == "string":
        assert array.tolist() == expected.tolist(), place
        return
    assert array.dtype.name == node.dtype == expected.dtype.name and array.dtype.isnative, place
    assert np.array_equal(array, expected, equal_nan=array.dtype.kind in "fc"), place


def assert_same_value(value: Any, expected: Any, place: str) -> None:
    if isinstance(expected, h5py.Empty):
        assert value is None, place
    elif isinstance(expected, np.ndarray) and expected.dtype.kind in "OSU":
        assert value == [t.decode() if isinstance(t, bytes) else t for t in expected.ravel()], place
    elif isinstance(expected, bytes):
        assert value == expected.decode(), place
    elif isinstance(expected, np.ndarray) and expected.size == 0:
        assert value == [], place
    elif isinstance(expected, np.ndarray):
        assert value.dtype.name == expected.dtype.name and np.array_equal(value, expected), place
    else:
        assert type(value) is type(expected.item() if isinstance(expected, np.generic) else expected), place
        assert value == expected, place
