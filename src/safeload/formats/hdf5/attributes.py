"""Attributes of groups and datasets, decoded when they are asked for."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from safeload.formats.hdf5.btree2 import records_v2
from safeload.formats.hdf5.datatypes import Dataspace, Datatype, parse_dataspace, parse_datatype
from safeload.formats.hdf5.faults import FAULTS, Damaged, Unsafe, as_error
from safeload.formats.hdf5.fractal_heap import FractalHeap
from safeload.formats.hdf5.global_heap import GlobalHeaps
from safeload.formats.hdf5.headers import ATTRIBUTE_INFO, Header
from safeload.formats.hdf5.image import UNDEFINED, Image
from safeload.formats.hdf5.limits import MAX_NAME
from safeload.formats.hdf5.values import decoded_texts, plain_array

if TYPE_CHECKING:
    from safeload.formats.hdf5.tree import Tree

__all__ = ["Attributes"]

_NAME_RECORDS = 8


class _Stored(NamedTuple):
    """An attribute message in its parts."""

    name: bytes
    datatype: bytes
    dataspace: bytes
    data: bytes


class Attributes(Mapping[str, Any]):
    """Attributes by name, in h5py's order.

    Values: `str`, `int`, `float`, `bool`, `complex`; a list of `str` for arrays of strings; a NumPy array for arrays of
    numbers; None for h5py's `Empty`. Strings of fixed length (h5py 2 gave bytes) and of variable length are the same.

    Raises (on access):
        CorruptedModelError: An attribute is damaged.
        UnsafeModelError: It is of a datatype that no model needs.
    """

    __slots__ = ("_header", "_index", "_tree", "_where")

    def __init__(self, tree: Tree, header: Header, where: Callable[[], str]) -> None:
        self._tree = tree
        self._header = header
        self._where = where
        self._index: dict[str, _Stored] | None = None

    def _stored(self) -> dict[str, _Stored]:
        if self._index is None:
            try:
                self._index = _index(self._tree.image.fork(), self._header)
            except FAULTS as fault:
                raise as_error(fault, path=self._tree.path, where=f"{self._where()}: attributes") from fault
        return self._index

    def __getitem__(self, name: str) -> Any:
        stored = self._stored()[name]
        try:
            return _value(self._tree.heaps, stored)
        except FAULTS as fault:
            raise as_error(fault, path=self._tree.path, where=f"{self._where()}: attribute {name}") from fault

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored())

    def __len__(self) -> int:
        return len(self._stored())

    def __contains__(self, name: object) -> bool:
        return name in self._stored()

    def __repr__(self) -> str:
        return f"<attributes {list(self)}>"


def _index(image: Image, header: Header) -> dict[str, _Stored]:
    found = [(order, _parts(body)) for order, body in header.attributes]
    info = header.bodies.get(ATTRIBUTE_INFO)
    if info is not None:
        found += _dense(image, info)
    if header.tracks_attributes:
        found.sort(key=lambda item: item[0])
    else:
        found.sort(key=lambda item: item[1].name)
    index = {stored.name.decode("utf-8"): stored for _, stored in found}
    if len(index) != len(found):
        raise Damaged("two attributes have the same name")
    return index


def _dense(image: Image, info: bytes) -> Sequence[tuple[int, _Stored]]:
    version, flags = struct.unpack_from("<BB", info)
    if version:
        raise Damaged(f"attribute info of version {version} is unknown")
    heap_address, names = struct.unpack_from("<QQ", info, 4 if flags & 1 else 2)
    if heap_address == UNDEFINED:
        return []
    heap = FractalHeap(image, heap_address)
    found = []
    for record in records_v2(image, names, _NAME_RECORDS):
        identifier, shared, order = struct.unpack_from("<8sBI", record)
        if shared & 2:
            raise Unsafe("a message shared with another object")
        found.append((order, _parts(heap.get(identifier))))
    return found


def _parts(body: bytes) -> _Stored:
    """The parts of an attribute message (versions 1 to 3)."""
    version, flags, name, datatype, dataspace = struct.unpack_from("<BBHHH", body)
    if not 1 <= version <= 3:
        raise Damaged(f"an attribute of version {version} is unknown")
    if version > 1 and flags & 3:
        raise Unsafe("a message shared with another object (a committed datatype)")
    if not 0 < name <= MAX_NAME:
        raise Damaged("an attribute's name is empty or too long")
    at = 9 if version == 3 else 8
    parts = []
    for length in (name, datatype, dataspace):
        parts.append(body[at : at + length])
        at += length + 7 & ~7 if version == 1 else length
    return _Stored(parts[0].partition(b"\0")[0], parts[1], parts[2], body[at:])


def _value(heaps: GlobalHeaps, stored: _Stored) -> Any:
    datatype, dataspace = parse_datatype(stored.datatype), parse_dataspace(stored.dataspace)
    size = dataspace.count * datatype.size
    if size > len(stored.data):
        raise Damaged("an attribute is shorter than its shape says")
    raw = stored.data[:size]
    if dataspace.shape is None:
        return None
    if datatype.name == "string":
        texts = [text.decode("utf-8") for text in decoded_texts(heaps, datatype, raw)]
        return texts if dataspace.shape else texts[0]
    return _numbers(datatype, dataspace, raw)


_SCALARS = {"f2": "e", "f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q"} | {
    "u1": "B",
    "u2": "H",
    "u4": "I",
    "u8": "Q",
}
"""NumPy's codes in the language of `struct`: single numbers are read without NumPy, which may not be installed."""


def _numbers(datatype: Datatype, dataspace: Dataspace, raw: bytes) -> Any:
    if dataspace.count == 0:  # h5py makes an array of floats of an empty list of names
        return []
    code = _SCALARS.get(datatype.code[1:])
    if not dataspace.shape and code and datatype.name not in ("bool", "bfloat16"):
        return struct.unpack(f"{'>' if datatype.code[0] == '>' else '<'}{code}", raw)[0]
    array = plain_array(datatype, dataspace.shape or (), raw)
    return array if dataspace.shape else array.item()
