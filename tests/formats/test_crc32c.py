"""CRC-32C of runs of every length class."""

from __future__ import annotations

import random

import pytest

from safeload.formats.tensorflow.crc32c import crc32c, masked


def by_the_bit(data: bytes) -> int:
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def test_known_values() -> None:
    # RFC 3720, appendix B.4, and LevelDB's crc32c_test.cc
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert masked(crc32c(b"foo")) != crc32c(b"foo")


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 4096, 5003, 70_001])
def test_the_fast_way_is_the_slow_way(size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert crc32c(data) == by_the_bit(data)
