"""How the layout `keras-v3` names the groups of a model's layers, told from the writer's config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from safeload.document import WeightGroup

__all__ = [
    "RENAMED_LAYERS",
    "is_generator_group",
    "layer_groups",
    "layers_of",
    "numbered",
    "snake_case",
    "writer_class",
]


def snake_case(name: str) -> str:
    """Keras' name of a class in paths: `LSTM` -> `lstm`, `CuDNNLSTM` -> `cu_dnnlstm`, `Conv2DTranspose` -> `conv2d_transpose`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def layers_of(model: Any) -> dict[str, Mapping[str, Any]]:
    """The layers of a model's config by name, in the writer's order; empty for what is no model."""
    config = model.get("config") if isinstance(model, Mapping) else None
    layers = config.get("layers") if isinstance(config, Mapping) else config
    found: dict[str, Mapping[str, Any]] = {}
    for layer in layers if isinstance(layers, list) else ():
        if isinstance(layer, Mapping) and isinstance(layer.get("config"), Mapping):
            found[str(layer.get("name") or layer["config"].get("name"))] = layer
    return found


def writer_class(layer: Mapping[str, Any]) -> str:
    """The name of the layer's class as the writer had it, without its package."""
    return str(layer.get("class_name")).rsplit(">", 1)[-1]


def numbered(group: WeightGroup, prefix: str) -> list[WeightGroup]:
    """The groups `prefix`, `prefix_1`, `prefix_2` ... in that order."""
    pattern = re.compile(rf"{re.escape(prefix)}(?:_(\d+))?")
    found = [(int(m.group(1) or 0), g) for g in group.groups if (m := pattern.fullmatch(g.name))]
    return [g for _, g in sorted(found, key=lambda pair: pair[0])]


def layer_groups(holder: WeightGroup, layers: Mapping[str, Mapping[str, Any]]) -> dict[str, WeightGroup]:
    """The group of each layer.

    Since Keras 3.9 `vars` carries the layer's name; before, groups are named by class and count
    (`saving_lib._save_container_state`): layers of a class take the groups of that class in order. Keras 2.12-2.14
    counts a layer with weights twice (`_layer_checkpoint_dependencies` lists it twice), so numbers have gaps.
    """
    named = {str(v.attrs["name"]): g for g in holder.groups if (v := g.group("vars")) is not None and "name" in v.attrs}
    if named and len(named) == len(holder.groups) and named.keys() <= layers.keys():
        return named
    by_class: dict[str, list[str]] = {}
    for name, layer in layers.items():
        by_class.setdefault(snake_case(writer_class(layer)), []).append(name)
    found: dict[str, WeightGroup] = {}
    for prefix, names in by_class.items():
        groups = numbered(holder, prefix)
        if len(groups) == len(names):
            found.update(zip(names, groups, strict=True))
            continue
        # A layer that was saved earlier, under another attribute, has no group here but keeps its number.
        by_name = {g.name: g for g in groups}
        for i, name in enumerate(names):
            group = by_name.get(prefix if i == 0 else f"{prefix}_{i}")
            if group is not None:
                found[name] = group
    return found


_GENERATORS = re.compile(r"_?(?:seed_generator|random_generator)(?:_\d+)?")


def is_generator_group(group: WeightGroup) -> bool:
    """Whether a group holds the state of a random generator alone: a layer of another Keras has none, or another kind."""
    return _GENERATORS.fullmatch(group.name) is not None and all(e.size <= 3 for e in group.walk())


RENAMED_LAYERS = "renamed_layers"
"""Key of `ModelDocument.extras`: the new name of each layer that a repair renamed.

By its path, of which the last part is the name in the file and the others are new already."""
