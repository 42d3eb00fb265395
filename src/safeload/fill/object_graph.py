"""Fill from the layout `object-graph`: SavedModels and TensorFlow checkpoints.

The file leads: below each layer's node, every attribute that holds values is looked for among the built object's
attributes of the same name (private or not). What an attribute's name doesn't tell (a class that was rewritten since)
is told by the list of the layer's variables, in the writer's order, where shapes and names agree. A transform of a
repair takes a layer's variables in that order too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from safeload.document import LayerPath, ModelDocument
from safeload.fill.ledger import Ledger, variable_name
from safeload.fill.named_variables import fill_named
from safeload.fill.owners import own_variables
from safeload.fill.saveables import children_of, is_container, is_saveable
from safeload.formats.tensorflow.layers import layer_nodes, layers_with_weights, variables_of
from safeload.formats.tensorflow.object_graph import GraphNode, ObjectGraph
from safeload.formats.tensorflow.optimizer import is_optimizer
from safeload.naming import layers_of

__all__ = ["fill_object_graph"]

_BESIDE = frozenset(
    "keras_api signatures variables trainable_variables non_trainable_variables regularization_losses "
    "optimizer _optimizer compiled_metrics compiled_loss _compile_metrics save_counter".split()
)
"""Attributes that hold no variables of the model's own: the same again, training state, functions."""

_LAYER = re.compile(r"layer(?:_with_weights)?-\d+|_operations|_layers")
"""What a functional or Sequential model has its layers under (Keras 2, Keras 3)."""


def fill_object_graph(model: Any, document: ModelDocument, original: ModelDocument, ledger: Ledger) -> None:
    """Fill a model from a document of this layout; see `fill.fill`."""
    graph = document.extras.get("object_graph")
    if graph is None:  # TensorFlow 1: variables by name
        assert document.weights is not None
        fill_named(model, document.weights, ledger)
        return
    architecture = original.architecture if original.architecture is not None else document.architecture
    filler = _Filler(document, graph, ledger)
    filler.object(model, _model_node(graph, model, filler.holding), (), architecture)
    filler.report_unused()
    for layer in filler.finalized:
        layer.finalize_state()


def _model_node(graph: ObjectGraph, model: Any, holding: frozenset[int]) -> GraphNode:
    """The model's node: the root, or what a `tf.train.Checkpoint(net=model, step=...)` calls it."""
    below = {n: graph.nodes[i] for n, i in graph.root.children.items() if i in holding and n not in _BESIDE}
    own = {_plain(name) for name in _attributes_of(model)}
    if any(node.value is not None and _plain(name) in own for name, node in below.items()):
        return graph.root
    if any(_LAYER.match(name) or (not _is_model(model) and _plain(name) in own) for name in below):
        return graph.root
    objects = {n: node for n, node in below.items() if node.value is None and not is_optimizer(node)}
    if len(objects) == 1:
        return next(iter(objects.values()))
    return objects.get("model", graph.root)


def _plain(name: str) -> str:
    return name.lstrip("_")


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1].split(":")[0]


def _is_variable(value: Any) -> bool:
    return hasattr(value, "assign") and hasattr(value, "shape") and not is_saveable(value)


class _Filler:
    def __init__(self, document: ModelDocument, graph: ObjectGraph, ledger: Ledger) -> None:
        self.document = document
        self.graph = graph
        self.ledger = ledger
        self.seen: set[tuple[int, int]] = set()
        self.finalized: list[Any] = []
        self.holding = _holding(graph)
        self.used: set[int] = set()
        self.unmatched: list[tuple[str, GraphNode]] = []

    def object(self, target: Any, node: GraphNode, path: LayerPath, config: Any) -> None:
        """Fill an object from its node, and what is below it."""
        if (id(target), node.id) in self.seen:
            return
        self.seen.add((id(target), node.id))
        if path in self.document.transforms:
            self.transformed(target, node, path)
            return
        left = self.layers(target, node, path, config) if _is_model(target) else None
        if left is None:
            self.attributes(target, node, path, config, frozenset())
        else:
            self.attributes(target, node, path, config, left)
        if hasattr(target, "finalize_state") and any(id(v) in self.ledger.filled for v in target.variables):
            self.finalized.append(target)

    def transformed(self, target: Any, node: GraphNode, path: LayerPath) -> None:
        stored = variables_of(self.graph, node)
        self.used.update(n.id for n in stored)
        arrays = [n.value.read() for n in stored if n.value is not None]
        for transform in self.document.transforms[path]:
            arrays = transform.apply(arrays)
        variables = own_variables(target)
        where = "/".join(path)
        if len(arrays) != len(variables):
            self.ledger.mismatch(f"{where}: expected {len(variables)} arrays, found {len(arrays)} after repair")
            return
        for variable, array in zip(variables, arrays, strict=True):
            self.ledger.assign(variable, array, where)

    def layers(self, model: Any, node: GraphNode, path: LayerPath, config: Any) -> frozenset[str] | None:
        """The layers of a functional or Sequential model; the attributes of the node that this dealt with, or None."""
        nodes = layer_nodes(self.graph, node, config)
        by_name = {layer.name: layer for layer in model.layers}
        if not nodes:
            weighted = [layer for layer in model.layers if layer.weights]
            stored = layers_with_weights(self.graph, node)
            if not stored or len(stored) != len(weighted):
                return None
            nodes = {layer.name: n for layer, n in zip(weighted, stored, strict=True)}
        configs = layers_of(config)
        done = set()
        for name, stored_node in nodes.items():
            layer = by_name.get(name)
            if layer is not None:
                self.object(layer, stored_node, (*path, name), configs.get(name))
            elif stored_node.id in self.holding:
                self.unmatched.append(("/".join((*path, name)), stored_node))
            done.add(stored_node.id)
        return frozenset(name for name, number in node.children.items() if number in done)

    def attributes(self, target: Any, node: GraphNode, path: LayerPath, config: Any, done: frozenset[str]) -> None:
        """Each attribute of the node that holds values, into the built object's attribute of that name."""
        wanted = {
            name: self.graph.nodes[number]
            for name, number in node.children.items()
            if name not in _BESIDE and name not in done and number in self.holding
        }
        if not wanted:
            if not done:
                self.by_order(target, node, path)
            return
        own = _attributes_of(target)
        by_plain: dict[str, Any] = {_plain(name): value for name, value in own.items()}
        names = {_plain(_last(variable_name(v))): v for v in _own(target)}
        left = []
        for name, child in wanted.items():
            value = own.get(name, by_plain.get(_plain(name)))
            if value is None or (child.value is not None) != _is_variable(value):
                value = names.get(_plain(name)) if child.value is not None else None
            if value is None:
                left.append(name)
            else:
                self.value(value, child, (*path, _plain(name)))
        if left and not self.by_order(target, node, path):
            self.unmatched += [("/".join((*path, name)), wanted[name]) for name in left]

    def value(self, value: Any, node: GraphNode, path: LayerPath) -> None:
        """A variable, a container or an object."""
        if _is_variable(value):
            if node.value is not None:
                self.assign(value, node)
        elif is_container(value):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for key, item in items:
                child = self.graph.child(node, str(key))
                if child is not None:
                    self.value(item, child, (*path, str(key)))
        else:
            self.object(value, node, path, None)

    def by_order(self, target: Any, node: GraphNode, path: LayerPath) -> bool:
        """The object's variables from the writer's list of them, where number, shapes and names agree."""
        variables = own_variables(target) if hasattr(target, "trainable_weights") else []
        stored = variables_of(self.graph, node)
        if not variables or not _agree(variables, stored):
            return not stored
        for variable, source in zip(variables, stored, strict=True):
            self.assign(variable, source)
        return True

    def assign(self, variable: Any, node: GraphNode) -> None:
        assert node.value is not None
        self.used.add(node.id)
        self.ledger.assign(variable, node.value.read(), node.value.where)

    def report_unused(self) -> None:
        """What no attribute of the model stands for, and nothing else took.

        Another way to the same objects is no mismatch: a layer has several names in a subclassed model, and
        `tf.train.Checkpoint(model)` has the model under `root` as well (TF 2.5 on).
        """
        visited = {number for _, number in self.seen}
        for path, node in self.unmatched:
            if (
                node.id not in visited
                and not is_optimizer(node)
                and any(n.id not in self.used for n in variables_of(self.graph, node))
            ):
                self.ledger.mismatch(f"{path}: stored in the file, not in the model")


def _holding(graph: ObjectGraph) -> frozenset[int]:
    """Nodes from which a value is reached by attributes."""
    parents: dict[int, list[int]] = {}
    for node in graph.nodes:
        for name, number in node.children.items():
            if name not in _BESIDE:
                parents.setdefault(number, []).append(node.id)
    queue = [node.id for node in graph.nodes if node.value is not None]
    found = set(queue)
    for number in queue:
        for parent in parents.get(number, ()):
            if parent not in found:
                found.add(parent)
                queue.append(parent)
    return frozenset(found)


def _is_model(target: Any) -> bool:
    """Whether it is a functional or Sequential model: those have their layers under numbers."""
    return any(cls.__name__ in ("Functional", "Sequential") for cls in type(target).__mro__)


def _own(target: Any) -> list[Any]:
    for names in (
        ("_trainable_variables", "_non_trainable_variables"),
        ("_trainable_weights", "_non_trainable_weights"),
    ):
        if hasattr(target, names[0]):
            return [*getattr(target, names[0]), *getattr(target, names[1])]
    return []


def _attributes_of(target: Any) -> dict[str, Any]:
    """Variables, containers and objects by attribute; the names come from the object itself."""
    found = {name: value for name, value in vars(target).items() if _is_variable(value)}
    found.update(children_of(target))
    return found


_TOLD = frozenset(
    "kernel bias gamma beta moving_mean moving_variance recurrent_kernel embeddings depthwise_kernel pointwise_kernel "
    "alpha mean variance count".split()
)


def _agree(variables: Sequence[Any], stored: Sequence[GraphNode]) -> bool:
    if len(variables) != len(stored):
        return False
    for variable, node in zip(variables, stored, strict=True):
        if node.value is None or tuple(variable.shape) != node.value.shape:
            return False
        ours, theirs = _last(variable_name(variable)), _last(node.name or node.value.name)
        if ours in _TOLD and theirs in _TOLD and ours != theirs:
            return False
    return True
