"""Abstract interpretation of bytecode: instructions applied to steps of a program instead of values.

Nothing is called and nothing is looked up but in `names`. Loops run over constants only, a branch on something that is not
known is followed both ways, and everything is counted. `Malformed` says that the bytes are not of this Python; `Refused`
that they are, and do what no program can say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from safeload.lambdas.builder import Builder, Refused
from safeload.lambdas.instructions import instructions
from safeload.lambdas.marshal_reader import Code, Malformed
from safeload.lambdas.names import resolve
from safeload.lambdas.program import ATTRIBUTES
from safeload.lambdas.setting import Setting
from safeload.lambdas.values import (
    NOBODY,
    NULL,
    Cell,
    Failure,
    Frame,
    Function,
    Global,
    Items,
    Member,
    Named,
    Null,
    Opaque,
    Pack,
    Slice,
)

__all__ = ["MAX_ITEMS", "Machine"]

MAX_STEPS = 20_000
MAX_FORKS = 12
MAX_CALLS = 20
MAX_ITEMS = 1000
_GENERATOR = 0x20 | 0x80 | 0x200
_STAR, _STARS = 4, 8
_COMPARISONS = frozenset({"<", "<=", "==", "!=", ">", ">=", "in", "not in", "is", "is not"})


class Machine:
    """The interpretation of one function.

    Attributes:
        python: The Python whose bytecode it is.
        setting: Where it was written.
        reasons: What no table allows; the program is then only good for showing.
        only_1: Whether it calls what TensorFlow 2 has not, so that `tf` is TensorFlow 1.
        parameter: The first parameter.
    """

    def __init__(self, python: tuple[int, int], setting: Setting) -> None:
        self.python, self.setting = python, setting
        self.builder = Builder()
        self.reasons: list[str] = []
        self.frame = NOBODY
        self.only_1 = False
        self.parameter: int | None = None
        self._training: int | None = None
        self._steps = self._forks = self._depth = self._items = self._frames = self._arguments = 0

    def stop(self, reason: str) -> None:
        if reason not in self.reasons and len(self.reasons) < 10:
            self.reasons.append(reason)

    # --- parameters

    def inputs(self, name: str) -> int:
        """The first parameter, which may be a list of as many tensors as the file says."""
        self.parameter = self.builder.parameter(name)
        return self.parameter

    def training(self) -> int:
        """Whether the model is trained: the learning phase, or the argument `training` of a layer's call."""
        if self._training is None:
            self._training = self.builder.parameter("training")
        return self._training

    def argument(self) -> int:
        """What a function that is called for each element gets."""
        self._arguments += 1
        return self.builder.add("argument", self._arguments - 1)

    # --- values

    def node(self, value: Any) -> int:
        """The step that a value is."""
        self._items += 1
        if self._items > MAX_STEPS:
            raise Refused("it holds too much")
        if isinstance(value, bool | Null | Cell):
            raise Malformed("a value that is none")
        if isinstance(value, int):
            return value
        if isinstance(value, Pack):
            return self.builder.sequence(value.kind, [self.node(v) for v in value.items])
        if isinstance(value, Slice):
            parts = [self.node(v) for v in value.parts]
            return self.builder.add("slice", parts, below=parts)
        if isinstance(value, Failure):
            return self.builder.add("raise", value.text)
        if isinstance(value, Global):
            found = resolve(value.path, self.setting)
            if found is not None and found.kind == "value":
                return self.builder.add("value", found.id)
            if found is not None and found.kind == "constant":
                return self.builder.constant(found.value)
            self.stop(f"it uses {value.path}")
            return self.builder.add("name", value.path)
        if isinstance(value, Member):
            owner = self.node(value.owner)
            if value.name in ATTRIBUTES:
                return self.builder.add("attribute", owner, value.name, below=(owner,))
            self.stop(f"it takes the attribute {value.name!r} of a value")
            return self.builder.add("member", owner, value.name, below=(owner,))
        raise Refused(f"it uses {_WORDS.get(type(value), 'a value')} as a value")

    def constant(self, value: Any) -> Any:
        """A constant of a code object."""
        self._items += 1
        if self._items > MAX_STEPS:
            raise Refused("it holds too much")
        if isinstance(value, tuple | frozenset | list):
            items = sorted(value, key=repr) if isinstance(value, frozenset) else value
            return Pack("list" if isinstance(value, list) else "tuple", tuple(self.constant(v) for v in items))
        return value if isinstance(value, Code) else self.builder.constant(value)

    def known(self, value: Any) -> tuple[Any] | None:
        """The value of a constant, in a tuple; of a list, whether it is empty."""
        if isinstance(value, Pack | Named):
            return (bool(value.items),)
        return self.builder.known(value) if isinstance(value, int) else None

    def text(self, value: Any) -> str | None:
        known = self.builder.known(value) if isinstance(value, int) and not isinstance(value, bool) else None
        return known[0] if known is not None and isinstance(known[0], str) else None

    def attribute(self, owner: Any, name: str) -> Any:
        if isinstance(owner, Global):
            if len(owner.path) > 500:
                raise Refused("it has a long chain of attributes")
            return Global(f"{owner.path}.{name}")
        return Member(owner if isinstance(owner, Pack | Named) else self.node(owner), name)

    def binary(self, op: str, a: Any, b: Any) -> Any:
        if isinstance(a, Pack) and isinstance(b, Pack) and op == "+" and a.kind == b.kind:
            return self.pack(a.kind, (*a.items, *b.items))
        if op == "*" and isinstance(a, Pack) != isinstance(b, Pack):
            pack, times = (a, b) if isinstance(a, Pack) else (b, a)
            known = self.known(times)
            if known is not None and isinstance(known[0], int):
                if len(pack.items) * known[0] > MAX_ITEMS:
                    raise Refused("it makes a long list")
                return self.pack(pack.kind, pack.items * known[0])
        kind = "compare" if op in _COMPARISONS else "binary"
        first, second = self.node(a), self.node(b)
        tensors = not (self.builder.is_plain(first) and self.builder.is_plain(second))
        if op in ("==", "!=") and self.setting.tensorflow != 2 and tensors:
            self.stop("it compares with ==, which TensorFlow 1 does by identity")
        return self.builder.binary(kind, op, first, second)

    def pack(self, kind: str, items: Sequence[Any]) -> Pack:
        """A tuple or list that the running frame makes."""
        if len(items) > MAX_ITEMS:
            raise Refused("it makes a long list")
        return Pack(kind, tuple(items), self.frame)

    def joined(self, kind: str, parts: Sequence[Any]) -> Any:
        """`[*a, *b]`: a list, or where the length of a part is only known with the shapes, a sum of lists."""
        if all(isinstance(p, Pack | Items | Named) or self.counted(p) is not None for p in parts):
            return self.pack(kind, [v for p in parts for v in self.items(p)])
        numbers = [self.builder.call(f"builtins.{kind}", [self.node(p)], {}) for p in parts]
        total = numbers[0]
        for number in numbers[1:]:
            total = self.builder.binary("binary", "+", total, number)
        return total

    def change(self, frame: Frame, pack: Any, items: Sequence[Any]) -> None:
        """Put other items into a list that the frame made."""
        if not isinstance(pack, Pack) or pack.kind != "list":
            raise Malformed("a list that is none")
        if pack.frame != frame.number:
            raise Refused("it changes a list that it didn't make")
        if any(isinstance(v, Items) and v.source is pack for v in frame.stack):
            raise Refused("it changes a list while it loops over it")
        if len(items) > MAX_ITEMS:
            raise Refused("it makes a long list")
        if pack in items:
            raise Refused("it puts a list into itself")
        pack.items = tuple(items)

    def item(self, owner: Any, key: Any) -> Any:
        known = self.known(key) if isinstance(key, int) else None
        if isinstance(owner, Pack):
            length = len(owner.items)
            if known is not None and isinstance(known[0], int) and -length <= known[0] < length:
                return owner.items[known[0]]
            if isinstance(key, Slice):
                parts = [self.known(p) if isinstance(p, int) else None for p in key.parts]
                bounds = [p[0] for p in parts if p is not None and (p[0] is None or isinstance(p[0], int))]
                if len(bounds) == len(key.parts) and bounds[2:] != [0]:
                    return self.pack(owner.kind, owner.items[slice(*bounds)])
        if isinstance(owner, Named) and known is not None and known[0] in owner.items:
            return owner.items[known[0]]
        a, b = self.node(owner), self.node(key)
        return self.builder.add("item", a, b, below=(a, b))

    def counted(self, value: Any) -> int | None:
        """How many values an iteration over a step goes through, where that is known."""
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        return self.setting.inputs if value == self.parameter else self.builder.count(value)

    def items(self, value: Any) -> tuple[Any, ...]:
        """What an iteration goes over."""
        if isinstance(value, Pack | Items):
            return value.items
        if isinstance(value, Named):
            return tuple(self.builder.constant(k) for k in value.items)
        count = self.counted(value)
        if count is None:
            raise Refused("it loops over what is not known")
        return tuple(self.item(value, self.builder.constant(i)) for i in range(count))

    def unpack(self, value: Any, count: int) -> list[Any]:
        if isinstance(value, Pack | Items | Named):
            items = self.items(value)
            if len(items) != count:
                raise Refused("it unpacks another number of values")
            return list(items)
        number = self.node(value)
        return [self.builder.add("unpack", number, count, i, below=(number,)) for i in range(count)]

    # --- functions

    def enter(self, function: Function, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """What a function returns."""
        self._depth += 1
        if self._depth > MAX_CALLS:
            raise Refused("its functions call each other too deep")
        code, caller = function.code, self.frame
        if code.flags & _GENERATOR and code.name != "<genexpr>":
            raise Refused("it is a generator")
        self._frames += 1
        bound = _bound(function, args, named)
        if self.python < (3, 11):  # later, MAKE_CELL does it
            bound.update({name: Cell(bound.get(name, NULL), self._frames) for name in code.cells})
        frame = Frame(code, instructions(code.bytecode, self.python), bound, self._frames)
        self.frame = frame.number
        result = self.run(frame, 0)
        self.frame = caller
        self._depth -= 1
        if isinstance(result, Failure):
            raise Refused(f"it raises {result.text}")
        if code.flags & _GENERATOR:  # a generator expression, all of whose values are there
            if self.known(result) != (None,):
                raise Refused("it is a generator")
            return Items(frame.yielded)
        if isinstance(result, Pack) and result.frame == frame.number:
            result.frame = caller
        return result

    def run(self, frame: Frame, at: int) -> Any:
        """Follow the instructions from a place to a return."""
        from safeload.lambdas.operations import Branch, Return, perform

        while True:
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise Refused("it takes too many steps")
            step = frame.steps.get(at)
            if step is None:
                raise Malformed("a jump to where no instruction begins")
            done = perform(self, frame, step)
            if isinstance(done, Return):
                if any(not isinstance(v, Items) for v in frame.stack) and not isinstance(done.value, Failure):
                    raise Malformed("a return with a full stack")
                return done.value
            if isinstance(done, Branch):
                return self.fork(frame, done)
            at = step.following if done is None else done

    def fork(self, frame: Frame, branch: Any) -> int:
        """Both ways of a branch, each to its return."""
        self._forks += 1
        if self._forks > MAX_FORKS:
            raise Refused("it has too many branches")
        condition = self.node(branch.condition)
        other = frame.copy()
        other.stack += branch.kept_if_false
        frame.stack += branch.kept_if_true
        depth, number = self._depth, self.frame
        yes = self.node(self.run(frame, branch.if_true))
        self._depth, self.frame = depth, number
        no = self.node(self.run(other, branch.if_false))
        self.frame = number
        return self.builder.add("select", condition, yes, no, below=(condition, yes, no))


_WORDS = {
    Function: "a function",
    Code: "a function",
    Named: "a dictionary",
    Items: "an iterator",
    Opaque: "a text that is made of one",
}


def _bound(function: Function, args: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of a function when it is called."""
    code = function.code
    names = code.variables[: code.arguments + code.keyword_only]
    rest = list(code.variables[len(names) : len(names) + bool(code.flags & _STAR) + bool(code.flags & _STARS)])
    bound: dict[str, Any] = dict(zip(names[: code.arguments], args, strict=False))
    if code.flags & _STAR:
        if not rest:
            raise Malformed("a function without the variable of its arguments")
        bound[rest.pop(0)] = Pack("tuple", tuple(args[code.arguments :]))
    elif len(args) > code.arguments:
        raise Refused("a function gets too many arguments")
    more: dict[Any, Any] = {}
    for name, value in named.items():
        if name in names and name not in bound:
            bound[name] = value
        elif code.flags & _STARS and name not in names:
            more[name] = value
        else:
            raise Refused(f"a function gets the argument {name!r}, which it doesn't take")
    if code.flags & _STARS:
        if not rest:
            raise Malformed("a function without the variable of its arguments")
        bound[rest.pop(0)] = Named(more)
    first = code.arguments - len(function.defaults)
    for i, value in enumerate(function.defaults):
        if 0 <= first + i < code.arguments:
            bound.setdefault(names[first + i], value)
    for name, value in function.named.items():
        bound.setdefault(name, value)
    missing = [name for name in names if name not in bound]
    if missing:
        raise Refused(f"the value of its parameter {missing[0]!r} is not in the file")
    if len(function.closure) != len(code.free):
        raise (
            Refused("the values of its outer variables are not in the file")
            if not function.closure
            else Malformed("another number of outer variables")
        )
    cells = [v if isinstance(v, Cell) else Cell(v) for v in function.closure]
    bound.update(zip(code.free, cells, strict=True))
    return bound
