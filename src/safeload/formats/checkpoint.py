"""Read a TensorFlow checkpoint: a tensor bundle, with the graph of its objects (TF 2) or by variable name (TF 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safeload.document import ModelDocument, WeightGroup, Writer
from safeload.errors import CorruptedModelError
from safeload.formats.tensorflow.bundle import OBJECT_GRAPH, Bundle, read_bundle
from safeload.formats.tensorflow.object_graph import ObjectGraph, checkpoint_graph, weight_tree
from safeload.formats.tensorflow.optimizer import OPTIMIZERS, optimizer_weights
from safeload.formats.tensorflow.protos import CHECKPOINT_GRAPH
from safeload.formats.tensorflow.wire import parse
from safeload.source import Source

__all__ = ["bundle_graph", "named_weights", "read"]


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
