"""Python's own functions over what is known while the function is read: `range`, `len` of a list, methods of lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.lambdas.builder import Refused
from safeload.lambdas.calls.rows import Args, Row, Words, table
from safeload.lambdas.machine import MAX_ITEMS, Machine
from safeload.lambdas.values import Frame, Function, Global, Items, Member, Named, Pack, Slice

__all__ = ["PYTHON", "of_container"]


def _range(machine: Machine, args: Args, named: Words) -> Any:
    known = [machine.known(a) if isinstance(a, int) else None for a in args]
    numbers = [k[0] for k in known if k is not None and isinstance(k[0], int)]
    if len(numbers) != len(args) or not 1 <= len(args) <= 3 or named or (len(numbers) == 3 and not numbers[2]):
        raise Refused("it loops over a range that is not constant")
    values = range(*numbers)
    if len(values) > MAX_ITEMS:
        raise Refused("it loops over a long range")
    return Pack("list", tuple(machine.builder.constant(i) for i in values))


def _enumerate(machine: Machine, args: Args, named: Words) -> Any:
    start = machine.known(args[1]) if len(args) == 2 and isinstance(args[1], int) else (0,)
    if not 1 <= len(args) <= 2 or named or start is None or not isinstance(start[0], int):
        raise Refused("it calls enumerate in a way that is not known")
    items = machine.items(args[0])
    return Items(tuple(Pack("tuple", (machine.builder.constant(start[0] + i), v)) for i, v in enumerate(items)))


def _zip(machine: Machine, args: Args, named: Words) -> Any:
    if named:
        raise Refused("it calls zip in a way that is not known")
    return Items(tuple(Pack("tuple", row) for row in zip(*map(machine.items, args), strict=False)))


def _map(machine: Machine, args: Args, named: Words) -> Any:
    if named or len(args) < 2 or not isinstance(args[0], Function):
        raise Refused("it calls map in a way that is not known")
    rows = list(zip(*map(machine.items, args[1:]), strict=False))
    made = tuple(machine.enter(args[0], row, {}) for row in rows)
    return machine.pack("list", made) if machine.python < (3,) else Items(made)


def _reversed(machine: Machine, args: Args, named: Words) -> Any:
    if named or len(args) != 1:
        raise Refused("it calls reversed in a way that is not known")
    return Items(tuple(reversed(machine.items(args[0]))))


def _convert(kind: str) -> Row:
    def convert(machine: Machine, args: Args, named: Words) -> Any:
        if len(args) == 1 and not named:
            return machine.joined(kind, args)
        if not args and not named:
            return machine.pack(kind, ())
        raise Refused(f"it calls {kind} in a way that is not known")

    return convert


def _dict(machine: Machine, args: Args, named: Words) -> Any:
    if args:
        raise Refused("it calls dict in a way that is not known")
    return Named(dict(named))


def _len(machine: Machine, args: Args, named: Words) -> Any:
    if len(args) == 1 and not named:
        known = args[0] if isinstance(args[0], Pack | Named) else None
        count = len(known.items) if known is not None else machine.counted(args[0])
        if count is not None:
            return machine.builder.constant(count)
    return machine.builder.call("builtins.len", [machine.node(a) for a in args], {})


def _sum(machine: Machine, args: Args, named: Words) -> Any:
    """`sum` of what is known item by item; the rest is summed when it is computed."""
    first = [machine.pack("list", machine.items(args[0]))] if args and isinstance(args[0], Items) else list(args[:1])
    return table(machine, "builtins.sum", [*first, *args[1:]], named)


def _slice(machine: Machine, args: Args, named: Words) -> Any:
    none = machine.builder.constant(None)
    if named or not 1 <= len(args) <= 3:
        raise Refused("it calls slice in a way that is not known")
    return Slice((none, args[0]) if len(args) == 1 else tuple(args))


def _print(machine: Machine, args: Args, named: Words) -> Any:
    """Nothing that a model computes depends on what is printed."""
    return machine.builder.constant(None)


def _isinstance(machine: Machine, args: Args, named: Words) -> Any:
    if len(args) != 2 or named:
        raise Refused("it calls isinstance in a way that is not known")
    kinds = args[1].items if isinstance(args[1], Pack) else (args[1],)
    names = {k.path for k in kinds if isinstance(k, Global)}
    value = args[0]
    if isinstance(value, Pack) and names <= {"list", "tuple"}:
        return machine.builder.constant(value.kind in names)
    if value == machine.parameter and names <= {"list", "tuple"} and machine.setting.inputs is not None:
        return machine.builder.constant("list" in names)
    raise Refused("it asks for the type of a value")


def of_container(machine: Machine, frame: Frame, function: Member, args: Args, named: Words) -> Any:
    """Methods of lists and dictionaries whose items are known."""
    owner, name = function.owner, function.name
    if named:
        raise Refused(f"it calls {name} in a way that is not known")
    none = machine.builder.constant(None)
    if isinstance(owner, Named):
        keys = [machine.builder.constant(k) for k in owner.items]
        if name == "get" and 1 <= len(args) <= 2:
            known = machine.known(args[0]) if isinstance(args[0], int) else None
            if known is not None:
                return owner.items.get(known[0], args[1] if len(args) == 2 else none)
        if name == "items" and not args:
            return machine.pack("list", [Pack("tuple", p) for p in zip(keys, owner.items.values(), strict=True)])
        if name in ("keys", "values") and not args:
            return machine.pack("list", keys if name == "keys" else list(owner.items.values()))
    elif owner.kind == "list" and len(args) == 1:
        if name == "append":
            machine.change(frame, owner, [*owner.items, args[0]])
            return none
        if name == "extend":
            machine.change(frame, owner, [*owner.items, *machine.items(args[0])])
            return none
    elif owner.kind == "list" and name == "insert" and len(args) == 2:
        known = machine.known(args[0]) if isinstance(args[0], int) else None
        if known is not None and isinstance(known[0], int):
            items = list(owner.items)
            items.insert(known[0], args[1])
            machine.change(frame, owner, items)
            return none
    raise Refused(f"it calls the method {name!r} of a list or dictionary")


PYTHON: Mapping[str, Row] = {
    "dict": _dict,
    "enumerate": _enumerate,
    "isinstance": _isinstance,
    "len": _len,
    "list": _convert("list"),
    "map": _map,
    "print": _print,
    "range": _range,
    "reversed": _reversed,
    "slice": _slice,
    "sum": _sum,
    "tuple": _convert("tuple"),
    "xrange": _range,
    "zip": _zip,
}
