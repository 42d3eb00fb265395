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


def _lambda(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """A Lambda over `abs`, of Python or of Keras' backend: a name that no module of the user's defines."""
    config = layer.get("config")
    if not isinstance(config, Mapping) or config.get("function_type") != "function":
        return None
    if config.get("function") != "abs" or config.get("module") not in (None, "builtins"):
        return None
    changed = {k: v for k, v in config.items() if k != "module"}
    changed["function"] = own_function("absolute")
    return Repaired({**layer, "config": changed}, "abs is TensorFlow's")


ROWS = (
    LayerRepair(
        rule(
            743,
            "builtin-function",
            "a Lambda over one of Python's own functions.",
            "it is stored by its name, and no module of Keras or of yours has it.",
            "Lambda(abs).",
            "keras 2.2.4, `layers/core.py`, `Lambda.get_config`.",
        ),
        frozenset({"Lambda"}),
        _lambda,
    ),
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
