"""Fill from the layout `keras-v3`: a tree of groups by attribute, each with its object's own arrays under `vars`.

The file leads: each group is looked for among the built object's children, so an object that Keras reaches by several
attributes is found by whichever the writer used. Names of children in lists are made from class names
(`dense`, `dense_1`; Keras' `saving_lib._save_container_state`), so lists are matched class by class in order, with
the classes that the writer had. `vars` carries the object's name since Keras 3.9; it decides where it is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from safeload.document import LayerPath, ModelDocument, WeightGroup
from safeload.fill.ledger import Ledger
from safeload.fill.own_state import load_own
from safeload.fill.saveables import children_of, is_container, is_layer_list, members
from safeload.fill.shared import fill_shared
from safeload.naming import RENAMED_LAYERS, is_generator_group, layer_groups, layers_of, numbered, snake_case

__all__ = ["fill_keras_v3"]

_LAYER_LISTS = ("layers", "_layer_checkpoint_dependencies")
"""Under which name a model's layers are stored: from 2.13/2.15 on, and in 2.12-2.14."""


_NOT_THE_MODELS = ("optimizer", "metrics", "compile_metrics", "loss_tracker", "_compile_metrics", "compiled_metrics")
"""Groups at the root that hold the state of training: metrics start anew, as they do after `compile`."""


def fill_keras_v3(model: Any, document: ModelDocument, original: ModelDocument, ledger: Ledger) -> None:
    """Fill a model from a document of this layout; see `fill.fill`."""
    assert document.weights is not None
    architecture = original.architecture if original.architecture is not None else document.architecture
    _Filler(document, ledger).node(model, document.weights, "", (), layers_of(architecture))
    fill_shared(model, ledger)


class _Filler:
    def __init__(self, document: ModelDocument, ledger: Ledger) -> None:
        self.document = document
        self.ledger = ledger
        self.renamed: Mapping[LayerPath, str] = document.extras.get(RENAMED_LAYERS, {})

    def node(
        self, target: Any, group: WeightGroup, at: str, path: LayerPath, stored_layers: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Fill an object from its group, and what is below it."""
        load_own(target, group.group("vars"), self.document, at, path, self.ledger)
        subgroups = [g for g in group.groups if g.name != "vars"]
        if not subgroups:
            return
        children = dict(children_of(target))
        left: list[WeightGroup] = []
        for sub in subgroups:
            if sub.name in _NOT_THE_MODELS and not path:
                continue
            inner = f"{at}/{sub.name}" if at else sub.name
            if sub.name in _LAYER_LISTS and is_layer_list(target):
                self.layers(target, sub, inner, path, stored_layers)
            elif (child := children.get(sub.name)) is not None:
                self.child(child, sub, inner, path, sub.name)
            elif (_holds(sub) or self._has_assets(inner)) and not is_generator_group(sub):
                left.append(sub)
        for sub in left:
            self.by_shape(sub, children, at, path)

    def child(self, child: Any, group: WeightGroup, at: str, path: LayerPath, name: str) -> None:
        if is_container(child):
            self.container(child, group, at, (*path, name))
        else:
            self.node(child, group, at, (*path, name), {})

    def layers(
        self, model: Any, group: WeightGroup, at: str, path: LayerPath, stored_layers: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """The layers of a Sequential or functional model, by the names that the writer's config gives them."""
        by_name = {layer.name: layer for layer in model.layers}
        found = layer_groups(group, stored_layers or _as_config(model.layers))
        found.update(_by_built_class(group, found, by_name))
        for name, sub in found.items():
            name_here = self.renamed.get((*path, name), name)
            layer = by_name.get(name_here)
            if layer is not None:
                self.node(layer, sub, f"{at}/{sub.name}", (*path, name_here), layers_of(stored_layers.get(name)))
            elif _holds(sub):
                self.ledger.mismatch(
                    f"{at}/{sub.name}: holds weights of the layer {name!r}, which the model doesn't have"
                )
        known = {id(sub) for sub in found.values()}
        for sub in group.groups:
            if id(sub) not in known and _holds(sub):
                self.ledger.mismatch(f"{at}/{sub.name}: stored in the file, not in the model")

    def container(self, container: Any, group: WeightGroup, at: str, path: LayerPath) -> None:
        """The objects of a list, tuple or dict."""
        objects = list(members(container))
        nested = [o for o in objects if is_container(o)]
        for child, sub in self.by_class(
            [(type(o).__name__, o) for o in objects if not is_container(o)], group, at, len(nested)
        ):
            self.node(child, sub, f"{at}/{sub.name}", (*path, sub.name), {})
        for child, sub in zip(nested, numbered(group, "container"), strict=False):
            self.container(child, sub, f"{at}/{sub.name}", (*path, sub.name))

    def by_class(
        self, objects: Sequence[tuple[str, Any]], group: WeightGroup, at: str, containers: int = 0
    ) -> Iterator[tuple[Any, WeightGroup]]:
        """Objects with their groups: class by class, in order."""
        wanted: dict[str, list[Any]] = {}
        for cls, obj in objects:
            wanted.setdefault(snake_case(cls), []).append(obj)
        for prefix, targets in wanted.items():
            stored = numbered(group, prefix)
            if len(stored) == len(targets):
                yield from zip(targets, stored, strict=True)
                continue
            filling = [t for t in targets if getattr(t, "weights", None) or getattr(t, "variables", None)]
            holding = [g for g in stored if _holds(g)]
            if len(filling) == len(holding):
                yield from zip(filling, holding, strict=True)
            elif stored:
                # Named by counting: an object that was saved under another attribute leaves a gap.
                by_index = {g.name: g for g in stored}
                for i, target in enumerate(targets):
                    found = by_index.get(prefix if i == 0 else f"{prefix}_{i}")
                    if found is not None:
                        yield target, found
        known = set(wanted) | ({"container"} if containers else set())
        for sub in group.groups:
            if re.sub(r"_\d+$", "", sub.name) not in known and sub.name not in known and _holds(sub):
                self.ledger.mismatch(f"{at}/{sub.name}: stored in the file, not in the model")

    def by_shape(self, group: WeightGroup, children: Mapping[str, Any], at: str, path: LayerPath) -> None:
        """A group whose attribute was renamed since: `_query_dense` or `query_dense`, else the only one that fits."""
        plain = group.name.lstrip("_")
        for name, child in children.items():
            if name.lstrip("_") == plain and not is_container(child):
                self.child(child, group, f"{at}/{group.name}", path, name)
                return
        shapes = sorted(entry.shape for entry in group.walk())
        fitting: dict[int, tuple[str, Any]] = {}
        for name, child in children.items():
            variables = (
                list(getattr(child, "weights", None) or getattr(child, "variables", None) or ())
                if not is_container(child)
                else ()
            )
            if variables and sorted(tuple(v.shape) for v in variables) == shapes:
                fitting[id(child)] = (name, child)
        unfilled = {
            key: (name, child)
            for key, (name, child) in fitting.items()
            if not any(id(v) in self.ledger.filled for v in child.variables)
        }
        if len(unfilled) == 1:
            name, child = next(iter(unfilled.values()))
            self.child(child, group, f"{at}/{group.name}", path, name)
        elif _holds(group):
            self.ledger.mismatch(f"{at}/{group.name}: stored in the file, not in the model")

    def _has_assets(self, at: str) -> bool:
        return any(name.startswith(f"{at}/") for name in self.document.assets)


def _as_config(layers: Sequence[Any]) -> dict[str, Mapping[str, Any]]:
    """Layers as config nodes by name, for weights that come without the writer's config."""
    return {layer.name: {"class_name": type(layer).__name__} for layer in layers}


def _by_built_class(
    group: WeightGroup, found: Mapping[str, WeightGroup], by_name: Mapping[str, Any]
) -> dict[str, WeightGroup]:
    """Groups that the config's names don't tell, by the classes that were built.

    A class registered under another name than its own (`register_keras_serializable("pkg", name="Other")`) has that in
    configs of Keras 2.12-2.14, and its own name in the file.
    """
    taken = {id(sub) for sub in found.values()}
    groups = tuple(sub for sub in group.groups if id(sub) not in taken and _holds(sub))
    layers = [layer for name, layer in by_name.items() if name not in found]
    return layer_groups(WeightGroup(group.name, groups=groups), _as_config(layers)) if groups and layers else {}


def _holds(group: WeightGroup) -> bool:
    return any(True for _ in group.walk())
