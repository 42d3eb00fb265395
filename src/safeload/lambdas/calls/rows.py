"""What rows for calls are made of, and a call of a function of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from safeload.lambdas.machine import Machine
from safeload.lambdas.names import Meaning

__all__ = ["Args", "Row", "Words", "called", "table"]

Args = Sequence[Any]
Words = Mapping[str, Any]
Row = Callable[[Machine, Args, Words], Any]


def called(machine: Machine, found: Meaning, args: Args, named: Words) -> int:
    """A call of a function of a table."""
    if found.id.startswith(("tf.", "K.")):
        named = {k: v for k, v in named.items() if k != "name"}
    numbers = [machine.node(v) for v in args]
    return machine.builder.call(found.id, numbers, {found.renamed.get(k, k): machine.node(v) for k, v in named.items()})


def table(machine: Machine, path: str, args: Args, named: Words) -> int:
    return called(machine, Meaning("call", path), args, named)
