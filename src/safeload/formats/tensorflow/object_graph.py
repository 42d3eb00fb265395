"""The graph of objects that a checkpoint or a SavedModel stores: who has whom under which attribute.

Every trackable object is a node; its children are named by attribute, its variables are nodes with a stored value. A
checkpoint's graph (`TrackableObjectGraph`) knows names and keys; a SavedModel's (`SavedObjectGraph`) also what kind of
object each is, and Keras' metadata. Their numbers of nodes need not be the same, so the second is laid over the first
by walking both from the root.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from safeload.document import WeightEntry, WeightGroup
from safeload.errors import CorruptedModelError

__all__ = ["GraphNode", "ObjectGraph", "Slot", "checkpoint_graph", "saved_graph", "weight_tree"]

VALUE = "VARIABLE_VALUE"
MAX_NODES = 2_000_000
_TABLE_PARTS = ("-keys", "-values")
_KINDS = ("user_object", "asset", "function", "variable", "bare_concrete_function", "constant", "resource")


@dataclass(frozen=True, slots=True)
class Slot:
    """A variable that an optimizer keeps for another: momentum, for example."""

    variable: int
    name: str
    slot: int


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One object.

    Attributes:
        id: Its number in the graph.
        children: By attribute, in the writer's order, the numbers of the objects that it holds.
        value: The stored array of a variable.
        state: Other stored arrays, by the name that its saver gave them (`-keys` and `-values` of a lookup table).
        slots: An optimizer's slot variables.
        kind: `user_object`, `variable`, `function`, `resource` ...; None in a checkpoint, which doesn't say.
        identifier: Such as `_tf_keras_layer`, `optimizer`, `trackable_list_wrapper`.
        metadata: What Keras says of a layer or model: `class_name`, `config`, `name` ...
        trainable: Of a variable; None where the file doesn't say.
        name: The variable's name in the writer, such as `dense/kernel`.
        functions: The concrete functions of a function node.
    """

    id: int
    children: Mapping[str, int] = field(default_factory=dict)
    value: WeightEntry | None = None
    state: Mapping[str, WeightEntry] = field(default_factory=dict)
    slots: tuple[Slot, ...] = ()
    kind: str | None = None
    identifier: str = ""
    metadata: Mapping[str, Any] | None = None
    trainable: bool | None = None
    name: str = ""
    functions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ObjectGraph:
    """All objects; node 0 is the root."""

    nodes: tuple[GraphNode, ...]

    @property
    def root(self) -> GraphNode:
        return self.nodes[0]

    def child(self, node: GraphNode, *path: str) -> GraphNode | None:
        """The object at a path of attributes below a node."""
        for name in path:
            number = node.children.get(name)
            if number is None:
                return None
            node = self.nodes[number]
        return node

    def items(self, node: GraphNode | None) -> list[GraphNode]:
        """The members of a list node, in order."""
        if node is None:
            return []
        numbered = sorted((int(name), number) for name, number in node.children.items() if name.isdecimal())
        return [self.nodes[number] for _, number in numbered]

    def reachable(self, start: GraphNode) -> Iterator[GraphNode]:
        """The node and all below it, each once, breadth first (as TensorFlow's own walk)."""
        seen = {start.id}
        queue = [start]
        for node in queue:
            yield node
            for number in node.children.values():
                if number not in seen:
                    seen.add(number)
                    queue.append(self.nodes[number])


def checkpoint_graph(
    message: Mapping[str, Any], entries: Mapping[str, WeightEntry], path: str | None, where: str
) -> ObjectGraph:
    """The graph of a checkpoint, its values from the bundle.

    Raises:
        CorruptedModelError: It refers to nodes or keys that are not there.
    """
    stored = message.get("nodes", ())
    nodes = []
    for number, node in enumerate(stored):
        state: dict[str, WeightEntry] = {}
        value, name = None, ""
        for attribute in node.get("attributes", ()):
            key = attribute.get("checkpoint_key", "")
            label = attribute.get("name", "")
            # A lookup table has one attribute and two values (`MutableHashTable._Saveable`).
            found = {part: entries[key + part] for part in ("", *_TABLE_PARTS) if key + part in entries}
            if not found:
                raise CorruptedModelError(
                    f"the value {key} is listed but not stored", path=path, where=where, damage=(key,)
                )
            if label == VALUE and "" in found:
                value, name = found[""], attribute.get("full_name", "")
            else:
                state |= {label + part: entry for part, entry in found.items()}
        nodes.append(
            GraphNode(
                number,
                _children(node, len(stored), path, where),
                value,
                state,
                _slots(node, len(stored), path, where),
                name=name,
            )
        )
    return _nonempty(nodes, path, where)


def saved_graph(
    message: Mapping[str, Any],
    metadata: Mapping[int, Mapping[str, Any]],
    checkpoint: ObjectGraph | None,
    path: str | None,
    where: str,
) -> ObjectGraph:
    """The graph of a SavedModel, with the values of its checkpoint and Keras' metadata by node.

    Raises:
        CorruptedModelError: It refers to nodes that are not there.
    """
    stored = message.get("nodes", ())
    nodes = []
    for number, node in enumerate(stored):
        variable = node.get("variable") or {}
        function = node.get("function") or {}
        bare = (node.get("bare_concrete_function") or {}).get("concrete_function_name")
        nodes.append(
            GraphNode(
                number,
                _children(node, len(stored), path, where),
                slots=_slots(node, len(stored), path, where),
                kind=next((kind for kind in _KINDS if kind in node), None),
                identifier=(node.get("user_object") or {}).get("identifier", ""),
                metadata=metadata.get(number),
                trainable=bool(variable.get("trainable", False)) if variable else None,
                name=variable.get("name", ""),
                functions=(bare,) if bare else tuple(function.get("concrete_functions", ())),
            )
        )
    graph = _nonempty(nodes, path, where)
    return _laid_over(graph, checkpoint) if checkpoint is not None else graph


def _laid_over(graph: ObjectGraph, checkpoint: ObjectGraph) -> ObjectGraph:
    """The graph with the checkpoint's values, found by walking both from their roots."""
    pair = {0: 0}
    queue = [0]
    for number in queue:
        theirs = checkpoint.nodes[pair[number]].children
        for name, child in graph.nodes[number].children.items():
            if child not in pair and name in theirs:
                pair[child] = theirs[name]
                queue.append(child)
    nodes = list(graph.nodes)
    for number, other in pair.items():
        node, found = nodes[number], checkpoint.nodes[other]
        nodes[number] = replace(node, value=found.value, state=found.state, name=node.name or found.name)
        # Slot variables hang on their optimizer alone: they are paired by the variable and the slot's name.
        theirs_by = {(slot.variable, slot.name): slot.slot for slot in found.slots}
        for slot in node.slots:
            there = theirs_by.get((pair.get(slot.variable, -1), slot.name))
            if there is not None:
                held = checkpoint.nodes[there]
                nodes[slot.slot] = replace(nodes[slot.slot], value=held.value, name=held.name or nodes[slot.slot].name)
    return ObjectGraph(tuple(nodes))


def _nonempty(nodes: list[GraphNode], path: str | None, where: str) -> ObjectGraph:
    if not nodes or len(nodes) > MAX_NODES:
        raise CorruptedModelError(f"the object graph has {len(nodes):,} nodes", path=path, where=where, damage=(where,))
    return ObjectGraph(tuple(nodes))


def _children(node: Mapping[str, Any], count: int, path: str | None, where: str) -> dict[str, int]:
    children = {}
    for child in node.get("children", ()):
        number = child.get("node_id", 0)
        _check(number, count, path, where)
        children[child.get("local_name", "")] = number
    return children


def _slots(node: Mapping[str, Any], count: int, path: str | None, where: str) -> tuple[Slot, ...]:
    slots = []
    for slot in node.get("slot_variables", ()):
        variable, number = slot.get("original_variable_node_id", 0), slot.get("slot_variable_node_id", 0)
        _check(variable, count, path, where)
        _check(number, count, path, where)
        slots.append(Slot(variable, slot.get("slot_name", ""), number))
    return tuple(slots)


def _check(number: int, count: int, path: str | None, where: str) -> None:
    if not 0 <= number < count:
        raise CorruptedModelError(
            f"the object graph refers to node {number} of {count}", path=path, where=where, damage=(where,)
        )


_NEVER = frozenset({"keras_api", "signatures"})
"""What a SavedModel keeps beside the attributes: the same objects again, the state of metrics, functions."""

_LISTS = frozenset({"variables", "trainable_variables", "non_trainable_variables"})
"""Lists of the same variables, for those that no attribute leads to."""


def weight_tree(graph: ObjectGraph, *, without: Sequence[str] = ()) -> WeightGroup:
    """The stored values as a tree by attribute; each object comes once, where a walk in breadth reaches it first.

    Args:
        graph: The graph.
        without: Children of the root, or of what it holds (`Checkpoint(model=model)`), that are left out.
    """
    tops = {0, *graph.nodes[0].children.values()}
    paths: dict[int, tuple[str, ...]] = {0: ()}
    for skipped in (_NEVER | _LISTS, _NEVER):
        queue = list(paths)
        for number in queue:
            for name, child in graph.nodes[number].children.items():
                if child not in paths and name not in skipped and not (number in tops and name in without):
                    paths[child] = (*paths[number], name)
                    queue.append(child)
    root: dict[str, Any] = {}
    for number, path in paths.items():
        node = graph.nodes[number]
        named = {path[-1]: node.value} if node.value is not None and path else {}
        holder = path[:-1] if named else path
        for name, entry in {**named, **node.state}.items():
            at = root
            for part in holder:
                at = at.setdefault(part, {})
            at.setdefault("", []).append(replace(entry, name=name))
    return _group("", root)


def _group(name: str, tree: Mapping[str, Any]) -> WeightGroup:
    """Nested dicts as groups, without recursion: a chain of objects may be long."""
    order: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [((name,), tree)]
    for path, node in order:
        order.extend(((*path, key), child) for key, child in node.items() if key != "")
    made: dict[tuple[str, ...], list[WeightGroup]] = {}
    group = WeightGroup(name)
    for path, node in reversed(order):
        children = made.pop(path, [])
        group = WeightGroup(path[-1], tuple(node.get("", ())), tuple(reversed(children)))
        made.setdefault(path[:-1], []).append(group)
    return group
