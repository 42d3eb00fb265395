"""What Keras saves of an object: its children by attribute, for Keras 3 and Keras 2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["children_of", "is_container", "is_layer_list", "is_saveable", "members"]

_NEVER = frozenset(
    {"optimizer", "_optimizer", "compiled_loss", "compiled_metrics", "_compile_metrics", "_compile_loss"}
)

_WARNING = frozenset({"updates", "state_updates"})
"""Properties of Keras 2 that warn when they are read, and hold operations only."""


def is_container(value: Any) -> bool:
    """Whether it is a list, tuple or dict (Keras' tracked kinds included)."""
    return isinstance(value, list | tuple | dict | set)


def is_saveable(value: Any) -> bool:
    """Whether Keras would save it: a layer, model, metric, loss, optimizer or generator with state of its own."""
    return hasattr(value, "load_own_variables") or (hasattr(value, "weights") and hasattr(value, "get_config"))


def members(container: Any) -> Iterator[Any]:
    """The objects of a container that Keras would save, and containers in it."""
    for value in container.values() if isinstance(container, dict) else container:
        if is_container(value) or is_saveable(value):
            yield value


def is_layer_list(target: Any) -> bool:
    """Whether `target.layers` are stored as a list of layers: Sequential and functional models."""
    return isinstance(getattr(target, "layers", None), list)


def children_of(target: Any) -> Iterator[tuple[str, Any]]:
    """The children by attribute: objects that Keras would save, and containers.

    The names come from the object itself, never from a file. Properties that raise are passed over, as Keras does.
    """
    names = set(vars(target))
    for cls in type(target).__mro__:
        names.update(name for name, member in vars(cls).items() if isinstance(member, property))
    for name in sorted(names):
        if name.startswith("__") or name in _NEVER:
            continue
        if name in _WARNING and isinstance(getattr(type(target), name, None), property):
            continue
        try:
            value = getattr(target, name)
        except Exception:  # a property of a user's class may raise anything; Keras passes over it as well
            continue
        if is_container(value) or is_saveable(value):
            yield name, value
