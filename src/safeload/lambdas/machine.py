"""Abstract interpretation of bytecode: instructions applied to steps of a program instead of values.

Nothing is called and nothing is looked up but in `names`. Loops run over constants only, a branch on something that is not
known is followed both ways, and everything is counted. `Malformed` says that the bytes are not of this Python; `Refused`
that they are, and do what no program can say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from safeload.lambdas.builder import Builder, Refused
from safeload.lambdas.instructions import Instruction, instructions
from safeload.lambdas.marshal_reader import Code, Malformed
from safeload.lambdas.names import allowed, resolve
from safeload.lambdas.program import ATTRIBUTES, METHODS

__all__ = ["Frame", "Function", "Global", "Items", "Machine", "Named", "Null", "Pack"]

MAX_STEPS = 20_000
MAX_FORKS = 12
MAX_CALLS = 20
MAX_ITEMS = 1000
_GENERATOR = 0x20 | 0x80 | 0x200
_STAR, _STARS = 4, 8


@dataclass(frozen=True)
class Global:
    """A global name or an attribute of one: `tf.nn.relu`."""

    path: str


@dataclass(frozen=True)
class Member:
    """An attribute of a value."""

    owner: int
    name: str


@dataclass(frozen=True)
class Pack:
    """A tuple or list whose length is known."""

    kind: str
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Named:
    """A dictionary with texts as keys."""

    items: Mapping[str, Any]


@dataclass(frozen=True)
class Slice:
    """A slice: start, stop, and perhaps step."""

    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Items:
    """An iterator over what is known."""

    items: tuple[Any, ...]


@dataclass(frozen=True)
class Function:
    """A function that the bytecode makes."""

    code: Code
    defaults: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    closure: tuple[Any, ...] = ()


class Null:
    """What Python pushes in the place of `self`."""


NULL = Null()


@dataclass
class Frame:
    """A call of a function."""

    code: Code
    steps: Mapping[int, Instruction]
    variables: dict[str, Any]
    stack: list[Any] = field(default_factory=list)
    keywords: tuple[str, ...] = ()

    def pop(self) -> Any:
        if not self.stack:
            raise Malformed("an empty stack")
        return self.stack.pop()

    def take(self, count: int) -> list[Any]:
        if count < 0 or count > len(self.stack):
            raise Malformed("an empty stack")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def at(self, depth: int) -> int:
        if not 1 <= depth <= len(self.stack):
            raise Malformed("an empty stack")
        return len(self.stack) - depth


class Machine:
    """The interpretation of one function.

    Attributes:
        reasons: What no table allows; the program is then only good for showing.
    """

    def __init__(self, python: tuple[int, int], tensorflow: int | None) -> None:
        self.python, self.tensorflow = python, tensorflow
        self.builder = Builder()
        self.reasons: list[str] = []
        self._steps = self._forks = self._depth = self._items = 0

    def stop(self, reason: str) -> None:
        if reason not in self.reasons and len(self.reasons) < 10:
            self.reasons.append(reason)

    # --- values

    def node(self, value: Any) -> int:
        """The step that a value is."""
        self._items += 1
        if self._items > MAX_STEPS:
            raise Refused("it holds too much")
        if isinstance(value, bool):
            raise Malformed("a value that is none")
        if isinstance(value, int):
            return value
        if isinstance(value, Pack):
            return self.builder.sequence(value.kind, [self.node(v) for v in value.items])
        if isinstance(value, Slice):
            parts = [self.node(v) for v in value.parts]
            return self.builder.add("slice", parts, below=parts)
        if isinstance(value, Global):
            found = resolve(value.path, self.tensorflow)
            if found is not None and found[0] == "value":
                return self.builder.add("value", found[1])
            self.stop(f"it uses {value.path}")
            return self.builder.add("name", value.path)
        if isinstance(value, Member):
            if value.name in ATTRIBUTES:
                return self.builder.add("attribute", value.owner, value.name, below=(value.owner,))
            self.stop(f"it takes the attribute {value.name!r} of a value")
            return self.builder.add("member", value.owner, value.name, below=(value.owner,))
        if isinstance(value, Null):
            raise Malformed("a value that is none")
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
        if isinstance(value, Pack):
            return (bool(value.items),)
        return self.builder.known(value) if isinstance(value, int) else None

    def attribute(self, owner: Any, name: str) -> Any:
        if isinstance(owner, Global):
            if len(owner.path) > 500:
                raise Refused("it has a long chain of attributes")
            return Global(f"{owner.path}.{name}")
        return Member(self.node(owner), name)

    def binary(self, op: str, a: Any, b: Any) -> Any:
        if isinstance(a, Pack) and isinstance(b, Pack) and op == "+" and a.kind == b.kind:
            return self.pack(a.kind, (*a.items, *b.items))
        if op == "*" and isinstance(a, Pack) != isinstance(b, Pack):
            pack, times = (a, b) if isinstance(a, Pack) else (b, a)
            known = self.known(times)
            if known is not None and isinstance(known[0], int):
                if len(pack.items) * known[0] > MAX_ITEMS:
                    raise Refused("it makes a long list")
                return Pack(pack.kind, pack.items * known[0])
        kind = "compare" if op in ("<", "<=", "==", "!=", ">", ">=", "in", "not in", "is", "is not") else "binary"
        first, second = self.node(a), self.node(b)
        if op in ("==", "!=") and self.tensorflow != 2 and not (self.known(first) and self.known(second)):
            self.stop("it compares with ==, which TensorFlow 1 does by identity")
        return self.builder.binary(kind, op, first, second)

    def pack(self, kind: str, items: Sequence[Any]) -> Pack:
        if len(items) > MAX_ITEMS:
            raise Refused("it makes a long list")
        return Pack(kind, tuple(items))

    def item(self, owner: Any, key: Any) -> Any:
        known = self.known(key) if isinstance(key, int) else None
        length = len(owner.items) if isinstance(owner, Pack) else 0
        if known is not None and isinstance(known[0], int) and -length <= known[0] < length:
            return owner.items[known[0]]
        if isinstance(owner, Named) and known is not None and known[0] in owner.items:
            return owner.items[known[0]]
        a, b = self.node(owner), self.node(key)
        return self.builder.add("item", a, b, below=(a, b))

    def items(self, value: Any) -> tuple[Any, ...]:
        """What an iteration goes over."""
        if isinstance(value, Pack | Items):
            return value.items
        raise Refused("it loops over what is not known")

    def unpack(self, value: Any, count: int) -> list[Any]:
        if isinstance(value, Pack | Items):
            if len(value.items) != count:
                raise Refused("it unpacks another number of values")
            return list(value.items)
        number = self.node(value)
        return [self.builder.add("unpack", number, count, i, below=(number,)) for i in range(count)]

    # --- calls

    def call(self, function: Any, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
        if isinstance(function, Function):
            return self.enter(function, args, named)
        if isinstance(function, Global):
            special = _SPECIAL.get(function.path)
            if special is not None:
                return special(self, args, named)
            found = resolve(function.path, self.tensorflow)
            if found is not None and allowed("call", found[1]):
                if found[1].startswith("tf."):
                    named = {k: v for k, v in named.items() if k != "name"}
                numbers = [self.node(v) for v in args]
                return self.builder.call(found[1], numbers, {k: self.node(v) for k, v in named.items()})
            self.stop(f"it calls {function.path}, which is not in the table of pure functions")
            owner = self.builder.add("name", function.path)
        elif isinstance(function, Member) and function.name in METHODS:
            numbers = [self.node(v) for v in args]
            kept = {k: self.node(v) for k, v in named.items()}
            below = [function.owner, *numbers, *kept.values()]
            return self.builder.add("method", function.owner, function.name, numbers, kept, below=below)
        elif isinstance(function, Member):
            self.stop(f"it calls the method {function.name!r} of a value")
            owner = self.builder.add("member", function.owner, function.name, below=(function.owner,))
        else:
            self.stop("it calls a value")
            owner = self.node(function)
        numbers = [self.node(v) for v in args]
        kept = {k: self.node(v) for k, v in named.items()}
        return self.builder.add("apply", owner, numbers, kept, below=[owner, *numbers, *kept.values()])

    def enter(self, function: Function, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """What a function returns."""
        self._depth += 1
        if self._depth > MAX_CALLS:
            raise Refused("its functions call each other too deep")
        code = function.code
        if code.flags & _GENERATOR and code.name != "<genexpr>":
            raise Refused("it is a generator")
        if code.flags & (_STAR | _STARS):
            raise Refused("it takes any number of arguments")
        names = code.variables[: code.arguments + code.keyword_only]
        if len(args) > code.arguments:
            raise Refused("a function gets too many arguments")
        bound = dict(zip(names, args, strict=False))
        for name, value in named.items():
            if name not in names or name in bound:
                raise Refused(f"a function gets the argument {name!r}, which it doesn't take")
            bound[name] = value
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
        bound.update(zip(code.free, function.closure, strict=True))
        frame = Frame(code, instructions(code.bytecode, self.python), bound)
        result = self.run(frame, 0)
        self._depth -= 1
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
                if any(not isinstance(v, Items) for v in frame.stack):
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
        other = replace(frame, variables=dict(frame.variables), stack=[*frame.stack, *branch.kept_if_false])
        frame.stack += branch.kept_if_true
        depth = self._depth
        yes = self.node(self.run(frame, branch.if_true))
        self._depth = depth
        no = self.node(self.run(other, branch.if_false))
        condition = self.node(branch.condition)
        return self.builder.add("select", condition, yes, no, below=(condition, yes, no))


_WORDS = {Function: "a function", Code: "a function", Named: "a dictionary", Items: "an iterator"}


def _range(machine: Machine, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
    known = [machine.known(a) if isinstance(a, int) else None for a in args]
    numbers = [k[0] for k in known if k is not None and isinstance(k[0], int)]
    if len(numbers) != len(args) or not 1 <= len(args) <= 3 or named or (len(numbers) == 3 and not numbers[2]):
        raise Refused("it loops over a range that is not constant")
    values = range(*numbers)
    if len(values) > MAX_ITEMS:
        raise Refused("it loops over a long range")
    return Pack("list", tuple(machine.builder.constant(i) for i in values))


def _enumerate(machine: Machine, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
    if len(args) != 1 or named:
        raise Refused("it calls enumerate in a way that is not known")
    items = machine.items(args[0])
    return Items(tuple(Pack("tuple", (machine.builder.constant(i), v)) for i, v in enumerate(items)))


def _zip(machine: Machine, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
    if named:
        raise Refused("it calls zip in a way that is not known")
    return Items(tuple(Pack("tuple", row) for row in zip(*map(machine.items, args), strict=False)))


def _convert(kind: str) -> Any:
    def convert(machine: Machine, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
        if len(args) == 1 and not named and isinstance(args[0], Pack | Items):
            return machine.pack(kind, args[0].items)
        if not args and not named:
            return Pack(kind, ())
        numbers = [machine.node(a) for a in args]
        return machine.builder.call(f"builtins.{kind}", numbers, {k: machine.node(v) for k, v in named.items()})

    return convert


def _len(machine: Machine, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
    if len(args) == 1 and not named and isinstance(args[0], Pack):
        return machine.builder.constant(len(args[0].items))
    return machine.builder.call("builtins.len", [machine.node(a) for a in args], {})


def _slice(machine: Machine, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
    none = machine.builder.constant(None)
    if named or not 1 <= len(args) <= 3:
        raise Refused("it calls slice in a way that is not known")
    return Slice((none, args[0]) if len(args) == 1 else tuple(args))


_SPECIAL: Mapping[str, Any] = {
    "range": _range,
    "xrange": _range,
    "enumerate": _enumerate,
    "zip": _zip,
    "list": _convert("list"),
    "tuple": _convert("tuple"),
    "len": _len,
    "slice": _slice,
}
