"""Activations that Keras 3 computes otherwise under the same name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import own_function, rule

__all__ = ["ROWS"]


def _is_hard_sigmoid(value: Any) -> bool:
    """The bare name, or the function as the `.keras` files of 2.12 to 2.15 write it."""
    if isinstance(value, Mapping):
        registered = value.get("registered_name")
        custom = isinstance(registered, str) and ">" in registered
        return not custom and value.get("class_name") == "function" and value.get("config") == "hard_sigmoid"
    return bool(value == "hard_sigmoid")


def _hard_sigmoid(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or "layers" in config:
        return None
    found = [key for key, value in config.items() if key.endswith("activation") and _is_hard_sigmoid(value)]
    if not found:
        return None
    changed = {**config, **dict.fromkeys(found, own_function("hard_sigmoid"))}
    return Repaired({**layer, "config": changed}, f"{', '.join(found)}: hard_sigmoid as Keras 2 computes it")


ROWS = (
    LayerRepair(
        rule(
            729,
            "hard-sigmoid",
            "hard_sigmoid, by default the recurrent activation of every LSTM, GRU and ConvLSTM of Keras until 2.3 and of tf.keras 1.",
            "Keras 3 computes relu6(x + 3) / 6 under that name, Keras 1 and 2 max(0, min(1, 0.2 x + 0.5)): other numbers, silently.",
            "an LSTM of Keras 2.2.4.",
            "keras 3.0, `activations/activations.py`; keras 2.3.1, `backend/tensorflow_backend.py`.",
        ),
        None,
        _hard_sigmoid,
    ),
)
