"""Read TensorFlow's sorted string tables (LevelDB's format): the `.index` of a checkpoint.

A footer of 48 bytes points to the index block, which points to the data blocks; keys are stored as what they add to the
one before. Each block carries a kind of compression (0: none; TensorFlow writes bundles uncompressed) and its CRC.
See `tensorflow/core/lib/io/format.cc` and LevelDB's `doc/table_format.md`.
"""

from __future__ import annotations

from collections.abc import Iterator

from safeload.bytesource import ByteRange
from safeload.errors import CorruptedModelError
from safeload.formats.tensorflow.crc32c import crc32c, masked
from safeload.formats.tensorflow.wire import WireError, varint

__all__ = ["MAGIC", "read_table"]

MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER = 48
_TRAILER = 5
MAX_BYTES = 1 << 30
"""Of an index: room for some ten million variables."""


class _Damage(ValueError):
    pass


def read_table(data: ByteRange, path: str | None, where: str) -> dict[bytes, bytes]:
    """All keys and values of a table.

    Raises:
        CorruptedModelError: It is truncated or damaged.
    """
    try:
        if data.size > MAX_BYTES:
            raise _Damage(f"an index of {data.size:,} bytes")
        footer = data.read_at(max(data.size - _FOOTER, 0), _FOOTER)
        if len(footer) < _FOOTER or not footer.endswith(MAGIC):
            raise _Damage(f"its {data.size:,} bytes don't end as such a file does")
        _, at = _handle(footer, 0)
        index, _ = _handle(footer, at)
        found: dict[bytes, bytes] = {}
        left = data.size
        for _, value in _entries(_block(data, *index)):
            offset, size = _handle(value, 0)[0]
            left -= size
            if left < 0:
                raise _Damage("its blocks overlap")
            found.update(_entries(_block(data, offset, size)))
        return found
    except (_Damage, WireError, IndexError) as error:
        raise CorruptedModelError(
            f"{where} is truncated or damaged: {error}",
            path=path,
            where=where,
            hint="copy or download the model again",
            damage=(where,),
        ) from error


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = varint(data, at)
    size, at = varint(data, at)
    return (offset, size), at


def _block(data: ByteRange, offset: int, size: int) -> bytes:
    if offset + size + _TRAILER > data.size:
        raise _Damage(f"a block lies at {offset:,}-{offset + size:,} of {data.size:,} bytes")
    block = data.read_at(offset, size + _TRAILER)
    stored = int.from_bytes(block[-4:], "little")
    if masked(crc32c(memoryview(block)[:-4])) != stored:
        raise _Damage(f"the block at {offset:,} has another check sum")
    if block[size]:
        raise _Damage(
            f"the block at {offset:,} is compressed (kind {block[size]}), which TensorFlow's bundles never are"
        )
    return block[:size]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block, in order; its tail lists restart points, which a full walk doesn't need."""
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    if len(block) < 4 or end < 0:
        raise _Damage("a block without its tail")
    at, key = 0, b""
    while at < end:
        shared, at = varint(block, at)
        added, at = varint(block, at)
        size, at = varint(block, at)
        if shared > len(key) or at + added + size > end:
            raise _Damage("an entry reaches outside its block")
        key = key[:shared] + block[at : at + added]
        at += added
        yield key, block[at : at + size]
        at += size
