"""Inbound nodes: the calls of a functional model of Keras 3 in the form of Keras 2.

Keras 3 writes `{"args", "kwargs"}` with `__keras_tensor__` leaves and counts the calls of every layer from 0; among the
model's outputs, those of functional models from 1 (`Functional.get_config`). Keras 2 writes
`[[layer, node, tensor, kwargs], ...]` for the first argument and counts from 1 everywhere for models that have been
built on inputs of their own (`_should_skip_first_node`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.repairs.engine import Context, LayerRepair, Repaired, is_object
from safeload.repairs.keras3_to_2.masks import without_implicit_masks
from safeload.repairs.keras3_to_2.operations import as_layer
from safeload.repairs.keras3_to_2.own import class_of
from safeload.repairs.keras3_to_2.rules import rule
from safeload.repairs.refusal import refusal
from safeload.repairs.tensors import history, is_graph, tensors

__all__ = ["CALLS", "ROWS"]

CONSTANT = "_CONSTANT_VALUE"

_RECURRENT = ("sequences", "initial_state", "mask", "training")
_MODEL = ("inputs", "training", "mask")

CALLS: Mapping[str, tuple[str, ...]] = {
    # The arguments of `call` in Keras 3, in order; of other layers, the first alone may be given by place.
    **dict.fromkeys(("RNN", "LSTM", "GRU", "SimpleRNN", "Bidirectional"), _RECURRENT),
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), _RECURRENT),
    **dict.fromkeys(("LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"), ("inputs", "states", "training")),
    **dict.fromkeys(("Functional", "Sequential", "Model", "BatchNormalization", "TimeDistributed"), _MODEL),
    **dict.fromkeys(("Attention", "AdditiveAttention"), ("inputs", "mask", "training", "return_attention_scores")),
    **dict.fromkeys(("Softmax", "GlobalAveragePooling1D"), ("inputs", "mask")),
    **dict.fromkeys(("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"), ("inputs", "training")),
    **dict.fromkeys(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), ("inputs", "training")),
    "Lambda": ("inputs", "mask", "training"),
    "CategoryEncoding": ("inputs", "count_weights"),
    "MultiHeadAttention": (
        "query", "value", "key", "query_mask", "value_mask", "key_mask", "attention_mask",
        "return_attention_scores", "training", "use_causal_mask",
    ),
}  # fmt: skip

_ONLY_KERAS3 = {"MultiHeadAttention": ("query_mask", "value_mask", "key_mask")}
"""Arguments of `call` that Keras 2 doesn't have."""


def _first_call(layer: Mapping[str, Any]) -> int:
    """How Keras 2 numbers a layer's first call: models with inputs of their own begin at 1."""
    if is_graph(layer):
        return 1
    config = layer.get("config")
    layers = config.get("layers") if isinstance(config, Mapping) else None
    if class_of(layer) == "Sequential" and isinstance(layers, list) and layers:
        first = layers[0]
        inner = first.get("config") if isinstance(first, Mapping) else None
        given = isinstance(inner, Mapping) and "batch_input_shape" in inner
        return 1 if given else 0
    return 0


class _Graph:
    def __init__(self, config: Mapping[str, Any], context: Context) -> None:
        self.layers = {
            str(layer.get("name") or layer["config"].get("name")): layer
            for layer in config["layers"]
            if is_object(layer) and isinstance(layer["config"], Mapping)
        }
        self.first = {name: _first_call(layer) for name, layer in self.layers.items()}
        self.context = context

    def reference(self, place: tuple[str, int, int]) -> list[Any]:
        name, node, tensor = place
        return [name, node + self.first.get(name, 0), tensor]

    def output(self, place: Any) -> Any:
        """A tensor among the model's inputs or outputs."""
        if isinstance(place, list | tuple) and len(place) == 3 and isinstance(place[0], str):
            name, node, tensor = place
            counted = 1 if is_graph(self.layers.get(name, {})) else 0
            return self.reference((name, node - counted, tensor))
        if isinstance(place, Mapping):
            return {k: self.output(v) for k, v in place.items()}
        return [self.output(v) for v in place] if isinstance(place, list | tuple) else place

    def argument(self, value: Any) -> Any:
        """A keyword argument."""
        place = history(value)
        if place is not None:
            return self.reference(place)
        if is_object(value):
            return self.constant(value)
        if isinstance(value, Mapping):
            return {k: self.argument(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.argument(v) for v in value]
        return value

    def constant(self, value: Mapping[str, Any]) -> Any:
        if value["class_name"] in ("__tensor__", "__numpy__") and isinstance(value["config"], Mapping):
            return value["config"].get("value")
        raise refusal(self.context, f"a layer was called with an argument of the class {value['class_name']}")

    def call(self, layer: Mapping[str, Any], node: Mapping[str, Any]) -> Any:
        """One call as Keras 2 writes it."""
        name = class_of(layer)
        args = list(node.get("args") or ())
        kwargs = dict(node.get("kwargs") or {})
        names = CALLS.get(name, _MODEL if is_graph(layer) else ("inputs",))
        if not args:
            first = next((n for n in (names[0], "inputs", "x") if n in kwargs), None) or _first_tensor(kwargs)
            if first is None:
                raise refusal(self.context, f"the layer {layer.get('name')!r} was called without a tensor")
            args = [kwargs.pop(first)]
        if len(args) > len(names):
            raise refusal(
                self.context,
                f"the layer {layer.get('name')!r} ({name}) was called with {len(args)} arguments by place",
                hint="give the arguments after the first by name in the model's code",
            )
        kwargs.update(zip(names[1:], args[1:], strict=False))
        # What `training` was when the graph was made has no say in Keras 3, where the model's own word goes before it
        # (`functional.operation_fn`); in Keras 2 it would be fixed.
        kwargs = {k: v for k, v in kwargs.items() if v is not None and k != "training"}
        refused = [k for k in _ONLY_KERAS3.get(name, ()) if k in kwargs]
        if refused:
            raise refusal(self.context, f"the {name} {layer.get('name')!r} was called with {', '.join(refused)}")
        return self.first_argument(args[0], {k: self.argument(v) for k, v in kwargs.items()})

    def first_argument(self, value: Any, kwargs: Mapping[str, Any]) -> Any:
        def walk(node: Any) -> Any:
            place = history(node)
            if place is not None:
                return [*self.reference(place), dict(kwargs)]
            if is_object(node):
                return [CONSTANT, -1, self.constant(node), dict(kwargs)]
            if isinstance(node, Mapping):
                return {k: walk(v) for k, v in node.items()}
            if isinstance(node, list | tuple):
                return [walk(v) for v in node]
            return [CONSTANT, -1, node, dict(kwargs)]

        walked = walk(value)
        return [walked] if history(value) is not None else walked


def _first_tensor(kwargs: Mapping[str, Any]) -> str | None:
    return next((key for key, value in kwargs.items() if any(True for _ in tensors(value))), None)


def _nodes(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if not is_graph(layer):
        return None
    config = layer["config"]
    children = without_implicit_masks(config["layers"], (config["input_layers"], config["output_layers"]))
    children = [as_layer(child, context) for child in children]
    graph = _Graph({**config, "layers": children}, context)
    layers = []
    for child in children:
        nodes = child.get("inbound_nodes") if isinstance(child, Mapping) else None
        if isinstance(nodes, list) and all(isinstance(n, Mapping) and "args" in n for n in nodes):
            child = {**child, "inbound_nodes": [graph.call(child, node) for node in nodes]}
        layers.append(child)
    inputs, outputs = graph.output(config["input_layers"]), graph.output(config["output_layers"])
    changed = {**config, "layers": layers, "input_layers": inputs, "output_layers": outputs}
    return Repaired({**layer, "config": changed}) if changed != config else None


def _unbuilt(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Layers inside a model are built by their calls; a second build would make their variables twice."""
    if "build_config" not in layer or context.model is None:
        return None
    return Repaired({k: v for k, v in layer.items() if k != "build_config"})


ROWS = (
    LayerRepair(
        rule(
            775,
            "keras3-nodes",
            "the connections of a functional model in the form of Keras 3",
            "`{'args': [{'class_name': '__keras_tensor__', ...}], 'kwargs': {}}`",
            "keras 3.0, `functional.serialize_node`; keras 2.15, `functional.reconstruct_from_config`",
        ),
        None,
        _nodes,
    ),
    LayerRepair(
        rule(
            778,
            "keras3-build-config",
            "the shapes on which the layers of a model were built",
            "`{'build_config': {'input_shape': [None, 4]}}`",
        ),
        None,
        _unbuilt,
    ),
)
