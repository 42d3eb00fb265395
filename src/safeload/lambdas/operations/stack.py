"""Instructions that move what is on the stack."""

from __future__ import annotations

from safeload.lambdas.instructions import Instruction
from safeload.lambdas.machine import Machine
from safeload.lambdas.operations.rows import Row
from safeload.lambdas.values import NULL, Frame

__all__ = ["ROWS"]


def _pop(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.pop()


def _rotate(count: int | None) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        values = frame.take(step.argument if count is None else count)
        frame.stack += [*values[-1:], *values[:-1]]

    return row


def _duplicate(count: int) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        values = frame.take(count)
        frame.stack += [*values, *values]

    return row


def _copy(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(frame.stack[frame.at(step.argument)])


def _swap(machine: Machine, frame: Frame, step: Instruction) -> None:
    place = frame.at(step.argument)
    frame.stack[-1], frame.stack[place] = frame.stack[place], frame.stack[-1]


def _nothing(machine: Machine, frame: Frame, step: Instruction) -> None:
    pass


def _push_null(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(NULL)


ROWS: dict[str, Row] = {
    **dict.fromkeys(("NOP", "RESUME", "PRECALL", "TO_BOOL", "SETUP_LOOP", "POP_BLOCK"), _nothing),
    "COPY": _copy,
    "DUP_TOP": _duplicate(1),
    "DUP_TOP_TWO": _duplicate(2),
    "POP_TOP": _pop,
    "PUSH_NULL": _push_null,
    "ROT_FOUR": _rotate(4),
    "ROT_N": _rotate(None),
    "ROT_THREE": _rotate(3),
    "ROT_TWO": _rotate(2),
    "SWAP": _swap,
}
