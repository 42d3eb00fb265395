"""Every class and function that a config needs, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["DATA_CLASSES", "TYPESPECS", "ObjectUse", "kind_of_slot", "uses"]

DATA_CLASSES = frozenset(
    "__tensor__ __numpy__ __keras_tensor__ __bytes__ __ellipsis__ __slice__ __tuple__ __typespec__ slice TensorShape "
    "Ellipsis TypeSpec CompositeTensor RaggedTensorSpec SparseTensorSpec TensorSpec ragged_tensor numpy".split()
)
"""Class names that stand for plain data in configs of Keras 2 and 3 (`serialization_lib`, `json_utils`)."""

TYPESPECS = {
    "TensorSpec": "tensorflow.python.framework.tensor_spec",
    "RaggedTensorSpec": "tensorflow.python.ops.ragged.ragged_tensor",
    "SparseTensorSpec": "tensorflow.python.framework.sparse_tensor",
}
"""The type specs that an InputLayer may hold, and where they live; tf_keras imports whatever module a file names."""

_SLOTS = {
    "layer": "layer",
    "layers": "layer",
    "forward_layer": "layer",
    "backward_layer": "layer",
    "cell": "layer",
    "cells": "layer",
    "activation": "activation",
    "recurrent_activation": "activation",
    "inner_activation": "activation",
    "loss": "loss",
    "loss_fn": "loss",
    "metrics": "metric",
    "weighted_metrics": "metric",
    "optimizer": "optimizer",
    "inner_optimizer": "optimizer",
    "learning_rate": "schedule",
    "initial_learning_rate": "schedule",
    "dtype": "dtype_policy",
    "function": "function",
}
_SUFFIXES = {
    "_initializer": "initializer",
    "_regularizer": "regularizer",
    "_constraint": "constraint",
    "_activation": "activation",
    "_quantizer": "quantization",
}
_FUNCTIONS = frozenset({"activation", "initializer", "regularizer", "constraint", "loss", "metric", "optimizer"})
"""Kinds of slots in which a bare string names an object."""

_TRAINING = frozenset({"loss", "metric", "optimizer", "schedule"})

_DATA_KEYS = frozenset({"build_config", "compile_config", "inbound_nodes", "input_layers", "output_layers"})
"""Keys under which strings are names of layers or data, never of objects."""


@dataclass(frozen=True, slots=True)
class ObjectUse:
    """One class or function that a config needs.

    Attributes:
        kind: `layer`, `activation`, `loss`, `metric`, `initializer`, `regularizer`, `constraint`, `optimizer`, `schedule`,
            `dtype_policy`, `function`, or `object` where the place doesn't tell.
        name: The class or function name as the file has it.
        registered_name: `package>Name`, where the file has one.
        module: The module that the file names; never imported.
        where: The place, such as `layers[3].activation`.
        training: Whether it is needed for training alone.
        config: The config of a class; None for functions.
        is_text: Whether the file has nothing but the name.
    """

    kind: str
    name: str
    registered_name: str | None
    module: str | None
    where: str
    training: bool = False
    config: Any = None
    is_text: bool = False

    @property
    def is_function(self) -> bool:
        return self.config is None


def kind_of_slot(key: str) -> str | None:
    """The kind of object that belongs under a key of a config; None where the key doesn't tell."""
    found = _SLOTS.get(key)
    if found is None:
        found = next((kind for suffix, kind in _SUFFIXES.items() if key.endswith(suffix)), None)
    return found


def uses(config: Any, *, where: str = "", kind: str | None = None, training: bool = False) -> Iterator[ObjectUse]:
    """The uses in a config tree of any dialect, outermost first. Iterative: any depth is walked."""
    stack: list[tuple[Any, str, str | None, bool]] = [(config, where, kind, False)]
    while stack:
        node, at, slot, custom = stack.pop()
        if isinstance(node, list | tuple):
            stack += [(v, f"{at}[{i}]", slot, custom) for i, v in reversed(list(enumerate(node)))]
        elif isinstance(node, str):
            if slot in _FUNCTIONS and not custom and node:
                yield ObjectUse(slot, node, None, None, at, training or slot in _TRAINING, is_text=True)
        elif isinstance(node, Mapping):
            if not isinstance(node.get("class_name"), str) or "config" not in node:
                inherited = slot if slot in ("loss", "metric") else None
                stack += _children(node, at, inherited, custom)
                continue
            name = node["class_name"]
            inner = node["config"]
            if name in DATA_CLASSES:
                continue
            kept = slot or "object"
            if name == "function":
                if isinstance(inner, str):
                    registered = _text(node.get("registered_name"))
                    if registered == "function":  # what Keras 3 writes for every function that is not registered
                        registered = None
                    yield ObjectUse(kept, inner, registered, _text(node.get("module")), at, training)
                continue
            if name != "__lambda__":
                registered, module = _text(node.get("registered_name")), _text(node.get("module"))
                if ">" in name:
                    registered = registered or name
                yield ObjectUse(kept, name.rsplit(">", 1)[-1], registered, module, at, training, inner)
                stack += _children(node, at, None, custom, skip="config")
                stack += (
                    _children(inner, at, None, custom) if isinstance(inner, Mapping) else [(inner, at, "layer", custom)]
                )


def _children(
    node: Mapping[Any, Any], at: str, inherited: str | None, custom: bool, skip: str = ""
) -> list[tuple[Any, str, str | None, bool]]:
    found = []
    for key, value in reversed(list(node.items())):
        if key == skip or key in _DATA_KEYS or not isinstance(value, Mapping | list | tuple | str):
            continue
        if skip and isinstance(value, str):  # beside `config`: module, registered_name, name
            continue
        found.append((value, f"{at}.{key}" if at else str(key), inherited or kind_of_slot(str(key)), custom))
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
