"""Bytecode as instructions: what each byte means in each Python, with jumps as places."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeload.lambdas.marshal_reader import Malformed

__all__ = ["PYTHONS", "Instruction", "instructions", "table"]

PYTHONS: tuple[tuple[int, int], ...] = ((2, 7), *((3, n) for n in range(5, 14)))
"""The Pythons whose instructions are known; 3.3 and 3.4 have those of 3.5."""

MAX_INSTRUCTIONS = 5000


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        name: As `dis` calls it.
        argument: Its number; 0 where it takes none.
        following: Where the next instruction begins.
        target: Where it jumps to, if it jumps.
    """

    name: str
    argument: int
    following: int
    target: int


@functools.cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    text = Path(__file__).with_name("opcodes.json").read_text(encoding="utf-8")
    found: Mapping[str, Mapping[str, Any]] = json.loads(text)
    return found


def table(python: tuple[int, int]) -> Mapping[str, Any]:
    """The instructions of a Python, made by `tools/make_opcodes.py`."""
    return _tables()[".".join(map(str, python))]


def instructions(bytecode: bytes, python: tuple[int, int]) -> dict[int, Instruction]:
    """The instructions by the places at which they begin (with their `EXTENDED_ARG`).

    Raises:
        Malformed: They are none of that Python.
    """
    known = table(python)
    names, caches, first = known["names"], known["caches"], known["argument_from"]
    relative, absolute = frozenset(known["relative"]), frozenset(known["absolute"])
    words, unit = python >= (3, 6), 2 if python >= (3, 10) else 1
    found: dict[int, Instruction] = {}
    at, begin, extended = 0, 0, 0
    while at < len(bytecode):
        op = bytecode[at]
        name = names.get(str(op))
        if name is None or len(found) >= MAX_INSTRUCTIONS:
            raise Malformed(f"the instruction {op} at {at}")
        size = 2 if words else 3 if op >= first else 1
        if at + size > len(bytecode):
            raise Malformed("an instruction that ends too early")
        argument = int.from_bytes(bytecode[at + 1 : at + size], "little") if op >= first else 0
        argument |= extended << (8 if words else 16)
        at += size
        if name == "EXTENDED_ARG":
            extended = argument
            if argument >= 1 << 24:
                raise Malformed("an argument out of range")
            continue
        if name == "CACHE":
            raise Malformed("a cache without its instruction")
        cached = 2 * caches.get(name, 0)
        if any(bytecode[at : at + cached]) or at + cached > len(bytecode):
            raise Malformed("an instruction without its cache")
        at += cached
        target = -1
        if name in relative:
            target = at - argument * unit if "BACKWARD" in name else at + argument * unit
        elif name in absolute:
            target = argument * unit
        found[begin] = Instruction(name, argument, at, target)
        begin, extended = at, 0
    _hold(found, python)
    return found


_BEFORE_RESUME = frozenset({"COPY_FREE_VARS", "MAKE_CELL", "POP_TOP", "RETURN_GENERATOR"})


def _hold(found: Mapping[int, Instruction], python: tuple[int, int]) -> None:
    """Hold what every compiler holds, and what bytes that are read as another Python's often don't.

    From 3.11 on, functions begin with RESUME; what goes back goes back to the head of a `for` loop (a `while` loop is
    not read anyway); CALL_FINALLY of 3.8, which is LIST_EXTEND since, has its SETUP_FINALLY.
    """
    names = [step.name for step in found.values()]
    first = next((name for name in names if name not in _BEFORE_RESUME), None)
    if python >= (3, 11) and first != "RESUME":
        raise Malformed("a function that doesn't begin as one")
    if "CALL_FINALLY" in names and "SETUP_FINALLY" not in names:
        raise Malformed("an end without its beginning")
    for at, step in found.items():
        if 0 <= step.target <= at and (step.target not in found or found[step.target].name != "FOR_ITER"):
            raise Malformed("a jump back to where no loop begins")
