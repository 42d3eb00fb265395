"""What of a SavedModel's graphs belongs to its saver, and which tables are filled from assets.

Every honest SavedModel holds `SaveV2` and `RestoreV2`: in the functions that the nodes of `saver_def` call (TensorFlow 2),
or in the main graph below those nodes (TensorFlow 1). They may stay where nothing else leads to them, and where the
file name is the one that the saver is fed with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from safeload.formats.tensorflow.graphs import Graph, Node

__all__ = ["in_place", "saver_functions", "saver_nodes", "traced"]

_PASSING = frozenset(
    "Const Identity PlaceholderWithDefault StringJoin ShardedFilename Select SelectV2 StaticRegexFullMatch RegexFullMatch".split()
)
"""What stands between the saver's file name and the files' own names."""
_WRITING = frozenset({"SaveV2", "MergeV2Checkpoints", "Save", "SaveSlices"})
_NAMED = frozenset({"SaveV2", "RestoreV2", "Save", "SaveSlices", "Restore", "RestoreSlice"})
"""Operations whose first input is a file's name."""


def _label(tensor: str) -> str:
    return tensor.lstrip("^").split(":")[0]


def _above(names: Iterable[str], graph: Graph) -> frozenset[str]:
    """The nodes and all that they need."""
    nodes = {node.name: node for node in graph.nodes}
    stack, found = [_label(n) for n in names if n], set()
    while stack:
        name = stack.pop()
        if name not in found and name in nodes:
            found.add(name)
            stack += [_label(i) for i in nodes[name].inputs]
    return frozenset(found)


def _called(node: Node, graphs: Mapping[str, Graph]) -> list[str]:
    return [*node.functions(), *([node.op] if node.op in graphs else [])]


def saver_functions(saved: Any) -> dict[str, frozenset[str]]:
    """Functions that the saver's nodes alone call, with what for: `save`, `restore`."""
    graphs: Mapping[str, Graph] = saved.graphs
    filename = _label(saved.saver.get("filename_tensor_name", ""))
    main = {node.name: node for node in graphs[""].nodes}
    roles: dict[str, set[str]] = {}
    entries: set[int] = set()
    for role, field in (("save", "save_tensor_name"), ("restore", "restore_op_name")):
        node = main.get(_label(saved.saver.get(field, "")))
        if node is None or not _fed(node, main, filename):
            continue
        entries.add(id(node))
        stack = _called(node, graphs)
        while stack:
            name = stack.pop()
            if name in graphs and name and role not in roles.setdefault(name, set()):
                roles[name].add(role)
                stack += [f for inner in graphs[name].nodes for f in _called(inner, graphs)]
    elsewhere = {
        f
        for name, graph in graphs.items()
        if name not in roles
        for node in graph.nodes
        if id(node) not in entries
        for f in _called(node, graphs)
    }
    public = {f for names in saved.functions.values() for f in names} - saved.saving_functions
    return {name: frozenset(kinds) for name, kinds in roles.items() if name not in elsewhere and name not in public}


def in_place(node: Node, function: str, roles: Mapping[str, frozenset[str]], saved: Any) -> bool:
    """Whether an operation that saves or restores, in one of the saver's functions, does only that."""
    kinds = roles.get(function, frozenset())
    if not kinds or (node.op in _WRITING and kinds != {"save"}):
        return False
    if node.op not in _NAMED or not node.inputs:
        return True
    graph: Graph = saved.graphs[function]
    inside = {inner.name: inner for inner in graph.nodes}
    return _made_of(node.inputs[0], inside, frozenset(graph.inputs))


def _fed(node: Node, main: Mapping[str, Node], filename: str) -> bool:
    """Whether one of the node's inputs is the placeholder that the saver feeds with the file's name."""
    return any(_label(i) == filename for i in node.inputs) and main.get(filename) is not None


def saver_nodes(saved: Any) -> frozenset[str]:
    """Nodes of the main graph that may save and restore (TensorFlow 1).

    Those below the saver's own, where the file name is what the saver is fed with; and those that nothing leads to, which
    other savers of the same session left behind (`save_weights` before `simple_save`). Saving must not happen while
    restoring, which runs at load time; neither may be what an initialiser or a signature needs.
    """
    graph: Graph = saved.graphs[""]
    nodes = {node.name: node for node in graph.nodes}
    saver = saved.saver
    filename = _label(saver.get("filename_tensor_name", ""))
    named = [saver.get("save_tensor_name", ""), saver.get("restore_op_name", "")]
    restoring = _above([saver.get("restore_op_name", "")], graph)
    needed = _above([*saved.initialisers, *saved.fetched], graph)
    found = set(nodes.keys() - needed - _above(named, graph))
    for name in _above(named, graph) - needed:
        node = nodes[name]
        if node.op in _WRITING and name in restoring:
            continue
        if node.op in _NAMED and not (node.inputs and _made_of(node.inputs[0], nodes, frozenset({filename}))):
            continue
        found.add(name)
    return frozenset(found)


def _made_of(tensor: str, nodes: Mapping[str, Node], sources: frozenset[str]) -> bool:
    """Whether a file name is made of the sources, and of constants that don't lead elsewhere."""
    stack, seen, reached = [_label(tensor)], set(), False
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in sources:
            reached = True
            continue
        node = nodes.get(name)
        if node is None or node.op not in _PASSING:
            return False
        if node.op == "Const" and any(part in bytes(node.raw.get("value", b"")) for part in (b"..", b"://")):
            return False
        stack += [_label(i) for i in node.inputs]
    return reached


def traced(node: Node, function: str, saved: Any) -> bool:
    """Whether the file that fills a table is one of the model's assets."""
    if len(node.inputs) < 2:
        return False
    label = _label(node.inputs[1])
    if not function:
        return label in saved.asset_tensors
    graph = saved.graphs[function]
    captured = saved.captures.get(function, ())
    arguments = dict(zip(graph.inputs[len(graph.inputs) - len(captured) :], captured, strict=False))
    return arguments.get(label) in saved.asset_objects
