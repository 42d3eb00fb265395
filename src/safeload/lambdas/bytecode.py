"""Bytecode in a config: Keras stores lambdas, and Keras 2 every function of a `Lambda` layer, as marshalled code objects.

Unmarshalling bytes of a stranger can crash the interpreter before anything runs. Nothing here does: the code object's
first bytes tell which Pythons could have written it.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["Bytecode", "bytecodes", "inputs_of", "is_dump", "python_of", "stored_bytes"]

_TYPE = "_type"
_LAMBDA = "lambda"
_CODE, _STRING = (b"c"[0], b"\xe3"[0]), (b"s"[0], b"\xf3"[0])
_RESUME = (151, 149, 128)
"""The opcode RESUME of 3.11-3.12, 3.13 and 3.14, with which (or soon after which) every function of these begins."""

_HEADERS = (
    # where the bytecode's own type byte lies: after how many 32-bit numbers; lowest and highest Python
    (4, (2, 7), (2, 7)),  # argcount, nlocals, stacksize, flags
    (5, (3, 3), (3, 7)),  # argcount, kwonlyargcount, nlocals, stacksize, flags
    (6, (3, 8), (3, 10)),  # with posonlyargcount (PEP 570)
)
_LATER = ((3, 11), (3, 99))
"""From 3.11 on, nlocals is gone: five numbers again, but RESUME in the code."""


@dataclass(frozen=True, slots=True)
class Bytecode:
    """A place in a config that holds bytecode.

    Attributes:
        where: Such as `layers[3].function`.
        layer: The name of the layer that has it; None outside of layers.
        pythons: The lowest and the highest Python that could have written it; None when that can't be told.
        stored: The bytecode as the config has it, with defaults and closure.
        arguments: The `arguments` beside it.
        inputs: How many tensors the layer is called with as a list; None for one, or where that is not known.
    """

    where: str
    layer: str | None
    pythons: tuple[tuple[int, int], tuple[int, int]] | None
    stored: Any = None
    arguments: Any = None
    inputs: int | None = None

    @property
    def slot(self) -> str:
        """The key that it stands under, such as `function`."""
        return self.where.rpartition(".")[2].partition("[")[0]

    @property
    def range(self) -> str | None:
        """`3.8-3.10`, `3.11 or later`; None when it can't be told."""
        if self.pythons is None:
            return None
        low, high = (".".join(map(str, v)) for v in self.pythons)
        return low if low == high else f"{low} or later" if self.pythons[1][1] == 99 else f"{low}-{high}"

    def runs_on(self, python: tuple[int, int]) -> bool:
        """Whether that Python could run it, as far as can be told."""
        return self.pythons is None or self.pythons[0] <= python <= self.pythons[1]


def bytecodes(config: Any, where: str = "") -> Iterator[Bytecode]:
    """Every place in a config of any dialect that a loader would unmarshal, in the order of the config.

    Keras 2 has a value and its type beside it (`function`, `function_type: "lambda"`; `output_shape` and `mask`
    likewise, in any class that keeps functions so); Keras 3 and the `.keras` files of Keras 2 have objects of the class
    `__lambda__`; see also `is_dump`.
    """
    stack: list[tuple[Any, str, _Around]] = [(config, where, _Around())]
    while stack:
        node, at, around = stack.pop()
        if isinstance(node, list | tuple):
            bare = replace(around, arguments=None)
            stack += [(v, f"{at}[{i}]", bare) for i, v in reversed(list(enumerate(node)))]
        elif isinstance(node, Mapping):
            inner = node.get("config")
            is_object = isinstance(node.get("class_name"), str) and "config" in node
            if node.get("class_name") == "__lambda__" or is_dump(node):
                inner = node if is_dump(node) else inner
                value = inner.get("value", inner) if isinstance(inner, Mapping) else inner
                code = value.get("code") if isinstance(value, Mapping) else value
                yield around.bytecode(at, code, inner, around.arguments)
                continue
            if is_object and isinstance(inner, Mapping) and isinstance(inner.get("name"), str):
                around = _Around(inner["name"], inputs_of(node))
            for key, value in node.items():
                if value == _LAMBDA and isinstance(key, str) and key.endswith(_TYPE):
                    slot = key.removesuffix(_TYPE)
                    yield around.bytecode(
                        f"{at}.{slot}" if at else slot, node.get(slot), node.get(slot), node.get("arguments")
                    )
            for key, value in reversed(list(node.items())):
                if isinstance(value, Mapping | list | tuple):
                    below = at if is_object and key == "config" else f"{at}.{key}" if at else str(key)
                    given = node.get("arguments") if key == "function" else None
                    stack.append((value, below, replace(around, arguments=given)))


@dataclass(frozen=True, slots=True)
class _Around:
    """The layer that a part of a config belongs to."""

    layer: str | None = None
    inputs: int | None = None
    arguments: Any = None

    def bytecode(self, where: str, code: Any, stored: Any, arguments: Any) -> Bytecode:
        return Bytecode(where, self.layer, python_of(code), stored, arguments, self.inputs)


def is_dump(node: Any) -> bool:
    """Whether it is a function as Keras 2.13 on stores a lambda as activation: an object without the name of its class.

    `activations.serialize` keeps of `{"class_name": "__lambda__", "config": {"value": [code, defaults, closure]}}` what is
    under `config`.
    """
    value = node.get("value") if isinstance(node, Mapping) and set(node) == {"value"} else None
    if not isinstance(value, list | tuple) or len(value) != 3 or not isinstance(value[0], str):
        return False
    return stored_bytes(value[0])[:1] in (b"c", b"\xe3")


def inputs_of(layer: Mapping[str, Any]) -> int | None:
    """How many tensors a layer is called with as a list, by the nodes of its model; None for one, or where they differ."""
    counts = {_tensors(node) for node in layer.get("inbound_nodes") or () if node}
    return counts.pop() if len(counts) == 1 else None


def _tensors(node: Any) -> int | None:
    if isinstance(node, Mapping):  # Keras 3
        args = node.get("args")
        first = args[0] if isinstance(args, list | tuple) and args else None
        return len(first) if isinstance(first, list | tuple) else None
    many = isinstance(node, list | tuple) and len(node) > 1 and all(isinstance(n, list | tuple) for n in node)
    return len(node) if many else None


def python_of(code: Any) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The lowest and the highest Python that could have written some marshalled bytecode, by its first bytes.

    Args:
        code: As the config has it: base64 (Keras 2.1 on), text with one character for each byte (before), or a list that
            begins with it.
    """
    value = code[0] if isinstance(code, list | tuple) and code else code
    if not isinstance(value, str):
        return None
    data = stored_bytes(value)
    if len(data) < 40 or data[0] not in _CODE:
        return None
    for numbers, low, high in _HEADERS:
        at = 1 + 4 * numbers
        if data[at] in _STRING:
            length = struct.unpack_from("<I", data, at + 1)[0]
            opcodes = data[at + 5 : at + 5 + min(length, 16) : 2]
            later = numbers == 5 and any(op in _RESUME for op in opcodes[:4])
            return _LATER if later else (low, high)
    return None


def stored_bytes(text: str) -> bytes:
    """The bytes of a marshalled code object: base64 (Keras 2.1 on) or text with one character for each (before)."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return text.encode("raw_unicode_escape", "ignore")
