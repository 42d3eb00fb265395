"""Walks over configs, which are as deep as a stranger likes: without recursion."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

__all__ = ["mappings"]


def mappings(tree: Any, *, without: Container[str] = ()) -> Iterator[Mapping[str, Any]]:
    """Every mapping in a config, in no particular order.

    Args:
        tree: A config, or part of one.
        without: Keys whose values are not looked into.
    """
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, Mapping):
            yield node
            stack += [v for k, v in node.items() if isinstance(v, Mapping | list | tuple) and k not in without]
        elif isinstance(node, list | tuple):
            stack += node
