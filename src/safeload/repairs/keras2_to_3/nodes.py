"""Inbound nodes: how a functional model of Keras 1 and 2 says which tensors each layer was called on.

Keras 1 and 2 write `[[[layer, node, tensor, kwargs], ...], ...]`: for each call the structure of the first argument, and
with every tensor of it the other arguments (`Node.serialize`, tf.keras 2.2-2.15). Keras 3 writes `{"args", "kwargs"}`
with `__keras_tensor__` leaves. Its reader of the old form keeps only the last tensor's kwargs, leaves tensors in them
unresolved, flattens structures and counts the calls of nested models differently, so the form is rewritten whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, LayerRepair, Repaired, is_object
from safeload.repairs.forms import is_reference, references
from safeload.repairs.refusal import refusal
from safeload.repairs.tensors import is_graph

__all__ = ["CONSTANT", "ROWS", "Graph", "is_reference", "leaves"]

CONSTANT = "_CONSTANT_VALUE"
"""Stands for the layer's name where the first argument held a constant (`engine/node.py`, tf.keras 2.4-2.15)."""

_COMPOSITE = "_COMPOSITE_TYPE"

PRESERVING = frozenset({"TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty"})
"""Classes with `_preserve_input_structure_in_config`: a list of one tensor stays a list."""

RECURRENT = frozenset(
    "RNN LSTM GRU SimpleRNN ConvLSTM1D ConvLSTM2D ConvLSTM3D ConvRNN2D Bidirectional CuDNNLSTM CuDNNGRU".split()
)
"""Layers that took `[x, *initial_state, *constants]` as their input (`rnn_utils.standardize_args`)."""


def leaves(value: Any) -> Iterator[Sequence[Any]]:
    """All references below a value, those in kwargs included."""
    if is_reference(value):
        yield value
        if len(value) == 4:
            yield from leaves(value[3])
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)


def _is_model(layer: Mapping[str, Any]) -> bool:
    config = layer.get("config")
    return isinstance(config, list) or (isinstance(config, Mapping) and isinstance(config.get("layers"), list))


def node_name(layer: Mapping[str, Any]) -> str:
    """The name under which the nodes of a graph refer to a layer."""
    config = layer.get("config")
    return str(layer.get("name") or (config.get("name") if isinstance(config, Mapping) else None))


class Graph:
    """The layers of a functional model by name, and how the file counts their calls."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.layers = {node_name(layer): layer for layer in config["layers"] if is_object(layer)}
        referred: dict[str, set[int]] = {}
        places = [layer.get("inbound_nodes") or [] for layer in self.layers.values()]
        for reference in leaves([*places, config["input_layers"], config["output_layers"]]):
            if reference[0] in self.layers:
                referred.setdefault(reference[0], set()).add(reference[1])
        self.first = {name: self._first(layer, referred.get(name, set())) for name, layer in self.layers.items()}

    @staticmethod
    def _first(layer: Mapping[str, Any], referred: set[int]) -> int:
        """The number of a layer's first call: 1 for models that were built on their own inputs before.

        Which models these are has changed (`_should_skip_first_node`: every network up to TF 2.1, then those that
        start with an InputLayer), so the numbers that are used decide.
        """
        calls = len(layer.get("inbound_nodes") or ())
        if not referred or min(referred) == 0:
            return 0
        if max(referred) >= calls:
            return 1
        return 1 if _is_model(layer) else 0

    def tensor(self, reference: Sequence[Any]) -> dict[str, Any]:
        """A reference as Keras 3 writes it."""
        name, node, tensor = reference[:3]
        history = [name, max(node - self.first.get(name, 0), 0), tensor]
        return {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None], "dtype": "float32", "keras_history": history},
        }

    def output(self, reference: Sequence[Any]) -> list[Any]:
        """A reference among the model's inputs or outputs: there Keras 3 too counts a functional model's calls from 1."""
        name, node, tensor = reference[:3]
        built_before = 1 if is_graph(self.layers.get(name, {})) else 0
        return [name, max(node - self.first.get(name, 0), 0) + built_before, tensor]

    def value(self, value: Any, context: Context) -> Any:
        """An argument with its references as tensors of Keras 3."""
        if is_reference(value):
            if value[0] == CONSTANT:
                return self.constant(value[2], context)
            if value[0] in self.layers:
                return self.tensor(value)
        if isinstance(value, Mapping):
            return {k: self.value(v, context) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(v, context) for v in value]
        return value

    @staticmethod
    def constant(value: Any, context: Context) -> Any:
        """A constant that took a tensor's place."""
        if isinstance(value, list | tuple) and value and value[0] == _COMPOSITE:
            raise refusal(context, "a layer was called on a constant ragged or sparse tensor")
        if isinstance(value, bool | int | float | list):
            dtype = "float32" if any(isinstance(v, float) for v in _scalars(value)) else "int32"
            return {"class_name": "__tensor__", "config": {"value": value, "dtype": dtype}}
        return value


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _scalars(item)
    else:
        yield value


def _call(layer: Mapping[str, Any], data: Any, graph: Graph, context: Context) -> dict[str, Any]:
    """One call of a layer in Keras 3's form."""
    class_name = str(layer.get("class_name")).rsplit(">", 1)[-1]
    kwargs: dict[str, Any] = {}
    for reference in references(data):
        if len(reference) == 4 and isinstance(reference[3], Mapping):
            kwargs = dict(reference[3])
    first = data
    if class_name not in PRESERVING and isinstance(data, list) and len(data) == 1 and is_reference(data[0]):
        first = data[0]
    custom = ">" in str(layer.get("class_name"))
    if not custom:
        kwargs = {k: v for k, v in kwargs.items() if v is not None}
    if class_name in RECURRENT:
        first, kwargs = _recurrent(layer, first, kwargs, context)
    return {
        "args": [graph.value(first, context)],
        "kwargs": {k: graph.value(v, context) for k, v in kwargs.items()},
    }


def _recurrent(
    layer: Mapping[str, Any], first: Any, kwargs: dict[str, Any], context: Context
) -> tuple[Any, dict[str, Any]]:
    """`[x, *initial_state, *constants]`, which Keras 3 takes as `x, initial_state=[...]`."""
    if isinstance(first, list) and len(first) > 1 and all(is_reference(f) for f in first):
        config = layer.get("config")
        constants = int(config.get("num_constants") or 0) if isinstance(config, Mapping) else 0
        states = first[1 : len(first) - constants]
        if constants:
            kwargs = {**kwargs, "constants": first[len(first) - constants :]}
        if states:
            kwargs = {**kwargs, "initial_state": list(states)}
        first = first[0]
    if kwargs.get("constants"):
        raise refusal(context, f"the recurrent layer {node_name(layer)!r} was called with constants")
    state = kwargs.get("initial_state")
    if is_reference(state):
        kwargs = {**kwargs, "initial_state": [state]}
    return first, kwargs


def _references(value: Any, graph: Graph) -> Any:
    """`input_layers` or `output_layers`: a list of one is one tensor (`Functional._init_graph_network`)."""

    def walk(node: Any) -> Any:
        if is_reference(node):
            return graph.output(node)
        if isinstance(node, Mapping):
            return {k: walk(v) for k, v in node.items()}
        return [walk(v) for v in node] if isinstance(node, list | tuple) else node

    if isinstance(value, list | tuple) and len(value) == 1 and is_reference(value[0]):
        value = value[0]
    return walk(value)


def _nodes(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if not is_graph(layer):
        return None
    config = layer["config"]
    graph = Graph(config)
    layers = []
    for index, child in enumerate(config["layers"]):
        nodes = child.get("inbound_nodes") if isinstance(child, Mapping) else None
        if isinstance(nodes, list) and not all(isinstance(n, Mapping) and "args" in n for n in nodes):
            inner = Context(
                context.document,
                context.runtime,
                (*context.path, node_name(child)),
                f"{context.where}.layers[{index}]" if context.where else f"layers[{index}]",
                layer,
                context.saved_backend,
                context.device,
            )
            child = {k: v for k, v in child.items() if k != "build_config" or not nodes}  # a call builds it
            child["inbound_nodes"] = [_call(child, node, graph, inner) for node in nodes]
        layers.append(child)
    changed = {
        **config,
        "layers": layers,
        "input_layers": _references(config["input_layers"], graph),
        "output_layers": _references(config["output_layers"], graph),
    }
    return Repaired({**layer, "config": changed}) if changed != config else None


ROWS = (
    LayerRepair(
        Rule(
            "SL725",
            "inbound-nodes",
            Severity.NOTE,
            """\
What it sees: the connections of a functional model in the form of Keras 1 and 2.
Why it matters: Keras 3 reads the old form only in part: tensors among the keyword arguments (`initial_state`, `value`,
`mask`), nested structures and nested models that are called more than once fail, or are connected wrongly.
Example: `['dec', 0, 0, {'initial_state': ['enc', 0, 1]}]`.
What to do: nothing; the connections are the same.
References: keras 3.0, `functional.deserialize_node`; keras #20061.
""",
        ),
        None,
        _nodes,
    ),
)
