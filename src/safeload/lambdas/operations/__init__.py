"""What each instruction does to a frame, over all Pythons: one row for each name in `dis`."""

from __future__ import annotations

from collections.abc import Mapping

from safeload.lambdas.builder import Refused
from safeload.lambdas.instructions import Instruction
from safeload.lambdas.machine import Machine
from safeload.lambdas.operations import functions, jumps, sequences, stack, texts, values, variables
from safeload.lambdas.operations.rows import Branch, Done, Return, Row
from safeload.lambdas.values import Frame

__all__ = ["Branch", "Return", "perform"]

_ROWS: Mapping[str, Row] = {
    name: row
    for module in (variables, values, sequences, texts, stack, jumps, functions)
    for name, row in module.ROWS.items()
}


def perform(machine: Machine, frame: Frame, step: Instruction) -> Done:
    """Apply one instruction; where to go on, or None for the following one."""
    row = _ROWS.get(step.name)
    if row is None:
        raise Refused(f"the instruction {step.name} is not one that is read")
    return row(machine, frame, step)
