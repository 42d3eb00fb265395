"""Instructions that make texts: of constants, or texts that only name things and that nothing computes with."""

from __future__ import annotations

import re
from typing import Any

from safeload.lambdas.builder import Refused
from safeload.lambdas.instructions import Instruction
from safeload.lambdas.machine import Machine
from safeload.lambdas.operations.rows import Row
from safeload.lambdas.values import OPAQUE, Frame, Pack

__all__ = ["ROWS", "is_format"]

_CONVERSION = re.compile(r"%([sd%])")
_CONVERTED, _WITH_SPEC = 3, 4
"""Arguments of FORMAT_VALUE: `!r` and the like, and a format behind a colon."""


def _shown(machine: Machine, value: Any, kinds: type | tuple[type, ...] = (str, int)) -> str | None:
    """A constant as text; None for what is not known, and for what Python 2 and 3 write in two ways."""
    known = machine.builder.known(value) if isinstance(value, int) else None
    if known is None or not isinstance(known[0], kinds) or isinstance(known[0], bool):
        return None
    return str(known[0])


def _text(machine: Machine, parts: list[str | None]) -> Any:
    known = [p for p in parts if p is not None]
    if len(known) < len(parts) or sum(map(len, known)) > 500:
        return OPAQUE
    return machine.builder.constant("".join(known))


def is_format(machine: Machine, text: Any, values: Any) -> Any:
    """`'conv_%d' % i`"""
    pattern = machine.text(text) or ""
    given = list(values.items) if isinstance(values, Pack) and values.kind == "tuple" else [values]
    pieces = _CONVERSION.split(pattern)
    wanted = [p for p in pieces[1::2] if p != "%"]
    if "%" in "".join(pieces[::2]) or len(wanted) != len(given):
        if len(given) > 64:
            raise Refused("it makes a text of many values")
        return OPAQUE
    shown = iter(
        [_shown(machine, v, int if kind == "d" else (str, int)) for v, kind in zip(given, wanted, strict=True)]
    )
    parts = [p if not i % 2 else "%" if p == "%" else next(shown) for i, p in enumerate(pieces)]
    return _text(machine, parts)


def _format(machine: Machine, frame: Frame, step: Instruction) -> None:
    """A part of an f-string."""
    flags = step.argument if step.name == "FORMAT_VALUE" else _WITH_SPEC * (step.name == "FORMAT_WITH_SPEC")
    if flags & _WITH_SPEC:
        frame.pop()
    shown = _shown(machine, frame.pop())
    frame.stack.append(OPAQUE if flags else _text(machine, [shown]))


def _build(machine: Machine, frame: Frame, step: Instruction) -> None:
    parts = frame.take(step.argument)
    frame.stack.append(_text(machine, [machine.text(v) if isinstance(v, int) else None for v in parts]))


def _convert(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.pop()
    frame.stack.append(OPAQUE)


ROWS: dict[str, Row] = {
    **dict.fromkeys(("FORMAT_SIMPLE", "FORMAT_VALUE", "FORMAT_WITH_SPEC"), _format),
    "BUILD_STRING": _build,
    "CONVERT_VALUE": _convert,
}
