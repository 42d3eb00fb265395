"""Layers that Keras 2 made of TensorFlow calls in functional models, as layers of ours that make the same call.

tf.keras 2.4-2.15 stores the function's name in the config (`TFOpLambda`, `SlicingOpLambda`: `layers/core/tf_op_layer.py`)
and the arguments in the inbound node, the first one in the place of the layer's input. tf.keras 1.13-2.3 stores a node of
the graph (`TensorFlowOpLayer`: `engine/base_layer.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safeload.errors import UnsafeModelError
from safeload.findings import Rule, Severity
from safeload.operations import function
from safeload.operations.arguments import ELLIPSIS
from safeload.operations.nodes import attributes
from safeload.repairs.engine import Context, LayerRepair, Repaired, is_object
from safeload.repairs.forms import is_reference, references
from safeload.repairs.keras2_to_3.nodes import CONSTANT, node_name
from safeload.repairs.refusal import refusal

__all__ = ["ROWS"]

_FUNCTION = "safeload>TensorFlowFunction"
_NODE = "safeload>TensorFlowNode"
_SLICE = {"start", "stop", "step"}


class _Arguments:
    """The arguments of one call: a template, and the tensors that it refers to."""

    def __init__(self, layer: Mapping[str, Any], context: Context) -> None:
        self.context = context
        self.layer = layer
        config = context.model.get("config") if context.model is not None else None
        siblings = config.get("layers", ()) if isinstance(config, Mapping) else ()
        self.names = {node_name(sibling) for sibling in siblings if is_object(sibling)}
        self.tensors: list[list[Any]] = []

    def template(self, value: Any) -> Any:
        if is_reference(value):
            if value[0] == CONSTANT:
                constant = self.template(value[2])
                return {"array": constant} if isinstance(value[2], list) else constant
            if value[0] in self.names:
                return {"tensor": self.tensor(list(value[:3]))}
        if isinstance(value, list | tuple):
            return [self.template(item) for item in value]
        if isinstance(value, Mapping):
            return self.mapping(value)
        return value

    def mapping(self, value: Mapping[str, Any]) -> Any:
        if set(value) == _SLICE:
            return {"slice": [self.template(value[part]) for part in ("start", "stop", "step")]}
        kind = value.get("class_name")
        if kind == "__ellipsis__":
            return dict(ELLIPSIS)
        if kind in ("__tuple__", "TensorShape") and isinstance(value.get("items"), list | tuple):
            return [self.template(item) for item in value["items"]]
        raise refusal(self.context, f"the operation {node_name(self.layer)!r} was called with {str(dict(value))[:80]}")

    def tensor(self, reference: list[Any]) -> int:
        if reference not in self.tensors:
            self.tensors.append(reference)
        return self.tensors.index(reference)


def _first_kwargs(data: Any) -> Iterator[Mapping[str, Any]]:
    """The keyword arguments, which every tensor of the first argument carries."""
    return (r[3] for r in references(data) if len(r) == 4 and isinstance(r[3], Mapping))


def _calls(layer: Mapping[str, Any], context: Context) -> list[Any]:
    calls = layer.get("inbound_nodes")
    if not isinstance(calls, list) or not calls:
        raise refusal(context, f"the operation {node_name(layer)!r} is called on nothing")
    return calls


def _function(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer["config"]
    row = function(config["function"]) if isinstance(config.get("function"), str) else None
    if row is None:
        raise UnsafeModelError(
            f"the layer {node_name(layer)!r} calls {config.get('function')!r}, which is not known to be a pure function",
            path=context.document.path,
            where=context.where or None,
            threats=(f"{context.where}: a call of {config.get('function')!r}",),
        )
    templates: list[dict[str, Any]] = []
    nodes = []
    for data in _calls(layer, context):
        arguments = _Arguments(layer, context)
        kwargs = next(_first_kwargs(data), {})
        first = arguments.template(_without_kwargs(data))
        named = {k: arguments.template(v) for k, v in kwargs.items() if k != "name"}
        template = {"args": [first], "kwargs": named}
        lost = [p for i, p in enumerate(row.required) if p.startswith("*") or (i and p not in named)]
        if lost:
            # `Node.serialize` names positional arguments by the function's parameters: those of `*inputs` have no name,
            # and where the first parameter is `self` the names are off by one.
            raise refusal(
                context,
                f"the file doesn't say what {row.id} ({node_name(layer)!r}) was called on: Keras 2 loses those arguments",
                hint="save the model again where its code is, with the call in a layer of your own",
            )
        templates.append(template)
        nodes.append([[*reference, {}] for reference in arguments.tensors])
    if any(template != templates[0] for template in templates):
        raise refusal(context, f"the operation {node_name(layer)!r} was called twice with different arguments")
    return Repaired(
        _ours(layer, _FUNCTION, {"function": row.id, "arguments": templates[0]}, nodes), f"{row.id} as a layer"
    )


def _without_kwargs(data: Any) -> Any:
    if is_reference(data):
        return list(data[:3])
    if isinstance(data, list | tuple):
        return [_without_kwargs(item) for item in data]
    return data


def _node(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer["config"]
    node = config.get("node_def")
    if not isinstance(node, Mapping) or not isinstance(node.get("op"), str):
        raise refusal(context, f"the operation {node_name(layer)!r} is stored in a binary form")
    try:
        found = attributes(node.get("attr") or {})
    except ValueError as error:
        raise refusal(context, f"{error} of the operation {node_name(layer)!r}") from error
    constants = config.get("constants") or {}
    if not isinstance(constants, Mapping) or not all(str(k).isdigit() for k in constants):
        raise refusal(context, f"the constants of the operation {node_name(layer)!r} have no numbers")
    changed = {
        "operation": node["op"],
        "attributes": found,
        "constants": {str(k): v for k, v in constants.items()},
    }
    return Repaired(_ours(layer, _NODE, changed, layer.get("inbound_nodes") or []), f"{node['op']} as a layer")


def _ours(layer: Mapping[str, Any], name: str, config: Mapping[str, Any], nodes: list[Any]) -> dict[str, Any]:
    """The node of a layer of ours in the place of one of Keras'."""
    kept = {"name": node_name(layer), "trainable": bool(layer["config"].get("trainable", True))}
    return {
        "class_name": name,
        "registered_name": name,
        "config": {**kept, **config},
        "name": node_name(layer),
        "inbound_nodes": nodes,
    }


def _rule(number: int, name: str, sees: str, references: str) -> Rule:
    doc = f"""\
What it sees: {sees}
Why it matters: Keras 3 has no such layer, and Keras 2 can't build again all that it wrote.
Example: `x * 2.0` or `tf.reduce_mean(x, axis=1)` between the layers of a functional model.
What to do: nothing; a layer of safeload's own calls the same function. A model that is saved again needs
`import safeload` where it is loaded.
References: {references}
"""
    return Rule(f"SL{number}", name, Severity.NOTE, doc)


ROWS = (
    LayerRepair(
        _rule(
            745,
            "function-layer",
            "a call of a TensorFlow function as a layer",
            "keras 2.15, layers/core/tf_op_layer.py",
        ),
        frozenset({"TFOpLambda", "SlicingOpLambda"}),
        _function,
    ),
    LayerRepair(
        _rule(
            746, "graph-op-layer", "an operation of TensorFlow's graph as a layer", "tf.keras 2.3, engine/base_layer.py"
        ),
        frozenset({"TensorFlowOpLayer"}),
        _node,
    ),
)
