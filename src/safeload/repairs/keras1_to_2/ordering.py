"""The dimension ordering of layers that don't store it, and the backend that the names of the weights tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from safeload.document import ModelDocument
from safeload.repairs.engine import Context, is_object
from safeload.repairs.refusal import refusal

__all__ = ["backend", "fill_ordering"]

_SILENT = frozenset(f"{kind}{rank}D" for kind in ("UpSampling", "ZeroPadding", "Cropping") for rank in (2, 3))
"""Layers whose config leaves `dim_ordering` out (Keras 1.0-1.2, `convolutional.py`); they took the one of keras.json."""

_INDIFFERENT = frozenset({"SpatialDropout2D", "SpatialDropout3D"})
"""They leave it out too, and do nothing but in training."""


def backend(document: ModelDocument, context: Context) -> tuple[ModelDocument, str | None] | None:
    """The backend by the names of the weights.

    A variable of TensorFlow is called `dense_1_W:0`: TensorFlow adds the number of the output. Theano keeps the name
    that Keras gave (`dense_1_W`). Without names Keras wrote `param_0`, which tells nothing.
    """
    if document.writer.backend is not None or document.weights is None:
        return None
    names = [entry.name for entry in document.weights.walk() if not entry.name.startswith("param_")]
    if names and all(name.endswith(":0") for name in names):
        found = "tensorflow"
    elif names and not any(":" in name for name in names) and any(_keras1(name) for name in names):
        found = "theano"
    else:
        return None
    note = f"the names of the weights ({names[0]}) are those of {found}"
    return document.evolve(writer=replace(document.writer, backend=found)), note


def _keras1(name: str) -> bool:
    """Whether it is a name as the layers of Keras 1 give: `<layer>_<weight>`, without a slash before the last part."""
    return any(f"_{part}" in name for part in ("W", "b", "U", "gamma", "beta", "running", "alphas", "betas", "kernel"))


def _layers(node: Any) -> Iterator[Mapping[str, Any]]:
    """All layers below a model, outermost first."""
    if isinstance(node, list):
        for item in node:
            yield from _layers(item)
    elif isinstance(node, Mapping):
        if is_object(node):
            yield node
        for value in node.values():
            if isinstance(value, Mapping | list):
                yield from _layers(value)


def fill_ordering(document: ModelDocument, context: Context) -> tuple[ModelDocument, str | None] | None:
    """`dim_ordering` for layers that don't store it: what every other layer of the model says."""
    silent = [
        layer
        for layer in _layers(document.architecture)
        if layer["class_name"] in _SILENT | _INDIFFERENT
        and isinstance(layer["config"], Mapping)
        and "dim_ordering" not in layer["config"]
    ]
    if not silent:
        return None
    told = {
        str(layer["config"]["dim_ordering"])
        for layer in _layers(document.architecture)
        if isinstance(layer["config"], Mapping) and layer["config"].get("dim_ordering") in ("th", "tf")
    }
    needed = next((layer["class_name"] for layer in silent if layer["class_name"] in _SILENT), None)
    if len(told) != 1 and needed is not None:
        raise refusal(context, f"{needed} does not say its dimension ordering, and no other layer tells it")
    ordering = told.pop() if len(told) == 1 else "tf"

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(item) for item in node]
        if not isinstance(node, Mapping):
            return node
        changed = {k: walk(v) for k, v in node.items()}
        if is_object(node) and node["class_name"] in _SILENT | _INDIFFERENT and isinstance(changed["config"], Mapping):
            changed["config"] = {"dim_ordering": ordering, **changed["config"]}
        return changed

    return document.evolve(architecture=walk(document.architecture)), (
        f"layers that don't store their dimension ordering get {ordering!r}, which the others have"
        if needed is not None
        else None
    )
