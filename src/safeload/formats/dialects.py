"""Who wrote a config, and in which dialect: from what the file says, and from its keys where it doesn't."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.document import Writer

__all__ = ["dialect_of", "writer_of"]

_KERAS1_KEYS = frozenset(
    "nb_filter filter_length nb_row nb_col border_mode subsample subsample_length dim_ordering output_dim init input_dtype "
    "W_regularizer b_regularizer W_constraint b_constraint consume_less inner_activation pool_length nb_feature p".split()
)
_LIMIT = 200
"""Layers looked at to judge the dialect."""


def writer_of(keras_version: str | None, backend: str | None) -> Writer:
    """The writer from the two attributes that every Keras since 1.1 stores (the backend since 2.0)."""
    if keras_version is None:
        return Writer(backend=backend)
    version, _, suffix = keras_version.partition("-")
    numbers = Writer(keras=version).version
    is_tf_keras = suffix == "tf" or (2, 4) <= numbers < (3,)
    return Writer(keras=version, backend=backend, is_tf_keras=is_tf_keras)


def dialect_of(architecture: Any, writer: Writer) -> str | None:
    """`keras1`, `keras2` or `keras3`; None without a config."""
    if not isinstance(architecture, Mapping):
        return None
    major = writer.version[0]
    if major in (1, 2, 3):
        return f"keras{major}"
    if "module" in architecture or "registered_name" in architecture:
        return "keras3"
    seen = 0
    stack: list[Any] = [architecture.get("config")]
    while stack and seen < _LIMIT:
        node = stack.pop()
        seen += 1
        if isinstance(node, Mapping):
            if _KERAS1_KEYS & node.keys():
                return "keras1"
            if "batch_shape" in node or "keras_history" in node:
                return "keras3"
            stack += [v for v in node.values() if isinstance(v, Mapping | list)]
        elif isinstance(node, list):
            stack += node[:_LIMIT]
    return "keras2"
