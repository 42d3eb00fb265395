"""Are the arguments with which a functional model calls its layers tensors and plain data?

A graph's nodes hold what each layer is called with. Keras 3 deserializes any object in them, and calls the layer with it
(`functional.deserialize_node`, Keras 3.0-3.15); Keras 2 takes constants in place of tensors. A file needs neither objects
there nor calls without a tensor: a layer that is called on constants is computed while the model is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from safeload.checks import Examination
from safeload.checks.grammar import OUT_OF_PLACE
from safeload.checks.op_layers import JUDGED
from safeload.errors import UnsafeModelError
from safeload.findings import Finding, Rule, Severity
from safeload.objects.uses import DATA_CLASSES

__all__ = ["MAX_TEXT", "WITHOUT_TENSOR", "check"]

WITHOUT_TENSOR = Rule(
    "SL207",
    "call-without-tensor",
    Severity.ERROR,
    """\
What it sees: a functional model that calls a layer without giving it a tensor of the model.
Why it matters: what is called on constants alone is computed while the model is built, whatever it costs.
Example: an operation `Ones` with the argument `[100000, 100000]`.
What to do: don't load the file, if it isn't yours. If it is, compute the constant inside a layer.
References: keras 3.15, `models/functional.py`.
""",
    UnsafeModelError,
)

MAX_TEXT = 1024
"""Characters of a text among the arguments of a call; einsum equations and dtypes are far shorter."""


def check(examination: Examination) -> Iterable[Finding]:
    """A finding for each call that has no tensor or something that is no data among its arguments.

    In the document as it was read, objects are looked for too: a repair may leave out what is hostile.
    """
    if examination.document.architecture is not examination.repaired.architecture:
        for where, text in _objects(examination.document.architecture):
            yield OUT_OF_PLACE.finding(text, where=where, threats=(f"{where}: {text}",))
    for where, name, node in _nodes(examination.repaired.architecture):
        tensors, faults = _judge(node)
        for text in faults:
            yield OUT_OF_PLACE.finding(text, where=where, threats=(f"{where}: {text}",))
        if not tensors and not faults and name not in JUDGED:  # these are pure, and of a size that `op_layers` knows
            yield WITHOUT_TENSOR.finding(
                "a layer is called without a tensor", where=where, threats=(f"{where}: called on constants",)
            )


def _objects(config: Any) -> Iterator[tuple[str, str]]:
    """Place and text of all objects among the arguments of calls and in build configs."""
    for where, _, node in _nodes(config):
        yield from ((where, text) for text in _judge(node)[1] if text.startswith("the object"))
    stack: list[Any] = [config]
    while stack:
        value = stack.pop()
        if isinstance(value, list | tuple):
            stack += value
        elif isinstance(value, Mapping):
            if "class_name" in value and isinstance(value.get("build_config"), Mapping):
                found = _judge(value["build_config"])[1]
                yield from (("build_config", text) for text in found if text.startswith("the object"))
            stack += [v for k, v in value.items() if k != "inbound_nodes"]


def _nodes(config: Any) -> Iterator[tuple[str, Any, Any]]:
    """Place, class of the layer and data of every call in a config."""
    stack: list[tuple[Any, str]] = [(config, "")]
    while stack:
        value, at = stack.pop()
        if isinstance(value, list | tuple):
            stack += [(v, f"{at}[{i}]") for i, v in enumerate(value)]
        elif isinstance(value, Mapping):
            calls = value.get("inbound_nodes") if "class_name" in value else None
            if isinstance(calls, list | tuple):
                yield from ((f"{at}.inbound_nodes[{i}]", value["class_name"], call) for i, call in enumerate(calls))
            stack += [
                (v, at if k == "config" else f"{at}.{k}".lstrip("."))
                for k, v in value.items()
                if k != "inbound_nodes" and isinstance(v, Mapping | list | tuple)
            ]


def _judge(node: Any) -> tuple[int, list[str]]:
    """How many tensors of the model a call has, and what in it is no data."""
    tensors, faults = 0, []
    stack = [node]
    while stack:
        value = stack.pop()
        if isinstance(value, Mapping):
            name = value.get("class_name")
            if name == "__keras_tensor__":
                tensors += 1
            elif "class_name" in value and (not isinstance(name, str) or name not in DATA_CLASSES):
                faults.append(f"the object {str(name)[:80]!r} among the arguments of a call")
            else:
                stack += value.values()
        elif isinstance(value, list | tuple):
            if len(value) in (3, 4) and isinstance(value[0], str) and _is_index(value[1]) and _is_index(value[2]):
                tensors += value[0] != "_CONSTANT_VALUE"
                stack += value[3:]
            else:
                stack += value
        elif isinstance(value, str):
            if len(value) > MAX_TEXT:
                faults.append(f"a text of {len(value)} characters among the arguments of a call")
        elif value is not None and not isinstance(value, bool | int | float):
            faults.append(f"a {type(value).__name__} among the arguments of a call")
    return tensors, faults


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
