"""Values of Keras 2's configs in the form that Keras 3 reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import rule

__all__ = ["ROWS"]


def _policy(value: Any) -> Any:
    if isinstance(value, list):
        return [_policy(v) for v in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("class_name") in ("Policy", "PolicyV1") and isinstance(value.get("config"), Mapping):
        name = value["config"].get("name", "float32")
        if name in ("infer", "_infer"):  # tf.keras 1.x: what the input has
            return "float32"
        return {"class_name": "DTypePolicy", "config": {"name": name}}
    return {k: _policy(v) for k, v in value.items()}


def _forms(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or "layers" in config:
        return None
    changed: dict[str, Any] = {}
    for key, value in config.items():
        value = _policy(value) if key == "dtype" else value
        if key == "axis" and isinstance(value, list) and len(value) == 1:
            value = value[0]
        changed[key] = value
    if isinstance(changed.get("dtype"), str) and changed["dtype"].startswith("<dtype:"):
        changed["dtype"] = changed["dtype"].split("'")[1].removesuffix("_ref")
    return Repaired({**layer, "config": changed}) if changed != config else None


ROWS = (
    LayerRepair(
        rule(
            723,
            "config-forms",
            "dtype policies and axes in their old form.",
            "Keras 3 does not read them.",
            "{'class_name': 'Policy', 'config': {'name': 'mixed_float16'}}; axis: [3].",
            "keras 3.0, `dtype_policies/dtype_policy.py`.",
        ),
        None,
        _forms,
    ),
)
