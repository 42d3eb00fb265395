"""Arguments that layers of Keras 2 got late, where the Keras 2 that is installed is older than the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.objects.catalog import builtin
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import config_of, plain, rule
from safeload.repairs.refusal import refusal

__all__ = ["ROWS"]

_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "optional": (False, None),  # tf_keras 2.16, `engine/input_layer.py`
    "robust_masking": (False, None),  # tf_keras 2.16, `layers/activation/softmax.py`
    "softmax_robust_masking": (False, None),
}
"""Argument -> the values at which a layer does what it does without the argument."""


def _young(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config, runtime = config_of(layer), context.runtime
    found = builtin("keras2", "layer", plain(layer)) if config is not None and runtime.dialect == "keras2" else None
    taken = found.taken(runtime.keras_version) if found is not None and found.some else None
    if config is None or found is None or taken is None:
        return None
    gone = [key for key in found.some if key in config and key not in taken]
    for key in gone:
        if not any(config[key] is value for value in _NEUTRAL.get(key, ())):
            raise refusal(context, f"the {plain(layer)} {config.get('name')!r} has {key}={config[key]!r}")
    kept = {k: v for k, v in config.items() if k not in gone}
    return Repaired({**layer, "config": kept}, f"dropped {', '.join(gone)}, which changes nothing") if gone else None


ROWS = (
    LayerRepair(
        rule(
            753,
            "young-argument",
            "an argument that the installed Keras 2 doesn't have yet.",
            "it refuses the whole config.",
            "optional=False of an InputLayer (tf_keras 2.21 writes it, TensorFlow 2.15 doesn't take it).",
            "tf_keras 2.21, `engine/input_layer.py`.",
            "nothing where the value changes nothing; elsewhere the file is refused, with the argument's name.",
        ),
        None,
        _young,
    ),
)
