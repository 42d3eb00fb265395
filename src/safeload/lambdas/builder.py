"""Making a program step by step: equal steps are there once, constants are computed where that is cheap and certain."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from safeload.lambdas.names import is_random
from safeload.lambdas.program import MAX_DEPTH, MAX_NODES

__all__ = ["Builder", "Refused"]

_MAX_BITS = 128
_MAX_TEXT = 1000
_PYTHON: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
}
_UNARY: Mapping[str, Callable[[Any], Any]] = {
    "-": operator.neg,
    "+": operator.pos,
    "~": operator.invert,
    "not ": operator.not_,
}


_PLAIN_CALLS = frozenset(
    "K.dtype K.epsilon K.floatx K.int_shape K.ndim builtins.bool builtins.float builtins.int builtins.len".split()
)


class Refused(ValueError):
    """The function does something that no program can say; the message says what."""


class Builder:
    """The steps of one program."""

    def __init__(self) -> None:
        self.nodes: list[list[Any]] = []
        self._numbers: dict[str, int] = {}
        self._depths: list[int] = []
        self.parameters: list[str] = []

    def add(self, *node: Any, below: Sequence[int] = ()) -> int:
        """The number of a step, made where there is none like it."""
        key = repr(node)
        again = node[0] == "map" or (node[0] == "call" and is_random(node[1]))  # two calls are two draws
        if key in self._numbers and not again:
            return self._numbers[key]
        depth = 1 + max((self._depths[n] for n in below), default=0)
        if len(self.nodes) >= MAX_NODES or depth > MAX_DEPTH:
            raise Refused("it is too long")
        self.nodes.append(list(node))
        self._depths.append(depth)
        self._numbers[key] = len(self.nodes) - 1
        return len(self.nodes) - 1

    def parameter(self, name: str) -> int:
        self.parameters.append(name if name.isidentifier() else "inputs")
        return self.add("parameter", len(self.parameters) - 1)

    def constant(self, value: Any) -> int:
        if value is Ellipsis:
            return self.add("ellipsis")
        if isinstance(value, bytes):  # a `str` of Python 2
            try:
                value = value.decode("ascii")
            except UnicodeDecodeError as error:
                raise Refused("it has a constant of bytes") from error
        if isinstance(value, float) and not math.isfinite(value):
            return self.add("float", repr(value))
        if value is None or isinstance(value, bool | float | str) or (isinstance(value, int) and abs(value) < 1 << 63):
            if isinstance(value, str) and len(value) > _MAX_TEXT:
                raise Refused("it has a long text")
            return self.add("constant", value)
        raise Refused(f"it has a constant of the type {type(value).__name__}")

    def known(self, number: int) -> tuple[Any] | None:
        """The value of a constant, in a tuple; None where it is none."""
        node = self.nodes[number]
        return (node[1],) if node[0] == "constant" else None

    def sequence(self, kind: str, items: Sequence[int]) -> int:
        return self.add(kind, list(items), below=items)

    def binary(self, kind: str, op: str, a: int, b: int) -> int:
        first, second = self.known(a), self.known(b)
        if first is not None and second is not None and op not in ("is", "is not", "in", "not in"):
            return self.constant(_computed(op, first[0], second[0]))
        if op in ("is", "is not") and second is not None:
            if first is not None and (first[0] is None or second[0] is None):
                return self.constant((first[0] is second[0]) == (op == "is"))
            node = self.nodes[a]
            if second[0] is None and (node == ["parameter", 0] or node[0] in ("binary", "tuple", "list", "unpack")):
                return self.constant(op == "is not")  # tensors are not None; a mask or `training` may be
        return self.add(kind, op, a, b, below=(a, b))

    def unary(self, op: str, a: int) -> int:
        value = self.known(a)
        number = int if op == "~" else int | float
        if value is not None and (op == "not " or isinstance(value[0], number)):
            return self.constant(_UNARY[op](value[0]))
        return self.add("unary", op, a, below=(a,))

    def call(self, name: str, args: Sequence[int], named: Mapping[str, int]) -> int:
        return self.add("call", name, list(args), dict(named), below=[*args, *named.values()])

    def is_plain(self, number: int, depth: int = 0) -> bool:
        """Whether it is a plain value of Python and no tensor: a constant, a shape, what is computed of these."""
        kind, *parts = self.nodes[number]
        if depth > 20:
            return False
        if kind in ("constant", "value", "float", "ellipsis"):
            return True
        if kind in ("attribute", "method"):
            return parts[1] not in ("T", "values", "indices")
        if kind == "call":
            return parts[0] in _PLAIN_CALLS
        if kind in ("item", "unpack", "tuple", "list", "binary", "unary", "compare"):
            below = _below(self.nodes[number])[: 1 if kind == "item" else None]
            return all(self.is_plain(n, depth + 1) for n in below)
        return False

    def is_array(self, number: int, depth: int = 0) -> bool:
        """Whether it is an array of NumPy, whose methods are functions of `np`."""
        kind, *parts = self.nodes[number]
        if kind == "call":
            return bool(parts[0].startswith("np."))
        if kind in ("binary", "unary", "item") and depth < 20:
            below = _below(self.nodes[number])[: 1 if kind == "item" else None]
            arrays = [self.is_array(n, depth + 1) for n in below]
            return any(arrays) and all(a or self.is_plain(n) for a, n in zip(arrays, below, strict=True))
        return False

    def count(self, number: int) -> int | None:
        """How many values a step has that is a list, where that is known."""
        kind, *parts = self.nodes[number]
        if kind in ("tuple", "list"):
            return len(parts[0])
        if kind == "call" and parts[0] in ("tf.split", "tf.unstack"):
            place, name = (1, "num_or_size_splits") if parts[0] == "tf.split" else (1, "num")
            given = parts[2].get(name, parts[1][place] if len(parts[1]) > place else None)
            if given is None:
                return None
            known = self.known(given)
            if known is None:
                return self.count(given)
            return known[0] if isinstance(known[0], int) and 0 < known[0] <= 64 else None
        return None

    def captured(self, body: int, mark: int) -> list[int]:
        """The steps before a mark that later steps refer to: what a function that is called for each element uses."""
        found: set[int] = set()
        seen: set[int] = set()
        waiting = [body]
        while waiting:
            number = waiting.pop()
            if number < mark:
                found.add(number)
            elif number not in seen:
                seen.add(number)
                waiting += _below(self.nodes[number])
        return sorted(found)

    def program(self, result: int) -> dict[str, Any]:
        """The steps that the result needs, numbered anew."""
        needed: set[int] = set()
        waiting = [result]
        while waiting:
            number = waiting.pop()
            if number not in needed:
                needed.add(number)
                waiting += _below(self.nodes[number])
        order = sorted(needed)
        new = {old: i for i, old in enumerate(order)}
        nodes = [_renumbered(self.nodes[n], new) for n in order]
        return {"parameters": list(self.parameters), "nodes": nodes, "result": new[result]}


def _parts(node: Sequence[Any]) -> str:
    from safeload.lambdas.program import KINDS

    return {"name": "s", "apply": "nNK", "member": "ns"}.get(node[0]) or KINDS[node[0]]


def _below(node: Sequence[Any]) -> list[int]:
    found: list[int] = []
    for part, value in zip(_parts(node), node[1:], strict=True):
        if part == "n":
            found.append(value)
        elif part in "NO":
            found += [v for v in value if v is not None]
        elif part == "K":
            found += value.values()
    return found


def _renumbered(node: Sequence[Any], new: Mapping[int, int]) -> list[Any]:
    made: list[Any] = [node[0]]
    for part, value in zip(_parts(node), node[1:], strict=True):
        if part == "n":
            made.append(new[value])
        elif part in "NO":
            made.append([None if v is None else new[v] for v in value])
        elif part == "K":
            made.append({k: new[v] for k, v in value.items()})
        else:
            made.append(value)
    return made


def _computed(op: str, a: Any, b: Any) -> Any:
    """A constant expression, where it takes no time: hostile bytecode asks for `10 ** 10 ** 10`."""
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    if op == "div":
        op = "//" if isinstance(a, int) and isinstance(b, int) else "/"
    if op not in _PYTHON or not (
        numbers or op in ("==", "!=") or (op == "+" and isinstance(a, str) and isinstance(b, str))
    ):
        raise Refused(f"it computes {str(a)[:20]!r} {op} {str(b)[:20]!r}")
    if op == "**" and isinstance(a, int) and isinstance(b, int) and b * max(abs(a), 2).bit_length() > _MAX_BITS:
        raise Refused("it computes a huge power")
    try:
        found = _PYTHON[op](a, b)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise Refused(f"it computes {a!r} {op} {b!r}"[:120]) from error
    if isinstance(found, complex):
        raise Refused("it computes a complex number")
    return found
