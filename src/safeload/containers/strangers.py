"""What is no Keras model, by its first bytes: a row for each, with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from safeload.bytesource import ByteRange
from safeload.errors import UnsupportedFormatError

__all__ = ["Stranger", "of_archive", "stranger", "unsupported"]

HEAD = 4096

_CONVERT = "ask its author for the Keras model (.keras or .h5); it can't be made from this file"
_UNPACK = "unpack it and load what was inside"
_TENSORS = "weights alone: build the model in code and set its weights from the file"


@dataclass(frozen=True, slots=True)
class Stranger:
    """Something that is no Keras model.

    Attributes:
        detected: The value of `UnsupportedFormatError.detected`.
        what: What it is, for the sentence `this is ...`.
        hint: What to do.
        test: Whether a file that starts with these bytes is one.
    """

    detected: str
    what: str
    hint: str
    test: Callable[[bytes], bool]


def _starts(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signatures)


def _at(offset: int, signature: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[offset : offset + len(signature)] == signature


def _html(head: bytes) -> bool:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return text.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")) or (
        text.startswith((b"<!--", b"<?xml")) and b"<html" in text
    )


def _pickle(head: bytes) -> bool:
    return len(head) > 1 and head[0] == 0x80 and head[1] in range(2, 6)


def _safetensors(head: bytes) -> bool:
    return len(head) > 9 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") < 1 << 30


def _fields(data: bytes, limit: int = 6) -> list[tuple[int, int, bytes]]:
    """The first fields of a protobuf message: number, wire type, bytes (of a length-delimited one, as far as they go)."""
    found: list[tuple[int, int, bytes]] = []
    at = 0
    while at < len(data) and len(found) < limit:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if not number or kind not in (0, 1, 2, 5):
            return []
        if kind == 2:
            length, at = _varint(data, at)
            found.append((number, kind, data[at : at + length]))
            at += length
        elif kind == 0:
            _, at = _varint(data, at)
            found.append((number, kind, b""))
        else:
            found.append((number, kind, b""))
            at += 8 if kind == 1 else 4
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    return value, at


def _graph_def(head: bytes) -> bool:
    """Field 1 of a GraphDef is a NodeDef: name (1) and operation (2), both texts."""
    fields = _fields(head)
    if not fields or fields[0][:2] != (1, 2):
        return False
    node = {number: data for number, kind, data in _fields(fields[0][2]) if kind == 2}
    return bool(re.fullmatch(rb"[\w./\-^>]+", node.get(1, b"")) and re.fullmatch(rb"_?[A-Z]\w*", node.get(2, b"")))


def _saved_model(head: bytes) -> bool:
    """`saved_model_schema_version` (1, a number), then meta graphs (2), which begin with a MetaInfoDef."""
    fields = _fields(head)
    return len(fields) > 1 and fields[0][:2] == (1, 0) and head[:3] == b"\x08\x01\x12" and not _onnx(head)


def _onnx(head: bytes) -> bool:
    """`ir_version` (1, a number), then the name of the program that made it (2, a short text)."""
    fields = _fields(head)
    if len(fields) < 2 or fields[0][:2] != (1, 0):
        return False
    producer = next((data for number, kind, data in fields[1:] if (number, kind) == (2, 2)), b"")
    if producer and len(producer) < 100 and re.fullmatch(rb"[\w .\-+/()]+", producer):
        return True
    return any(number in (7, 8) and kind == 2 for number, kind, _ in fields[1:]) and head[1] in range(1, 20)


STRANGERS: tuple[Stranger, ...] = (
    Stranger("empty", "an empty file", "it was never written, or the download failed: get it again", lambda h: not h),
    Stranger("zeros", "a file of zeros", "the copy or the disk failed: get it again", lambda h: not h.strip(b"\0")),
    Stranger(
        "git-lfs-pointer",
        "a Git LFS pointer, not the file itself",
        "git lfs install && git lfs pull, in the repository; or download the file itself",
        _starts(b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/"),
    ),
    Stranger(
        "html",
        "a web page (HTML)",
        "the download was a web page, a login or a confirmation page perhaps, not the model: use the link to the raw file",
        _html,
    ),
    Stranger(
        "xml",
        "an XML document",
        "if it was downloaded, it may be the server's error message: open it in an editor",
        lambda h: h.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<?xml", b"<Error", b"<error")),
    ),
    Stranger(
        "pytorch",
        "a PyTorch checkpoint",
        "load it with torch.load(path, weights_only=True); Keras can't build it",
        _starts(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."),
    ),
    Stranger(
        "pickle",
        "a Python pickle",
        "a pickle can run any code: if you trust it, unpickle it yourself and call model.save('model.keras')",
        _pickle,
    ),
    Stranger("joblib", "a compressed pickle (joblib)", "a pickle can run any code: if you trust it, joblib.load(path)",
             _starts(b"ZF")),
    Stranger("npy", "a NumPy array (.npy)", "one array is no model", _starts(b"\x93NUMPY")),
    Stranger("tflite", "a TensorFlow Lite model", f"run it with tf.lite.Interpreter(path); {_CONVERT}", _at(4, b"TFL3")),
    Stranger("gguf", "a GGUF file (llama.cpp)", _TENSORS, _starts(b"GGUF", b"ggml", b"lmgg", b"tjgg")),
    Stranger("safetensors", "a safetensors file", f"safetensors.numpy.load_file(path): {_TENSORS}", _safetensors),
    Stranger("gzip", "a gzip file", f"gunzip it; {_UNPACK}", _starts(b"\x1f\x8b")),
    Stranger("bzip2", "a bzip2 file", _UNPACK, lambda h: h[:3] == b"BZh" and h[4:10] == b"1AY&SY"),
    Stranger("xz", "an xz file", _UNPACK, _starts(b"\xfd7zXZ\x00")),
    Stranger("zstandard", "a Zstandard file", _UNPACK, _starts(b"\x28\xb5\x2f\xfd")),
    Stranger("lz4", "an LZ4 file", _UNPACK, _starts(b"\x04\x22\x4d\x18")),
    Stranger("7z", "a 7z archive", _UNPACK, _starts(b"7z\xbc\xaf\x27\x1c")),
    Stranger("rar", "a RAR archive", _UNPACK, _starts(b"Rar!\x1a\x07")),
    Stranger("tar", "a tar archive", f"tar -xf it; {_UNPACK}", _at(257, b"ustar")),
    Stranger("hdf4", "an HDF4 file", "Keras writes HDF5; convert it with h4toh5 if it holds a model", _starts(b"\x0e\x03\x13\x01")),
    Stranger("netcdf", "a netCDF 3 file", "that is a data set, not a model", _starts(b"CDF\x01", b"CDF\x02", b"CDF\x05")),
    Stranger("tfevents", "a TensorBoard log", "that is a log of training; the model lies elsewhere",
             lambda h: len(h) > 40 and b"brain.Event:" in h[:60]),
    Stranger("image", "an image", "that is a picture, not a model",
             _starts(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")),
    Stranger("webp", "a RIFF file (image, sound)", "that is no model", _starts(b"RIFF")),
    Stranger("pdf", "a PDF document", "that is a document, not a model", _starts(b"%PDF")),
    Stranger("sqlite", "an SQLite database", "that is a database, not a model", _starts(b"SQLite format 3\0")),
    Stranger("parquet", "a Parquet file", "that is a data set, not a model", _starts(b"PAR1")),
    Stranger("executable", "an executable program", "that is no model", _starts(b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe")),
    Stranger("matlab", "a MATLAB file", "that is no Keras model", _starts(b"MATLAB 5.0")),
    Stranger(
        "saved-model-file",
        "the saved_model.pb of a SavedModel",
        "give the directory that it lies in: a SavedModel is the directory, its variables included",
        _saved_model,
    ),
    Stranger("onnx", "an ONNX model", f"run it with onnxruntime; {_CONVERT}", _onnx),
    Stranger(
        "graphdef",
        "a frozen TensorFlow graph (GraphDef)",
        "run it with tf.compat.v1.import_graph_def; it has no layers, so it is no Keras model",
        _graph_def,
    ),
    Stranger("coreml", "a Core ML model", f"run it with coremltools; {_CONVERT}",
             lambda h: h[:1] == b"\x08" and len(h) > 2 and h[2:3] == b"\x12" and b"\n" in h[:12] and b"MLModel" in h),
    Stranger("joblib", "a zlib stream (joblib, perhaps)", "a pickle can run any code: if you trust it, joblib.load(path)",
             _starts(b"x\x9c", b"x\x01", b"x\xda")),
)  # fmt: skip
"""In the order in which they are tried."""

_POINTER_SIZE = re.compile(rb"^size (\d{1,15})\s*$", re.MULTILINE)


def stranger(run: ByteRange, path: str | None) -> UnsupportedFormatError:
    """The error that says what the bytes are, if they are no model."""
    head = run.read_at(0, HEAD)
    for row in STRANGERS:
        if row.test(head):
            what, hint = row.what, row.hint
            size = _POINTER_SIZE.search(head) if row.detected == "git-lfs-pointer" else None
            if size is not None:
                what = f"{what} (which has {int(size.group(1)):,} bytes)"
            return unsupported(row.detected, f"this is {what}", hint, path)
    text = head.lstrip(b"\xef\xbb\xbf").decode("utf-8", "ignore")
    if text and len(text) >= len(head) - 8 and all(c.isprintable() or c in "\t\r\n\f" for c in text):
        shown = " ".join(text.split())[:60]
        return unsupported(
            "text", f"this is a text: {shown!r}", "look at it in an editor: it may be an error message", path
        )
    start = " ".join(f"{b:02x}" for b in head[:8])
    return unsupported(
        None, f"this is no Keras model: {run.size:,} bytes that begin with {start}",
        "Keras models are .keras (zip), .h5 (HDF5) or SavedModel directories; check where it came from", path,
    )  # fmt: skip


def of_archive(names: tuple[str, ...]) -> tuple[str, str, str] | None:
    """What a zip without a Keras model in it is, by its members: detected, what, hint."""
    roots = {n.split("/", 1)[-1] for n in names}
    plain = set(names)
    if "data.pkl" in roots or "constants.pkl" in roots:
        return (
            "pytorch",
            "a PyTorch checkpoint",
            "load it with torch.load(path, weights_only=True); Keras can't build it",
        )
    if any(n.startswith("MAR-INF/") for n in names):
        return "torchserve", "a TorchServe archive", _CONVERT
    if "schema.json" in plain:
        return "skops", "a skops archive", "load it with skops.io.load"
    if "[Content_Types].xml" in plain:
        return "office", "an Office document", "that is a document, not a model"
    if any(n.endswith(".mlmodel") for n in names):
        return "coreml", "a Core ML package", _CONVERT
    if "AndroidManifest.xml" in plain or any(n.startswith("META-INF/") for n in names):
        return "java", "a Java or Android archive", "that is a program, not a model"
    if any(n.endswith(".dist-info/METADATA") for n in names):
        return "wheel", "a Python package", "that is a program, not a model"
    return None


def unsupported(detected: str | None, message: str, hint: str | None, path: str | None) -> UnsupportedFormatError:
    return UnsupportedFormatError(message, path=path, hint=hint, detected=detected)
