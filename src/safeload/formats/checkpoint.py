"""Read a TensorFlow checkpoint: a tensor bundle, with the graph of its objects (TF 2) or by variable name (TF 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safeload.document import ModelDocument, WeightGroup, Writer
from safeload.errors import CorruptedModelError
from safeload.formats.tensorflow.bundle import OBJECT_GRAPH, Bundle, read_bundle
from safeload.formats.tensorflow.object_graph import GraphNode, ObjectGraph, checkpoint_graph, weight_tree
from safeload.formats.tensorflow.protos import CHECKPOINT_GRAPH
from safeload.formats.tensorflow.wire import parse
from safeload.source import Source

__all__ = ["bundle_graph", "named_weights", "optimizer_weights", "read"]

OPTIMIZERS = ("optimizer", "_optimizer")
"""Under which attribute a model has its optimizer (Keras 2 and 3)."""

_INNER = ("base_optimizer", "_optimizer", "inner_optimizer")
"""Under which attribute a wrapper (LossScaleOptimizer, tfa's averages) has the optimizer that does the work."""

_MAX_WRAPPERS = 8
_LAYER = re.compile(r"layer-(\d+)")


def read(source: Source) -> ModelDocument:
    """The document of a checkpoint: weights without an architecture.

    Raises:
        CorruptedModelError: It is truncated or damaged.
    """
    prefix = _prefix(source.members, source.path)
    bundle = read_bundle(source.members, prefix, source.path)
    graph = bundle_graph(bundle, source.path, f"{prefix}.index")
    document = ModelDocument(
        path=source.path,
        format=source.format,
        size=source.size,
        layout="object-graph",
        writer=Writer(backend="tensorflow"),
    )
    if graph is None:  # TensorFlow 1: variables by name
        return document.evolve(weights=named_weights(bundle), extras={"kind": "tensorflow1"})
    return document.evolve(
        weights=weight_tree(graph, without=(*OPTIMIZERS, "save_counter")),
        optimizer_weights=optimizer_weights(graph),
        extras={"kind": "tensorflow2", "object_graph": graph},
    )


def _prefix(members: Mapping[str, Any], path: str | None) -> str:
    """What the names of the checkpoint's files begin with; the newest one, where a `checkpoint` file says which."""
    prefixes = [name.removesuffix(".index") for name in members if name.endswith(".index")]
    if "checkpoint" in members:
        text = members["checkpoint"].read_at(0, 1 << 16).decode("utf-8", "replace")
        found = re.search(r'^model_checkpoint_path: "(?:.*[/\\])?([^"/\\]+)"', text, re.MULTILINE)
        if found and found.group(1) in prefixes:
            return found.group(1)
    if len(prefixes) == 1:
        return prefixes[0]
    raise CorruptedModelError(
        f"{len(prefixes)} checkpoints lie there" if prefixes else "the index of the checkpoint is missing",
        path=path,
        hint=f"name one of them: {', '.join(sorted(prefixes)[:5])}" if prefixes else None,
        damage=(),
    )


def bundle_graph(bundle: Bundle, path: str | None, where: str) -> ObjectGraph | None:
    """The object graph that a bundle holds; None where it holds variables by name (TensorFlow 1)."""
    stored = bundle.entries.get(OBJECT_GRAPH)
    if stored is None:
        return None
    if stored.dtype != "string" or stored.shape != ():
        raise CorruptedModelError("the object graph is no text", path=path, where=OBJECT_GRAPH, damage=(OBJECT_GRAPH,))
    message = parse(stored.read().item(), CHECKPOINT_GRAPH, path=path, where=OBJECT_GRAPH)
    return checkpoint_graph(message, bundle.entries, path, where)


def named_weights(bundle: Bundle) -> WeightGroup:
    """Variables by name (`dense/kernel`) as a tree of name scopes."""
    scopes: dict[str, Any] = {}
    for key, entry in bundle.entries.items():
        if key == OBJECT_GRAPH:
            continue
        *holder, name = key.split("/")[:50]
        at = scopes
        for part in holder:
            at = at.setdefault(part, {})
        at.setdefault("", []).append(replace(entry, name=name))

    def group(name: str, node: Mapping[str, Any]) -> WeightGroup:
        children = tuple(group(key, child) for key, child in node.items() if key != "")
        return WeightGroup(name, tuple(node.get("", ())), children)

    return group("", scopes)


def optimizer_weights(graph: ObjectGraph) -> WeightGroup | None:
    """The optimizer's variables in the order and by the names that an HDF5 file of the same version gives them.

    Keras 2's OptimizerV2 keeps `iter` and slots by variable (`Adam/dense/kernel/m`), its HDF5 lists are `iter`, then slot
    by slot over all variables. Later optimizers (2.11 on) list all of theirs under `_variables`.
    """
    node = _optimizer(graph)
    if node is None:
        return None
    listed = graph.items(graph.child(node, "_variables"))
    iterations = graph.child(node, "iter") or graph.child(node, "_iterations")
    found = [] if iterations is None else [(iterations.name or "iter", iterations.value)]
    if listed:
        found += [(n.name or str(i), n.value) for i, n in enumerate(listed) if n is not iterations]
    else:
        names = list(dict.fromkeys(slot.name for slot in node.slots))
        rank = {number: i for i, number in enumerate(_variables_in_order(graph))}
        for slot in sorted(node.slots, key=lambda s: (names.index(s.name), rank.get(s.variable, len(rank)))):
            name = graph.nodes[slot.slot].name or f"{graph.nodes[slot.variable].name}/{slot.name}"
            found.append((name, graph.nodes[slot.slot].value))
    entries = tuple(replace(value, name=f"{name}:0") for name, value in found if value is not None)
    return WeightGroup("optimizer", entries) if entries else None


def _optimizer(graph: ObjectGraph) -> GraphNode | None:
    """The model's optimizer; the inner one of a loss scale or averaging wrapper, which holds the state."""
    node = next((n for name in OPTIMIZERS if (n := graph.child(graph.root, name)) is not None), None)
    for _ in range(_MAX_WRAPPERS):
        inner = next((n for name in _INNER if node is not None and (n := graph.child(node, name)) is not None), None)
        if inner is None or not (inner.slots or inner.children.keys() & {"iter", "_variables", "_iterations"}):
            break
        node = inner
    return node


def _variables_in_order(graph: ObjectGraph) -> list[int]:
    """The model's variables as `trainable_weights` had them: a SavedModel lists them, else layer by layer."""
    listed = graph.items(graph.child(graph.root, "trainable_variables"))
    if listed:
        return [node.id for node in listed]
    order: dict[int, None] = {}
    stack = [0]
    seen = set()
    while stack:
        number = stack.pop()
        if number in seen:
            continue
        seen.add(number)
        node = graph.nodes[number]
        if node.value is not None:
            order[number] = None
        layers = sorted((int(m.group(1)), c) for n, c in node.children.items() if (m := _LAYER.fullmatch(n)))
        others = [c for n, c in node.children.items() if not n.startswith("layer")]
        stack.extend(reversed([c for _, c in layers] + others))
    return list(order)
