"""Files that don't say which backend wrote them, where that decides what the numbers mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safeload.document import ModelDocument
from safeload.errors import BackendMismatchError
from safeload.repairs.backends import theano, windows
from safeload.repairs.engine import Context, is_object

__all__ = ["ask"]


def _differs(layer: Mapping[str, Any]) -> bool:
    """Whether the layer computes something else on Theano than on TensorFlow."""
    name, config = theano.class_of(layer), layer["config"]
    if not isinstance(config, Mapping):
        return False
    if name in theano.FLIPPED:
        return any(k != 1 for k in windows.integers(config.get("kernel_size", 1), theano.FLIPPED[name]))
    if name in theano.POOLED:
        return windows.pool_margins(config, theano.POOLED[name]) is not None
    return name == "SReLU"


def _layers(node: Any, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, list):
        for i, item in enumerate(node):
            yield from _layers(item, f"{where}[{i}]")
    elif isinstance(node, Mapping):
        if is_object(node):
            yield where, node
            yield from _layers(node["config"], where)
        else:
            for key in ("layers", "layer", "backward_layer"):
                if key in node:
                    yield from _layers(node[key], f"{where}.{key}" if where else key)


def ask(document: ModelDocument, context: Context) -> tuple[ModelDocument, str | None] | None:
    """Nothing, unless the backend matters and nobody says which it was.

    Raises:
        BackendMismatchError: It does.
    """
    if context.saved_backend is not None or document.dialect != "keras1":
        return None
    for where, layer in _layers(document.architecture, ""):
        if _differs(layer):
            raise BackendMismatchError(
                f"Keras {document.writer.keras or 1} does not store its backend, and {layer['class_name']} computes "
                "something else on Theano (which flips kernels) than on TensorFlow",
                path=document.path,
                where=where,
                hint='load_model(path, saved_backend="theano"), or saved_backend="tensorflow"',
                candidates=("theano", "tensorflow"),
            )
    return None
