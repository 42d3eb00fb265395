"""What the rows for instructions are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from safeload.lambdas.instructions import Instruction
from safeload.lambdas.machine import Machine
from safeload.lambdas.marshal_reader import Malformed
from safeload.lambdas.values import Frame

__all__ = ["Branch", "Done", "Return", "Row", "pick"]


@dataclass(frozen=True)
class Return:
    """The function is done."""

    value: Any


@dataclass(frozen=True)
class Branch:
    """It goes on at one of two places, and which one is not known."""

    condition: Any
    if_true: int
    if_false: int
    kept_if_true: tuple[Any, ...] = ()
    kept_if_false: tuple[Any, ...] = ()


Done = int | Return | Branch | None
Row = Callable[[Machine, Frame, Instruction], Done]


def pick(values: Sequence[Any], index: int) -> Any:
    """The value with a number, which bytes of another Python may not have."""
    if not 0 <= index < len(values):
        raise Malformed("a number that refers to nothing")
    return values[index]
