"""Lambda layers in Keras 3's form: the function as an object, not a value and its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import rule

__all__ = ["ROWS"]


def _function(value: Any, kind: Any, module: Any) -> Any:
    """A function of a Lambda's config: by name, or its bytecode as data (nothing is unmarshalled here)."""
    if kind == "function" and isinstance(value, str):
        found: dict[str, Any] = {"class_name": "function", "config": value, "registered_name": value}
        return {**found, "module": module} if isinstance(module, str) and module != "builtins" else found
    if kind == "lambda" and isinstance(value, Sequence) and not isinstance(value, str):
        code, defaults, closure = (*value, None, None)[:3]
        return {"class_name": "__lambda__", "config": {"code": code, "defaults": defaults, "closure": closure}}
    return value


def _array(value: Any) -> Any:
    """An array among the arguments (`{"type": "ndarray", "value": ...}`, `core.py` since Keras 2.0)."""
    if isinstance(value, Mapping) and value.get("type") == "ndarray" and "value" in value:
        kind = "float32" if _has_float(value["value"]) else "int64"
        return {"class_name": "__numpy__", "config": {"value": value["value"], "dtype": kind}}
    return value


def _has_float(value: Any) -> bool:
    return any(_has_float(v) for v in value) if isinstance(value, list) else isinstance(value, float)


def _lambda(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or "function_type" not in config:
        return None
    changed = {k: v for k, v in config.items() if not k.endswith(("_type", "module"))}
    changed["function"] = _function(config.get("function"), config["function_type"], config.get("module"))
    shape = config.get("output_shape")
    if config.get("output_shape_type") in ("function", "lambda"):
        changed["output_shape"] = _function(shape, config["output_shape_type"], config.get("output_shape_module"))
    elif not (isinstance(shape, list) and all(n is None or isinstance(n, int) for n in shape)):
        changed.pop("output_shape", None)  # Keras 3 finds it by tracing the function
    if "mask" in changed:
        changed["mask"] = _function(changed["mask"], config.get("mask_type"), config.get("mask_module"))
    if isinstance(config.get("arguments"), Mapping):
        changed["arguments"] = {k: _array(v) for k, v in config["arguments"].items()}
    return Repaired({**layer, "config": changed})


ROWS = (
    LayerRepair(
        rule(
            738,
            "lambda-form",
            "a Lambda as Keras 2 stores it: the function's name or bytecode, and which of them it is.",
            "Keras 3 refuses these arguments.",
            "{'function': 'my_function', 'function_type': 'function', 'module': 'my_module'}.",
            "keras 3.0, `layers/core/lambda_layer.py`.",
            "register the module that defines the function; for bytecode, see the rules of Lambda.",
        ),
        frozenset({"Lambda"}),
        _lambda,
    ),
)
