"""A Sequential of Keras 2.0 - 2.2.2: a bare list of layers, without the model's name."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from safeload.document import ModelDocument
from safeload.repairs.engine import Context, DocumentRepair, is_object
from safeload.repairs.forms import rule

__all__ = ["ROWS"]


def _listed(document: ModelDocument, context: Context) -> tuple[ModelDocument, str | None] | None:
    architecture = document.architecture
    if not isinstance(architecture, Mapping):
        return None
    groups = [g.name for g in document.weights.groups] if document.layout == "legacy-hdf5" and document.weights else []
    numbers = itertools.count(1)
    changed = _named(architecture, groups, numbers, architecture.get("name"))
    if changed == architecture:
        return None
    return document.evolve(architecture=changed), "a list of layers became a Sequential with a name"


def _named(layer: Mapping[str, Any], groups: Sequence[str], numbers: Any, name: Any) -> Mapping[str, Any]:
    """A layer with every list of layers in it turned into `{"name", "layers"}`.

    Args:
        layer: The layer.
        groups: The names under which the weights of its layers are stored, in order; empty where they are not known.
        numbers: Counts the models that had no name.
        name: What the holder calls it; None: it has no name.
    """
    config = layer.get("config")
    if isinstance(config, list):
        config = {"name": str(name or f"sequential_{next(numbers)}"), "layers": config}
        layer = {**layer, "config": config}
    if not isinstance(config, Mapping):
        return layer
    if isinstance(config.get("layers"), list):
        layers = config["layers"]
        stored = groups if len(groups) == len(layers) else [""] * len(layers)
        renamed = [
            _named(child, (), numbers, child.get("name") or group) if is_object(child) else child
            for child, group in zip(layers, stored, strict=True)
        ]
        config = {**config, "layers": renamed} if renamed != layers else config
    for slot in ("layer", "backward_layer"):
        if is_object(config.get(slot)):
            inner = _named(config[slot], (), numbers, None)
            config = {**config, slot: inner} if inner != config[slot] else config
    return {**layer, "config": config} if config is not layer.get("config") else layer


ROWS = (
    DocumentRepair(
        rule(
            735,
            "sequential-list",
            "a Sequential stored as a list of layers.",
            "its name is not in the list: Keras invents one, which may be taken by another layer of the model.",
            "every Sequential of Keras 2.0 to 2.2.2.",
            "keras 2.2.3, `engine/sequential.py`.",
        ),
        _listed,
    ),
)
