"""What each instruction does to a frame, over all Pythons: one row for each name in `dis`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from safeload.lambdas.builder import Refused
from safeload.lambdas.instructions import Instruction, table
from safeload.lambdas.machine import NULL, Frame, Function, Global, Items, Machine, Named, Null, Pack, Slice
from safeload.lambdas.marshal_reader import Code, Malformed

__all__ = ["Branch", "Return", "perform"]


@dataclass(frozen=True)
class Return:
    """The function is done."""

    value: Any


@dataclass(frozen=True)
class Branch:
    """It goes on at one of two places, and which one is not known."""

    condition: Any
    if_true: int
    if_false: int
    kept_if_true: tuple[Any, ...] = ()
    kept_if_false: tuple[Any, ...] = ()


Done = int | Return | Branch | None
Row = Callable[[Machine, Frame, Instruction], Done]

_IMPORTABLE = frozenset({"keras", "tensorflow", "numpy", "math"})
_BINARY = {
    "ADD": "+", "SUBTRACT": "-", "MULTIPLY": "*", "TRUE_DIVIDE": "/", "FLOOR_DIVIDE": "//", "MODULO": "%", "POWER": "**",
    "MATRIX_MULTIPLY": "@", "AND": "&", "OR": "|", "XOR": "^", "LSHIFT": "<<", "RSHIFT": ">>", "DIVIDE": "div",
}  # fmt: skip
_UNARY = {"UNARY_NEGATIVE": "-", "UNARY_POSITIVE": "+", "UNARY_INVERT": "~", "UNARY_NOT": "not "}
_LIST_TO_TUPLE, _POSITIVE = 6, 5
"""Arguments of CALL_INTRINSIC_1 (3.12 on)."""


def perform(machine: Machine, frame: Frame, step: Instruction) -> Done:
    """Apply one instruction; where to go on, or None for the following one."""
    row = _ROWS.get(step.name)
    if row is None:
        raise Refused(f"the instruction {step.name} is not one that is read")
    return row(machine, frame, step)


def _pick(values: tuple[Any, ...], index: int) -> Any:
    if not 0 <= index < len(values):
        raise Malformed("a number that refers to nothing")
    return values[index]


# --- variables


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
    return str(_pick(frame.code.variables, index))


def _load_fast(machine: Machine, frame: Frame, step: Instruction) -> None:
    _load(frame, _fast(frame, step.argument))


def _store_fast(machine: Machine, frame: Frame, step: Instruction) -> None:
    _store(frame, _fast(frame, step.argument), frame.pop())


def _two(first: Callable[[Frame, str], None], second: Callable[[Frame, str], None]) -> Row:
    def both(machine: Machine, frame: Frame, step: Instruction) -> None:
        first(frame, _fast(frame, step.argument >> 4))
        second(frame, _fast(frame, step.argument & 15))

    return both


def _put(frame: Frame, name: str) -> None:
    _store(frame, name, frame.pop())


def _load_and_clear(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(frame.variables.pop(_fast(frame, step.argument), NULL))


def _cell(machine: Machine, frame: Frame, step: Instruction) -> str:
    code = frame.code
    names = code.variables if machine.python >= (3, 11) else (*code.cells, *code.free)
    return str(_pick(names, step.argument))


def _load_cell(machine: Machine, frame: Frame, step: Instruction) -> None:
    _load(frame, _cell(machine, frame, step))


def _store_cell(machine: Machine, frame: Frame, step: Instruction) -> None:
    name = _cell(machine, frame, step)
    if name in frame.variables:
        raise Refused("it changes a variable that an inner function uses")
    _store(frame, name, frame.pop())


def _load_const(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(machine.constant(_pick(frame.code.constants, step.argument)))


def _load_global(machine: Machine, frame: Frame, step: Instruction) -> None:
    index, null = step.argument, False
    if machine.python >= (3, 11):
        index, null = index >> 1, bool(index & 1)
    name = _pick(frame.code.names, index)
    value: Any = Global(name)
    if machine.python < (3,) and name in ("True", "False", "None"):
        value = machine.builder.constant({"True": True, "False": False, "None": None}[name])
    _push_callable(machine, frame, value, null)


def _push_callable(machine: Machine, frame: Frame, value: Any, null: bool) -> None:
    if not null:
        frame.stack.append(value)
    else:
        frame.stack += [value, NULL] if machine.python >= (3, 13) else [NULL, value]


def _load_attr(machine: Machine, frame: Frame, step: Instruction) -> None:
    index, null = step.argument, False
    if machine.python >= (3, 12):
        index, null = index >> 1, bool(index & 1)
    _push_callable(machine, frame, machine.attribute(frame.pop(), _pick(frame.code.names, index)), null)


def _load_method(machine: Machine, frame: Frame, step: Instruction) -> None:
    _push_callable(machine, frame, machine.attribute(frame.pop(), _pick(frame.code.names, step.argument)), True)


def _import(machine: Machine, frame: Frame, step: Instruction) -> None:
    name = _pick(frame.code.names, step.argument)
    _, wanted = frame.take(2)
    root = name.split(".")[0]
    if root not in _IMPORTABLE:
        raise Refused(f"it imports {name}")
    whole = machine.known(wanted) is None or isinstance(wanted, Pack)
    frame.stack.append(Global(name if whole else root))


def _import_from(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(machine.attribute(frame.stack[frame.at(1)], _pick(frame.code.names, step.argument)))


# --- values


def _binary(op: str) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        a, b = frame.take(2)
        frame.stack.append(machine.binary(op, a, b))

    return row


def _inplace(op: str) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        a, b = frame.take(2)
        if isinstance(a, Pack) and a.kind == "list":
            raise Refused("it changes a list")
        frame.stack.append(machine.binary(op, a, b))

    return row


def _binary_op(machine: Machine, frame: Frame, step: Instruction) -> None:
    op = _pick(tuple(table(machine.python)["binary"]), step.argument)
    inplace = op.endswith("=")
    (_inplace if inplace else _binary)(op.rstrip("=") if inplace else op)(machine, frame, step)


def _unary(op: str) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        value = frame.pop()
        known = machine.known(value)
        if op == "not " and isinstance(value, Pack) and known is not None:
            frame.stack.append(machine.builder.constant(not known[0]))
        else:
            frame.stack.append(machine.builder.unary(op, machine.node(value)))

    return row


def _compare(machine: Machine, frame: Frame, step: Instruction) -> None:
    index = step.argument >> {(3, 12): 4, (3, 13): 5}.get(machine.python, 0)
    op = _pick(tuple(table(machine.python)["compare"]), index)
    a, b = frame.take(2)
    if op in ("exception match", "BAD"):
        raise Refused("it handles exceptions")
    frame.stack.append(machine.binary(op, a, b))


def _subscript(machine: Machine, frame: Frame, step: Instruction) -> None:
    owner, key = frame.take(2)
    frame.stack.append(machine.item(owner, key))


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


def _build(kind: str) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        frame.stack.append(machine.pack(kind, frame.take(step.argument)))

    return row


def _build_slice(machine: Machine, frame: Frame, step: Instruction) -> None:
    if step.argument not in (2, 3):
        raise Malformed("a slice of strange parts")
    frame.stack.append(Slice(tuple(frame.take(step.argument))))


def _joined(kind: str, callable_below: bool = False) -> Row:
    def row(machine: Machine, frame: Frame, step: Instruction) -> None:
        parts = frame.take(step.argument & 0xFF)
        frame.stack.append(machine.pack(kind, [v for part in parts for v in machine.items(part)]))

    return row


def _extend(machine: Machine, frame: Frame, step: Instruction) -> None:
    more = frame.pop()
    place = frame.at(step.argument)
    grown = frame.stack[place]
    if not isinstance(grown, Pack):
        raise Malformed("a list that is none")
    frame.stack[place] = machine.pack("list", (*grown.items, *machine.items(more)))


def _append(machine: Machine, frame: Frame, step: Instruction) -> None:
    value = frame.pop()
    place = frame.at(step.argument)
    grown = frame.stack[place]
    if not isinstance(grown, Pack):
        raise Malformed("a list that is none")
    frame.stack[place] = machine.pack("list", (*grown.items, value))


def _to_tuple(machine: Machine, frame: Frame, step: Instruction) -> None:
    frame.stack.append(machine.pack("tuple", machine.items(frame.pop())))


def _intrinsic(machine: Machine, frame: Frame, step: Instruction) -> None:
    if step.argument == _LIST_TO_TUPLE:
        _to_tuple(machine, frame, step)
    elif step.argument == _POSITIVE:
        _unary("+")(machine, frame, step)
    else:
        raise Refused("an intrinsic that is not known")


def _text(machine: Machine, value: Any) -> str:
    known = machine.known(value) if isinstance(value, int) else None
    if known is None or not isinstance(known[0], str):
        raise Refused("it makes a dictionary with other keys than texts")
    return known[0]


def _build_map(machine: Machine, frame: Frame, step: Instruction) -> None:
    if machine.python < (3,):  # the number is a hint; STORE_MAP follows
        frame.stack.append(Named({}))
        return
    values = frame.take(2 * step.argument)
    frame.stack.append(Named({_text(machine, k): v for k, v in zip(values[::2], values[1::2], strict=True)}))


def _store_map(machine: Machine, frame: Frame, step: Instruction) -> None:
    value, key = frame.take(2)
    owner = frame.stack[frame.at(1)]
    if not isinstance(owner, Named):
        raise Malformed("a dictionary that is none")
    frame.stack[-1] = Named({**owner.items, _text(machine, key): value})


def _build_const_map(machine: Machine, frame: Frame, step: Instruction) -> None:
    keys = machine.items(frame.pop())
    values = frame.take(step.argument)
    if len(keys) != len(values):
        raise Malformed("keys without values")
    frame.stack.append(Named({_text(machine, k): v for k, v in zip(keys, values, strict=True)}))


def _update(machine: Machine, frame: Frame, step: Instruction) -> None:
    more = frame.pop()
    place = frame.at(step.argument)
    owner = frame.stack[place]
    if not isinstance(owner, Named) or not isinstance(more, Named):
        raise Refused("it takes arguments from what is not known")
    frame.stack[place] = Named({**owner.items, **more.items})


def _joined_maps(machine: Machine, frame: Frame, step: Instruction) -> None:
    merged: dict[str, Any] = {}
    for part in frame.take(step.argument & 0xFF):
        if not isinstance(part, Named):
            raise Refused("it takes arguments from what is not known")
        merged.update(part.items)
    frame.stack.append(Named(merged))


def _unpack(machine: Machine, frame: Frame, step: Instruction) -> None:
    if step.argument > 64:
        raise Refused("it unpacks many values")
    frame.stack += reversed(machine.unpack(frame.pop(), step.argument))


# --- the stack


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


# --- jumps


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
    frame.stack.append(Items(machine.items(frame.pop())))


def _for_iter(machine: Machine, frame: Frame, step: Instruction) -> Done:
    iterator = frame.stack[frame.at(1)]
    if not isinstance(iterator, Items):
        raise Malformed("an iterator that is none")
    if iterator.items:
        frame.stack[-1] = Items(iterator.items[1:])
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


# --- functions


def _return(machine: Machine, frame: Frame, step: Instruction) -> Return:
    return Return(frame.pop())


def _return_const(machine: Machine, frame: Frame, step: Instruction) -> Return:
    return Return(machine.constant(_pick(frame.code.constants, step.argument)))


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
    if slot is None or not isinstance(function, Function) or (slot and not isinstance(value, Pack | Named)):
        raise Malformed("a function that is none")
    frame.stack.append(replace(function, **{slot: value.items}) if slot else function)


def _keywords(machine: Machine, frame: Frame, step: Instruction) -> None:
    names = _pick(frame.code.constants, step.argument)
    if not isinstance(names, tuple) or not all(isinstance(n, str) for n in names):
        raise Malformed("names of arguments that are none")
    frame.keywords = names


def _called(machine: Machine, frame: Frame, args: list[Any], named: Mapping[str, Any], pair: bool = True) -> None:
    """Call what is on the stack: a callable, in some Pythons with a NULL or with `self` beside it."""
    if not pair:
        frame.stack.append(machine.call(frame.pop(), args, named))
        return
    first, second = frame.take(2)
    if isinstance(first, Null):
        frame.stack.append(machine.call(second, args, named))
    elif isinstance(second, Null):
        frame.stack.append(machine.call(first, args, named))
    else:
        frame.stack.append(machine.call(first, [second, *args], named))


def _call(machine: Machine, frame: Frame, step: Instruction) -> None:
    args = frame.take(step.argument)
    names, frame.keywords = frame.keywords, ()
    if len(names) > len(args):
        raise Malformed("names without arguments")
    split = len(args) - len(names)
    _called(machine, frame, args[:split], dict(zip(names, args[split:], strict=True)))


def _call_kw(machine: Machine, frame: Frame, step: Instruction) -> None:
    names = [_text(machine, n) for n in machine.items(frame.pop())]
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
    if not isinstance(more_named, Named):
        raise Refused("it takes arguments from what is not known")
    named = {_text(machine, k): v for k, v in zip(pairs[::2], pairs[1::2], strict=True)}
    _called(machine, frame, [*args, *machine.items(more)], {**named, **more_named.items}, pair=False)


def _call_method(machine: Machine, frame: Frame, step: Instruction) -> None:
    _called(machine, frame, frame.take(step.argument), {})


def _call_kw_or_old(machine: Machine, frame: Frame, step: Instruction) -> None:
    """CALL_FUNCTION_KW: names in a tuple since 3.6, a dictionary before."""
    (_call_kw if machine.python >= (3, 6) else _call_function)(machine, frame, step)


def _call_ex(machine: Machine, frame: Frame, step: Instruction) -> None:
    named = frame.pop() if step.argument & 1 else Named({})
    args = list(machine.items(frame.pop()))
    if not isinstance(named, Named):
        raise Refused("it takes arguments from what is not known")
    _called(machine, frame, args, named.items, pair=machine.python >= (3, 11))


_ROWS: dict[str, Row] = {
    **{f"BINARY_{name}": _binary(op) for name, op in _BINARY.items()},
    **{f"INPLACE_{name}": _inplace(op) for name, op in _BINARY.items()},
    **{name: _unary(op) for name, op in _UNARY.items()},
    **{f"SLICE+{n}": _old_slice(bool(n & 1), bool(n & 2)) for n in range(4)},
    **{f"POP_JUMP_{way}IF_{t.upper().replace(' ', '_')}": _pop_jump(t)
       for way in ("", "FORWARD_", "BACKWARD_") for t in ("True", "False", "None", "not None")},
    **dict.fromkeys(("NOP", "RESUME", "PRECALL", "TO_BOOL", "MAKE_CELL", "COPY_FREE_VARS", "SETUP_LOOP", "POP_BLOCK"), _nothing),
    **dict.fromkeys(("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD_NO_INTERRUPT"), _jump),
    **dict.fromkeys(("CALL_FUNCTION", "CALL_FUNCTION_VAR", "CALL_FUNCTION_VAR_KW"), _call_function),
    **dict.fromkeys(("LOAD_FAST", "LOAD_FAST_CHECK"), _load_fast),
    **dict.fromkeys(("LOAD_DEREF", "LOAD_CLOSURE"), _load_cell),
    **dict.fromkeys(("MAKE_FUNCTION", "MAKE_CLOSURE"), _make_function),
    **dict.fromkeys(("DICT_MERGE", "DICT_UPDATE"), _update),
    **dict.fromkeys(("BUILD_MAP_UNPACK", "BUILD_MAP_UNPACK_WITH_CALL"), _joined_maps),
    **dict.fromkeys(("BUILD_TUPLE_UNPACK", "BUILD_TUPLE_UNPACK_WITH_CALL"), _joined("tuple")),
    "BINARY_OP": _binary_op,
    "BINARY_SLICE": _binary_slice,
    "BINARY_SUBSCR": _subscript,
    "BUILD_CONST_KEY_MAP": _build_const_map,
    "BUILD_LIST": _build("list"),
    "BUILD_LIST_UNPACK": _joined("list"),
    "BUILD_MAP": _build_map,
    "BUILD_SLICE": _build_slice,
    "BUILD_TUPLE": _build("tuple"),
    "CALL": _call,
    "CALL_FUNCTION_EX": _call_ex,
    "CALL_FUNCTION_KW": _call_kw_or_old,
    "CALL_INTRINSIC_1": _intrinsic,
    "CALL_KW": _call_kw,
    "CALL_METHOD": _call_method,
    "COMPARE_OP": _compare,
    "CONTAINS_OP": lambda m, f, s: _binary("not in" if s.argument & 1 else "in")(m, f, s),
    "COPY": _copy,
    "DUP_TOP": _duplicate(1),
    "DUP_TOP_TWO": _duplicate(2),
    "FOR_ITER": _for_iter,
    "GET_ITER": _get_iter,
    "IMPORT_FROM": _import_from,
    "IMPORT_NAME": _import,
    "IS_OP": lambda m, f, s: _binary("is not" if s.argument & 1 else "is")(m, f, s),
    "JUMP_IF_FALSE_OR_POP": _jump_or_pop(False),
    "JUMP_IF_TRUE_OR_POP": _jump_or_pop(True),
    "KW_NAMES": _keywords,
    "LIST_APPEND": _append,
    "LIST_EXTEND": _extend,
    "LIST_TO_TUPLE": _to_tuple,
    "LOAD_ATTR": _load_attr,
    "LOAD_CONST": _load_const,
    "LOAD_FAST_AND_CLEAR": _load_and_clear,
    "LOAD_FAST_LOAD_FAST": _two(_load, _load),
    "LOAD_GLOBAL": _load_global,
    "LOAD_METHOD": _load_method,
    "POP_TOP": _pop,
    "PUSH_NULL": _push_null,
    "RETURN_CONST": _return_const,
    "RETURN_VALUE": _return,
    "ROT_FOUR": _rotate(4),
    "ROT_N": _rotate(None),
    "ROT_THREE": _rotate(3),
    "ROT_TWO": _rotate(2),
    "SET_FUNCTION_ATTRIBUTE": _set_attribute,
    "STORE_DEREF": _store_cell,
    "STORE_FAST": _store_fast,
    "STORE_FAST_LOAD_FAST": _two(_put, _load),
    "STORE_FAST_STORE_FAST": _two(_put, _put),
    "STORE_MAP": _store_map,
    "SWAP": _swap,
    "UNPACK_SEQUENCE": _unpack,
}  # fmt: skip
