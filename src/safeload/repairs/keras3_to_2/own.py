"""Which objects of a Keras 3 config are Keras' own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.objects.catalog import Builtin, builtin
from safeload.repairs.forms import plain as class_of
from safeload.repairs.tensors import is_operation

__all__ = ["accepted", "class_of", "own_class"]

_EVERYWHERE = frozenset({"name", "trainable", "dtype", "activity_regularizer"})
"""Arguments that every layer takes."""


def own_class(node: Mapping[str, Any], kind: str, dialect: str = "keras3") -> Builtin | None:
    """Keras' own class that a config node names; None for custom objects.

    `.keras` files name the module and the registered name. An `.h5` has the class name alone, which a custom class may
    share: there the config decides, as Keras' own classes store arguments of their own and no others.
    """
    name = node.get("class_name")
    if not isinstance(name, str):
        return None
    registered = node.get("registered_name")
    if isinstance(registered, str) and ">" in registered and not registered.startswith(("Keras>", "keras>")):
        return None
    module = node.get("module")
    if isinstance(module, str) and module.split(".")[0] not in ("keras", "tf_keras", "builtins"):
        return None
    if kind == "layer" and is_operation(node):
        return None
    if ">" in name and not name.startswith(("Keras>", "keras>")):
        return None
    found = builtin(dialect, kind, class_of(node))
    if found is not None and module is None and "module" not in node and kind == "layer":
        config = node.get("config")
        if found.arguments is not None and isinstance(config, Mapping):
            strange = config.keys() - set(found.arguments) - _EVERYWHERE
            if strange and builtin("keras2", kind, class_of(node)) is None:
                return None
    return found


def accepted(name: str, version: tuple[int, ...]) -> frozenset[str] | None:
    """The arguments that the layer of that name takes in a release of Keras 2; None where it takes any."""
    found = builtin("keras2", "layer", name)
    taken = found.taken(version) if found is not None else None
    return None if taken is None else taken | _EVERYWHERE
