"""The engine of repairs: walks a document's layers, deepest first, and applies the rows of one boundary to each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from safeload.document import LayerPath, ModelDocument, WeightEntry, WeightTransform, Writer
from safeload.findings import Finding, Rule
from safeload.repairs.stored import stored_entries
from safeload.runtime import Runtime

__all__ = ["Context", "DocumentRepair", "LayerRepair", "Repaired", "is_object", "run"]

ANY_VERSION = (0,)
NO_END = (99,)


@dataclass(frozen=True, slots=True)
class Context:
    """Where a repair stands.

    Attributes:
        document: The document that the boundary got.
        runtime: What is installed.
        path: The layer's path; `()` for the model itself.
        where: Its place in the config, such as `layers[3]`.
        model: The config node of the model or wrapper that holds the layer; None for the outermost.
        saved_backend: The backend that wrote the file: what the caller says, else what the file says, else None.
        device: `auto` or `cpu`.
        replacements: The names under which the caller passed functions, which may be those of Lambda layers.
    """

    document: ModelDocument
    runtime: Runtime
    path: LayerPath = ()
    where: str = ""
    model: Mapping[str, Any] | None = None
    saved_backend: str | None = None
    device: str = "auto"
    replacements: frozenset[str] = frozenset()

    @property
    def writer(self) -> Writer:
        return self.document.writer

    def entries(self) -> tuple[WeightEntry, ...] | None:
        """The layer's stored arrays (index only), where the layout lets one tell them without building; else None."""
        return stored_entries(self.document, self.path)


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a layer became.

    Attributes:
        layer: The new node (`class_name`, `config`, and beside them `name`, `inbound_nodes` ...).
        note: What was changed, for the finding; None reports nothing (a change of form alone).
        transform: What happens to its weights.
        inner: Transforms for layers inside it, by the path below it (`("forward_layer",)`).
    """

    layer: Mapping[str, Any]
    note: str | None = None
    transform: WeightTransform | None = None
    inner: Mapping[LayerPath, WeightTransform] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LayerRepair:
    """A row: one repair of one kind of layer (nested models and wrapped layers are layers too).

    Attributes:
        rule: Its rule, `SL7xx`; the frame in `Rule.doc` is its page in the docs.
        classes: Class names that it concerns (the last part of a registered name); None: every layer.
        apply: `apply(layer, context)`: the repaired layer, or None where there is nothing to do.
        since, until: Versions of the writing Keras, the first included, the second not. Unknown writers are included.
    """

    rule: Rule
    classes: frozenset[str] | None
    apply: Callable[[Mapping[str, Any], Context], Repaired | None]
    since: tuple[int, ...] = ANY_VERSION
    until: tuple[int, ...] = NO_END


@dataclass(frozen=True, slots=True)
class DocumentRepair:
    """A row: one repair of the document as a whole (its container, its outermost form, its training config).

    `apply(document, context)` gives the new document and what was changed (None: not worth a finding), or None.
    """

    rule: Rule
    apply: Callable[[ModelDocument, Context], tuple[ModelDocument, str | None] | None]
    since: tuple[int, ...] = ANY_VERSION
    until: tuple[int, ...] = NO_END


def run(
    rows: Sequence[LayerRepair | DocumentRepair],
    document: ModelDocument,
    runtime: Runtime,
    *,
    saved_backend: str | None = None,
    device: str = "auto",
    replacements: frozenset[str] = frozenset(),
) -> ModelDocument:
    """Apply the rows of one boundary: to the document first, then to its layers, deepest first."""
    backend = saved_backend or document.writer.backend
    context = Context(document, runtime, saved_backend=backend, device=device, replacements=replacements)
    findings: list[Finding] = []
    for row in rows:
        if isinstance(row, DocumentRepair) and _concerns(row, document.writer):
            done = row.apply(context.document, context)
            if done is not None:
                context = replace(context, document=done[0])
                if done[1]:
                    findings.append(row.rule.finding(done[1]))
    document = context.document
    layer_rows = [row for row in rows if isinstance(row, LayerRepair) and _concerns(row, document.writer)]
    if layer_rows and isinstance(document.architecture, Mapping):
        walk = _Walk(layer_rows, context)
        architecture = walk.layer(document.architecture, (), "", None)
        findings += walk.findings
        transforms = {p: (*document.transforms.get(p, ()), *t) for p, t in walk.transforms.items()}
        document = document.evolve(architecture=architecture, transforms={**document.transforms, **transforms})
    return document.evolve(findings=document.findings + tuple(findings)) if findings else document


def _concerns(row: LayerRepair | DocumentRepair, writer: Writer) -> bool:
    version = writer.version
    return version == ANY_VERSION or row.since <= version < row.until


def is_object(value: Any) -> bool:
    """Whether it is a config node of an object: `{"class_name": ..., "config": ...}`."""
    return isinstance(value, Mapping) and isinstance(value.get("class_name"), str) and "config" in value


class _Walk:
    def __init__(self, rows: Sequence[LayerRepair], context: Context) -> None:
        self.rows = rows
        self.context = context
        self.findings: list[Finding] = []
        self.transforms: dict[LayerPath, tuple[WeightTransform, ...]] = {}

    def layer(
        self, layer: Mapping[str, Any], path: LayerPath, where: str, model: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        """A layer (or model) with everything inside it repaired, then itself."""
        layer = self.children(layer, path, where)
        context = replace(self.context, path=path, where=where, model=model)
        for row in self.rows:
            if row.classes is not None and str(layer.get("class_name")).rsplit(">", 1)[-1] not in row.classes:
                continue
            done = row.apply(layer, context)
            if done is None:
                continue
            layer = done.layer
            if done.note:
                self.findings.append(row.rule.finding(done.note, where=where or None))
            own: dict[LayerPath, WeightTransform] = {(): done.transform} if done.transform else {}
            for below, transform in {**own, **done.inner}.items():
                target = path + below
                self.transforms[target] = (*self.transforms.get(target, ()), transform)
        return layer

    def children(self, layer: Mapping[str, Any], path: LayerPath, where: str) -> Mapping[str, Any]:
        config = layer.get("config")
        if isinstance(config, list):  # a Sequential of Keras before 2.2.3
            return {**layer, "config": self.layers(config, path, where, layer)}
        if not isinstance(config, Mapping):
            return layer
        changed = dict(config)
        if isinstance(config.get("layers"), list):
            changed["layers"] = self.layers(config["layers"], path, f"{where}.layers" if where else "layers", layer)
        for slot in ("layer", "backward_layer", "cell"):
            if is_object(config.get(slot)):
                first, *others = self.paths(config, slot)
                changed[slot] = self.layer(config[slot], path + first, f"{where}.{slot}", layer)
                for other in others:
                    self.copy_transforms(path + first, path + other)
        for slot in ("cell", "cells"):  # `RNN([cell, cell])` stores a list under `cell`
            if isinstance(config.get(slot), list):
                changed[slot] = [
                    self.layer(c, (*path, "cells", str(i)), f"{where}.{slot}[{i}]", layer) if is_object(c) else c
                    for i, c in enumerate(config[slot])
                ]
        return {**layer, "config": changed} if changed != config else layer

    @staticmethod
    def paths(config: Mapping[str, Any], slot: str) -> tuple[LayerPath, ...]:
        """The paths that the layer in a slot has in the built model: Bidirectional makes two layers of one."""
        if slot == "layer" and "merge_mode" in config:
            one = (("forward_layer",),)
            return one if is_object(config.get("backward_layer")) else (*one, ("backward_layer",))
        return ((slot,),)

    def layers(self, layers: Sequence[Any], path: LayerPath, where: str, model: Mapping[str, Any]) -> list[Any]:
        repaired = []
        for i, layer in enumerate(layers):
            if is_object(layer):
                name = layer["config"].get("name") if isinstance(layer["config"], Mapping) else None
                name = str(layer.get("name") or name or i)
                repaired.append(self.layer(layer, (*path, name), f"{where}[{i}]", model))
            else:
                repaired.append(layer)
        return repaired

    def copy_transforms(self, source: LayerPath, target: LayerPath) -> None:
        for path, transforms in list(self.transforms.items()):
            if path[: len(source)] == source:
                self.transforms[target + path[len(source) :]] = transforms
