"""Datatypes and dataspaces: what an element is and how many there are."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from safeload.formats.hdf5.faults import Damaged, Unsafe
from safeload.formats.hdf5.limits import MAX_DIMENSION, MAX_ELEMENT_SIZE, MAX_RANK

__all__ = ["Dataspace", "Datatype", "parse_dataspace", "parse_datatype"]

_REFUSED = {
    2: "a time datatype",
    4: "a bitfield",
    7: "references to objects or regions",
    10: "an array datatype",
    11: "a complex datatype of HDF5 2.0",
}

_FLOATS = {
    # size: (bit offset, precision, exponent at, exponent bits, mantissa at, mantissa bits, bias), sign at
    2: ((0, 16, 10, 5, 0, 10, 15), 15),
    4: ((0, 32, 23, 8, 0, 23, 127), 31),
    8: ((0, 64, 52, 11, 0, 52, 1023), 63),
}
_BFLOAT16 = ((0, 16, 7, 8, 0, 7, 127), 15)
_H5PY_BOOL = [(b"FALSE", b"\0"), (b"TRUE", b"\1")]


@dataclass(frozen=True, slots=True)
class Datatype:
    """A plain datatype.

    Attributes:
        name: NumPy's name of it; `bfloat16`; `string`.
        size: Bytes of an element as stored.
        code: NumPy's code with the byte order as stored (`<f4`); `|S12` for fixed-length strings.
        padding: Of fixed-length strings: 0 ended by a null, 1 padded with nulls, 2 with spaces. None: no such string.
        variable: Whether it is a string of variable length, whose text lies in a global heap.
    """

    name: str
    size: int
    code: str
    padding: int | None = None
    variable: bool = False


@dataclass(frozen=True, slots=True)
class Dataspace:
    """How many elements there are: the shape; None for a null dataspace (h5py's `Empty`)."""

    shape: tuple[int, ...] | None

    @property
    def count(self) -> int:
        if self.shape is None:
            return 0
        n = 1
        for d in self.shape:
            n *= d
        return n


def parse_dataspace(body: bytes) -> Dataspace:
    """A dataspace message (versions 1 and 2)."""
    version, rank, _, kind = struct.unpack_from("<4B", body)
    if version == 1:
        at = 8
    elif version == 2:
        at = 4
        if kind == 2:
            return Dataspace(None)
        if kind > 2 or (kind == 0) != (rank == 0):
            raise Damaged("a dataspace contradicts itself")
    else:
        raise Damaged(f"a dataspace of version {version} is unknown")
    if rank > MAX_RANK:
        raise Damaged(f"{rank} axes are more than HDF5 has")
    shape = struct.unpack_from(f"<{rank}Q", body, at)
    total = 1
    for d in shape:
        total *= d or 1
    if total > MAX_DIMENSION:
        raise Unsafe(f"a shape that fits into no memory: {shape}")
    return Dataspace(shape)


def parse_datatype(body: bytes) -> Datatype:
    """A datatype message (versions 1 to 4): numbers, booleans, complex numbers of h5py, strings, bfloat16 of Keras."""
    return _parse(body)[0]


def _parse(body: bytes) -> tuple[Datatype, int]:
    """The datatype, and how many bytes describe it."""
    kind, low, high, top, size = struct.unpack_from("<4BI", body)
    version, kind = kind >> 4, kind & 15
    bits = low | high << 8 | top << 16
    if not 1 <= version <= 5:
        raise Damaged(f"a datatype of version {version} is unknown")
    if kind in _REFUSED:
        raise Unsafe(_REFUSED[kind])
    if not 0 < size <= MAX_ELEMENT_SIZE:
        raise Damaged(f"elements of {size:,} bytes")
    if kind == 0:
        return _integer(body, bits, size), 12
    if kind == 1:
        return _float(body, bits, size), 20
    if kind == 3:
        if bits & 15 > 2 or bits >> 4 & 15 > 1:
            raise Damaged("a string of unknown padding or character set")
        return Datatype("string", size, f"|S{size}", padding=bits & 15), 8
    if kind == 5:
        return _opaque(body, bits, size), 8 + bits % 256
    if kind == 6:
        return _complex(body, bits, size, version), len(body)
    if kind == 8:
        return _enumeration(body, bits, size, version), len(body)
    if kind == 9:
        if bits & 15 != 1:
            raise Unsafe("elements of variable length")
        if size != 16:
            raise Damaged("a string of variable length is stored in 16 bytes")
        return Datatype("string", 16, "|V16", variable=True), len(body)
    raise Damaged(f"a datatype of class {kind} is unknown")


def _integer(body: bytes, bits: int, size: int) -> Datatype:
    offset, precision = struct.unpack_from("<HH", body, 8)
    if size not in (1, 2, 4, 8) or offset or precision != 8 * size:
        raise Unsafe(f"integers of {precision} bits in {size} bytes")
    sign = "i" if bits & 8 else "u"
    order = "|" if size == 1 else ">" if bits & 1 else "<"
    return Datatype(f"{'' if sign == 'i' else 'u'}int{8 * size}", size, f"{order}{sign}{size}")


def _float(body: bytes, bits: int, size: int) -> Datatype:
    fields = struct.unpack_from("<HHBBBBI", body, 8)
    form = (fields, bits >> 8 & 255)
    order = {0: "<", 1: ">"}.get((bits & 1) | (bits >> 5 & 2))
    if order is None or bits >> 4 & 3 != 2:
        raise Unsafe("floating-point numbers of a foreign form")
    if form == _BFLOAT16 and size == 2:
        return Datatype("bfloat16", 2, f"{order}u2")
    if _FLOATS.get(size) != form:
        raise Unsafe("floating-point numbers of a foreign form")
    return Datatype(f"float{8 * size}", size, f"{order}f{size}")


def _opaque(body: bytes, bits: int, size: int) -> Datatype:
    # h5py stores ml_dtypes' bfloat16 as two opaque bytes without a tag; Keras 3 adds an attribute dtype="bfloat16"
    # (saving_lib.H5Entry), the legacy .h5 format adds nothing. No other type of Keras ends up so.
    if size != 2 or body[8 : 8 + bits % 256].strip(b"\0"):
        raise Unsafe("opaque elements")
    return Datatype("bfloat16", 2, "<u2")


def _enumeration(body: bytes, bits: int, size: int, version: int) -> Datatype:
    if body[8] & 15:
        raise Damaged("an enumeration of something else than integers")
    base, used = _parse(body[8:])
    if base.size != size:
        raise Damaged("an enumeration of another size than its integers")
    count = bits & 0xFFFF
    at = 8 + used
    names = []
    for _ in range(min(count, 3)):
        name, at = _name(body, at, padded=version < 3)
        names.append(name)
    if (
        count == 2
        and size == 1
        and list(zip(names, (body[at : at + 1], body[at + 1 : at + 2]), strict=True)) == _H5PY_BOOL
    ):
        return Datatype("bool", 1, "|b1")
    return base


def _complex(body: bytes, bits: int, size: int, version: int) -> Datatype:
    """h5py's complex numbers: a compound of two floats r and i. Any other compound is refused."""
    at = 8
    members = []
    for _ in range(min(bits & 0xFFFF, 3)):
        name, at = _name(body, at, padded=version < 3)
        width = 4 if version < 3 else max(1, (size.bit_length() + 7) // 8)
        offset = int.from_bytes(body[at : at + width], "little")
        at += width + (28 if version == 1 else 0)
        if body[at] & 15 != 1:
            raise Unsafe("a compound datatype")
        member, used = _parse(body[at:])
        at += used
        members.append((name, offset, member))
    if [m[:2] for m in members] == [(b"r", 0), (b"i", size // 2)]:
        first, second = members[0][2], members[1][2]
        if first == second and first.name in ("float32", "float64") and size == 2 * first.size:
            return Datatype(f"complex{8 * size}", size, f"{first.code[0]}c{size}")
    raise Unsafe("a compound datatype")


def _name(body: bytes, at: int, *, padded: bool) -> tuple[bytes, int]:
    end = body.find(b"\0", at)
    if end < 0:
        raise Damaged("a name without an end")
    length = end - at + 1
    return body[at:end], at + (length + 7 & ~7 if padded else length)
