"""Which layer owns which variable, by the layer's path in the config."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from safeload.document import LayerPath

__all__ = ["inner_layers", "own_variables", "owners"]

_SLOTS = ("forward_layer", "backward_layer", "layer", "cell")
"""Attributes under which Keras' wrappers and recurrent layers hold other layers; the same words as in their configs."""


def inner_layers(layer: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The layers directly inside a layer with the last part of their path: a model's by name, a wrapper's by slot."""
    children = getattr(layer, "layers", None)
    if isinstance(children, list) and hasattr(layer, "inputs"):  # a model
        for child in children:
            yield (child.name,), child
        return
    for slot in _SLOTS:
        child = layer.__dict__.get(slot)
        if child is not None and hasattr(child, "weights"):
            yield (slot,), child
    cells = layer.__dict__.get("cells")
    if isinstance(cells, list | tuple):
        for i, cell in enumerate(cells):
            yield ("cells", str(i)), cell


def owners(layer: Any, path: LayerPath = ()) -> dict[int, LayerPath]:
    """The path of the innermost layer that owns a variable, by the variable's id. Shared layers keep their first path."""
    found: dict[int, LayerPath] = {}
    seen: set[int] = set()

    def visit(node: Any, at: LayerPath) -> None:
        if id(node) in seen:
            return
        seen.add(id(node))
        for part, child in inner_layers(node):
            visit(child, at + part)
        for variable in node.weights:
            found.setdefault(id(variable), at)

    visit(layer, path)
    return found


def own_variables(layer: Any) -> list[Any]:
    """A layer's variables as the HDF5 layout orders them: trainable first, then the others."""
    return list(layer.trainable_weights) + list(layer.non_trainable_weights)
