"""HDF5 files of every kind that the reader takes, made with h5py here and now."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np

VERSIONS: dict[str, dict[str, Any]] = {
    "earliest": {"libver": "earliest"},
    "latest": {"libver": "latest"},
    "v108": {"libver": ("earliest", "v108")},
    "v110": {"libver": ("v110", "v110")},
    "tracked": {"libver": "earliest", "track_order": True},
    "tracked-latest": {"libver": "latest", "track_order": True},
    "user-block": {"libver": "earliest", "userblock_size": 1024},
    "user-block-latest": {"libver": "latest", "userblock_size": 512},
}
"""How h5py can be told to write: what decides superblock, object headers, groups and layouts."""


def made(fill: Callable[[h5py.File], None], **options: Any) -> bytes:
    """The bytes of a file."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        fill(file)
    return buffer.getvalue()


def numbers(file: h5py.File) -> None:
    """All types of numbers, both byte orders, several ranks."""
    rng = np.random.default_rng(1)
    for order in "<>":
        for code in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"):
            values = (rng.random((3, 5)) * 100).astype(order + code)
            file[f"{'big' if order == '>' else 'little'}/{code}"] = values
    file["bool"] = np.array([[True, False], [False, True]])
    file["bool0"] = np.bool_(True)
    file["scalar"] = np.float32(2.5)
    file["empty"] = h5py.Empty("f4")
    file["zero"] = np.zeros((3, 0, 2), "f4")
    file["rank8"] = rng.random((1, 2, 1, 3, 1, 2, 1, 2))
    file["special"] = np.array([np.nan, np.inf, -np.inf, -0.0], "f4")
    file["enum"] = np.zeros(2, "i1")
    kind = h5py.enum_dtype({"RED": 0, "GREEN": 300}, basetype="i4")
    file.create_dataset("colour", data=np.array([0, 300], "i4"), dtype=kind)


def texts(file: h5py.File) -> None:
    """Strings as h5py 2 and 3 and Keras write them, in attributes and datasets."""
    file.attrs["vlen"] = "größer"
    file.attrs["bytes"] = b"h5py 3 makes this variable"
    file.attrs["fixed"] = np.bytes_("h5py 2")
    file.attrs["empty"] = ""
    file.attrs["empty_list"] = []
    file.attrs["null"] = h5py.Empty("f4")
    file.attrs["names"] = np.array([b"dense", b"dense_1/kernel:0", b""])
    file.attrs["vlen_names"] = ["a", "bb", "ä"]
    file.attrs["two_axes"] = np.array([[b"a", b"b"], [b"c", b"d"]])
    file.attrs["config"] = "x" * 200_000
    file["vlen"] = ["one", "", "drei"]
    file["fixed"] = np.array([b"one", b"", b"three"])
    file["scalar"] = "text"
    for name, padding in (("nullterm", h5py.h5t.STR_NULLTERM), ("spacepad", h5py.h5t.STR_SPACEPAD)):
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(6)
        kind.set_strpad(padding)
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        h5py.h5a.create(file.id, name.encode(), kind, space).write(np.array(b"ab\0cd" if name == "nullterm" else b"ab"))


def attributes(file: h5py.File) -> None:
    """Numbers as attributes, many attributes, large ones where the version allows."""
    for code in ("i1", "u8", "f2", "f4", ">f8", "c8", "?"):
        file.attrs[f"scalar_{code}"] = np.array(1, code)[()]
        file.attrs[f"array_{code}"] = np.array([[1, 0, 1]], code)
    many = file.create_group("many")
    for i in range(60):
        many.attrs[f"n{i * 7 % 60}"] = i
    dataset = file.create_dataset("with", data=np.arange(3))
    dataset.attrs["dtype"] = "bfloat16 or not"


def large_attributes(file: h5py.File) -> None:
    """Attributes over 64 KB need dense storage."""
    file.attrs["large"] = np.arange(100_000)
    file.attrs["small"] = 1
    file.attrs["names"] = np.array([f"layer_{i}".encode() for i in range(9_000)])


def groups(file: h5py.File) -> None:
    """Nested and wide groups, names of all kinds."""
    file.create_group("/".join("abcdefgh" * 5))
    wide = file.create_group("wide")
    for i in range(700):
        wide.create_group(f"layer_{i * 37 % 700}")
    for name in ("ünïcode", "with space", "layers\\conv1d", "kernel:0", "_", "Z", "a.b"):
        file.create_group(name)["vars/0"] = np.arange(2.0)
    file.create_group("names").create_group("x" * 900)


def storages(file: h5py.File) -> None:
    """Contiguous, compact, chunked with each filter and index."""
    values = (np.arange(7 * 11) % 13).astype("f4").reshape(7, 11)
    plain = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plain.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple(values.shape)
    h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, plain).write(h5py.h5s.ALL, h5py.h5s.ALL, values)
    for name, options in CHUNKED.items():
        file.create_dataset(f"chunked/{name}", data=values, **options)
    file.create_dataset("chunked/big", data=values.astype(">f8"), chunks=(3, 4), compression="gzip")
    file.create_dataset("chunked/words", data=["a", "bb", "ccc"], chunks=(2,), compression="gzip")
    file.create_dataset("chunked/fixed", data=np.array([b"a", b"bb", b"ccc"]), chunks=(2,), shuffle=True)
    file.create_dataset("chunked/bool", data=np.array([True, False, True]), chunks=(2,), compression="lzf")
    holes = file.create_dataset("chunked/holes", (9, 9), "i4", chunks=(3, 3), fillvalue=7)
    holes[4, 4] = 1
    file.create_dataset("chunked/many", data=np.arange(400), chunks=(2,), compression="gzip")
    resized = file.create_dataset("chunked/resized", data=np.arange(100), chunks=(7,), maxshape=(None,))
    resized.resize((53,))
    file.create_dataset("unwritten", (4, 5), "f4")
    file.create_dataset("filled", (4, 5), "i2", fillvalue=-3)


CHUNKED: dict[str, dict[str, Any]] = {
    "plain": {"chunks": (3, 4)},
    "whole": {"chunks": (7, 11)},
    "whole_gzip": {"chunks": (7, 11), "compression": "gzip"},
    "gzip": {"chunks": (3, 4), "compression": "gzip"},
    "gzip_shuffle": {"chunks": (3, 4), "compression": "gzip", "shuffle": True},
    "fletcher32": {"chunks": (3, 4), "fletcher32": True},
    "all": {"chunks": (3, 4), "compression": "gzip", "shuffle": True, "fletcher32": True},
    "lzf": {"chunks": (3, 4), "compression": "lzf"},
    "lzf_shuffle": {"chunks": (3, 4), "compression": "lzf", "shuffle": True},
    "growing": {"chunks": (3, 4), "maxshape": (None, 11)},
    "growing_all": {"chunks": (3, 4), "maxshape": (None, None), "compression": "gzip"},
}

CONTENTS: dict[str, Callable[[h5py.File], None]] = {
    "numbers": numbers,
    "texts": texts,
    "attributes": attributes,
    "large_attributes": large_attributes,
    "groups": groups,
    "storages": storages,
}


def keras_like(file: h5py.File) -> None:
    """A small file of the legacy layout and the v3 layout at once."""
    file.attrs["keras_version"] = "3.15.1"
    file.attrs["model_config"] = '{"class_name": "Sequential"}'
    file.attrs["layer_names"] = np.array([b"dense", b"dense_1"])
    for name in ("dense", "dense_1"):
        group = file.create_group(name)
        group.attrs["weight_names"] = np.array([f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()])
        group[f"{name}/kernel:0"] = np.arange(12, dtype="f4").reshape(3, 4)
        group[f"{name}/bias:0"] = np.ones(4, "f4")
    file["layers/conv/vars/0"] = np.arange(6, dtype="f2")


def variants() -> Iterator[tuple[str, str, dict[str, Any], Callable[[h5py.File], None]]]:
    """(version, contents, options, fill) of every file of the zoo."""
    for version, options in VERSIONS.items():
        for contents, fill in CONTENTS.items():
            if contents == "large_attributes" and version in ("earliest", "v108", "tracked", "user-block"):
                continue  # object headers of version 1 hold 64 KB at most
            yield version, contents, options, fill
