"""Read a tensor bundle: the variables of a SavedModel or a checkpoint, `<prefix>.index` and `<prefix>.data-0000i-of-0000n`.

The index is a table: the key `""` holds the header, every other key a tensor's type, shape, shard, offset, size and
CRC. See `tensorflow/core/util/tensor_bundle/tensor_bundle.{h,cc}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safeload.bytesource import ByteRange
from safeload.document import WeightEntry
from safeload.errors import CorruptedModelError
from safeload.formats.tensorflow.crc32c import crc32c, masked
from safeload.formats.tensorflow.protos import BUNDLE_ENTRY, BUNDLE_HEADER, DTYPES
from safeload.formats.tensorflow.table import read_table
from safeload.formats.tensorflow.wire import WireError, parse, varint

if TYPE_CHECKING:
    import numpy as np

__all__ = ["OBJECT_GRAPH", "Bundle", "read_bundle", "shape_of"]

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""The key of the serialized object graph (`trackable/base.py`, TF 1.12 on)."""

_MAX_RANK = 254
_MAX_SHARDS = 100_000
_NUMPY = {
    "bfloat16": "<u2",
    "qint8": "i1",
    "quint8": "u1",
    "qint32": "<i4",
    "qint16": "<i2",
    "quint16": "<u2",
    "float8_e5m2": "u1",
    "float8_e4m3fn": "u1",
    "int4": "i1",
    "uint4": "u1",
}
"""Types that NumPy doesn't have by that name, by what they are stored as."""


@dataclass(frozen=True, slots=True)
class _Tensor:
    dtype: str
    shape: tuple[int, ...]
    shard: str
    offset: int
    size: int
    crc: int | None


@dataclass(frozen=True)
class Bundle:
    """The tensors of a bundle by key; bytes are read when they are wanted.

    Attributes:
        entries: By key, in the order of the keys. A partitioned variable is one entry, put together from its slices.
        size: Bytes of all tensors.
    """

    entries: Mapping[str, WeightEntry]
    size: int


def shape_of(shape: Mapping[str, Any] | None) -> tuple[int | None, ...] | None:
    """A `TensorShapeProto` as numbers, unknown dimensions as None; None for an unknown rank."""
    if shape is None:
        return ()
    if shape.get("unknown_rank"):
        return None
    sizes = [dim.get("size", 0) for dim in shape.get("dim", ())]
    return tuple(None if size < 0 else size for size in sizes)


def read_bundle(members: Mapping[str, ByteRange], prefix: str, path: str | None) -> Bundle:
    """The bundle whose files are called `prefix.*` among the members.

    Raises:
        CorruptedModelError: The index or a shard is missing, truncated or damaged; names the variables concerned.
    """
    index = f"{prefix}.index"
    if index not in members:
        raise CorruptedModelError(f"{index} is missing", path=path, where=index, damage=(index,))
    table = read_table(members[index], path, index)
    header = parse(table.pop(b"", b""), BUNDLE_HEADER, path=path, where=index)
    shards = header.get("num_shards", 0)
    if header.get("endianness", 0):
        raise CorruptedModelError("the variables are stored big-endian", path=path, where=index)
    if not 0 < shards <= _MAX_SHARDS:
        raise CorruptedModelError(f"{index} speaks of {shards} shards", path=path, where=index, damage=(index,))
    tensors: dict[str, _Tensor] = {}
    whole: dict[str, dict[str, Any]] = {}
    slices: dict[str, bytes] = {}
    for raw_key, value in table.items():
        key = raw_key.decode("utf-8", "backslashreplace")
        if b"\0" in raw_key:  # a slice of a partitioned variable: an ordered code of its name and extent
            slices[key] = value
            continue
        entry = parse(value, BUNDLE_ENTRY, path=path, where=index)
        if entry.get("slices"):
            whole[key] = entry
        else:
            tensors[key] = _tensor(entry, key, prefix, shards, path, index)
    _check_shards(tensors, members, path)
    entries = {key: _entry(key, tensor, members, path) for key, tensor in tensors.items()}
    if whole:
        from safeload.formats.tensorflow.slices import joined

        parts = {
            key: _tensor(parse(value, BUNDLE_ENTRY, path=path, where=index), key, prefix, shards, path, index)
            for key, value in slices.items()
        }
        _check_shards(parts, members, path)
        pieces = [_entry(key, tensor, members, path) for key, tensor in parts.items()]
        for key, entry in whole.items():
            dtype, shape = _type(entry, key, path, index)
            entries[key] = joined(key, dtype, shape, entry["slices"], pieces, path)
    ordered = {key: entries[key] for key in sorted(entries)}
    return Bundle(ordered, sum(tensor.size for tensor in tensors.values()))


def _type(entry: Mapping[str, Any], key: str, path: str | None, index: str) -> tuple[str, tuple[int, ...]]:
    dtype = DTYPES.get(entry.get("dtype", 0))
    shape = shape_of(entry.get("shape"))
    if dtype is None or shape is None or len(shape) > _MAX_RANK or any(d is None for d in shape):
        raise CorruptedModelError(f"{key} has no plain type and shape", path=path, where=index, damage=(key,))
    return dtype, tuple(d or 0 for d in shape)


def _tensor(entry: Mapping[str, Any], key: str, prefix: str, shards: int, path: str | None, index: str) -> _Tensor:
    dtype, shape = _type(entry, key, path, index)
    shard, offset, size = entry.get("shard_id", 0), entry.get("offset", 0), entry.get("size", 0)
    count = 1
    for d in shape:
        count *= d
    expected = _width(dtype) * count
    if (
        not 0 <= shard < shards
        or offset < 0
        or size < 0
        or (expected and size != expected)
        or (dtype == "string" and size < count)
    ):
        raise CorruptedModelError(
            f"{key} is said to have {size:,} bytes at {offset:,} of shard {shard}, which can't be for {dtype}{list(shape)}",
            path=path,
            where=index,
            damage=(key,),
        )
    return _Tensor(dtype, shape, f"{prefix}.data-{shard:05d}-of-{shards:05d}", offset, size, entry.get("crc32c"))


def _width(dtype: str) -> int:
    """Bytes of one element; 0 where it varies."""
    if dtype in ("string", "variant", "resource"):
        return 0
    import numpy as np

    return np.dtype(_NUMPY.get(dtype, dtype)).itemsize


def _check_shards(tensors: Mapping[str, _Tensor], members: Mapping[str, ByteRange], path: str | None) -> None:
    """Every tensor lies inside its shard; all that don't are raised at once."""
    needed: dict[str, int] = {}
    for tensor in tensors.values():
        needed[tensor.shard] = max(needed.get(tensor.shard, 0), tensor.offset + tensor.size)
    bad = {s: n for s, n in needed.items() if s not in members or members[s].size < n}
    if not bad:
        return
    damaged = [
        k
        for k, t in tensors.items()
        if t.shard in bad and (t.shard not in members or t.offset + t.size > members[t.shard].size)
    ]
    sizes = [
        f"{shard} is missing (at least {expected:,} bytes)"
        if shard not in members
        else f"{shard} is truncated: {members[shard].size:,} of {expected:,} bytes"
        for shard, expected in sorted(bad.items())
    ]
    shown = ", ".join(damaged[:5]) + (f" and {len(damaged) - 5} more" if len(damaged) > 5 else "")
    raise CorruptedModelError(
        f"{'; '.join(sizes)}; damaged: {shown}",
        path=path,
        where=min(bad),
        hint="copy or download the model again",
        damage=tuple(damaged),
        recoverable=tuple(k for k in tensors if k not in set(damaged)),
    )


def _entry(key: str, tensor: _Tensor, members: Mapping[str, ByteRange], path: str | None) -> WeightEntry:
    return WeightEntry(
        key,
        tensor.shape,
        tensor.dtype,
        lambda: _read(key, tensor, members[tensor.shard], path),
        key,
        tensor.offset,
        tensor.size,
    )


def _read(key: str, tensor: _Tensor, shard: ByteRange, path: str | None) -> np.ndarray:
    import numpy as np

    data = shard.read_at(tensor.offset, tensor.size)
    if tensor.dtype == "string":
        return _strings(key, tensor, data, path)
    if tensor.dtype in ("variant", "resource"):
        raise CorruptedModelError(f"{key} is no array but a {tensor.dtype}", path=path, where=key, damage=(key,))
    if len(data) != tensor.size or (tensor.crc is not None and masked(crc32c(data)) != tensor.crc):
        raise _wrong_sum(key, tensor, path)
    array = np.frombuffer(data, np.dtype(_NUMPY.get(tensor.dtype, tensor.dtype))).reshape(tensor.shape)
    return array.view(_bfloat16()) if tensor.dtype == "bfloat16" else array


def _bfloat16() -> Any:
    import ml_dtypes

    return ml_dtypes.bfloat16


def _wrong_sum(key: str, tensor: _Tensor, path: str | None) -> CorruptedModelError:
    return CorruptedModelError(
        f"{key} is damaged: its {tensor.size:,} bytes at {tensor.offset:,} of {tensor.shard} have another check sum",
        path=path,
        where=tensor.shard,
        hint="copy or download the model again",
        damage=(key,),
    )


def _strings(key: str, tensor: _Tensor, data: bytes, path: str | None) -> np.ndarray:
    """Texts: the lengths as variable-length integers, a CRC of the lengths, then the bytes.

    The CRCs go over the lengths as fixed 32-bit integers (64-bit above 4 GB), not over their stored form.
    """
    import numpy as np

    count = 1
    for d in tensor.shape:
        count *= d
    try:
        lengths, at = [], 0
        for _ in range(count):
            length, at = varint(data, at)
            lengths.append(length)
    except (WireError, IndexError) as error:
        raise _wrong_sum(key, tensor, path) from error
    summed = b"".join(n.to_bytes(4 if n <= 0xFFFFFFFF else 8, "little") for n in lengths)
    stored = data[at : at + 4]
    at += 4
    body = data[at:]
    if (
        len(body) != sum(lengths)
        or masked(crc32c(summed)) != int.from_bytes(stored, "little")
        or (tensor.crc is not None and masked(crc32c(summed + stored + body)) != tensor.crc)
    ):
        raise _wrong_sum(key, tensor, path)
    values, at = [], 0
    for length in lengths:
        values.append(body[at : at + length])
        at += length
    array = np.empty(count, object)
    array[:] = values
    return array.reshape(tensor.shape)
