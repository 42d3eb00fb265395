"""Lambdas as activations, initializers, regularizers, constraints, losses and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.document import ModelDocument
from safeload.lambdas import Setting, is_dump, read_function, role_of
from safeload.repairs.engine import Context, Repaired
from safeload.repairs.lambdas.setting import setting_of

__all__ = ["functions", "training"]

_LAYERS = frozenset({"layers", "layer", "forward_layer", "backward_layer", "cell", "cells"})
"""Keys that hold layers, which are repaired themselves."""

_OF_LAMBDA = frozenset({"function", "mask", "output_shape", "arguments"})


def functions(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """A layer with the lambdas in its slots read."""
    config = layer.get("config")
    if not isinstance(config, Mapping):
        return None
    reader = _Reader(context)
    kept = _LAYERS if layer.get("class_name") != "Lambda" else _LAYERS | _OF_LAMBDA
    changed = {k: v if k in kept else reader.walk(v, str(k)) for k, v in config.items()}
    if not reader.read:
        return None
    name = config.get("name") or layer.get("name")
    return Repaired({**layer, "config": changed}, f"functions of {name!r} were read, not run: {'; '.join(reader.read)}")


def training(document: ModelDocument, context: Context) -> tuple[ModelDocument, str | None] | None:
    """The training config with its lambdas read."""
    if not isinstance(document.training, Mapping):
        return None
    reader = _Reader(context)
    changed = {k: reader.walk(v, str(k)) for k, v in document.training.items()}
    if not reader.read:
        return None
    return document.evolve(training=changed), f"functions of the training were read, not run: {'; '.join(reader.read)}"


class _Reader:
    """Reads the lambdas in a part of a config.

    Attributes:
        read: The sources of those that were read.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.read: list[str] = []
        self._setting: Setting | None = None

    def walk(self, value: Any, slot: str, depth: int = 0) -> Any:
        if depth > 20:
            return value
        if isinstance(value, list):
            return [self.walk(v, slot, depth + 1) for v in value]
        if not isinstance(value, Mapping):
            return value
        if is_dump(value) or value.get("class_name") == "__lambda__":
            return self.function(value, slot)
        below = slot if slot in ("loss", "metrics", "weighted_metrics") else None  # by the names of outputs
        return {
            k: self.walk(v, below or (slot if k in ("config", "value") else str(k)), depth + 1)
            if isinstance(v, Mapping | list) and k not in _LAYERS
            else v
            for k, v in value.items()
        }

    def function(self, value: Mapping[str, Any], slot: str) -> Any:
        role = role_of(slot)
        if role is None:
            return value
        if self._setting is None:
            self._setting = setting_of(self.context.document)
        stored = value.get("config") if "class_name" in value else value
        reading = read_function(stored, setting=self._setting, role=role)
        if reading.program is None:
            return value
        self.read.append(f"{slot}: {reading.source}")
        own = "safeload>ExpressionFunction"
        config = {"program": reading.program, "source": reading.source}
        return {"class_name": own, "registered_name": own, "config": config}
