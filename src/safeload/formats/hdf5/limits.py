"""What no honest model file exceeds. Past one of these a file is refused before anything is allocated for it."""

from __future__ import annotations

__all__ = [
    "MAX_BLOCK",
    "MAX_DEPTH",
    "MAX_DIMENSION",
    "MAX_ELEMENT_SIZE",
    "MAX_EXPANSION",
    "MAX_ITEMS",
    "MAX_NAME",
    "MAX_OBJECTS",
    "MAX_RANK",
    "MAX_REREAD",
    "MAX_UNSTORED",
    "MIN_WORK_BYTES",
]

MAX_DEPTH = 100
"""Groups inside groups. Keras nests two for each level of nested models; readers further on recurse as deep."""

MAX_OBJECTS = 300_000
"""Groups and datasets. A model of 10,000 layers with Adam's state has about 140,000."""

MAX_ITEMS = 2_000_000
"""Messages, links, attributes, heap objects and index records that one file may make us decode."""

MAX_BLOCK = 1 << 26
"""Bytes of one structure. The largest honest ones are heaps of names, and texts of architectures."""

MAX_REREAD = 4
"""How many times the file's size its metadata may have us read. An honest one is read about twice: we look ahead."""

MAX_NAME = 4096
"""Bytes of the name of a link or an attribute. Keras puts a whole path of scopes into one (`a/b/c/kernel:0`)."""

MAX_RANK = 32
"""HDF5's own limit (H5S_MAX_RANK)."""

MAX_DIMENSION = 1 << 48
"""Elements along one axis, and elements in all along the axes that are not empty: NumPy takes no more in an array."""

MAX_ELEMENT_SIZE = 1 << 20
"""Bytes of one element; only fixed-length strings come near."""

MAX_UNSTORED = 1 << 20
"""Bytes of elements that a file may declare without storing them (HDF5 fills them in). Keras stores every element."""

MAX_EXPANSION = {"deflate": 1032, "lzf": 132}
"""By what factor a filter can make data larger at most: deflate's longest match is 258 bytes for two bits, LZF's is 264
bytes for two bytes at the least."""

MIN_WORK_BYTES = 1 << 20
"""Caps that grow with the file's size start here, so that small files are not refused for rounding."""
