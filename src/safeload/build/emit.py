"""Emit: the config tree that Keras is given, written anew from the document's.

Every class and function in it is one that `objects.resolve` resolved: a name of Keras' own from the catalog, or a key of
the custom objects that the caller passed or registered. Names of the file never reach Keras' look-ups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from safeload.errors import UnsafeModelError
from safeload.objects.uses import DATA_CLASSES, TYPESPECS

__all__ = ["Resolver", "Target", "emit"]

_KEPT = ("build_config", "name", "inbound_nodes", "shared_object_id")
"""Keys beside class_name and config that the deserializers read."""


class Target(Protocol):
    """What a name in the config stands for."""

    module: str | None
    """`keras.layers` and so on for Keras' own; None for custom objects."""
    name: str
    """Keras' own name, or the key under which the custom object is handed over."""


class Resolver(Protocol):
    """The part of `objects.Resolution` that emitting needs."""

    def target(self, node: Mapping[str, Any], where: str) -> Target:
        """What the object at this place stands for.

        Raises:
            SafeLoadError: It was not resolved.
        """

    def custom_text(self, where: str) -> str | None:
        """The key of the custom object that a bare string at this place names; None for every other string."""


def emit(value: Any, resolver: Resolver, where: str = "", *, plain: bool = False, allow_lambda: bool = False) -> Any:
    """The value with every object in it written anew.

    Plain data that JSON can't say, and that Keras 2 wrote as `{"class_name": "__tuple__", "items": [...]}` and the like
    (`json_utils.Encoder`), becomes itself.

    Args:
        value: A config, or part of one.
        resolver: What each name stands for.
        where: The place of the value in the document.
        plain: Keep objects without `module` in the form of Keras 2's legacy deserializer: `{"class_name", "config"}`.
        allow_lambda: Let bytecode of lambdas pass (`safe_mode=False`).

    Raises:
        UnsafeModelError: There is bytecode, and it was not allowed.
    """

    def walk(node: Any, at: str) -> Any:
        if isinstance(node, list | tuple):
            return [walk(v, f"{at}[{i}]") for i, v in enumerate(node)]
        if isinstance(node, str):
            key = resolver.custom_text(at)
            return node if key is None else key if plain else _custom_function(key)
        if not isinstance(node, Mapping):
            return node
        if isinstance(node.get("class_name"), str) and "config" in node:
            return obj(node, at)
        if "class_name" in node and node["class_name"] not in DATA_CLASSES:
            raise UnsafeModelError("an object in a form that no Keras writes", where=at, threats=(f"{at}: no object",))
        if "items" in node and node.get("class_name") in ("__tuple__", "TensorShape"):
            return tuple(walk(v, at) for v in node["items"])
        if node.get("class_name") == "__ellipsis__":
            return Ellipsis
        return {k: walk(v, f"{at}.{k}" if at else str(k)) for k, v in node.items()}

    def obj(node: Mapping[str, Any], at: str) -> Any:
        name = node["class_name"]
        if name == "__lambda__":
            if not allow_lambda:
                raise UnsafeModelError("a Lambda holds Python bytecode", where=at, threats=(f"{at}: Python bytecode",))
            return dict(node)
        if name == "__typespec__":
            return _typespec(node, walk(node["config"], at), at)
        if name in DATA_CLASSES:
            return {k: walk(v, at) for k, v in node.items()}
        if not allow_lambda and any("_type" in str(k) and v == "lambda" for k, v in _items(node["config"])):
            raise UnsafeModelError("a layer holds Python bytecode", where=at, threats=(f"{at}: Python bytecode",))
        target = resolver.target(node, at)
        if name == "function":
            return target.name if target.module else _custom_function(target.name)
        config = walk(node["config"], at)
        if plain and "module" not in node:
            emitted = {"class_name": target.name, "config": config}
        else:
            emitted = {
                "module": target.module,
                "class_name": _class_name(target, at),
                "config": config,
                "registered_name": target.name if target.module is None else None,
            }
        for key in _KEPT:
            if key in node:
                emitted[key] = walk(node[key], f"{at}.{key}")
        return emitted

    return walk(value, where)


def _class_name(target: Target, at: str) -> str:
    """The last part of a registered name, but whole in a wrapper: Keras 2.15's `Wrapper.from_config` looks it up as it is
    (it takes every wrapped layer for one in the legacy form).
    """
    if target.module is not None or at.rpartition(".")[2] in ("layer", "backward_layer"):
        return target.name
    return target.name.rsplit(">", 1)[-1]


def _typespec(node: Mapping[str, Any], config: Any, at: str) -> dict[str, Any]:
    """A type spec with the module of our table in place of the file's, which tf_keras would import."""
    name = node.get("spec_name")
    if name not in TYPESPECS:
        raise UnsafeModelError(f"the type spec {name!r}", where=at, threats=(f"{at}: the type spec {name!r}",))
    kept = {"class_name": "__typespec__", "spec_name": name, "module": TYPESPECS[name], "registered_name": None}
    return {**kept, "config": config}


def _items(config: Any) -> Any:
    return config.items() if isinstance(config, Mapping) else ()


def _custom_function(key: str) -> dict[str, Any]:
    return {"module": "builtins", "class_name": "function", "config": key, "registered_name": key}
