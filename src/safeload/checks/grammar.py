"""Is each object in a place where an object of its kind belongs?

A config names classes and functions; the slot that a name stands in says what the writer of a file may put there. Without
types, a file could put a layer where Keras expects an initializer, or anything at all under a key that Keras ignores and
another version acts on. Hence an allow-list: what an argument of Keras' own classes may hold is plain data, or an object
of the slot's kind. What a custom class' arguments hold is the business of whoever passed the class.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

from safeload.checks import Examination
from safeload.errors import UnsafeModelError
from safeload.findings import Finding, Rule, Severity
from safeload.objects.catalog import KINDS, builtin, is_alias
from safeload.objects.resolution import Resolution
from safeload.objects.uses import DATA_CLASSES, TYPESPECS, kind_of_slot

__all__ = ["OUT_OF_PLACE", "check"]

OUT_OF_PLACE = Rule(
    "SL206",
    "object-out-of-place",
    Severity.ERROR,
    """\
What it sees: an object in a config where none of its kind belongs, or a form of an object that no Keras writes.
Why it matters: whoever wrote the file decides what is built and called there; Keras doesn't look at the kind.
Example: a layer as `kernel_initializer`; an operation that calls a function which the file chose.
What to do: don't load the file, if it isn't yours. If it is, save the model again.
References: CVE-2025-1550, CVE-2025-8747, CVE-2025-9906.
""",
    UnsafeModelError,
)

_FITTING: dict[str, frozenset[str]] = {
    "layer": frozenset({"layer", "model", "operation"}),
    "activation": frozenset({"activation", "layer"}),
    "initializer": frozenset({"initializer"}),
    "regularizer": frozenset({"regularizer"}),
    "constraint": frozenset({"constraint"}),
    "loss": frozenset({"loss", "metric"}),
    "metric": frozenset({"metric", "loss"}),
    "optimizer": frozenset({"optimizer"}),
    "schedule": frozenset({"schedule"}),
    "dtype_policy": frozenset({"dtype_policy"}),
    "quantization": frozenset({"quantization"}),
    "function": frozenset({"activation", "loss", "metric"}),
    "random": frozenset({"random"}),
    "custom": frozenset(),
}
"""The kinds of Keras' own objects that a slot takes. A custom object fits into each: its owner passed it."""

_ARGUMENTS = {
    # Arguments that hold objects and whose names say nothing to `kind_of_slot`.
    "fn": "metric",
    "quantization_config": "quantization",
    "default_policy": "dtype_policy",
    "policy_map": "dtype_policy",
    "seed": "random",
    "seed_generator": "random",
    "optimizers": "optimizer",
    "optimizer_map": "optimizer",
    "default_optimizer": "optimizer",
    "standardize": "custom",
    "split": "custom",
    "output_shape": "custom",
    "mask": "custom",
}

_NAMED = ("loss", "metric")
"""Slots that hold objects by the names of outputs, which may be any."""

CALLING = frozenset("AssociativeScan Cond ForiLoop JVP Map Scan Switch VectorizedMap WhileLoop".split())
"""Operations that call what they are given."""

_ABSTRACT = frozenset("InputSpec DynamicLookup DynamicEmbedding".split())
"""Names in Keras' namespace of layers that no model file has a use for."""

_DTYPE = re.compile(
    r"(?:u?int(?:4|8|16|32|64)|b?float(?:8_e4m3fn|8_e5m2|16|32|64)|complex(?:64|128)|bool|string|str|<?U\d{0,4})"
)

_POLICY_KEY = re.compile(r"(?:[\w ./:>$^-]|\.\*)*")
"""Keys of a `DTypePolicyMap`, which Keras takes as regular expressions: none that can take forever."""

_PASSIVE = "__passive_serialization__"


def check(examination: Examination) -> Iterable[Finding]:
    """A finding for each object in either config that is not in a place for its kind."""
    repaired, resolution = examination.repaired, examination.resolution
    if not isinstance(resolution, Resolution) or not examination.settled:
        return
    dialect = examination.runtime.dialect
    for tree, where, slot in ((repaired.architecture, "", "layer"), (repaired.training, "training", None)):
        for place, text in _Walk(resolution, dialect).faults(tree, where, slot):
            yield OUT_OF_PLACE.finding(text, where=place, threats=(f"{place}: {text}",))


class _Walk:
    def __init__(self, resolution: Resolution, dialect: str) -> None:
        self.resolution = resolution
        self.dialect = dialect

    def faults(self, tree: Any, where: str, slot: str | None) -> Iterator[tuple[str, str]]:
        """Place and text of everything that is wrong. Iterative: any depth is walked."""
        # (value, place, slot, whether only plain data belongs here unless the slot says otherwise)
        stack: list[tuple[Any, str, str | None, bool]] = [(tree, where, slot, False)]
        while stack:
            node, at, kind, closed = stack.pop()
            if isinstance(node, list | tuple):
                stack += [(v, f"{at}[{i}]", kind, closed) for i, v in enumerate(node)]
            elif isinstance(node, Mapping):
                if "class_name" in node or _PASSIVE in node:
                    fault = yield from self._object(node, at, kind, closed)
                    if not fault:
                        stack += self._inside(node, at, closed)
                else:
                    stack += [
                        (v, _join(at, k), kind if kind in _NAMED else kind_of_slot(str(k)) or kind, closed)
                        for k, v in node.items()
                    ]

    def _object(
        self, node: Mapping[str, Any], at: str, kind: str | None, closed: bool
    ) -> Generator[tuple[str, str], None, bool]:
        """Judge one object; the generator's value says whether to look no further inside."""
        name = node.get("class_name")
        if not isinstance(name, str):
            yield at, "an object without the name of a class"
            return True
        if name in DATA_CLASSES:
            yield from _data(node, name, at)
            return True
        if "config" not in node:
            yield at, f"the object {name[:80]!r} has no config"
            return True
        if name == "__lambda__":  # `checks.safety` judges bytecode
            return True
        resolved = self.resolution.at(at)
        if resolved is None:
            yield at, f"the object {name[:80]!r} stands where only data belongs"
            return True
        target = resolved.target
        if target is None:
            return False
        if target.module is None:
            kinds = self._kinds_of_own(target.name)
            if kind is not None and kinds and not kinds & _FITTING.get(kind, frozenset()):
                yield at, f"{target.name} stands in a slot of the kind {kind}"
            return False
        if (target.kind == "operation" and target.name in CALLING) or target.name in _ABSTRACT:
            yield at, f"{target.name} can't be part of a model file"
            return True
        if closed and kind is None:
            yield at, f"the {target.kind} {target.name} is in an argument that takes no objects"
            return True
        if kind is not None and target.kind not in _FITTING.get(kind, ()):
            yield at, f"the {target.kind} {target.name} stands in a slot of the kind {kind}"
            return True
        yield from self._texts(target.name, node["config"], at)
        return False

    def _kinds_of_own(self, key: str) -> set[str]:
        """The kinds of a class of Keras' own that Keras registered for itself (`Custom>SGD` of tf_keras)."""
        value = self.resolution.custom_objects.get(key)
        if str(getattr(value, "__module__", "")).split(".")[0] not in ("keras", "tf_keras"):
            return set()
        name = key.rpartition(">")[2]
        return {kind for kind in KINDS if builtin(self.dialect, kind, name) is not None}

    def _texts(self, name: str, config: Any, at: str) -> Iterator[tuple[str, str]]:
        """Faults of texts that Keras would look up or compile."""
        if not isinstance(config, Mapping):
            return
        function = config.get("fn")
        if isinstance(function, str) and not self._is_measure(function):
            yield f"{at}.fn", f"{function[:80]!r} is no loss or metric of Keras'"
        if name == "DTypePolicyMap" and isinstance(config.get("policy_map"), Mapping):
            odd = next((k for k in config["policy_map"] if not _POLICY_KEY.fullmatch(str(k))), None)
            if odd is not None:
                yield f"{at}.policy_map", f"{str(odd)[:80]!r} is no path of a layer"

    def _is_measure(self, name: str) -> bool:
        return any(builtin(self.dialect, kind, name) or is_alias(kind, name) for kind in _NAMED)

    def _inside(self, node: Mapping[str, Any], at: str, closed: bool) -> list[tuple[Any, str, str | None, bool]]:
        """What is in an object's config, and in the data beside it."""
        resolved = self.resolution.at(at)
        target = resolved.target if resolved is not None else None
        own = target is not None and target.module is not None
        inner = node["config"]
        found: list[tuple[Any, str, str | None, bool]] = [
            (node[k], _join(at, k), None, True) for k in ("build_config",) if k in node
        ]
        if not isinstance(inner, Mapping):
            return [*found, (inner, at, "layer", False)]
        for key, value in inner.items():
            slot = kind_of_slot(str(key)) or (_ARGUMENTS.get(str(key)) if own else None)
            if isinstance(value, Mapping | list | tuple):
                found.append((value, _join(at, key), slot, own))
        return found


def _join(at: str, key: Any) -> str:
    return f"{at}.{key}" if at else str(key)


def _data(node: Mapping[str, Any], name: str, at: str) -> Iterator[tuple[str, str]]:
    """Faults of a form that stands for plain data."""
    inner = node.get("config")
    if name == "__typespec__":
        if node.get("spec_name") not in TYPESPECS or not all(_plain_spec(v) for v in _items(inner)):
            yield at, f"the type spec {str(node.get('spec_name'))[:80]!r} is none of TensorFlow's"
    elif name in ("__tensor__", "__numpy__"):
        dtype = inner.get("dtype") if isinstance(inner, Mapping) else None
        if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
            yield at, f"an array of the type {str(dtype)[:80]!r}"
    stack = [v for k, v in node.items() if k != "class_name"]
    while stack:
        value = stack.pop()
        if isinstance(value, Mapping):
            inside = value.get("class_name")
            if "class_name" in value and (not isinstance(inside, str) or inside not in DATA_CLASSES):
                yield at, f"the object {str(inside)[:80]!r} in the data of a {name}"
            stack += value.values()
        elif isinstance(value, list | tuple):
            stack += value


def _plain_spec(value: Any) -> bool:
    if isinstance(value, str):
        return _DTYPE.fullmatch(value) is not None
    if isinstance(value, list | tuple):
        return all(_plain_spec(v) for v in value)
    return value is None or isinstance(value, int)


def _items(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else (object(),)
