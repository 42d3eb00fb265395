"""The Merge layer of Keras 1 (also `merge(...)`): one layer with modes, of which Keras 2 made a layer each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.errors import UnsafeModelError
from safeload.repairs.engine import Context, Repaired
from safeload.repairs.refusal import refusal

__all__ = ["merge"]

_MODES = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum"}


def merge(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """A Merge by its mode (`engine/topology.py`, Keras 1.2.2).

    Raises:
        UnsafeModelError: The mode is Python bytecode.
    """
    config = layer.get("config")
    if not isinstance(config, Mapping):
        return None
    mode, kind = config.get("mode", "sum"), config.get("mode_type", "raw")
    base = {"name": config.get("name"), "trainable": True}
    if kind == "lambda" or not isinstance(mode, str):
        raise UnsafeModelError(
            "the mode of a Merge is Python bytecode",
            path=context.document.path,
            where=context.where or None,
            hint="save the model again with a named function or with one of the modes of Merge",
            threats=(f"{context.where}: Python bytecode",),
        )
    if kind == "function":
        return Repaired(_function(layer, config, mode, base), f"a Merge by the function {mode} became a Lambda")
    if mode in _MODES:
        class_name, made = _MODES[mode], base
    elif mode == "concat":
        class_name, made = "Concatenate", {**base, "axis": config.get("concat_axis", -1)}
    elif mode == "dot":
        class_name, made = "Dot", {**base, "axes": _axes(config.get("dot_axes", -1)), "normalize": False}
    elif mode == "cos":
        class_name, made = "safeload>Cosine", {**base, "axes": _axes(config.get("dot_axes", -1))}
    else:
        raise refusal(context, f"Merge has no mode {mode!r}")
    node = {**layer, "class_name": class_name, "config": made}
    if ">" in class_name:
        node["registered_name"] = class_name
    return Repaired(node, f"Merge by {mode} became {class_name}")


def _axes(value: Any) -> Any:
    """The axes of both tensors; before Keras 1.2 each may be a list of one (`dot_axes=[[1], [1]]`)."""
    if isinstance(value, list | tuple):
        return [v[0] if isinstance(v, list | tuple) and len(v) == 1 else v for v in value]
    return value


def _function(layer: Mapping[str, Any], config: Mapping[str, Any], name: str, base: dict[str, Any]) -> dict[str, Any]:
    shape = config.get("output_shape") if config.get("output_shape_type", "raw") == "raw" else None
    made = {
        **base,
        "function": name,
        "function_type": "function",
        "module": None,
        "output_shape": shape,
        "output_shape_type": "raw",
        "arguments": config.get("arguments") or {},
    }
    return {**layer, "class_name": "Lambda", "config": made}
