"""Names of layers that the installed Keras or TensorFlow refuses; renamed wherever the file says them.

Keras 3 refuses a slash. TensorFlow makes a scope of every layer's name and a node of every scope: Theano, CNTK, JAX and
PyTorch knew no such rule, so that their files hold names with spaces or letters beyond ASCII. With these, Keras 2 stops
while it builds, Keras 3 at `predict`. Inputs have no scope and keep their names, which callers use as keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safeload.document import LayerPath, ModelDocument
from safeload.naming import RENAMED_LAYERS
from safeload.repairs.engine import Context, DocumentRepair, is_object
from safeload.repairs.forms import is_reference, rule

__all__ = ["ROWS"]

_NOT_IN_SCOPES = re.compile(r"[^A-Za-z0-9_./>-]|>(?![A-Za-z0-9.])")
"""What no scope's name may hold (`ops.py`, `_VALID_SCOPE_NAME_REGEX`, and the narrower rule for nodes in C++)."""

_NOT_FIRST = re.compile(r"[^A-Za-z0-9.]")
"""What a scope's name may not begin with where it is the outermost (`ops.py`, `_VALID_OP_NAME_REGEX`)."""


def _name(layer: Mapping[str, Any]) -> Any:
    config = layer.get("config")
    return layer.get("name") or (config.get("name") if isinstance(config, Mapping) else None)


class _Renaming:
    """One walk over a model's config.

    Args:
        dialect: The installed Keras'. Keras 2 calls each layer outside of its model's scope once, Keras 3 the model alone.

    Attributes:
        told: The new name of each layer: by its path, of which the last part is still the old name.
    """

    def __init__(self, dialect: str) -> None:
        self.keras3 = dialect == "keras3"
        self.told: dict[LayerPath, str] = {}

    def allowed(self, name: str, layer: Mapping[str, Any], outermost: bool = False) -> str:
        """The name itself where nothing refuses it."""
        new = name.replace("/", "_") if self.keras3 else name
        if str(layer.get("class_name")) == "InputLayer":
            return new
        new = _NOT_IN_SCOPES.sub("_", new)
        if (outermost or not self.keras3) and _NOT_FIRST.match(new):
            new = f"layer{new}"
        return new

    def model(self, layer: Mapping[str, Any], path: LayerPath) -> Mapping[str, Any]:
        """A layer or model with the layers in it renamed, itself not."""
        config = layer.get("config")
        if isinstance(config, list):  # a Sequential of Keras before 2.2.3
            return {**layer, "config": self.layers(config, path)[0]}
        if not isinstance(config, Mapping):
            return layer
        changed = dict(config)
        if isinstance(config.get("layers"), list):
            changed["layers"], new = self.layers(config["layers"], path)
            for key in ("input_layers", "output_layers"):
                if key in config:
                    changed[key] = _references(config[key], new)
        for slot in ("layer", "backward_layer", "cell"):
            if is_object(config.get(slot)):
                changed[slot] = self.own(self.model(config[slot], (*path, slot)))
        return {**layer, "config": changed} if changed != config else layer

    def layers(self, layers: list[Any], path: LayerPath) -> tuple[list[Any], dict[str, str]]:
        new = self.names([x for x in layers if is_object(x)], path)
        return [self.child(x, path, new) if is_object(x) else x for x in layers], new

    def names(self, layers: list[Any], path: LayerPath) -> dict[str, str]:
        """The new names of a model's layers by the old ones; each is free in the model."""
        wanted = {str(_name(x)): self.allowed(str(_name(x)), x) for x in layers if _name(x) is not None}
        taken = {name for name, allowed in wanted.items() if name == allowed}
        new = {}
        for name, allowed in wanted.items():
            if name != allowed:
                candidate, number = allowed, 1
                while candidate in taken:
                    candidate, number = f"{allowed}_{number}", number + 1
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

    def own(self, layer: Mapping[str, Any], outermost: bool = False) -> Mapping[str, Any]:
        """A layer in a wrapper, or the model: nothing refers to its name."""
        name = _name(layer)
        if not isinstance(name, str) or (new := self.allowed(name, layer, outermost)) == name:
            return layer
        return _called(layer, new)


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


def _rename(document: ModelDocument, context: Context) -> tuple[ModelDocument, str | None] | None:
    if not isinstance(document.architecture, Mapping):
        return None
    renaming = _Renaming(context.runtime.dialect)
    architecture = renaming.own(renaming.model(document.architecture, ()), outermost=True)
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
    ), f"layers renamed: {told}" if told else "the model's name, or a wrapped layer's, was changed"


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
            "layers whose names the installed Keras or TensorFlow refuses.",
            "Keras 3 refuses a slash; TensorFlow refuses spaces, other signs and letters beyond ASCII while it builds or "
            "predicts.",
            "'block1/conv' in Keras 3; 'my layer' of Keras on Theano or JAX.",
            "keras 3.0, `layers/layer.py`; tensorflow 2.15, `python/framework/ops.py`, `name_scope`.",
            "use the new names, which the finding lists, in `model.get_layer(...)`.",
        ),
        _rename,
    ),
)
