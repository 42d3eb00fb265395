"""No bytes do anything but become arrays or a SafeLoadError; nothing reaches outside the file or past its size."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hdf5_zoo import VERSIONS, keras_like, made, storages, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from safeload.bytesource import ByteRange
from safeload.errors import CorruptedModelError, SafeLoadError, UnsafeModelError
from safeload.formats.hdf5 import Group, byte_plan, limits, open_hdf5, recoverable

WEIGHTS = np.arange(8, dtype="f4")


def opened(data: bytes) -> Group:
    return open_hdf5(ByteRange.of_buffer(data), "model.h5")


def read_everything(data: bytes) -> None:
    """Walk, decode every attribute and read every array, as a loader would."""
    root = opened(data)
    nodes: list[Any] = [root]
    while nodes:
        node = nodes.pop()
        dict(node.attrs)
        if isinstance(node, Group):
            nodes += node.children.values()
        else:
            node.read()


def soft(file: h5py.File) -> None:
    file["a/kernel"] = WEIGHTS
    file["link"] = h5py.SoftLink("/a/kernel")


def external(file: h5py.File) -> None:
    file["link"] = h5py.ExternalLink("/etc/passwd", "/a")


def hard_cycle(file: h5py.File) -> None:
    file["a/b/up"] = file.create_group("a/b").parent


def hard_alias(file: h5py.File) -> None:
    file["a"] = WEIGHTS
    file["b"] = file["a"]


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((8,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "w", (8,))
    file.create_virtual_dataset("w", layout)


def external_storage(file: h5py.File) -> None:
    file.create_dataset("w", (8,), "f4", external=[("/etc/hostname", 0, 32)])


def object_reference(file: h5py.File) -> None:
    file["a"] = WEIGHTS
    file.create_dataset("w", data=[file["a"].ref], dtype=h5py.ref_dtype)


def region_reference(file: h5py.File) -> None:
    file["a"] = WEIGHTS
    file.create_dataset("w", data=[file["a"].regionref[1:3]], dtype=h5py.regionref_dtype)


def ragged(file: h5py.File) -> None:
    file.create_dataset("w", (2,), h5py.vlen_dtype(np.float32))


def compound(file: h5py.File) -> None:
    file["w"] = np.zeros(3, [("a", "f4"), ("b", "i4")])


def opaque(file: h5py.File) -> None:
    file["w"] = np.zeros(3, "V7")


def array_type(file: h5py.File) -> None:
    h5py.h5d.create(file.id, b"w", h5py.h5t.array_create(h5py.h5t.IEEE_F32LE, (2, 2)), h5py.h5s.create_simple((3,)))


def committed_type(file: h5py.File) -> None:
    file["type"] = np.dtype("f4")


def uses_committed_type(file: h5py.File) -> None:
    file["x/type"] = np.dtype("f4")
    file.create_dataset("w", (3,), file["x/type"])


def odd_float(file: h5py.File) -> None:
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_fields(31, 20, 11, 0, 20)
    h5py.h5d.create(file.id, b"w", kind, h5py.h5s.create_simple((3,)))


def unknown_filter(file: h5py.File) -> None:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((4,))
    plist.set_filter(305, h5py.h5z.FLAG_OPTIONAL)
    h5py.h5d.create(file.id, b"w", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((8,)), plist)


def scaleoffset(file: h5py.File) -> None:
    file.create_dataset("w", data=np.arange(8), chunks=(4,), scaleoffset=0)


def unstored(file: h5py.File) -> None:
    file.create_dataset("w", (1 << 16, 1 << 16), "f4")


def unstored_many(file: h5py.File) -> None:
    for i in range(100):
        file.create_dataset(f"w{i}", (1 << 12,), "f4")


def unstored_chunks(file: h5py.File) -> None:
    file.create_dataset("w", (1 << 20, 1 << 12), "f4", chunks=(1 << 10, 1 << 12), compression="gzip")


def huge_chunk(file: h5py.File) -> None:
    file.create_dataset("w", (4,), "f4", chunks=(1 << 29,), maxshape=(None,), compression="gzip")


def too_many_dimensions_of_nothing(file: h5py.File) -> None:
    file.create_dataset("w", (0, 1 << 40, 1 << 20), "i1")


def deep(file: h5py.File) -> None:
    group: Any = file
    for _ in range(limits.MAX_DEPTH + 1):
        group = group.create_group("g")


UNSAFE = [
    soft, external, virtual, external_storage, object_reference, region_reference, ragged, compound, opaque, array_type,
    committed_type, uses_committed_type, odd_float, unknown_filter, scaleoffset, unstored, unstored_many, unstored_chunks,
    huge_chunk, too_many_dimensions_of_nothing, deep,
]  # fmt: skip


@pytest.mark.parametrize("version", ["earliest", "latest"])
@pytest.mark.parametrize("fill", UNSAFE, ids=lambda f: f.__name__)
def test_refused(fill: Callable[[h5py.File], None], version: str) -> None:
    data = made(fill, **VERSIONS[version])
    with pytest.raises(UnsafeModelError) as caught:
        read_everything(data)
    assert caught.value.threats and caught.value.path == "model.h5"


@pytest.mark.parametrize("version", ["earliest", "latest"])
@pytest.mark.parametrize("fill", [hard_cycle, hard_alias], ids=lambda f: f.__name__)
def test_each_object_has_one_place(fill: Callable[[h5py.File], None], version: str) -> None:
    with pytest.raises(UnsafeModelError, match="two links lead to one object"):
        opened(made(fill, **VERSIONS[version]))


@pytest.mark.parametrize("kind", [h5py.ref_dtype, h5py.vlen_dtype(np.int32)], ids=["reference", "ragged"])
def test_attribute_types(kind: Any) -> None:
    def fill(file: h5py.File) -> None:
        file.attrs["fine"] = 1
        h5py.h5a.create(file.id, b"odd", h5py.h5t.py_create(kind, logical=True), h5py.h5s.create(h5py.h5s.SCALAR))

    root = opened(made(fill))
    assert root.attrs["fine"] == 1
    with pytest.raises(UnsafeModelError, match="odd"):
        root.attrs["odd"]


def test_deflate_bomb_is_stopped_at_the_chunk() -> None:
    def fill(file: h5py.File) -> None:
        dataset = file.create_dataset("w", (1000,), "i1", chunks=(1000,), compression="gzip")
        dataset.id.write_direct_chunk((0,), zlib.compress(bytes(50 << 20)))

    data = made(fill)
    assert len(data) < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(CorruptedModelError, match="cut off or too large"):
            read_everything(data)
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_overlapping_data_is_refused() -> None:
    data = bytearray(made(lambda file: file.update({"a": WEIGHTS, "b": WEIGHTS})))
    with h5py.File(io.BytesIO(data)) as file:
        a, b = file["a"].id.get_offset(), file["b"].id.get_offset()
    at = data.index(struct.pack("<QQ", b, 32))
    data[at : at + 8] = struct.pack("<Q", a + 4)
    with pytest.raises(CorruptedModelError, match="overlaps"):
        opened(bytes(data))


def test_not_hdf5() -> None:
    for data in (b"", b"\x89HDF\r\n\x1a\n", b"x" * 3000, b"\x89HDF\r\n\x1a\n" + b"\0" * 5000):
        with pytest.raises(CorruptedModelError):
            opened(data)


def test_writer_did_not_close(tmp_path: Path) -> None:
    path = tmp_path / "open.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["a"] = WEIGHTS
        file.flush()
        data = path.read_bytes()
    with pytest.raises(CorruptedModelError):
        opened(data)


def test_truncated_says_how_much_is_there() -> None:
    data = made(keras_like)
    with pytest.raises(CorruptedModelError) as caught:
        opened(data[:-100])
    assert f"{len(data) - 100:,} of {len(data):,} bytes" in str(caught.value)
    assert caught.value.damage == (f"{len(data) - 100:,} of {len(data):,} bytes",)


def test_recoverable() -> None:
    def fill(file: h5py.File) -> None:
        for name in ("first", "second", "third"):
            file.create_group(f"model_weights/{name}/{name}")
        for i, name in enumerate(("first", "second", "third")):
            file[f"model_weights/{name}/{name}/kernel:0"] = np.full((50, 100), i, "f4")

    data = made(fill)
    places = {p.path: p for p in byte_plan(ByteRange.of_buffer(data))}
    third = places["/model_weights/third/third/kernel:0"]
    assert third.offset is not None
    cut = data[: third.offset + 1000]
    assert {p.path.split("/")[2] for p in recoverable(ByteRange.of_buffer(cut))} == {"first", "second"}
    with pytest.raises(CorruptedModelError) as caught:
        opened(cut)
    assert caught.value.recoverable == ("first", "second")
    assert "2 layers are whole" in str(caught.value)
    assert recoverable(ByteRange.of_buffer(data[:50])) == ()


@pytest.mark.parametrize("version", ["earliest", "latest", "user-block"])
def test_truncation_anywhere(version: str) -> None:
    data = made(keras_like, **VERSIONS[version])
    for end in range(0, len(data), 64):
        with pytest.raises(SafeLoadError):
            read_everything(data[:end])
        recoverable(ByteRange.of_buffer(data[:end]))


@pytest.mark.parametrize("fill", [keras_like, storages, texts], ids=lambda f: f.__name__)
@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_bit_flips(version: str, fill: Callable[[h5py.File], None]) -> None:
    data = made(fill, **VERSIONS[version])
    step = max(len(data) // 150, 16)
    for at in range(0, len(data), step):
        damaged = bytearray(data)
        damaged[at] ^= 1 << (at // step % 8)
        outcome(bytes(damaged))


def outcome(data: bytes) -> None:
    try:
        read_everything(data)
    except SafeLoadError as error:
        assert str(error)


SEEDS = {
    (version, fill.__name__): made(fill, **VERSIONS[version])
    for version in ("earliest", "latest", "tracked")
    for fill in (keras_like, texts, storages)
}


@settings(max_examples=400, deadline=10_000)
@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.sampled_from(
                [b"\0", b"\xff", b"\1", b"\x7f", b"\0" * 8, b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\x10\0\0\0"]
            )
            | st.binary(min_size=1, max_size=8),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_mutations(seed: tuple[str, str], changes: list[tuple[float, bytes]]) -> None:
    data = bytearray(SEEDS[seed])
    for place, new in changes:
        at = int(place * len(data))
        data[at : at + len(new)] = new[: len(data) - at]
    outcome(bytes(data))


@settings(max_examples=150, deadline=10_000)
@given(st.binary(max_size=400))
def test_any_bytes(tail: bytes) -> None:
    outcome(tail)
    outcome(b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0" + tail)
