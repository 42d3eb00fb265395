"""Instructions that read and write variables, globals and attributes, and that import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safeload.lambdas.builder import Refused
from safeload.lambdas.instructions import Instruction
from safeload.lambdas.machine import Machine
from safeload.lambdas.marshal_reader import Malformed
from safeload.lambdas.names import IMPORTABLE
from safeload.lambdas.operations.rows import Row, pick
from safeload.lambdas.values import NULL, Cell, Failure, Frame, Global, Null, Pack

__all__ = ["ROWS", "push_callable"]


def _load(frame: Frame, name: str) -> None:
    if name not in frame.variables:
        raise Malformed(f"the variable {name!r} has no value")
    frame.stack.append(frame.variables[name])


def _store(frame: Frame, name: str, value: Any) -> None:
    if isinstance(value, Null):
        frame.variables.pop(name, None)
    else:
        frame.variables[name] = value


def _fast(frame: Frame, index: int) -> str:
    return str(pick(frame.code.variables, index))


def _load_fast(machine: Machine, frame: Frame, step: Instruction) -> None:
    _load(frame, _fast(frame, step.argument))


def _store_fast(machine: Machine, frame: Frame, step: Instruction) -> None:
    _store(frame, _fast(frame, step.argument), frame.pop())


def _delete_fast(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.variables.pop(_fast(frame, step.argument), None)


def _two(first: Callable[[Frame, str], None], second: Callable[[Frame, str], None]) -> Row:
    def both(machine: Machine, frame: Frame, step: Instruction) -> None:
        first(frame, _fast(frame, step.argument >> 4))
        second(frame, _fast(frame, step.argument & 15))

    return both


def _put(frame: Frame, name: str) -> None:
    _store(frame, name, frame.pop())


def _load_and_clear(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(frame.variables.pop(_fast(frame, step.argument), NULL))


def _cell_name(machine: Machine, frame: Frame, step: Instruction) -> str:
    code = frame.code
    names = code.variables if machine.python >= (3, 11) else (*code.cells, *code.free)
    return str(pick(names, step.argument))


def _cell(machine: Machine, frame: Frame, step: Instruction) -> Cell:
    cell = frame.variables.get(_cell_name(machine, frame, step))
    if not isinstance(cell, Cell):
        raise Malformed("a cell that is none")
    return cell


def _make_cell(machine: Machine, frame: Frame, step: Instruction) -> None:
    name = _cell_name(machine, frame, step)
    frame.variables[name] = Cell(frame.variables.get(name, NULL), frame.number)


def _load_closure(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(_cell(machine, frame, step))


def _load_cell(machine: Machine, frame: Frame, step: Instruction) -> None:
    value = _cell(machine, frame, step).value
    if isinstance(value, Null):
        raise Malformed("a cell without a value")
    frame.stack.append(value)


def _store_cell(machine: Machine, frame: Frame, step: Instruction) -> None:
    cell = _cell(machine, frame, step)
    if cell.frame != frame.number:
        raise Refused("it changes a variable of an outer function")
    cell.value = frame.pop()


def _load_const(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(machine.constant(pick(frame.code.constants, step.argument)))


def _load_global(machine: Machine, frame: Frame, step: Instruction) -> None:
    index, null = step.argument, False
    if machine.python >= (3, 11):
        index, null = index >> 1, bool(index & 1)
    name = pick(frame.code.names, index)
    value: Any = Global(name)
    if machine.python < (3,) and name in ("True", "False", "None"):
        value = machine.builder.constant({"True": True, "False": False, "None": None}[name])
    push_callable(machine, frame, value, null)


def push_callable(machine: Machine, frame: Frame, value: Any, null: bool) -> None:
    """What will be called, with the place of `self` where that Python has one."""
    if not null:
        frame.stack.append(value)
    else:
        frame.stack += [value, NULL] if machine.python >= (3, 13) else [NULL, value]


def _load_attr(machine: Machine, frame: Frame, step: Instruction) -> None:
    index, null = step.argument, False
    if machine.python >= (3, 12):
        index, null = index >> 1, bool(index & 1)
    push_callable(machine, frame, machine.attribute(frame.pop(), pick(frame.code.names, index)), null)


def _load_method(machine: Machine, frame: Frame, step: Instruction) -> None:
    push_callable(machine, frame, machine.attribute(frame.pop(), pick(frame.code.names, step.argument)), True)


def _import(machine: Machine, frame: Frame, step: Instruction) -> None:
    name = pick(frame.code.names, step.argument)
    _, wanted = frame.take(2)
    root = name.split(".")[0]
    if root not in IMPORTABLE:
        raise Refused(f"it imports {name}")
    frame.stack.append(Global(name if isinstance(wanted, Pack) else root))


def _import_from(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(machine.attribute(frame.stack[frame.at(1)], pick(frame.code.names, step.argument)))


def _load_assertion(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(Failure("AssertionError"))


ROWS: dict[str, Row] = {
    **dict.fromkeys(("LOAD_FAST", "LOAD_FAST_CHECK"), _load_fast),
    "COPY_FREE_VARS": lambda m, f, s: None,
    "DELETE_FAST": _delete_fast,
    "IMPORT_FROM": _import_from,
    "IMPORT_NAME": _import,
    "LOAD_ASSERTION_ERROR": _load_assertion,
    "LOAD_ATTR": _load_attr,
    "LOAD_CLOSURE": _load_closure,
    "LOAD_CONST": _load_const,
    "LOAD_DEREF": _load_cell,
    "LOAD_FAST_AND_CLEAR": _load_and_clear,
    "LOAD_FAST_LOAD_FAST": _two(_load, _load),
    "LOAD_GLOBAL": _load_global,
    "LOAD_METHOD": _load_method,
    "MAKE_CELL": _make_cell,
    "STORE_DEREF": _store_cell,
    "STORE_FAST": _store_fast,
    "STORE_FAST_LOAD_FAST": _two(_put, _load),
    "STORE_FAST_STORE_FAST": _two(_put, _put),
}
