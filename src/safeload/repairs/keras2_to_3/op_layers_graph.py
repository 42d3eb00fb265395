"""What else of TensorFlow stands among the layers of a functional model of Keras 2: added losses, ragged tensors.

`model.add_loss(tensor)` and `model.add_metric(tensor)` leave layers `AddLoss` and `AddMetric` on which no output depends
(`engine/base_layer.py`). Methods of ragged and sparse tensors leave `InstanceMethod`, `InstanceProperty` and `ClassMethod`
(`layers/core/tf_op_layer.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import is_reference
from safeload.repairs.keras2_to_3.nodes import node_name
from safeload.repairs.refusal import refusal
from safeload.repairs.tensors import is_graph

__all__ = ["ROWS"]

_ADD_LOSS = "safeload>AddLoss"
_TO_TENSOR = "safeload>RaggedToTensor"


def _references(value: Any) -> Iterator[list[Any]]:
    """The references of a structure of inputs or outputs, in order."""
    if is_reference(value):
        yield list(value[:3])
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from _references(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _references(item)


def _replaced(value: Any, old: list[Any], new: list[Any]) -> Any:
    if is_reference(value):
        return new if list(value[:3]) == old else value
    if isinstance(value, Mapping):
        return {k: _replaced(v, old, new) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(v, old, new) for v in value]
    return value


def _class(layer: Any) -> str:
    return str(layer.get("class_name")).rsplit(">", 1)[-1] if isinstance(layer, Mapping) else ""


def _losses(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if not is_graph(layer):
        return None
    config = layer["config"]
    added = [child for child in config["layers"] if _class(child) == "AddLoss"]
    layers = [child for child in config["layers"] if _class(child) not in ("AddLoss", "AddMetric")]
    if len(layers) == len(config["layers"]):
        return None
    outputs = config["output_layers"]
    if added:
        first = next(_references(outputs))
        tensors = [first, *(r for child in added for r in _references(child.get("inbound_nodes")))]
        name = node_name(added[0])
        layers.append(
            {
                "class_name": _ADD_LOSS,
                "registered_name": _ADD_LOSS,
                "config": {"name": name},
                "name": name,
                "inbound_nodes": [[[*tensor, {}] for tensor in tensors]],
            }
        )
        outputs = _replaced(outputs, first, [name, 0, 0])
    notes = []
    if added:
        notes.append("the losses of add_loss are computed at the model's first output")
    if len(layers) + len(added) - bool(added) < len(config["layers"]):
        notes.append("the metrics of add_metric are not computed")
    return Repaired({**layer, "config": {**config, "layers": layers, "output_layers": outputs}}, "; ".join(notes))


def _ragged(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config, name = layer["config"], node_name(layer)
    attribute = config.get("attr_name") or config.get("method_name")
    nodes = layer.get("inbound_nodes")
    if _class(layer) == "InstanceMethod" and attribute == "to_tensor" and isinstance(nodes, list) and len(nodes) == 1:
        reference = nodes[0]
        given = reference[3] if is_reference(reference) and len(reference) == 4 else {}
        args, kwargs = given.get("args") or [], given.get("kwargs") or {}
        bound = {**dict(zip(("default_value", "shape"), args, strict=False)), **kwargs}
        bound.pop("name", None)
        if (
            is_reference(reference)
            and set(bound) <= {"default_value", "shape"}
            and not any(_references([*bound.values()]))
        ):
            changed = {
                "class_name": _TO_TENSOR,
                "registered_name": _TO_TENSOR,
                "config": {"name": name, **bound},
                "name": name,
                "inbound_nodes": [[[*reference[:3], {}]]],
            }
            return Repaired(changed, "to_tensor as a layer")
    raise refusal(context, f"the layer {name!r} takes {str(attribute)[:60]!r} of a ragged or sparse tensor")


ROWS = (
    LayerRepair(
        Rule(
            "SL747",
            "added-loss",
            Severity.WARNING,
            """\
What it sees: losses or metrics that were added to a functional model as tensors.
Why it matters: Keras 3 builds only what leads to an output; such losses would be lost.
Example: `model.add_loss(kl_loss)` of a variational autoencoder.
What to do: nothing to predict; the losses are kept, by a layer behind the first output, which changes that output's name.
Metrics are left out: add them where you train on.
References: keras 2.15, `AddLoss`, `AddMetric` in engine/base_layer.py.
""",
        ),
        None,
        _losses,
    ),
    LayerRepair(
        Rule(
            "SL748",
            "ragged-method",
            Severity.NOTE,
            """\
What it sees: a method or an attribute of a ragged or sparse tensor as a layer.
Why it matters: Keras 3 has no such layer.
Example: `embedded.to_tensor()`.
What to do: nothing for `to_tensor`; other methods have no equal in Keras 3.
References: keras 2.15, layers/core/tf_op_layer.py.
""",
        ),
        frozenset({"InstanceMethod", "InstanceProperty", "ClassMethod"}),
        _ragged,
    ),
)
