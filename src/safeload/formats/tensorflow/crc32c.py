"""CRC-32C (Castagnoli), the check sum of TensorFlow's tables and tensor bundles, fast enough for whole weights.

A CRC is linear over GF(2): the CRC of two runs one after the other is that of the first, moved on by the length of the
second, xor that of the second. So a long run is cut into many lanes that NumPy advances side by side, four bytes at a
time, and the lanes are folded together in pairs.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["crc32c", "masked"]

_POLYNOMIAL = 0x82F63B78
_MOST_LANES = 8192
_SHORT = 1024
"""Below this many bytes a plain loop is as fast."""


@functools.cache
def _tables() -> tuple[tuple[int, ...], ...]:
    """Tables to move a CRC on by one byte, and by two, three, four bytes of zeros behind it (slicing by four)."""
    first = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        first.append(value)
    tables = [tuple(first)]
    for _ in range(3):
        tables.append(tuple(first[v & 0xFF] ^ v >> 8 for v in tables[-1]))
    return tuple(tables)


def crc32c(data: Any) -> int:
    """The CRC-32C of bytes."""
    view = memoryview(data).cast("B")
    if len(view) < _SHORT:
        return _short(view, 0xFFFFFFFF) ^ 0xFFFFFFFF
    lanes = min(1 << (len(view).bit_length() // 2), _MOST_LANES)
    width = len(view) // lanes // 4 * 4
    state = _lanes(view[: width * lanes], lanes, width)
    return _short(view[width * lanes :], state) ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """As TensorFlow stores it, so that a CRC of data that holds CRCs is no special case (`crc32c::Mask`)."""
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def _short(view: memoryview, state: int) -> int:
    table = _tables()[0]
    for byte in view:
        state = table[(state ^ byte) & 0xFF] ^ state >> 8
    return state


def _lanes(view: memoryview, lanes: int, width: int) -> int:
    """The state after a run of lanes (a power of two) of `width` bytes each, which began as 0xFFFFFFFF."""
    import numpy as np

    words = np.frombuffer(view, "<u4").reshape(lanes, width // 4)
    t0, t1, t2, t3 = (np.array(t, "<u4") for t in _tables())
    state = np.zeros(lanes, "<u4")
    state[0] = 0xFFFFFFFF
    block = 64  # columns turned into rows at a time, so that each step reads one run of memory
    for start in range(0, words.shape[1], block):
        for column in np.ascontiguousarray(words[:, start : start + block].T):
            state ^= column
            state = t3[state & 0xFF] ^ t2[state >> 8 & 0xFF] ^ t1[state >> 16 & 0xFF] ^ t0[state >> 24]
    operator = _shift(width)
    while len(state) > 1:
        state = _apply(operator, state[0::2]) ^ state[1::2]
        operator = _apply(operator, operator)
    return int(state[0])


@functools.lru_cache(64)
def _shift(width: int) -> np.ndarray:
    """The linear operator that moves a state on by `width` bytes of zeros: the images of the 32 single bits."""
    import numpy as np

    table = np.array(_tables()[0], "<u4")
    one = np.left_shift(np.uint32(1), np.arange(32, dtype="<u4")).astype("<u4")
    square = table[one & 0xFF] ^ one >> 8
    operator: np.ndarray = one
    while width:
        if width & 1:
            operator = _apply(square, operator)
        square = _apply(square, square)
        width >>= 1
    return operator


def _apply(operator: np.ndarray, states: np.ndarray) -> np.ndarray:
    import numpy as np

    result: np.ndarray = np.zeros_like(states)
    for bit in range(32):
        result ^= np.where(states >> bit & 1, operator[bit], np.uint32(0)).astype("<u4")
    return result
