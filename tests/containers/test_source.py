"""Everything that can be passed as `filepath`, everything that is no model, and paths where nothing lies."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import safeload
from safeload.source import open_source

FIXTURES = Path(__file__).parents[1] / "fixtures"
HDF5 = FIXTURES / "tf215" / "mlp.h5"
KERAS = FIXTURES / "tf215" / "mlp.keras"
PARAMETERS = 98


class Unseekable(io.RawIOBase):
    def __init__(self, data: bytes) -> None:
        self.stream = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self.stream.read(size)


class Opener:
    """As fsspec.core.OpenFile: it has its path and opens without a mode."""

    path = "bucket/model.h5"

    def open(self) -> Any:
        return io.BytesIO(HDF5.read_bytes())


def in_a_zip() -> zipfile.Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("deep/m.h5", HDF5.read_bytes())
    return zipfile.Path(zipfile.ZipFile(buffer)) / "deep" / "m.h5"


HANDLES: dict[str, Callable[[], Any]] = {
    "str": lambda: str(HDF5),
    "path": lambda: HDF5,
    "trailing slash": lambda: f"{HDF5}/",
    "bytes": HDF5.read_bytes,
    "bytearray": lambda: bytearray(HDF5.read_bytes()),
    "memoryview": lambda: memoryview(HDF5.read_bytes()),
    "BytesIO": lambda: io.BytesIO(HDF5.read_bytes()),
    "a stream": lambda: Unseekable(HDF5.read_bytes()),
    "an opener": Opener,
    "a path in a zip": in_a_zip,
}


@pytest.mark.parametrize("make", HANDLES.values(), ids=HANDLES)
def test_every_kind_of_filepath(make: Callable[[], Any]) -> None:
    assert safeload.inspect(make()).parameters == PARAMETERS


def test_a_file_object_is_left_open_where_it_was() -> None:
    with HDF5.open("rb") as file:
        file.seek(7)
        assert safeload.inspect(file).parameters == PARAMETERS
        assert file.tell() == 7


def test_open_hdf5_files(tmp_path: Path) -> None:
    import h5py

    with h5py.File(HDF5, "r") as file:
        assert safeload.inspect(file).parameters == PARAMETERS
    with pytest.raises(safeload.ModelAccessError):
        safeload.inspect(file)
    with h5py.File(io.BytesIO(HDF5.read_bytes()), "r") as file:
        assert safeload.inspect(file).parameters == PARAMETERS
    with h5py.File(tmp_path / "outer.h5", "w") as outer, h5py.File(HDF5, "r") as inner:
        inner.copy(inner, outer, "models/first")
        assert safeload.inspect(outer["models/first"]).parameters == PARAMETERS
    with h5py.File("memory.h5", "w", driver="core", backing_store=False) as memory, h5py.File(HDF5, "r") as inner:
        for name in inner:
            inner.copy(name, memory)
        memory.attrs.update(inner.attrs)
        assert safeload.inspect(memory).parameters == PARAMETERS


def test_misuse_is_a_type_error() -> None:
    for wrong in (3, None, [1], io.StringIO("x")):
        with pytest.raises(TypeError):
            open_source(wrong)


def test_names_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(HDF5.read_bytes())
    document = safeload.inspect(path)
    assert document.format == "hdf5"
    assert [f.name for f in document.findings] == ["name-says-otherwise"]
    plain = tmp_path / "model"
    plain.write_bytes(KERAS.read_bytes())
    assert safeload.inspect(plain).format == "keras"
    assert not safeload.inspect(plain).findings


def test_a_user_block_before_hdf5() -> None:
    assert safeload.inspect(bytes(512) + HDF5.read_bytes()).parameters == PARAMETERS


def pickled() -> bytes:
    return pickle.dumps({"a": 1}, protocol=4)


def pytorch() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickled())
        archive.writestr("archive/version", "3")
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(HDF5, "m.h5")
    return buffer.getvalue()


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


def field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2, len(data)]) + data


def safetensors() -> bytes:
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 257557808\n" % (b"0" * 64)
STRANGERS: dict[str, tuple[Callable[[], bytes], str | None]] = {
    "empty": (bytes, "empty"),
    "zeros": (lambda: bytes(5000), "zeros"),
    "git-lfs": (lambda: POINTER, "git-lfs-pointer"),
    "html": (lambda: b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "html"),
    "s3 error": (lambda: b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "xml"),
    "pickle": (pickled, "pickle"),
    "pytorch": (pytorch, "pytorch"),
    "old pytorch": (lambda: b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", "pytorch"),
    "npy": (npy, "npy"),
    "gzip": (lambda: gzip.compress(HDF5.read_bytes()), "gzip"),
    "tar": (tarred, "tar"),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(30), "7z"),
    "rar": (lambda: b"Rar!\x1a\x07\x01\x00" + bytes(30), "rar"),
    "xz": (lambda: b"\xfd7zXZ\x00" + bytes(30), "xz"),
    "onnx": (lambda: b"\x08\x08" + field(2, b"pytorch") + field(3, b"2.1.0") + field(7, b"\n\x01x"), "onnx"),
    "tflite": (lambda: b"\x1c\x00\x00\x00TFL3" + bytes(30), "tflite"),
    "safetensors": (safetensors, "safetensors"),
    "gguf": (lambda: b"GGUF\x03\x00\x00\x00" + bytes(30), "gguf"),
    "graphdef": (lambda: field(1, field(1, b"input") + field(2, b"Placeholder")) * 3, "graphdef"),
    "image": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(30), "image"),
    "text": (lambda: b"epoch,loss\n1,0.5\n", "text"),
    "404": (lambda: b"404: Not Found", "text"),
    "tfjs": (lambda: b'{"format": "layers-model", "modelTopology": {"class_name": "Model"}}', "tfjs"),
    "transformers": (lambda: b'{"architectures": ["BertModel"], "model_type": "bert"}', "transformers"),
    "history": (lambda: b'{"loss": [0.5, 0.4], "accuracy": [0.1, 0.2]}', "history"),
    "server's answer": (lambda: b'{"message": "Not Found", "status": "404"}', "error-message"),
    "other json": (lambda: b'{"a": 1}', "json"),
    "noise": (lambda: bytes(range(128, 256)) * 3, None),
}


@pytest.mark.parametrize(("make", "detected"), STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize("name", ["model.h5", "model.keras", "model"])
def test_what_is_no_model_is_named(make: Callable[[], bytes], detected: str | None, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(safeload.UnsupportedFormatError) as caught:
        safeload.inspect(path)
    assert caught.value.detected == detected
    assert caught.value.hint
    assert caught.value.path == str(path)


def test_a_pointer_has_the_size_of_the_real_file() -> None:
    with pytest.raises(safeload.UnsupportedFormatError, match="257,557,808 bytes"):
        safeload.inspect(POINTER)


def test_the_file_of_a_saved_model_and_its_graph(fixtures: Path) -> None:
    with pytest.raises(safeload.UnsupportedFormatError) as caught:
        safeload.inspect(next(iter(sorted(fixtures.rglob("saved_model.pb")))))
    assert caught.value.detected == "saved-model-file"


def test_truncated_hdf5_says_how_much_is_there() -> None:
    data = HDF5.read_bytes()
    with pytest.raises(safeload.CorruptedModelError, match=f"{len(data) // 2:,} of {len(data):,} bytes"):
        safeload.inspect(data[: len(data) // 2])


def test_names_nearby(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("Model.h5", "best_model.keras", "other.txt"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(safeload.ModelNotFoundError) as caught:
        safeload.inspect("model.keras")
    assert "Model.h5" in caught.value.similar
    assert "did you mean Model.h5" in str(caught.value.hint)
    assert str(tmp_path) in str(caught.value.hint)
    with pytest.raises(safeload.ModelNotFoundError) as caught:
        safeload.inspect(str(tmp_path / "nowhere" / "model.keras"))
    assert "nowhere does not exist" in str(caught.value.hint)
    assert isinstance(caught.value, FileNotFoundError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("~/model.h5", "not expanded"),
        ("s3://bucket/model.keras", "not fetched"),
        ('{"class_name": "Sequential", "config": []}', "json.loads"),
        ("a\0b", None),
        ("x" * 5000, None),
        ("", None),
    ],
)
def test_paths_that_are_none(path: str, said: str | None) -> None:
    with pytest.raises(safeload.ModelNotFoundError) as caught:
        safeload.inspect(path)
    assert said is None or said in str(caught.value.hint)


def test_a_broken_link(tmp_path: Path) -> None:
    (tmp_path / "m.h5").symlink_to(tmp_path / "gone.h5")
    with pytest.raises(safeload.ModelNotFoundError, match=r"is a link to .*gone\.h5"):
        safeload.inspect(tmp_path / "m.h5")


def test_a_file_that_can_t_be_read(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    path.symlink_to(path)  # permissions would not stop root
    with pytest.raises(safeload.ModelAccessError, match="symbolic links") as caught:
        safeload.inspect(path)
    assert isinstance(caught.value, OSError)


def test_arrays_in_an_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", a=np.ones((2, 3), "float32"), b=np.zeros(4))
    document = safeload.inspect(tmp_path / "w.npz")
    assert document.weights is not None
    assert [(e.name, e.shape) for e in document.weights.walk()] == [("a", (2, 3)), ("b", (4,))]
    np.savez(tmp_path / "o.npz", a=np.array([{}], dtype=object))
    with pytest.raises(safeload.UnsafeModelError, match="pickle"):
        safeload.inspect(tmp_path / "o.npz")
