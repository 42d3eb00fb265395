"""Instructions that jump, loop, return and raise."""

from __future__ import annotations

from safeload.lambdas.builder import Refused
from safeload.lambdas.instructions import Instruction
from safeload.lambdas.machine import MAX_ITEMS, Machine
from safeload.lambdas.marshal_reader import Malformed
from safeload.lambdas.operations.rows import Branch, Done, Return, Row, pick
from safeload.lambdas.values import EXCEPTIONS, Failure, Frame, Global, Items, Pack

__all__ = ["ROWS"]


def _jump(machine: Machine, frame: Frame, step: Instruction) -> int:
    return step.target


def _pop_jump(test: str) -> Row:
    """`test`: on what it jumps."""

    def row(machine: Machine, frame: Frame, step: Instruction) -> Done:
        value = frame.pop()
        if test in ("None", "not None"):
            value = machine.binary("is", value, machine.builder.constant(None))
        jumps_on = test in ("True", "None")
        known = machine.known(value)
        if known is not None:
            return step.target if bool(known[0]) == jumps_on else None
        if jumps_on:
            return Branch(value, step.target, step.following)
        return Branch(value, step.following, step.target)

    return row


def _jump_or_pop(jumps_on: bool) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> Done:
        value = frame.pop()
        known = machine.known(value)
        if known is not None:
            if bool(known[0]) == jumps_on:
                frame.stack.append(value)
                return step.target
            return None
        if jumps_on:
            return Branch(value, step.target, step.following, kept_if_true=(value,))
        return Branch(value, step.following, step.target, kept_if_false=(value,))

    return row


def _get_iter(machine: Machine, frame: Frame, step: Instruction) -> None:
    value = frame.pop()
    frame.stack.append(Items(machine.items(value), value if isinstance(value, Pack) else None))


def _for_iter(machine: Machine, frame: Frame, step: Instruction) -> Done:
    iterator = frame.stack[frame.at(1)]
    if not isinstance(iterator, Items):
        raise Malformed("an iterator that is none")
    if iterator.items:
        frame.stack[-1] = Items(iterator.items[1:], iterator.source)
        frame.stack.append(iterator.items[0])
        return None
    frame.pop()
    at = step.target
    for name in ("END_FOR", "POP_TOP")[: max(0, machine.python[1] - 11) if machine.python >= (3, 12) else 0]:
        following = frame.steps.get(at)
        if following is None or following.name != name:
            raise Malformed("a loop without its end")
        at = following.following
    return at


def _return(machine: Machine, frame: Frame, step: Instruction) -> Return:
    return Return(frame.pop())


def _return_const(machine: Machine, frame: Frame, step: Instruction) -> Return:
    return Return(machine.constant(pick(frame.code.constants, step.argument)))


def _raise(machine: Machine, frame: Frame, step: Instruction) -> Return:
    """An exception is what a branch gives: it is raised again where that branch is taken."""
    values = frame.take(step.argument)
    found = values[0] if values else None
    if isinstance(found, Global) and found.path in EXCEPTIONS:
        found = Failure(found.path)
    if not isinstance(found, Failure):
        raise Refused("it raises something")
    return Return(found)


def _begin_generator(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(machine.builder.constant(None))  # what is sent to it first


def _yield(machine: Machine, frame: Frame, step: Instruction) -> None:
    """A generator expression is gone through at once; nothing is sent to it."""
    if len(frame.yielded) >= MAX_ITEMS:
        raise Refused("it makes a long list")
    frame.yielded = (*frame.yielded, frame.pop())
    frame.stack.append(machine.builder.constant(None))


def _match(machine: Machine, frame: Frame, step: Instruction) -> None:
    """`case Class(name=...)` of 3.10 on; the same byte is BUILD_TUPLE_UNPACK until 3.8."""
    names = frame.take(3)[2]
    if not isinstance(names, Pack) or any(machine.text(n) is None for n in names.items):
        raise Malformed("names of attributes that are none")
    raise Refused("it matches patterns")


ROWS: dict[str, Row] = {
    **{
        f"POP_JUMP_{way}IF_{t.upper().replace(' ', '_')}": _pop_jump(t)
        for way in ("", "FORWARD_", "BACKWARD_")
        for t in ("True", "False", "None", "not None")
    },
    **dict.fromkeys(("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD_NO_INTERRUPT"), _jump),
    "CONTINUE_LOOP": _jump,
    "FOR_ITER": _for_iter,
    "GEN_START": lambda m, f, s: None,
    "GET_ITER": _get_iter,
    "JUMP_IF_FALSE_OR_POP": _jump_or_pop(False),
    "JUMP_IF_TRUE_OR_POP": _jump_or_pop(True),
    "MATCH_CLASS": _match,
    "RAISE_VARARGS": _raise,
    "RETURN_CONST": _return_const,
    "RETURN_GENERATOR": _begin_generator,
    "RETURN_VALUE": _return,
    "YIELD_VALUE": _yield,
}
