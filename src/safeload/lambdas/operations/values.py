"""Instructions that compute: operators, comparisons, subscripts."""

from __future__ import annotations

from safeload.lambdas.builder import Refused
from safeload.lambdas.instructions import Instruction, table
from safeload.lambdas.machine import Machine
from safeload.lambdas.operations.rows import Row, pick
from safeload.lambdas.operations.texts import is_format
from safeload.lambdas.values import Frame, Named, Pack, Slice

__all__ = ["ROWS"]

_BINARY = {
    "ADD": "+", "SUBTRACT": "-", "MULTIPLY": "*", "TRUE_DIVIDE": "/", "FLOOR_DIVIDE": "//", "MODULO": "%", "POWER": "**",
    "MATRIX_MULTIPLY": "@", "AND": "&", "OR": "|", "XOR": "^", "LSHIFT": "<<", "RSHIFT": ">>", "DIVIDE": "div",
}  # fmt: skip
_UNARY = {"UNARY_NEGATIVE": "-", "UNARY_POSITIVE": "+", "UNARY_INVERT": "~", "UNARY_NOT": "not "}


def binary(op: str) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        a, b = frame.take(2)
        frame.stack.append(is_format(machine, a, b) if op == "%" and machine.text(a) else machine.binary(op, a, b))

    return row


def _inplace(op: str) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        a, b = frame.take(2)
        if isinstance(a, Pack) and a.kind == "list":
            if op != "+":
                raise Refused("it changes a list")
            machine.change(frame, a, [*a.items, *machine.items(b)])
            frame.stack.append(a)
        else:
            frame.stack.append(machine.binary(op, a, b))

    return row


def _binary_op(machine: Machine, frame: Frame, step: Instruction) -> None:
    op = pick(tuple(table(machine.python)["binary"]), step.argument)
    inplace = op.endswith("=")
    (_inplace if inplace else binary)(op.rstrip("=") if inplace else op)(machine, frame, step)


def unary(op: str) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        value = frame.pop()
        known = machine.known(value)
        if op == "not " and isinstance(value, Pack | Named) and known is not None:
            frame.stack.append(machine.builder.constant(not known[0]))
        else:
            frame.stack.append(machine.builder.unary(op, machine.node(value)))

    return row


def _compare(machine: Machine, frame: Frame, step: Instruction) -> None:
    index = step.argument >> {(3, 12): 4, (3, 13): 5}.get(machine.python, 0)
    op = pick(tuple(table(machine.python)["compare"]), index)
    a, b = frame.take(2)
    if op in ("exception match", "BAD"):
        raise Refused("it handles exceptions")
    frame.stack.append(machine.binary(op, a, b))


def _subscript(machine: Machine, frame: Frame, step: Instruction) -> None:
    owner, key = frame.take(2)
    frame.stack.append(machine.item(owner, key))


def _store_subscript(machine: Machine, frame: Frame, step: Instruction) -> None:
    """`a[0] = b`, for a list that the function made itself."""
    value, owner, key = frame.take(3)
    known = machine.known(key) if isinstance(key, int) else None
    if not isinstance(owner, Pack) or known is None or not isinstance(known[0], int):
        raise Refused("it changes an item of a value")
    items, index = list(owner.items), known[0]
    if not -len(items) <= index < len(items):
        raise Refused("it changes an item that isn't there")
    items[index] = value
    machine.change(frame, owner, items)


def _binary_slice(machine: Machine, frame: Frame, step: Instruction) -> None:
    owner, start, stop = frame.take(3)
    frame.stack.append(machine.item(owner, Slice((start, stop))))


def _old_slice(start: bool, stop: bool) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        none = machine.builder.constant(None)
        high = frame.pop() if stop else none
        low = frame.pop() if start else none
        frame.stack.append(machine.item(frame.pop(), Slice((low, high))))

    return row


ROWS: dict[str, Row] = {
    **{f"BINARY_{name}": binary(op) for name, op in _BINARY.items()},
    **{f"INPLACE_{name}": _inplace(op) for name, op in _BINARY.items()},
    **{name: unary(op) for name, op in _UNARY.items()},
    **{f"SLICE+{n}": _old_slice(bool(n & 1), bool(n & 2)) for n in range(4)},
    "BINARY_OP": _binary_op,
    "BINARY_SLICE": _binary_slice,
    "BINARY_SUBSCR": _subscript,
    "COMPARE_OP": _compare,
    "CONTAINS_OP": lambda m, f, s: binary("not in" if s.argument & 1 else "in")(m, f, s),
    "IS_OP": lambda m, f, s: binary("is not" if s.argument & 1 else "is")(m, f, s),
    "STORE_SUBSCR": _store_subscript,
}
