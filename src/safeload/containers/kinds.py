"""What bytes are, by their content: the formats that safeload reads, each by the mark that its writers leave."""

from __future__ import annotations

import codecs
import re

from safeload.bytesource import ByteRange
from safeload.containers.archive import is_zip
from safeload.findings import Rule, Severity

__all__ = ["MODEL_INSIDE", "NAME_SAYS_OTHERWISE", "TF_TABLE", "kind_of"]

MODEL_INSIDE = Rule(
    "SL101",
    "model-inside",
    Severity.NOTE,
    """\
What it sees: an archive or a folder that is no model itself, and one model in it.
Why it matters: the bare call takes no such thing; that one model is loaded.
Example: a zip of `model.h5` and `README.md`.
What to do: nothing; or unpack it and name the model.
References: huggingface_hub, `from_pretrained_keras`.
""",
)

NAME_SAYS_OTHERWISE = Rule(
    "SL102",
    "name-says-otherwise",
    Severity.NOTE,
    """\
What it sees: a file whose name promises another format than it has, such as HDF5 under a `.keras` name.
Why it matters: the bare call goes by the name and fails, or says that there is no such file.
Example: `model.keras` written by TensorFlow 2.11, which wrote HDF5 whatever the name was.
What to do: nothing; rename it for the bare call.
References: keras #19253.
""",
)

TF_TABLE = "tensorflow-table"
_TABLE_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_USER_BLOCKS = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)
_LOOK = 1 << 16
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_YAML = re.compile(rb"^(?:\{\s*)?(?:class_name|backend|config|keras_version):", re.MULTILINE)


def kind_of(run: ByteRange) -> str | None:
    """`zip`, `hdf5`, `json`, `yaml`, `weights-json`, `TF_TABLE`, `checkpoint-state`; None for everything else."""
    head = run.read_at(0, 512)
    if head.startswith(_HDF5):
        return "hdf5"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(_UTF16):
        text = run.read_at(0, _LOOK).decode("utf-16", "ignore").encode()
    else:
        text = run.read_at(0, _LOOK)
    text = text.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n")
    if text.startswith((b"{", b"[")) and text[1:].lstrip()[:1] in (b'"', b"{", b"[", b"}", b"]"):
        return "weights-json" if b'"weight_map"' in text else "json"
    if text.startswith(b"model_checkpoint_path:"):
        return "checkpoint-state"
    if b"class_name:" in text and _YAML.search(text) and b"\0" not in text:
        return "yaml"
    if run.size >= 48 and run.read_at(run.size - 8, 8) == _TABLE_MAGIC:
        return TF_TABLE
    if any(run.read_at(at, 8) == _HDF5 for at in _USER_BLOCKS if at < run.size):
        return "hdf5"
    return "zip" if is_zip(run) else None
