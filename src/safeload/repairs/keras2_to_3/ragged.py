"""Ragged inputs, which Keras 3 has again from 3.9 on (the catalog knows 3.10); not all of its layers take them.

What follows was tried layer by layer, Keras 3.15 beside 2.15: where both take a ragged tensor the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safeload.repairs.engine import Context, LayerRepair, Repaired, is_object
from safeload.repairs.forms import config_of, plain, rule
from safeload.repairs.keras2_to_3.nodes import leaves, node_name
from safeload.repairs.refusal import refusal
from safeload.repairs.tensors import is_graph

__all__ = ["ROWS"]

_KEEPS = frozenset("Activation Dropout Embedding LayerNormalization LeakyReLU Rescaling Softmax".split())
"""Layers that give a ragged tensor for one."""

_ENDS = frozenset("Flatten GlobalAveragePooling1D GlobalMaxPooling1D".split())
"""Layers that give a dense tensor for one."""


def _calls(layer: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], list[str]]]:
    """The layers of a model in the order of the file, each with the names of those that it is called on."""
    layers = [child for child in layer["config"]["layers"] if is_object(child)]
    if is_graph(layer):
        for child in layers:
            yield child, [str(reference[0]) for reference in leaves(child.get("inbound_nodes"))]
    else:
        yield from zip(layers, [[], *([node_name(before)] for before in layers)], strict=False)


def _ragged(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list):
        return None
    ragged = {node_name(x) for x in config["layers"] if is_object(x) and _is_ragged_input(x)}
    if not ragged:
        return None
    calls = list(_calls(layer))
    reached: set[str] = set()
    while reached != ragged:  # a file need not hold its layers in the order of their calls
        reached = set(ragged)
        ragged |= {node_name(x) for x, given in calls if plain(x) in _KEEPS and not ragged.isdisjoint(given)}
    for child, given in calls:
        own = config_of(child)
        if own is None or "layers" in own or plain(child) in _KEEPS | _ENDS | {"Lambda"}:
            continue  # layers of others and of ours, and models, know what they take
        if not ragged.isdisjoint(given):
            raise refusal(context, f"the {plain(child)} {node_name(child)!r} is called on a ragged tensor")
    return None


def _is_ragged_input(layer: Mapping[str, Any]) -> bool:
    config = layer["config"]
    return plain(layer) == "InputLayer" and isinstance(config, Mapping) and config.get("ragged") is True


ROWS = (
    LayerRepair(
        rule(
            752,
            "ragged-input",
            "a ragged input that goes into a layer which Keras 3 can't call on one.",
            "the model would be loaded, and raise when it is called.",
            "an LSTM on `Input((None, 4), ragged=True)`.",
            "keras 3.15, `layers/core/input_layer.py`.",
            "load the file with Keras 2: `to_tensor()` before the layer, with a mask, is what the layer did there.",
        ),
        None,
        _ragged,
    ),
)
