"""The graphs of a SavedModel as plain data: the main graph and its functions, parsed when they are wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from safeload.formats.tensorflow.protos import ATTR_VALUE, GRAPH
from safeload.formats.tensorflow.wire import parse

__all__ = ["Graph", "Node", "parse_graphs"]


@dataclass(frozen=True, slots=True)
class Node:
    """An operation in a graph.

    Attributes:
        name: Its name in the graph.
        op: The operation, or the function that is called.
        inputs: Names of the tensors that go in; `^name` is a control dependency.
        device: Where it is pinned to; empty for anywhere.
        raw: Its attributes, not parsed yet.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    device: str
    raw: Mapping[str, Any]

    def attr(self, name: str) -> Mapping[str, Any]:
        """An attribute (`AttrValue`); empty where it is not there.

        Raises:
            CorruptedModelError: It is damaged.
        """
        data = self.raw.get(name)
        return parse(data, ATTR_VALUE, path=None, where=f"{self.name}.{name}") if data is not None else {}

    def functions(self) -> Iterator[str]:
        """Names of the functions that an attribute of it refers to: branches, bodies, calls."""
        for name, data in self.raw.items():
            if _is_scalar(data):
                continue
            value = self.attr(name)
            for reference in (value.get("func"), *(value.get("list") or {}).get("func", ())):
                if reference is not None:
                    yield reference.get("name", "")

    def tensors(self) -> Iterator[Any]:
        """The constants among its attributes, serialized."""
        for name, data in self.raw.items():
            if not _is_scalar(data) and (tensor := self.attr(name).get("tensor")) is not None:
                yield tensor


_SHORT_NUMBERS = frozenset({0x18, 0x28, 0x30})
_SHORT_RUNS = frozenset({0x12, 0x3A})


def _is_scalar(data: Any) -> bool:
    """Whether an attribute is plainly one number, type, text or shape: told from its first bytes, without parsing.

    The bytes are the tag of `i`, `b` or `type` and one digit, or of `s` or `shape` and a length that is all there is.
    """
    if len(data) < 2 or data[1] >= 0x80:
        return False
    return (len(data) == 2 and data[0] in _SHORT_NUMBERS) or (data[0] in _SHORT_RUNS and len(data) == 2 + data[1])


@dataclass(frozen=True, slots=True)
class Graph:
    """The main graph (`name` is empty) or a function."""

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...] = ()

    def ops(self) -> Counter[str]:
        return Counter(node.op for node in self.nodes)


def parse_graphs(data: Any, path: str | None, where: str) -> dict[str, Graph]:
    """The main graph under `""`, the functions by name.

    Raises:
        CorruptedModelError: The graph is damaged.
    """
    message = parse(data, GRAPH, path=path, where=where)
    graphs = {"": Graph("", _nodes(message.get("node", ())))}
    for function in (message.get("library") or {}).get("function", ()):
        signature = function.get("signature") or {}
        inputs = tuple(arg.get("name", "") for arg in signature.get("input_arg", ()))
        name = signature.get("name", "")
        nodes = _nodes(function.get("node_def", ()))
        if name in graphs:  # a second function of the same name is judged with the first
            nodes = graphs[name].nodes + nodes
        graphs[name] = Graph(name, nodes, inputs)
    return graphs


def _nodes(messages: Any) -> tuple[Node, ...]:
    return tuple(
        Node(
            node.get("name", ""),
            node.get("op", ""),
            tuple(node.get("input", ())),
            node.get("device", ""),
            {attr.get("key", ""): attr.get("value", b"") for attr in node.get("attr", ())},
        )
        for node in messages
    )
