"""Functional models as earlier versions of Keras 3 wrote them down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, LayerRepair, Repaired, is_object
from safeload.repairs.refusal import refusal
from safeload.repairs.tensors import Place, ends, is_endpoint, is_graph, replaced, tensors

__all__ = ["ROWS"]

SINGLE_ENDPOINT = Rule(
    "SL770",
    "single-endpoint",
    Severity.NOTE,
    """\
What it sees: a functional model with one input or one output, stored as a list of one.
Why it matters: up to Keras 3.10 a list of one meant the tensor alone; from 3.11 on it means a list, so that a model
around it gets a list where it expects a tensor, and fails.
Example: `"output_layers": [["dense", 0, 0]]` inside a Sequential.
What to do: nothing; the model takes and gives the tensor, as it did where it was written.
References: keras 3.11, `Functional.get_config`.
""",
)

CALL_NUMBERS = Rule(
    "SL771",
    "call-numbers",
    Severity.NOTE,
    """\
What it sees: connections that count calls of a layer outside of the model.
Why it matters: up to Keras 3.2 the calls were numbered as they came in the writer's session; only those of the model
are in the file, so Keras finds 'Layer node index out of bounds'.
Example: an encoder that was called on its own before it became part of the model.
What to do: nothing; the connections are the same.
References: keras 3.3, `functional.serialize_node`.
""",
)


def _single(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if not is_graph(layer) or not context.writer.keras:
        return None
    config = dict(layer["config"])
    for key in ("input_layers", "output_layers"):
        value = config.get(key)
        if isinstance(value, list) and len(value) == 1 and is_endpoint(value[0]):
            config[key] = value[0]
    return Repaired({**layer, "config": config}) if config != layer["config"] else None


def _numbers(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if not is_graph(layer):
        return None
    config = layer["config"]
    children = {str(c.get("name")): c for c in config["layers"] if is_object(c)}
    used: dict[str, set[int]] = {}
    for child in children.values():
        for name, call, _ in tensors(child.get("inbound_nodes")):
            used.setdefault(name, set()).add(call)
    ended: dict[str, set[int]] = {}
    for name, call, _ in ends(config["output_layers"]):
        ended.setdefault(name, set()).add(call - (1 if is_graph(children.get(name)) else 0))
    mapping: dict[tuple[str, int], int] = {}
    for name, calls in used.items():
        count = len(children[name].get("inbound_nodes") or ()) or 1 if name in children else 0
        if count == 0 or max(calls) < count:
            continue
        # Every call of the model is used by a layer or is an output; those that are used keep their order.
        left = sorted(set(range(count)) - ended.get(name, set()))
        places = list(range(count)) if len(calls) == count else left
        if len(places) != len(calls):
            raise refusal(context, f"the calls of the layer {name!r} are numbered in a way that can't be told apart")
        mapping.update({(name, call): place for call, place in zip(sorted(calls), places, strict=True)})
    if not mapping:
        return None

    def renumbered(tensor: Mapping[str, Any], place: Place) -> Any:
        history = [place[0], mapping.get(place[:2], place[1]), place[2]]
        return {**tensor, "config": {**tensor["config"], "keras_history": history}}

    layers = [
        {**c, "inbound_nodes": replaced(c["inbound_nodes"], renumbered)}
        if is_object(c) and c.get("inbound_nodes")
        else c
        for c in config["layers"]
    ]
    names = ", ".join(sorted({name for name, _ in mapping}))
    return Repaired({**layer, "config": {**config, "layers": layers}}, f"the calls of {names} were numbered anew")


ROWS = (
    LayerRepair(CALL_NUMBERS, None, _numbers, until=(3, 3)),
    LayerRepair(SINGLE_ENDPOINT, None, _single, until=(3, 11)),
)
