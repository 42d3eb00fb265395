"""Instructions that make functions and call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safeload.lambdas.builder import Refused
from safeload.lambdas.calls import call
from safeload.lambdas.instructions import Instruction
from safeload.lambdas.machine import Machine
from safeload.lambdas.marshal_reader import Code, Malformed
from safeload.lambdas.operations.rows import Row, pick
from safeload.lambdas.operations.sequences import key
from safeload.lambdas.values import Frame, Function, Named, Null, Pack

__all__ = ["ROWS"]


def _make_function(machine: Machine, frame: Frame, step: Instruction) -> None:
    python, argument = machine.python, step.argument
    closure, defaults, named = Pack("tuple", ()), Pack("tuple", ()), Named({})
    if (3,) <= python < (3, 11):
        frame.pop()  # the qualified name
    code = frame.pop()
    if python < (3, 6):
        if step.name == "MAKE_CLOSURE":
            closure = frame.pop()
        if argument > 0xFF:
            raise Refused("a function with keyword-only parameters")
        defaults = Pack("tuple", tuple(frame.take(argument)))
    elif python < (3, 13):
        closure = frame.pop() if argument & 8 else closure
        if argument & 4:
            frame.pop()
        named = frame.pop() if argument & 2 else named
        defaults = frame.pop() if argument & 1 else defaults
    frame.stack.append(_function(code, defaults, named, closure))


def _function(code: Any, defaults: Any, named: Any, closure: Any) -> Function:
    wanted = isinstance(code, Code) and isinstance(defaults, Pack) and isinstance(named, Named)
    if not wanted or not isinstance(closure, Pack):
        raise Malformed("a function that is none")
    return Function(code, defaults.items, named.items, closure.items)


def _set_attribute(machine: Machine, frame: Frame, step: Instruction) -> None:
    value, function = frame.take(2)
    slot = {1: "defaults", 2: "named", 4: "", 8: "closure"}.get(step.argument)
    wanted = Named if slot == "named" else Pack
    if slot is None or not isinstance(function, Function) or (slot and not isinstance(value, wanted)):
        raise Malformed("a function that is none")
    frame.stack.append(replace(function, **{slot: value.items}) if slot else function)


def _keywords(machine: Machine, frame: Frame, step: Instruction) -> None:
    names = pick(frame.code.constants, step.argument)
    if not isinstance(names, tuple) or not all(isinstance(n, str) for n in names):
        raise Malformed("names of arguments that are none")
    frame.keywords = names


def _word(machine: Machine, value: Any) -> str:
    found = key(machine, value)
    if not isinstance(found, str):
        raise Malformed("a name of an argument that is none")
    return found


def _words(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Named) or not all(isinstance(k, str) for k in value.items):
        raise Refused("it takes arguments from what is not known")
    return value.items


def _called(machine: Machine, frame: Frame, args: list[Any], named: Mapping[str, Any], pair: bool = True) -> None:
    """Call what is on the stack: a callable, in some Pythons with a NULL or with `self` beside it."""
    if not pair:
        frame.stack.append(call(machine, frame, frame.pop(), args, named))
        return
    first, second = frame.take(2)
    if isinstance(first, Null):
        frame.stack.append(call(machine, frame, second, args, named))
    elif isinstance(second, Null):
        frame.stack.append(call(machine, frame, first, args, named))
    else:
        frame.stack.append(call(machine, frame, first, [second, *args], named))


def _call(machine: Machine, frame: Frame, step: Instruction) -> None:
    args = frame.take(step.argument)
    names, frame.keywords = frame.keywords, ()
    if len(names) > len(args):
        raise Malformed("names without arguments")
    split = len(args) - len(names)
    _called(machine, frame, args[:split], dict(zip(names, args[split:], strict=True)))


def _call_kw(machine: Machine, frame: Frame, step: Instruction) -> None:
    names = [_word(machine, n) for n in machine.items(frame.pop())]
    args = frame.take(step.argument)
    if len(names) > len(args):
        raise Malformed("names without arguments")
    split = len(args) - len(names)
    pair = machine.python >= (3, 11)
    _called(machine, frame, args[:split], dict(zip(names, args[split:], strict=True)), pair)


def _call_function(machine: Machine, frame: Frame, step: Instruction) -> None:
    if machine.python >= (3, 6):
        _called(machine, frame, frame.take(step.argument), {}, pair=False)
        return
    more_named = frame.pop() if step.name.endswith("KW") else Named({})
    more = frame.pop() if "VAR" in step.name else Pack("tuple", ())
    pairs = frame.take(2 * (step.argument >> 8))
    args = frame.take(step.argument & 0xFF)
    named = {_word(machine, k): v for k, v in zip(pairs[::2], pairs[1::2], strict=True)}
    _called(machine, frame, [*args, *machine.items(more)], {**named, **_words(more_named)}, pair=False)


def _call_method(machine: Machine, frame: Frame, step: Instruction) -> None:
    _called(machine, frame, frame.take(step.argument), {})


def _call_kw_or_old(machine: Machine, frame: Frame, step: Instruction) -> None:
    """CALL_FUNCTION_KW: names in a tuple since 3.6, a dictionary before."""
    (_call_kw if machine.python >= (3, 6) else _call_function)(machine, frame, step)


def _call_ex(machine: Machine, frame: Frame, step: Instruction) -> None:
    named = frame.pop() if step.argument & 1 else Named({})
    args = list(machine.items(frame.pop()))
    _called(machine, frame, args, _words(named), pair=machine.python >= (3, 11))


ROWS: dict[str, Row] = {
    **dict.fromkeys(("CALL_FUNCTION", "CALL_FUNCTION_VAR", "CALL_FUNCTION_VAR_KW"), _call_function),
    **dict.fromkeys(("MAKE_FUNCTION", "MAKE_CLOSURE"), _make_function),
    "CALL": _call,
    "CALL_FUNCTION_EX": _call_ex,
    "CALL_FUNCTION_KW": _call_kw_or_old,
    "CALL_KW": _call_kw,
    "CALL_METHOD": _call_method,
    "KW_NAMES": _keywords,
    "SET_FUNCTION_ATTRIBUTE": _set_attribute,
}
