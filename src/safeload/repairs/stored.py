"""Which stored arrays are a layer's, told from the file alone: for repairs that the weights' shapes decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.document import LayerPath, ModelDocument, WeightEntry, WeightGroup
from safeload.naming import layer_groups, layers_of

__all__ = ["stored_entries"]


def stored_entries(document: ModelDocument, path: LayerPath) -> tuple[WeightEntry, ...] | None:
    """The entries of a layer; None where the layout doesn't let one tell without building."""
    if document.weights is None or not path:
        return None
    if document.layout == "legacy-hdf5":
        return _legacy(document.weights, path)
    if document.layout == "keras-v3":
        return _v3(document.weights, document.architecture, path)
    return None


def _legacy(weights: WeightGroup, path: LayerPath) -> tuple[WeightEntry, ...] | None:
    group = weights.group(path[0])
    if group is None:
        return None
    entries = group.entries
    for name in path[1:]:
        if name in ("layer", "cell"):
            continue
        if name in ("forward_layer", "backward_layer"):
            half = len(entries) // 2
            entries = entries[:half] if name == "forward_layer" else entries[half:]
            continue
        entries = tuple(e for e in entries if name in e.name.split("/")[:-1] or e.name.startswith(f"{name}_"))
        if not entries:
            return None
    return entries


def _v3(weights: WeightGroup, architecture: Any, path: LayerPath) -> tuple[WeightEntry, ...] | None:
    node: WeightGroup | None = weights
    config: Any = architecture
    for name in path:
        assert node is not None
        layers = layers_of(config)
        if name in layers:
            holder = node.group("layers") or node.group("_layer_checkpoint_dependencies")
            node = layer_groups(holder, layers).get(name) if holder is not None else None
            config = layers[name]
        else:
            node = node.group(name)
            inner = config.get("config") if isinstance(config, Mapping) else None
            config = inner.get(name) if isinstance(inner, Mapping) else None
        if node is None:
            return None
    own = _vars(node)
    return own or (_vars(node.group("cell")) if node is not None else ())


def _vars(node: WeightGroup | None) -> tuple[WeightEntry, ...]:
    group = node.group("vars") if node is not None else None
    return group.entries if group is not None else ()
