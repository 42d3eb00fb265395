"""Functions that configs name: activations by TensorFlow's names, Lambdas over named functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import own_function, rule

__all__ = ["ROWS"]

SAME = {"softmax_v2": "softmax", "log_softmax_v2": "log_softmax", "swish_f32": "swish", "silu_v2": "silu"}
"""What TensorFlow calls some functions inside: `Activation(tf.nn.softmax)` was stored by that name."""

MISSING = {
    # dialect -> functions of TensorFlow that Keras knows in the other dialect alone
    "keras2": ("relu6", "silu", "leaky_relu", "log_softmax"),
    "keras3": (),
}


def _activations(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or "layers" in config:
        return None
    missing = MISSING[context.runtime.dialect]
    changed = {}
    for key, value in config.items():
        if key.endswith("activation") and isinstance(value, str):
            name = SAME.get(value, value)
            changed[key] = own_function(name) if name in missing else name
    if all(config[key] == value for key, value in changed.items()):
        return None
    return Repaired({**layer, "config": {**config, **changed}})


ROWS = (
    LayerRepair(
        rule(
            736,
            "private-activation",
            "an activation under the name that TensorFlow has for it inside.",
            "Keras stores any function by its name and finds its own again alone.",
            "Activation(tf.nn.softmax) is stored as 'softmax_v2', Activation(tf.nn.relu6) as 'relu6'.",
            "tensorflow 2.15, `keras/activations.py`, `_TF_ACTIVATIONS_V2`.",
        ),
        None,
        _activations,
    ),
)
