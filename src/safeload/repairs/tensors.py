"""Tensors and operations in the nodes of a Keras 3 graph: what every repair of such graphs needs to read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from safeload.objects.catalog import builtin
from safeload.repairs.engine import is_object
from safeload.repairs.forms import plain

__all__ = ["Place", "ends", "history", "is_endpoint", "is_graph", "is_operation", "replaced", "tensors"]

Place = tuple[str, int, int]
"""Layer, call and number of a tensor."""


def history(value: Any) -> Place | None:
    """`(layer, call, tensor)` of a tensor in a node; None for anything else."""
    if not is_object(value) or value["class_name"] != "__keras_tensor__" or not isinstance(value["config"], Mapping):
        return None
    found = value["config"].get("keras_history")
    if not isinstance(found, list | tuple) or len(found) != 3:
        return None
    name, node, tensor = found
    return str(name), int(node), int(tensor)


def tensors(value: Any) -> Iterator[Place]:
    """The places of all tensors below a value."""
    place = history(value)
    if place is not None:
        yield place
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors(item)


def replaced(value: Any, new: Callable[[Mapping[str, Any], Place], Any]) -> Any:
    """The value with `new(tensor, place)` for each tensor below it."""
    place = history(value)
    if place is not None:
        return new(value, place)
    if isinstance(value, Mapping):
        return {k: replaced(v, new) for k, v in value.items()}
    return [replaced(v, new) for v in value] if isinstance(value, list | tuple) else value


def is_endpoint(value: Any) -> bool:
    """Whether it is one input or output of a model: `[layer, call, tensor]`."""
    return isinstance(value, list | tuple) and len(value) == 3 and isinstance(value[0], str)


def ends(value: Any) -> Iterator[Place]:
    """The places of a model's inputs or outputs, in whatever structure."""
    if is_endpoint(value):
        yield str(value[0]), int(value[1]), int(value[2])
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from ends(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from ends(item)


def is_graph(layer: Any) -> bool:
    """Whether it is a functional model, of any dialect."""
    config = layer.get("config") if isinstance(layer, Mapping) else None
    return (
        isinstance(config, Mapping)
        and isinstance(config.get("layers"), list)
        and "input_layers" in config
        and "output_layers" in config
    )


def is_operation(node: Mapping[str, Any]) -> bool:
    """Whether a node of a graph is an operation (`keras.ops`), which may share its name with a layer."""
    module = node.get("module")
    if isinstance(module, str):
        return module.startswith("keras.") and "ops" in module.split(".")
    if "module" in node or ">" in str(node.get("class_name")):
        return False
    # An .h5 has the class name alone; every layer stores `trainable`, and no operation does.
    config = node.get("config")
    if not isinstance(config, Mapping) or "trainable" in config or node.get("class_name") == "InputLayer":
        return False
    found = builtin("keras3", "operation", plain(node))
    if found is None:
        return False
    # Some of Keras' own layers store no `trainable` either (Discretization), and custom ones need not: theirs are other
    # arguments.
    return found.arguments is None or config.keys() <= {*found.arguments, "name"}
