"""Layers that were one object where the model was written, and are several where it is built.

Keras stores an object once, under the path on which it came first (`saving_lib._save_state`, `visited_saveables`). A
layer that two models of a file have in common is in the config of both and is built twice; its second self has no
group. Both have the name and the config of the one that was stored.
"""

from __future__ import annotations

from typing import Any

from safeload.fill.ledger import Ledger, is_generator_state

__all__ = ["fill_shared"]


def fill_shared(model: Any, ledger: Ledger) -> None:
    """Give layers that nothing filled the values of the one filled layer of the same class, name and config."""
    if all(id(v) in ledger.filled for v in model.weights):
        return
    layers = [layer for layer in model._flatten_layers(include_self=False) if _own(layer)]
    empty = [layer for layer in layers if all(id(v) not in ledger.filled for v in _own(layer))]
    if not empty:
        return
    filled = [layer for layer in layers if all(id(v) in ledger.filled for v in _own(layer))]
    for layer in empty:
        twins = [twin for twin in filled if _is_twin(layer, twin)]
        if len(twins) != 1:
            continue
        for variable, value in zip(_own(layer), _own(twins[0]), strict=True):
            variable.assign(value)
            ledger.mark((variable,), ledger.filled[id(value)])


def _own(layer: Any) -> list[Any]:
    """The variables of a layer that are in none of its sub-layers."""
    below = {
        id(v)
        for child in layer._flatten_layers(include_self=False)
        for v in (*child.trainable_weights, *child.non_trainable_weights)
    }
    own = [*layer.trainable_weights, *layer.non_trainable_weights]
    return [v for v in own if id(v) not in below and hasattr(v, "shape") and not is_generator_state(v)]


def _is_twin(layer: Any, other: Any) -> bool:
    if type(layer) is not type(other) or layer.name != other.name:
        return False
    if [tuple(v.shape) for v in _own(layer)] != [tuple(v.shape) for v in _own(other)]:
        return False
    try:
        return bool(layer.get_config() == other.get_config())
    except Exception:  # a custom layer's get_config may raise anything; then nothing says that they are the same
        return False
