"""What a stored function computes: from the config's text to a program and its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from safeload.lambdas.builder import Refused
from safeload.lambdas.bytecode import stored_bytes
from safeload.lambdas.instructions import PYTHONS
from safeload.lambdas.machine import Machine
from safeload.lambdas.marshal_reader import Code, Malformed, read_code
from safeload.lambdas.program import render, validate
from safeload.lambdas.roles import LAYER, Role
from safeload.lambdas.setting import Setting
from safeload.lambdas.values import Function

__all__ = ["Reading", "name_of", "read_function"]

_STAR = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        program: What the function computes; None where that can't be said.
        source: The same as text; also given where a call in it is not allowed. None where nothing is known.
        stopped: What it was that can't be said; None where all can.
        pythons: The Pythons that could have written it.
    """

    program: Mapping[str, Any] | None
    source: str | None
    stopped: str | None
    pythons: tuple[tuple[int, int], ...] = ()


def read_function(
    stored: Any,
    *,
    tensorflow: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    setting: Setting | None = None,
    role: Role = LAYER,
) -> Reading:
    """Read a function's bytecode, in whichever Pythons could have written it; all of them have to agree.

    Args:
        stored: As the config has it: the text, or a list of text, defaults and closure, or a mapping of these.
        tensorflow: 1 or 2: which `tf` it was written for; None where that is not known.
        arguments: Values of its parameters by name (`Lambda(arguments=...)`).
        setting: All that is known of where it was written; has `tensorflow` in it.
        role: What it is called with.
    """
    setting = setting or Setting(tensorflow)
    code, defaults, closure = _parts(stored)
    data = stored_bytes(code) if isinstance(code, str) else b""
    found: dict[tuple[int, int], Reading] = {}
    for python in PYTHONS:
        try:
            found[python] = _read(read_code(data, python), python, defaults, closure, setting, arguments or {}, role)
        except Malformed:
            continue
        except Refused as error:
            found[python] = Reading(None, None, str(error))
        except RecursionError:
            found[python] = Reading(None, None, "it is too deep")
    readings = list(found.values())
    pythons = tuple(found)
    if not readings:
        return Reading(None, None, "no Python from 2.7 to 3.13 wrote it, or it has a loop that is not over constants")
    first = readings[0]
    if any(r != first for r in readings[1:]):
        names = " and ".join(".".join(map(str, p)) for p in pythons)
        shown = next((r.source for r in readings if r.source is not None), None)
        stopped = next((r.stopped for r in readings if r.stopped), None)
        return Reading(None, shown, stopped or f"Python {names} read it in different ways", pythons)
    return Reading(first.program, first.source, first.stopped, pythons)


def name_of(stored: Any) -> str | None:
    """The name of a stored function: what `def` called it, `<lambda>`; None where it can't be read."""
    code = _parts(stored)[0]
    data = stored_bytes(code) if isinstance(code, str) else b""
    for python in PYTHONS:
        try:
            return read_code(data, python).name
        except (Malformed, RecursionError):
            continue
    return None


def _read(
    code: Code,
    python: tuple[int, int],
    defaults: Sequence[Any],
    closure: Sequence[Any],
    setting: Setting,
    arguments: Mapping[str, Any],
    role: Role,
) -> Reading:
    machine = Machine(python, setting)
    names = code.variables[: code.arguments + code.keyword_only]
    if code.arguments < role.count and not code.flags & _STAR:
        raise Refused("it takes no input" if role.count == 1 else f"it takes fewer than {role.count} arguments")
    args = [machine.inputs(names[0] if code.arguments else "inputs")]
    args += [machine.builder.parameter(names[i] if i < code.arguments else f"input{i}") for i in range(1, role.count)]
    given = {str(k): _value(machine, v) for k, v in arguments.items()}
    for name in role.named:
        if name in names[role.count :] and name not in given:
            given[name] = machine.training() if name == "training" else machine.builder.parameter(name)
    function = Function(
        code, tuple(_value(machine, v) for v in defaults), {}, tuple(_value(machine, v) for v in closure)
    )
    result = machine.node(machine.enter(function, args, given))
    if machine.only_1 and setting.tensorflow != 1:  # `import tensorflow.compat.v1 as tf`
        return _read(code, python, defaults, closure, replace(setting, tensorflow=1), arguments, role)
    program = machine.builder.program(result)
    source = render(program)
    if machine.reasons:
        return Reading(None, source, "; ".join(machine.reasons))
    if program["nodes"][program["result"]][0] == "raise":
        return Reading(None, source, "it always raises an exception")
    try:
        validate(program)
    except ValueError as error:
        return Reading(None, source, str(error))
    return Reading(program, source, None)


def _parts(stored: Any) -> tuple[Any, Sequence[Any], Sequence[Any]]:
    """Text, defaults and closure of the forms that Keras had (`func_dump` in `generic_utils.py`, `python_utils.py`)."""
    if isinstance(stored, Mapping):
        value = stored.get("value", stored)
        if not isinstance(value, Mapping):
            return _parts(value)
        return value.get("code"), _sequence(value.get("defaults")), _sequence(value.get("closure"))
    if isinstance(stored, list | tuple):
        code, defaults, closure = (*stored, None, None, None)[:3]
        return code, _sequence(defaults), _sequence(closure)
    return stored, (), ()


def _sequence(value: Any) -> Sequence[Any]:
    if isinstance(value, Mapping):  # a tuple, as `.keras` files have it
        inner = value.get("config")
        value = value.get("items", inner.get("value") if isinstance(inner, Mapping) else None)
    return value if isinstance(value, list | tuple) else ()


def _value(machine: Machine, value: Any) -> Any:
    """A value of the config: plain data, tuples, arrays."""
    if isinstance(value, Mapping):
        inner = value.get("config")
        kind = value.get("class_name") or value.get("type")
        if kind == "__tuple__":
            return machine.constant(tuple(_sequence(value)))
        content = inner.get("value") if kind == "__numpy__" and isinstance(inner, Mapping) else value.get("value")
        if kind in ("__numpy__", "ndarray") and isinstance(content, list):
            return machine.builder.call("np.asarray", [machine.node(machine.constant(content))], {})
        raise Refused("it is given an object")
    return machine.constant(value)
