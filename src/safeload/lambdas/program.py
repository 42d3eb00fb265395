"""What a function computes, as plain data.

A program is `{"parameters": ["x"], "nodes": [...], "result": 4}`: each node is a list that begins with its kind and refers
to earlier nodes by number, so that what is used twice is there once and any size can be bounded. `KINDS` lists the kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from safeload.lambdas.names import allowed, size_of

__all__ = ["ATTRIBUTES", "KINDS", "MAX_DEPTH", "MAX_NODES", "METHODS", "render", "validate"]

MAX_NODES = 2000
MAX_DEPTH = 150
MAX_TEXT = 400
"""Characters of a rendered program."""

KINDS: Mapping[str, str] = {
    # kind -> its parts: n node, N nodes, O nodes or None, K nodes by key, s text, i number, v plain value
    "parameter": "i",
    "constant": "v",
    "ellipsis": "",
    "float": "s",  # nan and infinities, which JSON has no word for
    "tuple": "N",
    "list": "N",
    "slice": "O",
    "binary": "snn",
    "unary": "sn",
    "compare": "snn",
    "item": "nn",
    "unpack": "nii",  # the i-th of exactly as many
    "attribute": "ns",
    "method": "nsNK",
    "call": "sNK",
    "value": "s",  # a constant of a module, such as `np.pi`, or a type, such as `tf.float32`
    "select": "nnn",
    "argument": "i",  # what the function of a `map` gets
    "map": "snnnNO",  # how, over what, the argument, the result, what is used from outside of it, the type of the result
    "raise": "s",
}

ATTRIBUTES = frozenset(
    {"shape", "dtype", "ndim", "ndims", "rank", "value", "name", "values", "indices", "_keras_shape", "T"}
)
METHODS = frozenset({"get_shape", "as_list", "concatenate"})
MAPS = ("map_fn", "vectorized_map")
BINARY = ("+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "^", "<<", ">>", "div")
"""`div` is the `/` of Python 2 without `from __future__ import division`."""

UNARY = ("-", "+", "~", "not ")
COMPARE = ("<", "<=", "==", "!=", ">", ">=", "in", "not in", "is", "is not")
_OPERATORS = {"binary": BINARY, "unary": UNARY, "compare": COMPARE, "map": MAPS}


def validate(program: Any) -> None:
    """Hold that it is a program and calls nothing outside of the tables.

    Raises:
        ValueError: It isn't; the message says what is wrong.
    """
    if not isinstance(program, Mapping) or set(program) != {"parameters", "nodes", "result"}:
        raise ValueError("no program")
    parameters, nodes, result = program["parameters"], program["nodes"], program["result"]
    if not isinstance(parameters, list) or not all(isinstance(p, str) for p in parameters):
        raise ValueError("a program without parameters")
    if not isinstance(nodes, list) or not 0 < len(nodes) <= MAX_NODES:
        raise ValueError(f"a program of more than {MAX_NODES} steps, or of none")
    depths: list[int] = []
    for number, node in enumerate(nodes):
        below = _check(node, number, len(parameters), nodes)
        depths.append(1 + max((depths[b] for b in below), default=0))
        if depths[-1] > MAX_DEPTH:
            raise ValueError("a program that is too deep")
        if node[0] == "call":
            size = size_of(node[1], [_literal(nodes, n) for n in node[2]], _literals(nodes, node[3]))
            if size is not None:
                raise ValueError(f"{node[1]} asks for {size:,} elements")
    if not _index(result, len(nodes)):
        raise ValueError("a program without a result")


def _check(node: Any, number: int, parameters: int, nodes: Sequence[Any]) -> list[int]:
    """The nodes that a node refers to."""
    parts = KINDS.get(node[0]) if isinstance(node, list) and node and isinstance(node[0], str) else None
    if parts is None or len(node) != 1 + len(parts):
        raise ValueError(f"a step that is none: {str(node)[:60]}")
    below: list[Any] = []
    for part, value in zip(parts, node[1:], strict=True):
        if part == "n":
            below.append(value)
        elif part in "NO":
            if not isinstance(value, list):
                raise ValueError("a step with strange parts")
            below += [v for v in value if v is not None or part == "N"]
        elif part == "K":
            if not isinstance(value, Mapping) or not all(isinstance(k, str) for k in value):
                raise ValueError("a step with strange parts")
            below += list(value.values())
        elif (part == "s" and not isinstance(value, str)) or (part == "i" and not (_index(value, MAX_NODES))):
            raise ValueError("a step with strange parts")
        elif part == "v" and not (value is None or isinstance(value, bool | int | float | str)):
            raise ValueError("a constant that is none")
    if not all(_index(b, number) for b in below):
        raise ValueError("a step that refers to a later one")
    kind = node[0]
    if kind == "parameter" and node[1] >= parameters:
        raise ValueError("a parameter that there isn't")
    if kind in _OPERATORS and node[1] not in _OPERATORS[kind]:
        raise ValueError(f"the operator {node[1]!r}")
    if kind == "attribute" and node[2] not in ATTRIBUTES:
        raise ValueError(f"the attribute {node[2]!r}")
    if kind == "method" and node[2] not in METHODS:
        raise ValueError(f"the method {node[2]!r}")
    if kind in ("call", "value") and not allowed(kind, node[1]):
        raise ValueError(f"{node[1]} is not in the table of pure functions")
    if kind == "map" and nodes[node[3]][0] != "argument":
        raise ValueError("a function without its argument")
    if kind == "float" and node[1] not in ("nan", "inf", "-inf"):
        raise ValueError("a number that is none")
    return below


def _index(value: Any, end: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < end


def _literals(nodes: Sequence[Any], named: Mapping[str, int]) -> dict[str, Any]:
    return {k: _literal(nodes, n) for k, n in named.items()}


def _literal(nodes: Sequence[Any], number: int, depth: int = 0) -> Any:
    """What is known of a value: numbers and sequences of them."""
    node = nodes[number]
    if node[0] == "constant":
        return node[1]
    if node[0] in ("tuple", "list") and depth < 3:
        return [_literal(nodes, n, depth + 1) for n in node[1][:64]]
    return None


_LEVELS = {"select": 0, "or": 1, "compare": 3, "|": 4, "^": 5, "&": 6, "<<": 7, ">>": 7, "+": 8, "-": 8}
_LEVELS |= {"*": 9, "/": 9, "//": 9, "%": 9, "@": 9, "div": 9, "unary": 10, "**": 11, "atom": 12}


def render(program: Mapping[str, Any], name: str = "lambda") -> str:
    """The program as source text, cut off where it gets long.

    Example:
        >>> render({"parameters": ["x"], "nodes": [["parameter", 0], ["constant", 2], ["binary", "*", 0, 1]], "result": 2})
        'lambda x: x * 2'
    """
    renderer = _Renderer(program)
    body = renderer.text(program["result"], 0)
    head = f"{name} {', '.join(program['parameters'])}".rstrip()
    return f"{head}: {body if len(body) <= MAX_TEXT else body[:MAX_TEXT] + ' ...'}"


class _Renderer:
    def __init__(self, program: Mapping[str, Any]) -> None:
        self.parameters, self.nodes = program["parameters"], program["nodes"]
        self.left = 4000
        """Steps that it may still take: what is shared is written out wherever it is used."""

    def text(self, number: int, level: int) -> str:
        self.left -= 1
        if self.left < 0:
            return "..."
        node = self.nodes[number]
        text, own = _RENDERERS[node[0]](self, node)
        return f"({text})" if own < level else text

    def many(self, numbers: Sequence[int]) -> list[str]:
        return [self.text(n, 1) for n in numbers]

    def call(self, args: Sequence[int], named: Mapping[str, int]) -> str:
        return ", ".join([*self.many(args), *(f"{k}={self.text(n, 1)}" for k, n in named.items())])

    def key(self, number: int) -> str:
        node = self.nodes[number]
        if node[0] == "tuple" and len(node[1]) > 1:
            return ", ".join(self.key(n) for n in node[1])
        if node[0] == "slice":
            start, stop, *step = ["" if n is None or self.is_none(n) else self.text(n, 1) for n in node[1]]
            return f"{start}:{stop}" + (f":{step[0]}" if step and step[0] else "")
        return self.text(number, 1)

    def is_none(self, number: int) -> bool:
        return bool(self.nodes[number] == ["constant", None])

    def binary(self, node: Sequence[Any]) -> tuple[str, int]:
        own = _LEVELS[node[1]]
        right = node[1] == "**"
        a, b = self.text(node[2], own + right), self.text(node[3], own + (not right))
        return f"{a} {'/' if node[1] == 'div' else node[1]} {b}", own

    def select(self, node: Sequence[Any]) -> tuple[str, int]:
        return f"{self.text(node[2], 1)} if {self.text(node[1], 1)} else {self.text(node[3], 0)}", 0


def _atom(text: Callable[[_Renderer, Any], str]) -> Callable[[_Renderer, Any], tuple[str, int]]:
    return lambda renderer, node: (text(renderer, node), 12)


def _constant(renderer: _Renderer, node: Sequence[Any]) -> tuple[str, int]:
    value = node[1]
    negative = isinstance(value, int | float) and not isinstance(value, bool) and value < 0
    return repr(value) if not isinstance(value, str) else repr(value[:100]), 10 if negative else 12


def _typed(renderer: _Renderer, dtype: Sequence[int | None]) -> str:
    return "".join(f", dtype={renderer.text(n, 1)}" for n in dtype if n is not None)


_RENDERERS: Mapping[str, Callable[[_Renderer, Any], tuple[str, int]]] = {
    "parameter": _atom(lambda r, n: str(r.parameters[n[1]])),
    "constant": _constant,
    "ellipsis": _atom(lambda r, n: "..."),
    "float": _atom(lambda r, n: f"float({n[1]!r})"),
    "tuple": _atom(lambda r, n: f"({', '.join(r.many(n[1]))}{',' * (len(n[1]) == 1)})"),
    "list": _atom(lambda r, n: f"[{', '.join(r.many(n[1]))}]"),
    "slice": _atom(lambda r, n: f"slice({', '.join('None' if i is None else r.text(i, 1) for i in n[1])})"),
    "binary": _Renderer.binary,
    "unary": lambda r, n: (f"{n[1]}{r.text(n[2], 10)}", 10 if n[1] != "not " else 2),
    "compare": lambda r, n: (f"{r.text(n[2], 4)} {n[1]} {r.text(n[3], 4)}", 3),
    "item": _atom(lambda r, n: f"{r.text(n[1], 12)}[{r.key(n[2])}]"),
    "unpack": _atom(lambda r, n: f"{r.text(n[1], 12)}[{n[3]}]"),
    "attribute": _atom(lambda r, n: f"{r.text(n[1], 12)}.{n[2]}"),
    "method": _atom(lambda r, n: f"{r.text(n[1], 12)}.{n[2]}({r.call(n[3], n[4])})"),
    "call": _atom(lambda r, n: f"{n[1].removeprefix('builtins.')}({r.call(n[2], n[3])})"),
    "value": _atom(lambda r, n: str(n[1])),
    "select": _Renderer.select,
    "argument": _atom(lambda r, n: f"t{n[1]}" if n[1] else "t"),
    "map": _atom(
        lambda r, n: f"tf.{n[1]}(lambda {r.text(n[3], 12)}: {r.text(n[4], 0)}, {r.text(n[2], 1)}{_typed(r, n[6])})"
    ),
    "raise": _atom(lambda r, n: f"raise_({n[1][:80]!r})"),
    # what only refused functions hold
    "name": _atom(lambda r, n: str(n[1])),
    "apply": _atom(lambda r, n: f"{r.text(n[1], 12)}({r.call(n[2], n[3])})"),
    "member": _atom(lambda r, n: f"{r.text(n[1], 12)}.{n[2]}"),
}
