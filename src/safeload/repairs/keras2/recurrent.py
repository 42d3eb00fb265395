"""Recurrent layers of Keras 2.0 - 2.3 and tf.keras 1.x: arguments that had other defaults, or that weights decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import config_of, rule

__all__ = ["ROWS"]


def _gru(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """`reset_after`, which came with 2.1.4 (default False) and is True by default since TF 2.0.

    Where the config doesn't have it, the bias tells: `(2, 3 units)` for True, `(3 units,)` for False. Without a bias
    the writer tells: before the argument came, the reset gate was applied before.
    """
    config = config_of(layer)
    if config is None or isinstance(config.get("reset_after"), bool):
        return None
    entries = context.entries() or ()
    biases = [e.shape for e in entries if e.name.rsplit("/", 1)[-1].split(":")[0] == "bias"]
    after = any(len(shape) == 2 for shape in biases)
    return Repaired({**layer, "config": {**config, "reset_after": after}}, f"reset_after is {after}")


_ABSENT: dict[str, dict[str, Any]] = {
    # What a layer did before it had the argument.
    "LSTM": {"recurrent_activation": "hard_sigmoid", "unit_forget_bias": True},
    "LSTMCell": {"recurrent_activation": "hard_sigmoid", "unit_forget_bias": True},
    "GRU": {"recurrent_activation": "hard_sigmoid"},
    "GRUCell": {"recurrent_activation": "hard_sigmoid"},
    "ConvLSTM2D": {"recurrent_activation": "hard_sigmoid", "unit_forget_bias": True},
}


def _defaults(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = config_of(layer)
    if config is None or context.writer.version >= (2, 4):
        return None
    missing = {k: v for k, v in _ABSENT[str(layer["class_name"])].items() if k not in config}
    return Repaired({**layer, "config": {**config, **missing}}) if missing else None


ROWS = (
    LayerRepair(
        rule(
            732,
            "gru-reset-after",
            "a GRU that does not say whether its reset gate comes before or after the product.",
            "the default changed from before to after with TensorFlow 2.",
            "a GRU of Keras 2.0; its bias has 3 * units numbers.",
            "keras 2.1.4, `layers/recurrent.py`; tensorflow 2.0, `keras/layers/recurrent_v2.py`.",
        ),
        frozenset({"GRU", "GRUCell"}),
        _gru,
    ),
    LayerRepair(
        rule(
            733,
            "recurrent-defaults",
            "a recurrent layer whose config lacks arguments.",
            "the defaults have changed.",
            "recurrent_activation: hard_sigmoid until Keras 2.3, sigmoid since TensorFlow 2.0.",
            "keras 2.3.1, `layers/recurrent.py`.",
        ),
        frozenset(_ABSENT),
        _defaults,
    ),
)
