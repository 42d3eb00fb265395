"""What the variables and the stack of a function hold while it is read: steps of a program, and what is no value of it.

A number is a step of the program. The rest stands for what has no numbers of its own: modules, functions, lists whose length
is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from safeload.lambdas.instructions import Instruction
from safeload.lambdas.marshal_reader import Code, Malformed

__all__ = [
    "EXCEPTIONS",
    "NOBODY",
    "NULL",
    "OPAQUE",
    "Cell",
    "Failure",
    "Frame",
    "Function",
    "Global",
    "Items",
    "Member",
    "Named",
    "Null",
    "Opaque",
    "Pack",
    "Slice",
    "copied",
]

EXCEPTIONS = frozenset(
    "AssertionError AttributeError Exception IndexError KeyError NotImplementedError RuntimeError TypeError ValueError".split()
)
"""Those that a function may raise; what it raises is told, and the branch that raises has no value."""

NOBODY = -1
"""The frame of lists that no frame may change: constants, defaults, what came from a caller."""


@dataclass(frozen=True)
class Global:
    """A global name or an attribute of one: `tf.nn.relu`."""

    path: str


@dataclass(frozen=True)
class Member:
    """An attribute of a value."""

    owner: Any
    name: str


@dataclass(eq=False)
class Pack:
    """A tuple or list whose length is known. Lists have an identity: what changes one changes it under all its names.

    Attributes:
        kind: `tuple` or `list`.
        items: What it holds.
        frame: The number of the frame that made it, the only one that may change it.
    """

    kind: str
    items: tuple[Any, ...]
    frame: int = NOBODY


@dataclass(frozen=True)
class Named:
    """A dictionary with constants as keys."""

    items: Mapping[Any, Any]


@dataclass(frozen=True)
class Slice:
    """A slice: start, stop, and perhaps step."""

    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Items:
    """An iterator over what is known; `source` is the list that it goes over, which may not change meanwhile."""

    items: tuple[Any, ...]
    source: Pack | None = None


@dataclass(frozen=True)
class Function:
    """A function that the bytecode makes."""

    code: Code
    defaults: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    closure: tuple[Any, ...] = ()


@dataclass(eq=False)
class Cell:
    """A variable that inner functions use as well. `frame` is the one that it belongs to; see `Pack`."""

    value: Any
    frame: int = NOBODY


@dataclass(frozen=True)
class Failure:
    """An exception that is raised in the place of a value."""

    text: str


class Null:
    """What Python pushes in the place of `self`."""


class Opaque:
    """A text that something unknown went into: good as a name, for nothing else."""


NULL, OPAQUE = Null(), Opaque()


@dataclass
class Frame:
    """A call of a function."""

    code: Code
    steps: Mapping[int, Instruction]
    variables: dict[str, Any]
    number: int
    stack: list[Any] = field(default_factory=list)
    keywords: tuple[str, ...] = ()
    yielded: tuple[Any, ...] = ()

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

    def copy(self) -> Frame:
        """The frame at a fork: with lists of its own, each as often as it was."""
        seen: dict[int, Any] = {}
        return replace(
            self,
            variables={k: copied(v, seen) for k, v in self.variables.items()},
            stack=[copied(v, seen) for v in self.stack],
            yielded=tuple(copied(v, seen) for v in self.yielded),
        )


def copied(value: Any, seen: dict[int, Any]) -> Any:
    """A value with its lists and cells copied, so that two branches can change them."""
    if isinstance(value, Pack | Cell):
        if id(value) not in seen:
            if isinstance(value, Pack):
                pack = seen[id(value)] = Pack(value.kind, (), value.frame)
                pack.items = tuple(copied(v, seen) for v in value.items)
            else:
                cell = seen[id(value)] = Cell(NULL, value.frame)
                cell.value = copied(value.value, seen)
        return seen[id(value)]
    again = _COPIERS.get(type(value))
    return value if again is None else again(value, lambda v: copied(v, seen))


_COPIERS: Mapping[type, Callable[[Any, Callable[[Any], Any]], Any]] = {
    Member: lambda v, copy: Member(copy(v.owner), v.name),
    Named: lambda v, copy: Named({k: copy(x) for k, x in v.items.items()}),
    Slice: lambda v, copy: Slice(tuple(map(copy, v.parts))),
    Items: lambda v, copy: Items(tuple(map(copy, v.items)), copy(v.source)),
    Function: lambda v, copy: replace(
        v,
        defaults=tuple(map(copy, v.defaults)),
        named={k: copy(x) for k, x in v.named.items()},
        closure=tuple(map(copy, v.closure)),
    ),
}
