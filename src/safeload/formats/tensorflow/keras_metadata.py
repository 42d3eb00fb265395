"""What Keras 2 wrote into a SavedModel about its layers and models, as JSON by node.

Until 2.4 it stands in the object graph (`SavedUserObject.metadata`), from 2.5 on in `keras_metadata.pb` beside it
(keras/saving/saved_model/save.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.bytesource import ByteRange
from safeload.formats.tensorflow.protos import KERAS_METADATA
from safeload.formats.tensorflow.wire import parse
from safeload.formats.texts import parse_json

__all__ = ["MEMBER", "keras_metadata", "plain"]

MEMBER = "keras_metadata.pb"
_IDENTIFIERS = "_tf_keras_"


def keras_metadata(
    saved_objects: Mapping[str, Any], member: ByteRange | None, path: str | None
) -> dict[int, Mapping[str, Any]]:
    """The metadata of each node that is Keras'.

    Raises:
        CorruptedModelError: It is damaged.
    """
    texts: dict[int, str] = {}
    if member is not None:
        message = parse(member.read(), KERAS_METADATA, path=path, where=MEMBER)
        for node in message.get("nodes", ()):
            texts[node.get("node_id", 0)] = node.get("metadata", "")
    else:
        for number, node in enumerate(saved_objects.get("nodes", ())):
            user_object = node.get("user_object") or {}
            if user_object.get("identifier", "").startswith(_IDENTIFIERS):
                texts[number] = user_object.get("metadata", "")
    found = {}
    for number, text in texts.items():
        value = plain(parse_json(text, path=path, where=f"{MEMBER} node {number}")) if text else None
        if isinstance(value, Mapping):
            found[number] = value
    return found


def plain(value: Any) -> Any:
    """JSON with the encoder's stand-ins for tuples and shapes as lists (`json_utils.Encoder`), like an HDF5 config."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        if value.get("class_name") in ("__tuple__", "TensorShape") and isinstance(value.get("items"), list):
            return [plain(v) for v in value["items"]]
        return {k: plain(v) for k, v in value.items()}
    return value
