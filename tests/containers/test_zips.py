"""Zips: what is loaded, and the ones that two programs could read as two different models."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

import safeload
from safeload.containers.limits import ALWAYS_CHECKED
from safeload.source import open_source

KERAS = Path(__file__).parents[1] / "fixtures" / "tf215" / "mlp.keras"
HDF5 = Path(__file__).parents[1] / "fixtures" / "tf215" / "mlp.h5"


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(KERAS) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.comment = comment
    return buffer.getvalue()


def streamed(files: dict[str, bytes], force: bool) -> bytes:
    """As on an output that can't seek: sizes follow the data; with 64-bit sizes if they are forced."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.pieces: list[bytes] = []

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.pieces.append(bytes(data))
            return len(self.pieces[-1])

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        for name, data in files.items():
            with archive.open(name, "w", force_zip64=force) as member:
                member.write(data)
    return b"".join(pipe.pieces)


HONEST = {
    "as Keras writes it": lambda: KERAS.read_bytes(),
    "stored": lambda: zipped(members()),
    "deflated": lambda: zipped(members(), zipfile.ZIP_DEFLATED),
    "with a comment": lambda: zipped(members(), comment=b"a comment"),
    "after a stub": lambda: b"#!/bin/sh\n" * 9 + zipped(members()),
    "with bytes after it": lambda: zipped(members()) + b"\n\n",
    "streamed": lambda: streamed(members(), False),
    "streamed, 64-bit sizes": lambda: streamed(members(), True),
    "other files in it": lambda: zipped({**members(), "README.md": b"hello", "__MACOSX/._config.json": b"x"}),
}


@pytest.mark.parametrize("make", HONEST.values(), ids=HONEST)
def test_honest_archives(make: Callable[[], bytes]) -> None:
    document = safeload.inspect(make())
    assert document.format == "keras"
    assert document.parameters == safeload.inspect(KERAS).parameters > 0


def test_64_bit_sizes_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members().items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(data)
    assert safeload.inspect(path).parameters > 0


def patched(find: bytes, replace: bytes, *, count: int = -1, files: dict[str, bytes] | None = None) -> bytes:
    data = zipped(files or members())
    assert find in data
    return data.replace(find, replace, count)


def with_extra(name: str, extra: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for key, data in members().items():
            info = zipfile.ZipInfo(key)
            info.extra = extra if key == name else b""
            archive.writestr(info, data)
    return buffer.getvalue()


def with_mode(mode: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for key, data in members().items():
            archive.writestr(key, data)
        info = zipfile.ZipInfo("assets/link")
        info.create_system, info.external_attr = 3, mode << 16
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def twice(first: str, second: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for key, data in members().items():
            archive.writestr(key, data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile warns of a name twice
            archive.writestr(first, b"1")
            archive.writestr(second, b"2")
    return buffer.getvalue()


def overlapping() -> bytes:
    """The second member's directory row points at the first member's header, its own bytes lie inside it."""
    inner = b"PK\3\4" + struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(b"x"), 1, 1, 1, 0) + b"b" + b"x"
    data = zipped({"a": inner, "b": b"x", **members()})
    row = data.rindex(b"PK\1\2", 0, data.index(b"b", data.index(b"PK\1\2") + 48))
    return data[: row + 42] + struct.pack("<I", 30 + 1) + data[row + 46 :]


UNSAFE = {
    "a name twice": lambda: twice("config.json", "config.json"),
    "names that differ in case": lambda: twice("assets/a", "assets/A"),
    "names that differ in normal form": lambda: twice("assets/é", "assets/é"),
    "a file that is a folder": lambda: twice("assets/a", "assets/a/b"),
    "a path upwards": lambda: zipped({**members(), "../evil": b""}),
    "a path upwards inside": lambda: zipped({**members(), "assets/../../evil": b""}),
    "an absolute path": lambda: zipped({**members(), "/etc/evil": b""}),
    "a drive": lambda: zipped({**members(), "C:evil": b""}),
    "a path with a dot": lambda: zipped({**members(), "assets/./a": b""}),
    "a long name": lambda: zipped({**members(), "assets/" + "a" * 2000: b""}),
    "a backslash": lambda: patched(b"assets/evil", b"assets\\evil", files={**members(), "assets/evil": b""}),
    "a NUL": lambda: patched(b"config.jsonxpng", b"config.json\0png", files={**members(), "config.jsonxpng": b""}),
    "a symbolic link": lambda: with_mode(0o120777),
    "a FIFO": lambda: with_mode(0o010644),
    "a device": lambda: with_mode(0o020644),
    "another local name": lambda: patched(b"config.json", b"konfig.json", count=1),
    "another local size": lambda: other_local_size(),
    "two names": lambda: with_extra("config.json", struct.pack("<HHBI", 0x7075, 5 + 4, 1, 0) + b"evil"),
    "overlapping members": overlapping,
    "two directories": lambda: two_directories(),
    "a deflate bomb": lambda: zipped({**members(), "assets/zeros": bytes(1 << 25)}, zipfile.ZIP_DEFLATED),
}


def other_local_size() -> bytes:
    data = bytearray(zipped(members()))
    data[22:26] = struct.pack("<I", struct.unpack_from("<I", data, 22)[0] + 1)
    return bytes(data)


def two_directories() -> bytes:
    """A second end record inside the comment of the first: both end where the file ends."""
    inner = zipped({})
    assert len(inner) == 22
    return zipped(members(), comment=inner)


@pytest.mark.parametrize("make", UNSAFE.values(), ids=UNSAFE)
def test_archives_that_no_honest_writer_makes(make: Callable[[], bytes]) -> None:
    with pytest.raises(safeload.UnsafeModelError) as caught:
        safeload.inspect(make())
    assert caught.value.threats
    assert caught.value.hint


def encrypted() -> bytes:
    data = bytearray(zipped(members()))
    central = data.index(b"PK\1\2")
    data[6] |= 1
    data[central + 8] |= 1
    return bytes(data)


def test_encrypted_archives_are_named() -> None:
    with pytest.raises(safeload.UnsupportedFormatError) as caught:
        safeload.inspect(encrypted())
    assert caught.value.detected == "encrypted-zip"


def broken_at(name: str, data: bytes) -> bytes:
    """An archive with one byte of a member changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo(name)
    at = info.header_offset + 30 + len(name) + info.compress_size // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_small_members_have_their_checksum_compared(name: str, method: int) -> None:
    with pytest.raises(safeload.CorruptedModelError) as caught:
        safeload.inspect(broken_at(name, zipped(members(), method)))
    assert caught.value.where == name


def test_large_members_have_it_compared_on_request() -> None:
    name = "assets/large"
    data = broken_at(name, zipped({**members(), name: bytes(ALWAYS_CHECKED + 1)}))
    assert safeload.inspect(data).parameters > 0
    report = safeload.check(data, integrity="full")
    assert isinstance(report.error(), safeload.CorruptedModelError)
    assert report.error().where == name
    assert not any(f.name == "corrupted-model" for f in safeload.check(data))


@pytest.mark.parametrize("size", [100, 3000, -30, -1])
def test_truncated_archives(size: int) -> None:
    with pytest.raises(safeload.CorruptedModelError) as caught:
        safeload.inspect(KERAS.read_bytes()[:size])
    assert caught.value.damage


def test_what_is_whole_in_a_truncated_archive() -> None:
    data = zipped(members())
    with pytest.raises(safeload.CorruptedModelError, match=r"of at least [\d,]+ bytes; it ends inside") as caught:
        safeload.inspect(data[: data.index(b"PK\1\2") - 100])
    assert set(caught.value.recoverable) | {caught.value.where} == set(members())


def test_members_that_are_larger_than_they_say() -> None:
    honest = zipped(members(), zipfile.ZIP_DEFLATED)
    small = struct.pack("<I", len(members()["config.json"]))
    data = honest.replace(small, struct.pack("<I", 10))
    assert data != honest
    with pytest.raises(safeload.CorruptedModelError, match="more than the 10 bytes"):
        safeload.inspect(data)


def test_a_missing_member_is_named() -> None:
    rest = {n: d for n, d in members().items() if n != "model.weights.h5"}
    with pytest.raises(safeload.CorruptedModelError, match=r"model\.weights\.h5 is missing"):
        safeload.inspect(zipped(rest))


INSIDE = {
    "a file": lambda: {"m.h5": HDF5.read_bytes(), "README.md": b"x"},
    "a file in a folder": lambda: {"d/m.h5": HDF5.read_bytes(), "d/notes.txt": b"x", "__MACOSX/d/._m.h5": b"\0"},
    "an archive": lambda: {"m.keras": KERAS.read_bytes(), "license": b"x"},
    "an unzipped archive": lambda: {f"model/{n}": d for n, d in members().items()},
}


@pytest.mark.parametrize("make", INSIDE.values(), ids=INSIDE)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_one_model_inside(make: Callable[[], dict[str, bytes]], method: int) -> None:
    document = safeload.inspect(zipped(make(), method))
    assert document.parameters >= safeload.inspect(HDF5).parameters > 0  # .keras counts the states of metrics
    assert [f.name for f in document.findings] == ["model-inside"]


def test_a_saved_model_inside(fixtures: Path) -> None:
    root = next(p.parent for p in fixtures.rglob("saved_model.pb"))
    files = {f"export/{f.relative_to(root).as_posix()}": f.read_bytes() for f in root.rglob("*") if f.is_file()}
    document = safeload.inspect(zipped(files, zipfile.ZIP_DEFLATED))
    assert document.format == "savedmodel"
    assert document.parameters == safeload.inspect(root).parameters


def test_several_models_are_listed() -> None:
    with pytest.raises(safeload.UnsupportedFormatError, match=r"2 models: a\.h5, b\.keras") as caught:
        safeload.inspect(zipped({"a.h5": HDF5.read_bytes(), "b.keras": KERAS.read_bytes()}))
    assert caught.value.detected == "zip-of-models"


def test_only_known_members_are_members() -> None:
    files = {**members(), "evil.py": b"x", "assets/vocabulary.txt": b"a"}
    with open_source(zipped(files)) as source:
        assert set(source.members) == {*members(), "assets/vocabulary.txt"}


def test_compressed_members_are_expanded_when_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zlib.decompressobj", lambda *a: pytest.fail("expanded before it was read"))
    with open_source(zipped(members(), zipfile.ZIP_DEFLATED)) as source:
        assert source.members["config.json"].size == len(members()["config.json"])


@pytest.mark.parametrize("make", [HONEST["stored"], HONEST["deflated"]], ids=["stored", "deflated"])
def test_any_damage_ends_in_a_typed_error(make: Callable[[], bytes]) -> None:
    chance = random.Random(7)
    for _ in range(150):
        data = bytearray(make())
        for _ in range(chance.choice((1, 3, 20))):
            at = chance.choice((chance.randrange(len(data)), len(data) - 1 - chance.randrange(300)))
            data[at] = chance.randrange(256)
        with contextlib.suppress(safeload.SafeLoadError):
            safeload.inspect(bytes(data[: chance.choice((len(data), chance.randrange(len(data))))]))
