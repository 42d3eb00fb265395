"""Which node of an object graph is which layer of the config."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from safeload.formats.tensorflow.object_graph import GraphNode, ObjectGraph
from safeload.naming import layers_of, writer_class

__all__ = ["inner_layer", "layer_nodes", "layers_with_weights", "own_values", "variables_of", "walk_layers"]

_LAYER = re.compile(r"layer-(\d+)")
_WITH_WEIGHTS = re.compile(r"layer_with_weights-(\d+)")
_LISTS = ("variables", "trainable_variables", "non_trainable_variables", "keras_api", "signatures")


def layer_nodes(graph: ObjectGraph, model: GraphNode, config: Any) -> dict[str, GraphNode]:
    """The node of each layer of a functional or Sequential model, by the layer's name.

    A SavedModel of Keras says each layer's name. A checkpoint counts the layers (`layer-0` ...; `Model._layers`, in
    the order of the config; a Sequential's InputLayer is counted by tf.keras 1.14-2.1 and left out since).
    """
    numbered = _numbered(model, _LAYER)
    candidates = [graph.nodes[n] for n in numbered] or graph.items(graph.child(model, "keras_api", "layers"))
    named = {str(node.metadata["name"]): node for node in candidates if node.metadata and "name" in node.metadata}
    layers = layers_of(config)
    if named and (not layers or named.keys() & layers.keys()):
        return named
    names = list(layers)
    if len(names) != len(numbered):
        names = [name for name, layer in layers.items() if writer_class(layer) != "InputLayer"]
        if len(names) == len(numbered) - 1:  # an InputLayer that the config doesn't list
            numbered = numbered[1:]
    if len(names) == len(numbered):
        return {name: graph.nodes[n] for name, n in zip(names, numbered, strict=True)}
    return {}


def layers_with_weights(graph: ObjectGraph, model: GraphNode) -> list[GraphNode]:
    """The nodes of a model's layers that have weights, in the model's order."""
    return [graph.nodes[n] for n in _numbered(model, _WITH_WEIGHTS)]


def _numbered(node: GraphNode, pattern: re.Pattern[str]) -> list[int]:
    found = [(int(m.group(1)), n) for name, n in node.children.items() if (m := pattern.fullmatch(name))]
    return [n for _, n in sorted(found)]


def inner_layer(graph: ObjectGraph, node: GraphNode, name: str) -> GraphNode | None:
    """What a layer holds under an attribute, private or not: `_lookup_layer`, `cell`, `forward_layer`."""
    return graph.child(node, name) or graph.child(node, f"_{name}")


def walk_layers(
    graph: ObjectGraph, node: GraphNode, model: Mapping[str, Any], depth: int = 50
) -> Iterator[tuple[Mapping[str, Any], GraphNode]]:
    """The config node of each layer with its node in the graph, nested models' and wrapped layers' too."""
    if depth == 0:
        return
    nodes = layer_nodes(graph, node, model)
    for name, layer in layers_of(model).items():
        if name in nodes:
            yield layer, nodes[name]
            yield from walk_layers(graph, nodes[name], layer, depth - 1)
    config = model.get("config")
    inner = config.get("layer") if isinstance(config, Mapping) else None
    held = inner_layer(graph, node, "layer")
    if isinstance(inner, Mapping) and held is not None:
        yield inner, held
        yield from walk_layers(graph, held, inner, depth - 1)


def own_values(graph: ObjectGraph, node: GraphNode) -> dict[str, GraphNode]:
    """The variables that an object holds itself, by attribute, in the order in which they were made."""
    return {
        name: graph.nodes[number] for name, number in node.children.items() if graph.nodes[number].value is not None
    }


def variables_of(graph: ObjectGraph, node: GraphNode) -> list[GraphNode]:
    """All variables of a layer in the order of `layer.weights` when it was written.

    A SavedModel lists them (`variables`: trainable first). In a checkpoint they come as they were made.
    """
    listed = graph.child(node, "variables")
    if listed is not None and listed.children and set(listed.children) == {str(i) for i in range(len(listed.children))}:
        found = graph.items(listed)
        if all(n.value is not None for n in found):
            return found
    order: dict[int, GraphNode] = {}
    seen: set[int] = set()
    stack = [node]
    while stack:
        at = stack.pop()
        if at.id in seen:
            continue
        seen.add(at.id)
        if at.value is not None:
            order[at.id] = at
        stack.extend(graph.nodes[n] for name, n in reversed(list(at.children.items())) if name not in _LISTS)
    return list(order.values())
