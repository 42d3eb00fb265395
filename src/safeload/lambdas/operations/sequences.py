"""Instructions that make tuples, lists, dictionaries and slices, and that take them apart."""

from __future__ import annotations

from typing import Any

from safeload.lambdas.builder import Refused
from safeload.lambdas.instructions import Instruction
from safeload.lambdas.machine import Machine
from safeload.lambdas.marshal_reader import Malformed
from safeload.lambdas.operations.rows import Row
from safeload.lambdas.operations.values import unary
from safeload.lambdas.values import Frame, Named, Pack, Slice

__all__ = ["ROWS", "key"]

_LIST_TO_TUPLE, _POSITIVE = 6, 5
"""Arguments of CALL_INTRINSIC_1 (3.12 on)."""


def key(machine: Machine, value: Any) -> Any:
    """A key of a dictionary."""
    known = machine.builder.known(value) if isinstance(value, int) else None
    if known is None or isinstance(known[0], float):
        raise Refused("it makes a dictionary with keys that are not constants")
    return known[0]


def _build(kind: str) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        frame.stack.append(machine.pack(kind, frame.take(step.argument)))

    return row


def _build_slice(machine: Machine, frame: Frame, step: Instruction) -> None:
    if step.argument not in (2, 3):
        raise Malformed("a slice of strange parts")
    frame.stack.append(Slice(tuple(frame.take(step.argument))))


def _joined(kind: str) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        frame.stack.append(machine.joined(kind, frame.take(step.argument & 0xFF)))

    return row


def _extend(machine: Machine, frame: Frame, step: Instruction) -> None:
    more = frame.pop()
    place = frame.at(step.argument)
    grown = frame.stack[place]
    if isinstance(grown, Pack):
        known = machine.joined("list", [grown, more])
        if isinstance(known, Pack):
            machine.change(frame, grown, known.items)
        else:
            frame.stack[place] = known
    elif isinstance(grown, int):
        frame.stack[place] = machine.joined("list", [grown, more])
    else:
        raise Malformed("a list that is none")


def _append(machine: Machine, frame: Frame, step: Instruction) -> None:
    value = frame.pop()
    place = frame.at(step.argument)
    grown = frame.stack[place]
    if isinstance(grown, int):  # `[*shape, 1]`
        frame.stack[place] = machine.joined("list", [grown, machine.pack("list", [value])])
        return
    if not isinstance(grown, Pack):
        raise Malformed("a list that is none")
    machine.change(frame, grown, (*grown.items, value))


def _to_tuple(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(machine.joined("tuple", [frame.pop()]))


def _intrinsic(machine: Machine, frame: Frame, step: Instruction) -> None:
    if step.argument == _LIST_TO_TUPLE:
        _to_tuple(machine, frame, step)
    elif step.argument == _POSITIVE:
        unary("+")(machine, frame, step)
    else:
        raise Refused("an intrinsic that is not known")


def _build_map(machine: Machine, frame: Frame, step: Instruction) -> None:
    if machine.python < (3,):  # the number is a hint; STORE_MAP follows
        frame.stack.append(Named({}))
        return
    values = frame.take(2 * step.argument)
    frame.stack.append(Named({key(machine, k): v for k, v in zip(values[::2], values[1::2], strict=True)}))


def _grow_map(frame: Frame, place: int, name: Any, value: Any) -> None:
    owner = frame.stack[place]
    if not isinstance(owner, Named):
        raise Malformed("a dictionary that is none")
    frame.stack[place] = Named({**owner.items, name: value})


def _store_map(machine: Machine, frame: Frame, step: Instruction) -> None:
    value, name = frame.take(2)
    _grow_map(frame, frame.at(1), key(machine, name), value)


def _map_add(machine: Machine, frame: Frame, step: Instruction) -> None:
    """Of a dictionary comprehension: the value lay on top until 3.7, the key does since (PEP 572)."""
    first, second = frame.take(2)
    name, value = (first, second) if machine.python >= (3, 8) else (second, first)
    _grow_map(frame, frame.at(step.argument), key(machine, name), value)


def _build_const_map(machine: Machine, frame: Frame, step: Instruction) -> None:
    keys = machine.items(frame.pop())
    values = frame.take(step.argument)
    if len(keys) != len(values):
        raise Malformed("keys without values")
    frame.stack.append(Named({key(machine, k): v for k, v in zip(keys, values, strict=True)}))


def _update(machine: Machine, frame: Frame, step: Instruction) -> None:
    more = frame.pop()
    place = frame.at(step.argument)
    owner = frame.stack[place]
    if not isinstance(owner, Named) or not isinstance(more, Named):
        raise Refused("it takes arguments from what is not known")
    frame.stack[place] = Named({**owner.items, **more.items})


def _joined_maps(machine: Machine, frame: Frame, step: Instruction) -> None:
    merged: dict[Any, Any] = {}
    for part in frame.take(step.argument & 0xFF):
        if not isinstance(part, Named):
            raise Refused("it takes arguments from what is not known")
        merged.update(part.items)
    frame.stack.append(Named(merged))


def _unpack(machine: Machine, frame: Frame, step: Instruction) -> None:
    if step.argument > 64:
        raise Refused("it unpacks many values")
    frame.stack += reversed(machine.unpack(frame.pop(), step.argument))


def _unpack_rest(machine: Machine, frame: Frame, step: Instruction) -> None:
    """`a, *b = c`, for a list whose length is known."""
    before, after = step.argument & 0xFF, step.argument >> 8
    items = machine.items(frame.pop())
    if before + after > len(items):
        raise Refused("it unpacks another number of values")
    middle = machine.pack("list", items[before : len(items) - after])
    frame.stack += reversed([*items[:before], middle, *items[len(items) - after :]])


ROWS: dict[str, Row] = {
    **dict.fromkeys(("DICT_MERGE", "DICT_UPDATE"), _update),
    **dict.fromkeys(("BUILD_MAP_UNPACK", "BUILD_MAP_UNPACK_WITH_CALL"), _joined_maps),
    **dict.fromkeys(("BUILD_TUPLE_UNPACK", "BUILD_TUPLE_UNPACK_WITH_CALL"), _joined("tuple")),
    "BUILD_CONST_KEY_MAP": _build_const_map,
    "BUILD_LIST": _build("list"),
    "BUILD_LIST_UNPACK": _joined("list"),
    "BUILD_MAP": _build_map,
    "BUILD_SLICE": _build_slice,
    "BUILD_TUPLE": _build("tuple"),
    "CALL_INTRINSIC_1": _intrinsic,
    "LIST_APPEND": _append,
    "LIST_EXTEND": _extend,
    "LIST_TO_TUPLE": _to_tuple,
    "MAP_ADD": _map_add,
    "STORE_MAP": _store_map,
    "UNPACK_EX": _unpack_rest,
    "UNPACK_SEQUENCE": _unpack,
}
