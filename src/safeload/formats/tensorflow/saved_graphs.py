"""The graphs of a SavedModel's meta graph, and which parts of them have a role: what runs when it is loaded, what saves."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from safeload.formats.tensorflow.graphs import Graph, parse_graphs
from safeload.formats.tensorflow.protos import ASSET_FILE, VARIABLE
from safeload.formats.tensorflow.wire import parse

__all__ = ["SavedGraphs", "asset_files", "saved_graphs"]


@dataclass(frozen=True)
class SavedGraphs:
    """The graphs of one meta graph and which parts of them have a role; parsed when they are wanted.

    Attributes:
        data: The serialized GraphDef.
        path: Of the SavedModel.
        where: The file in it.
        saver: The saver's tensors and operation: `filename_tensor_name`, `save_tensor_name`, `restore_op_name`.
        saving_functions: Functions that save or restore a resource's own state (`SaveableObject`).
        initialisers: Nodes of the main graph that run when the model is loaded.
        functions: Concrete functions that objects have, by the objects' numbers.
        captures: What each concrete function captures, as numbers of objects.
        fetched: Tensors of the main graph that signatures give or take, or that something else refers to.
        asset_tensors: Nodes of the main graph that are fed with the path of an asset.
        asset_objects: Objects that are assets.
        asset_files: Names of the asset files, as the file has them.
    """

    data: Any = field(repr=False)
    path: str | None
    where: str
    saver: Mapping[str, str]
    saving_functions: frozenset[str]
    initialisers: tuple[str, ...]
    functions: Mapping[int, tuple[str, ...]]
    captures: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    fetched: tuple[str, ...] = ()
    asset_tensors: frozenset[str] = frozenset()
    asset_objects: frozenset[int] = frozenset()
    asset_files: tuple[str, ...] = ()

    @functools.cached_property
    def graphs(self) -> Mapping[str, Graph]:
        """The main graph under `""`, the functions by name."""
        return parse_graphs(self.data, self.path, self.where)

    def ops(self) -> dict[str, int]:
        """How often each operation is used, calls of functions left out."""
        total: dict[str, int] = {}
        for graph in self.graphs.values():
            for op, count in graph.ops().items():
                if op not in self.graphs:
                    total[op] = total.get(op, 0) + count
        return dict(sorted(total.items()))


def asset_files(meta: Mapping[str, Any], path: str | None, where: str) -> list[Mapping[str, Any]]:
    """The asset files in their order: a field since TensorFlow 1.9, a collection before and still in TensorFlow 1's."""
    found: list[Mapping[str, Any]] = list(meta.get("asset_file_def", ()))
    for item in meta.get("collection_def", ()):
        if item.get("key") == "saved_model_assets":
            packed = ((item.get("value") or {}).get("any_list") or {}).get("value", ())
            found += [parse(any_.get("value", b""), ASSET_FILE, path=path, where=where) for any_ in packed]
    return found


_RUN_AT_LOAD = frozenset({"saved_model_main_op", "legacy_init_op", "table_initializer"})
_VARIABLES_OF = frozenset({"variables", "trainable_variables", "local_variables", "model_variables"})


def _fetched(meta: Mapping[str, Any]) -> Iterator[str]:
    """The tensors that signatures give or take."""
    for item in meta.get("signature_def", ()):
        value = item.get("value") or {}
        for tensor in (*value.get("inputs", ()), *value.get("outputs", ())):
            info = tensor.get("value") or {}
            yield from (info["name"],) if "name" in info else ()
            yield from (info.get("coo_sparse") or {}).values()
            yield from (part.get("name", "") for part in (info.get("composite_tensor") or {}).get("components", ()))


def _constants(nodes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The nodes of the main graph that functions capture as constants."""
    return ((node.get("constant") or {}).get("operation", "") for node in nodes if "constant" in node)


def saved_graphs(meta: Mapping[str, Any], objects: Mapping[str, Any], path: str | None, where: str) -> SavedGraphs:
    nodes = objects.get("nodes", ())
    functions: dict[int, tuple[str, ...]] = {}
    for number, node in enumerate(nodes):
        bare = (node.get("bare_concrete_function") or {}).get("concrete_function_name")
        names = (bare,) if bare else tuple((node.get("function") or {}).get("concrete_functions", ()))
        if names:
            functions[number] = names
    saving = {
        name
        for node in nodes
        for item in node.get("saveable_objects", ())
        for number in (item.get("value") or {}).values()
        if isinstance(number, int)
        for name in functions.get(number, ())
    }
    initialisers: list[str] = []
    for item in meta.get("signature_def", ()):
        if item.get("key") == "__saved_model_init_op":
            initialisers += [t.get("value", {}).get("name", "") for t in (item.get("value") or {}).get("outputs", ())]
    collected: list[str] = []
    for item in meta.get("collection_def", ()):
        value = item.get("value") or {}
        names = (value.get("node_list") or {}).get("value", ())
        variables = [
            parse(v, VARIABLE, path=path, where=where)
            for v in (value.get("bytes_list") or {}).get("value", ())
            if item.get("key") in _VARIABLES_OF
        ]
        if item.get("key") in _RUN_AT_LOAD:
            initialisers += names
        if item.get("key") == "local_variables":  # TensorFlow initialises them where a model brings no operation for it
            initialisers += [v.get("initializer_name", "") for v in variables]
        collected += names
        collected += [name for variable in variables for name in variable.values()]
    return SavedGraphs(
        meta.get("graph_def", b""),
        path,
        where,
        meta.get("saver_def") or {},
        frozenset(saving),
        tuple(initialisers),
        functions,
        captures={
            item.get("key", ""): tuple((item.get("value") or {}).get("bound_inputs", ()))
            for item in objects.get("concrete_functions", ())
        },
        fetched=(*_fetched(meta), *collected, *_constants(nodes)),
        asset_tensors=frozenset(
            (item.get("tensor_info") or {}).get("name", "").split(":")[0] for item in asset_files(meta, path, where)
        ),
        asset_objects=frozenset(number for number, node in enumerate(nodes) if "asset" in node),
        asset_files=tuple(item.get("filename", "") for item in asset_files(meta, path, where)),
    )
