"""Initializers, regularizers and constraints of Keras 1: names and flat configs where Keras 2 has objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["TH_KERNEL_AXES", "constraint", "initializer", "regularizer"]

TH_KERNEL_AXES: dict[int, tuple[int, ...]] = {4: (3, 2, 0, 1), 5: (4, 3, 0, 1, 2)}
"""Where each axis of a `th` kernel (filters, channels, *space) lies in Keras 2's (*space, channels, filters)."""


def _scaling(scale: float, mode: str, distribution: str) -> dict[str, Any]:
    config = {"scale": scale, "mode": mode, "distribution": distribution, "seed": None}
    return {"class_name": "VarianceScaling", "config": config}


_INITIALIZERS: dict[str, dict[str, Any]] = {
    # Keras 1.2.2, `initializations.py`
    "zero": {"class_name": "Zeros", "config": {}},
    "one": {"class_name": "Ones", "config": {}},
    "uniform": {"class_name": "RandomUniform", "config": {"minval": -0.05, "maxval": 0.05, "seed": None}},
    "normal": {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.05, "seed": None}},
    "lecun_uniform": _scaling(1.0, "fan_in", "uniform"),
    "glorot_uniform": _scaling(1.0, "fan_avg", "uniform"),
    "glorot_normal": _scaling(1.0, "fan_avg", "normal"),
    "he_uniform": _scaling(2.0, "fan_in", "uniform"),
    "he_normal": _scaling(2.0, "fan_in", "normal"),
    "orthogonal": {"class_name": "Orthogonal", "config": {"gain": 1.1, "seed": None}},
    "identity": {"class_name": "Identity", "config": {"gain": 1.0}},
}


def initializer(value: Any) -> Any:
    """An initializer's name as Keras 2 has it; names that Keras 1 didn't know (custom functions) stay."""
    return _INITIALIZERS.get(value, value) if isinstance(value, str) else value


def regularizer(value: Any) -> Any:
    """`{"name": "L1L2Regularizer", "l1": ..., "l2": ...}` as an object of Keras 2.

    `WeightRegularizer` and `ActivityRegularizer` are its names before Keras 1.2. `EigenvalueRegularizer` has no equal
    and acts in training alone: it is left out.
    """
    if not isinstance(value, Mapping) or "class_name" in value or not isinstance(value.get("name"), str):
        return value
    name = value["name"]
    rest = {k: v for k, v in value.items() if k != "name"}
    if name in ("L1L2Regularizer", "WeightRegularizer", "ActivityRegularizer"):
        return {"class_name": "L1L2", "config": {"l1": rest.get("l1", 0.0), "l2": rest.get("l2", 0.0)}}
    return None if name == "EigenvalueRegularizer" else {"class_name": name, "config": rest}


_CONSTRAINTS: dict[str, tuple[str, dict[str, str]]] = {
    # Keras 1.2.2, `constraints.py`: class of Keras 2, renamed arguments
    "MaxNorm": ("MaxNorm", {"m": "max_value"}),
    "NonNeg": ("NonNeg", {}),
    "UnitNorm": ("UnitNorm", {}),
    "MinMaxNorm": ("MinMaxNorm", {"low": "min_value", "high": "max_value"}),
}


def constraint(value: Any, axes: Sequence[int] | None = None) -> Any:
    """`{"name": "MaxNorm", "m": 2, "axis": 0}` as an object of Keras 2.

    Args:
        value: As Keras 1 stored it.
        axes: Where each axis of the constrained array has moved to, if its axes moved.
    """
    if not isinstance(value, Mapping) or "class_name" in value or not isinstance(value.get("name"), str):
        return value
    name, renames = _CONSTRAINTS.get(value["name"], (value["name"], {}))
    config = {renames.get(k, k): v for k, v in value.items() if k != "name"}
    if axes is not None and "axis" in config:
        listed = config["axis"] if isinstance(config["axis"], list | tuple) else [config["axis"]]
        if all(isinstance(a, int) and -len(axes) <= a < len(axes) for a in listed):
            moved = [axes[a] for a in listed]
            config["axis"] = moved if isinstance(config["axis"], list | tuple) else moved[0]
    return {"class_name": name, "config": config}
