"""The two checksums of HDF5: lookup3 over metadata, Fletcher32 over chunks."""

from __future__ import annotations

import struct
from typing import Any

__all__ = ["fletcher32", "lookup3"]

_MASK = 0xFFFFFFFF


def lookup3(data: bytes) -> int:
    """Bob Jenkins' lookup3 hash with an initial value of 0 (`H5_checksum_lookup3`)."""
    length = len(data)
    a = b = c = (0xDEADBEEF + length) & _MASK
    if not length:
        return c
    words = struct.unpack(f"<{(length + 11) // 12 * 3}I", data + b"\0" * (-length % 12))
    last = len(words) - 3
    for i in range(0, last, 3):
        a = (a + words[i]) & _MASK
        b = (b + words[i + 1]) & _MASK
        c = (c + words[i + 2]) & _MASK
        a = ((a - c) & _MASK) ^ ((c << 4 | c >> 28) & _MASK)
        c = (c + b) & _MASK
        b = ((b - a) & _MASK) ^ ((a << 6 | a >> 26) & _MASK)
        a = (a + c) & _MASK
        c = ((c - b) & _MASK) ^ ((b << 8 | b >> 24) & _MASK)
        b = (b + a) & _MASK
        a = ((a - c) & _MASK) ^ ((c << 16 | c >> 16) & _MASK)
        c = (c + b) & _MASK
        b = ((b - a) & _MASK) ^ ((a << 19 | a >> 13) & _MASK)
        a = (a + c) & _MASK
        c = ((c - b) & _MASK) ^ ((b << 4 | b >> 28) & _MASK)
        b = (b + a) & _MASK
    a = (a + words[last]) & _MASK
    b = (b + words[last + 1]) & _MASK
    c = (c + words[last + 2]) & _MASK
    c = ((c ^ b) - (b << 14 | b >> 18)) & _MASK
    a = ((a ^ c) - ((c << 11 | c >> 21) & _MASK)) & _MASK
    b = ((b ^ a) - ((a << 25 | a >> 7) & _MASK)) & _MASK
    c = ((c ^ b) - ((b << 16 | b >> 16) & _MASK)) & _MASK
    a = ((a ^ c) - ((c << 4 | c >> 28) & _MASK)) & _MASK
    b = ((b ^ a) - ((a << 14 | a >> 18) & _MASK)) & _MASK
    return int(((c ^ b) - ((b << 24 | b >> 8) & _MASK)) & _MASK)


def fletcher32(data: Any) -> int:
    """HDF5's Fletcher32 (`H5_checksum_fletcher32`): over big-endian 16-bit words, a last odd byte as a high byte."""
    import numpy as np

    raw = np.frombuffer(data, np.uint8)
    if len(raw) % 2:
        raw = np.append(raw, np.uint8(0))
    words = raw.view(">u2").astype(np.uint64)
    if not bool(words.any()):
        return 0
    # The C code folds carries in instead of dividing: a multiple of 65535 stays 65535, never 0.
    first = int(words.sum()) % 65535 or 65535
    weights = np.arange(len(words), 0, -1, dtype=np.uint64) % np.uint64(65535)
    second = int((words * weights % np.uint64(65535)).sum()) % 65535 or 65535
    return second << 16 | first
