"""What a SavedModel's graphs cost: constants larger than they are stored, and what runs while the model is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safeload.errors import UnsafeModelError
from safeload.findings import Finding, Rule, Severity
from safeload.formats.tensorflow.graphs import Graph, Node
from safeload.formats.tensorflow.protos import TENSOR
from safeload.formats.tensorflow.tensors import elements, values
from safeload.formats.tensorflow.wire import parse

__all__ = ["GRAPH_COST", "costs"]

_LOOPS = frozenset("While StatelessWhile For LoopCond NextIteration RefNextIteration XlaWhile MapDefun".split())
_SIZED = {
    "Fill": 0,
    "Empty": 0,
    "BroadcastTo": 1,
    "Tile": 1,
    "Range": 1,
    "LinSpace": 2,
    "EmptyTensorList": 0,
} | dict.fromkeys(
    "RandomUniform RandomStandardNormal TruncatedNormal RandomUniformInt StatelessRandomUniform StatelessRandomNormal "
    "StatelessRandomUniformV2 StatelessRandomNormalV2 StatelessTruncatedNormal StatelessTruncatedNormalV2".split(),
    0,
)
"""Operations whose result is as large as a number says, and which input has the number."""
MAX_ELEMENTS = 1 << 26
"""Elements that a few bytes of a constant, or an initialiser, may stand for."""
MAX_NODES = 1 << 26
"""Operations that a function may come to when the functions that it calls are put in their places."""
_AT_LOAD = ("_initialize", "_create_resource", "_destroy_resource")
"""Functions of a resource that TensorFlow calls by itself: when it is loaded, and when it goes."""

GRAPH_COST = Rule(
    "SL231",
    "graph-cost",
    Severity.ERROR,
    """\
What it sees: a loop or a giant tensor in what runs while the model is loaded, a constant whose few bytes stand for
billions of elements, functions that call each other without end or multiply at each call.
Why it matters: a file of a kilobyte can take all memory or never come back.
Example: a `Fill` of 10^12 elements in an initialiser.
What to do: ask where the model comes from.
References: safeload's issue 5, rule 9.
""",
    UnsafeModelError,
)


def costs(saved: Any, graphs: Mapping[str, Graph], objects: Any) -> Iterator[Finding]:
    """Constants that stand for more than they store, calls that multiply, and what initialisers do."""
    for graph in graphs.values():
        for node in graph.nodes:
            for tensor in node.tensors():
                message = parse(tensor, TENSOR, path=saved.path, where=node.name)
                count = elements(message)
                if count > MAX_ELEMENTS and len(message.get("tensor_content", b"")) < count // 8:
                    yield _finding(f"a constant of {len(tensor):,} bytes stands for {count:,} elements", node.name)
    yield from _calls(graphs)
    for place, node, inside in _initialising(saved, graphs, objects):
        if node.op in _LOOPS:
            yield _finding(f"an initialiser runs a loop ({node.op})", place)
        elif node.op in _SIZED and not _bounded(node, inside, saved.path):
            yield _finding(f"an initialiser makes a tensor without a bound ({node.op})", place)


def _finding(message: str, place: str) -> Finding:
    return GRAPH_COST.finding(message, where=place, threats=(f"{place}: {message}",))


def _called(graph: Graph, graphs: Mapping[str, Graph]) -> list[str]:
    names = [name for node in graph.nodes for name in (*node.functions(), node.op)]
    return [name for name in names if name and name in graphs]


def _calls(graphs: Mapping[str, Graph]) -> Iterator[Finding]:
    """Functions that call themselves, and those that come to more than `MAX_NODES` operations. Without recursion."""
    sizes: dict[str, int] = {}
    calls = {name: _called(graph, graphs) for name, graph in graphs.items()}
    for start in graphs:
        stack, open_ = [start], set()
        while stack:
            name = stack[-1]
            if name in sizes:
                stack.pop()
                continue
            if name in open_:
                sizes[name] = len(graphs[name].nodes) + sum(sizes.get(called, 0) for called in calls[name])
                open_.discard(name)
                stack.pop()
                continue
            open_.add(name)
            for called in dict.fromkeys(calls[name]):
                if called in open_:
                    yield _finding(f"the function {called} calls itself", called)
                    return
                if called not in sizes:
                    stack.append(called)
    largest = max(sizes, key=lambda name: sizes[name])
    if sizes[largest] > MAX_NODES:
        yield _finding(f"functions that come to {sizes[largest]:,} operations", largest)


def _initialising(
    saved: Any, graphs: Mapping[str, Graph], objects: Any
) -> Iterator[tuple[str, Node, Mapping[str, Node]]]:
    """Every node that runs while the model is loaded, with the nodes beside it by name."""
    main = {node.name: node for node in graphs[""].nodes}
    wanted: list[str] = [n.split(":")[0].lstrip("^") for n in saved.initialisers]
    seen: set[str] = set()
    functions: list[str] = list(saved.saving_functions)
    for node in objects.nodes if objects is not None else ():
        for name in _AT_LOAD:
            held = objects.child(node, name)
            functions += held.functions if held is not None else ()
    while wanted:
        name = wanted.pop()
        inner = main.get(name)
        if inner is None or name in seen:
            continue
        seen.add(name)
        wanted += [i.split(":")[0].lstrip("^") for i in inner.inputs]
        functions += [*inner.functions(), *([inner.op] if inner.op in graphs else [])]
        yield name, inner, main
    done: set[str] = set()
    while functions:
        name = functions.pop()
        if name in done or name not in graphs:
            continue
        done.add(name)
        inside = {node.name: node for node in graphs[name].nodes}
        for node in graphs[name].nodes:
            functions += [*node.functions(), *([node.op] if node.op in graphs else [])]
            yield f"{name}/{node.name}", node, inside


def _bounded(node: Node, beside: Mapping[str, Node], path: str | None) -> bool:
    index = _SIZED[node.op]
    source = beside.get(node.inputs[index].split(":")[0]) if len(node.inputs) > index else None
    if source is None or source.op != "Const":
        return False
    tensor = source.attr("value").get("tensor")
    if tensor is None or elements(parse(tensor, TENSOR, path=path, where=source.name)) > 64:
        return False
    count = 1
    for size in values(tensor, path, source.name):
        count *= abs(int(size)) if isinstance(size, int | float) else MAX_ELEMENTS
    return count <= MAX_ELEMENTS
