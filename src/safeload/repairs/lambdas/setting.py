"""What a document tells of where its functions were written."""

from __future__ import annotations

from typing import Any

from safeload.document import ModelDocument, Writer
from safeload.lambdas import Setting
from safeload.trees import mappings

__all__ = ["setting_of", "tensorflow_of"]

_FORMATS = {"channels_last": "channels_last", "tf": "channels_last", "channels_first": "channels_first"}
_FORMATS |= {"th": "channels_first"}


def setting_of(document: ModelDocument) -> Setting:
    """Where the functions of a document were written.

    The data format of Keras isn't stored; it is the one that all layers have which store theirs.
    """
    writer = document.writer
    own = writer.is_tf_keras or writer.version >= (2, 4)
    found = _data_formats(document.architecture)
    return Setting(
        tensorflow=tensorflow_of(writer, document.dialect),
        backend=writer.backend or ("tensorflow" if own and document.dialect == "keras2" else None),
        data_format=found.pop() if len(found) == 1 else None,
        bilinear=True if own and writer.version >= (2, 3) else None,
    )


def tensorflow_of(writer: Writer, dialect: str | None) -> int | None:
    """Which TensorFlow's names `tf` has in a file's functions: 1, 2, or None where it may be either."""
    version = writer.version
    if dialect == "keras1" or (0,) < version < (2, 2):
        return 1
    if version >= (2, 4) or (writer.is_tf_keras and version >= (2, 3)):
        return 2
    return 1 if version >= (2, 2) and version < (2, 2, 5) and not writer.is_tf_keras else None


def _data_formats(config: Any) -> set[str]:
    found: set[str] = set()
    for node in mappings(config):
        for key in ("data_format", "dim_ordering"):
            value = node.get(key)
            if isinstance(value, str) and value in _FORMATS:
                found.add(_FORMATS[value])
    return found
