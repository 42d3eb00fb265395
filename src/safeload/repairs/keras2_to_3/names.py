"""Names of layers with a slash, which Keras 3 refuses; renamed wherever the file says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safeload.document import LayerPath, ModelDocument
from safeload.naming import RENAMED_LAYERS
from safeload.repairs.engine import Context, DocumentRepair, is_object
from safeload.repairs.forms import rule
from safeload.repairs.keras2_to_3.nodes import is_reference

__all__ = ["ROWS"]


def _name(layer: Mapping[str, Any]) -> Any:
    config = layer.get("config")
    return layer.get("name") or (config.get("name") if isinstance(config, Mapping) else None)


class _Renaming:
    """One walk over a model's config; `told` has the new name of each layer: by its path, of which the last part is still the old name."""

    def __init__(self) -> None:
        self.told: dict[LayerPath, str] = {}

    def model(self, layer: Mapping[str, Any], path: LayerPath) -> Mapping[str, Any]:
        """A layer or model with the layers in it renamed, itself not."""
        config = layer.get("config")
        if not isinstance(config, Mapping):
            return layer
        changed = dict(config)
        if isinstance(config.get("layers"), list):
            new = self.names([x for x in config["layers"] if is_object(x)], path)
            changed["layers"] = [self.child(x, path, new) if is_object(x) else x for x in config["layers"]]
            for key in ("input_layers", "output_layers"):
                if key in config:
                    changed[key] = _references(config[key], new)
        for slot in ("layer", "backward_layer", "cell"):
            if is_object(config.get(slot)):
                changed[slot] = self.own(self.model(config[slot], (*path, slot)))
        return {**layer, "config": changed} if changed != config else layer

    def names(self, layers: list[Any], path: LayerPath) -> dict[str, str]:
        """The new names of a model's layers by the old ones; each is free in the model."""
        names = [str(_name(x)) for x in layers if _name(x) is not None]
        taken = {n for n in names if "/" not in n}
        new = {}
        for name in names:
            if "/" in name and name not in new:
                candidate, number = name.replace("/", "_"), 1
                while candidate in taken:
                    candidate, number = f"{name.replace('/', '_')}_{number}", number + 1
                taken.add(candidate)
                new[name] = candidate
                at: LayerPath = (*path, name)
                self.told[at] = candidate
        return new

    def child(self, layer: Mapping[str, Any], path: LayerPath, new: Mapping[str, str]) -> Mapping[str, Any]:
        name = str(_name(layer))
        layer = self.model(layer, (*path, new.get(name, name)))
        if name in new:
            layer = _called(layer, new[name])
        if "inbound_nodes" in layer:
            layer = {**layer, "inbound_nodes": _references(layer["inbound_nodes"], new)}
        return layer

    def own(self, layer: Mapping[str, Any]) -> Mapping[str, Any]:
        """A layer in a wrapper: nothing refers to its name."""
        name = _name(layer)
        return _called(layer, name.replace("/", "_")) if isinstance(name, str) and "/" in name else layer


def _called(layer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    config = layer["config"]
    changed = {**layer, "config": {**config, "name": name} if isinstance(config, Mapping) else config}
    return {**changed, "name": name} if "name" in layer else changed


def _references(value: Any, new: Mapping[str, str]) -> Any:
    if is_reference(value):
        rest = [_references(v, new) for v in value[3:]]
        return [new.get(value[0], value[0]), value[1], value[2], *rest]
    if isinstance(value, Mapping):
        return {k: _references(v, new) for k, v in value.items()}
    return [_references(v, new) for v in value] if isinstance(value, list | tuple) else value


def _keys(value: Any, new: Mapping[str, str]) -> Any:
    """Losses, weights and metrics by the name of an output."""
    return {new.get(k, k): v for k, v in value.items()} if isinstance(value, Mapping) else value


def _slashes(document: ModelDocument, context: Context) -> tuple[ModelDocument, str | None] | None:
    if not isinstance(document.architecture, Mapping):
        return None
    renaming = _Renaming()
    architecture = renaming.own(renaming.model(document.architecture, ()))
    if architecture == document.architecture:
        return None
    new = {path[-1]: name for path, name in renaming.told.items() if len(path) == 1}
    weights = document.weights
    if weights is not None and document.layout == "legacy-hdf5":
        weights = replace(weights, groups=tuple(replace(g, name=new.get(g.name, g.name)) for g in weights.groups))
    training = document.training
    if training is not None:
        keyed = ("loss", "loss_weights", "metrics", "weighted_metrics")
        training = {k: _keys(v, new) if k in keyed else v for k, v in training.items()}
    told = ", ".join(f"{'/'.join(path[-1:])} is {name}" for path, name in renaming.told.items())
    return document.evolve(
        architecture=architecture,
        weights=weights,
        training=training,
        transforms={_moved(path, renaming.told): t for path, t in document.transforms.items()},
        extras={**document.extras, RENAMED_LAYERS: dict(renaming.told)},
    ), f"layers renamed: {told}" if told else "the model's name holds no slash any more"


def _moved(path: LayerPath, told: Mapping[LayerPath, str]) -> LayerPath:
    moved: LayerPath = ()
    for part in path:
        at: LayerPath = (*moved, part)
        moved = (*moved, told.get(at, part))
    return moved


ROWS = (
    DocumentRepair(
        rule(
            737,
            "layer-names",
            "layers with a slash in their name.",
            "Keras 3 refuses such names.",
            "'block1/conv'.",
            "keras 3.0, `layers/layer.py`.",
            "use the new names, which the finding lists, in `model.get_layer(...)`.",
        ),
        _slashes,
    ),
)
