"""Read a TensorFlow SavedModel, without TensorFlow.

Members: `saved_model.pb` (graphs, signatures, the graph of objects), `variables/variables.{index,data-*}` (a tensor
bundle), `assets/**`, `keras_metadata.pb` (Keras 2.5-2.15: what each layer is). Keras 2 models can be built from their
metadata and variables; everything else has its signatures alone.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from safeload.bytesource import ByteRange
from safeload.document import ModelDocument, Writer
from safeload.errors import CorruptedModelError
from safeload.formats.checkpoint import OPTIMIZERS, bundle_graph, named_weights, optimizer_weights
from safeload.formats.dialects import writer_of
from safeload.formats.tensorflow.bundle import Bundle, read_bundle, shape_of
from safeload.formats.tensorflow.graphs import Graph, parse_graphs
from safeload.formats.tensorflow.keras_metadata import MEMBER, keras_metadata
from safeload.formats.tensorflow.object_graph import ObjectGraph, saved_graph, weight_tree
from safeload.formats.tensorflow.protos import ASSET_FILE, DTYPES, SAVED_MODEL
from safeload.formats.tensorflow.vocabularies import Tables, with_vocabularies
from safeload.formats.tensorflow.wire import parse
from safeload.source import Source

__all__ = ["SavedGraphs", "Signature", "TensorInfo", "read"]

PB = "saved_model.pb"
MAX_MESSAGE = 1 << 31
"""Bytes of a protocol buffer: its parsers count in 32 bits with a sign."""
_VARIABLES = "variables/variables"
_SERVING = "serve"
_NO_CONFIG = "layer was saved without config"
"""What Keras 2.2-2.4 put in the place of a config that a class couldn't give."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output of a signature: `kind` is `dense`, `sparse` or `composite` (ragged)."""

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None
    kind: str = "dense"


@dataclass(frozen=True, slots=True)
class Signature:
    """A function that the SavedModel offers, with its tensors by name."""

    name: str
    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
    method: str = ""


@dataclass(frozen=True)
class SavedGraphs:
    """The graphs of one meta graph and which parts of them have a role; parsed when they are wanted.

    Attributes:
        data: The serialized GraphDef.
        path: Of the SavedModel.
        saver: The saver's tensors and operation: `filename_tensor_name`, `save_tensor_name`, `restore_op_name`.
        saving_functions: Functions that save or restore a resource's own state (`SaveableObject`).
        initialisers: Nodes of the main graph that run when the model is loaded.
        functions: Concrete functions that objects have, by the objects' numbers.
        captures: What each concrete function captures, as numbers of objects.
        fetched: Tensors of the main graph that signatures give or take.
        asset_tensors: Nodes of the main graph that are fed with the path of an asset.
        asset_objects: Objects that are assets.
        asset_files: Names of the asset files, as the file has them.
    """

    data: Any = field(repr=False)
    path: str | None
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
        return parse_graphs(self.data, self.path, PB)

    def ops(self) -> dict[str, int]:
        """How often each operation is used, calls of functions left out."""
        total: dict[str, int] = {}
        for graph in self.graphs.values():
            for op, count in graph.ops().items():
                if op not in self.graphs:
                    total[op] = total.get(op, 0) + count
        return dict(sorted(total.items()))


def read(source: Source) -> ModelDocument:
    """The document of a SavedModel.

    Raises:
        CorruptedModelError: It is truncated or damaged.
    """
    path = source.path
    members = _held(source)
    model = parse(members[PB].read(), SAVED_MODEL, path=path, where=PB)
    metas = model.get("meta_graphs", [])
    if not metas:
        raise CorruptedModelError(f"{PB} holds no graph", path=path, where=PB, damage=(PB,))
    number = _serving(metas)
    meta = metas[number]
    objects = meta.get("object_graph_def") or {}
    bundle = read_bundle(members, _VARIABLES, path) if _has_variables(members) else Bundle({}, 0)
    metadata = keras_metadata(objects, members.get(MEMBER), path)
    checkpoint = bundle_graph(bundle, path, f"{_VARIABLES}.index")
    graph = saved_graph(objects, metadata, checkpoint, path, PB) if objects.get("nodes") else None
    root = metadata.get(0)
    info = _info(meta)
    document = ModelDocument(
        path=path,
        format=source.format,
        size=source.size,
        writer=_writer(root, info.get("tensorflow_version")),
        layout="object-graph",
        weights=weight_tree(graph, without=OPTIMIZERS) if graph is not None else named_weights(bundle),
        optimizer_weights=optimizer_weights(graph) if graph is not None else None,
        assets={n.removeprefix("assets/"): r for n, r in members.items() if n.startswith("assets/")},
        extras={
            "kind": _kind(root, graph),
            "tags": tuple(info.get("tags", ())),
            "meta_graph": number,
            "meta_graphs": tuple(tuple(_info(m).get("tags", ())) for m in metas),
            "signatures": _signatures(meta),
            "object_graph": graph,
            "graphs": _graphs(meta, objects, path),
            "all_graphs": tuple(_graphs(m, m.get("object_graph_def") or {}, path) for m in metas),
            "keras_metadata": root,
            "members": members,
        },
    )
    if root is None:
        return document
    architecture = _architecture(root)
    if architecture is not None and graph is not None:
        files = [members.get(f"assets/{item.get('filename', '')}") for item in _asset_files(meta, path)]
        architecture = with_vocabularies(architecture, Tables(graph, document.extras["graphs"], objects, files))
    return document.evolve(
        dialect="keras2" if architecture else None, architecture=architecture, training=_training(root)
    )


def _held(source: Source) -> Mapping[str, ByteRange]:
    """The members, with those that are judged read now: what is loaded later are the same bytes."""
    held = {}
    for name in (PB, f"{_VARIABLES}.index"):
        if name in source.members:
            if source.members[name].size > MAX_MESSAGE:
                raise CorruptedModelError(
                    f"{name} has {source.members[name].size:,} bytes, more than a protocol buffer can have",
                    path=source.path,
                    where=name,
                    damage=(name,),
                )
            held[name] = ByteRange.of_buffer(source.members[name].read(), name)
    return {**source.members, **held}


def _serving(metas: Sequence[Mapping[str, Any]]) -> int:
    """Which meta graph is for prediction: the one tagged `serve` and as little else (`gpu`, `tpu`) as may be."""
    serving = [n for n, meta in enumerate(metas) if _SERVING in _info(meta).get("tags", ())]
    return min(serving, key=lambda n: len(_info(metas[n])["tags"])) if serving else 0


def _info(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    info: Mapping[str, Any] = meta.get("meta_info_def") or {}
    return info


def _has_variables(members: Mapping[str, Any]) -> bool:
    return any(name.startswith(f"{_VARIABLES}.") for name in members)


def _writer(root: Mapping[str, Any] | None, tensorflow: str | None) -> Writer:
    keras = root.get("keras_version") if root else None
    writer = writer_of(keras if isinstance(keras, str) else None, "tensorflow")
    return Writer(keras=writer.keras, tensorflow=tensorflow, backend="tensorflow", is_tf_keras=True if root else None)


def _kind(root: Mapping[str, Any] | None, graph: ObjectGraph | None) -> str:
    if root is not None:
        return "keras2"
    if graph is None:
        return "tensorflow1"
    # Keras 3's ExportArchive has its endpoints and three lists of variables; Keras 2.13-2.15's has them too.
    exported = {"_all_variables", "trainable_variables", "non_trainable_variables"} <= graph.root.children.keys()
    return "keras-export" if exported else "tensorflow2"


def _architecture(root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The model's config as an HDF5 file would hold it; None where the class couldn't give one."""
    # `config` has the vocabularies that Keras 2.8 leaves out of `model_config`; before 2.2 there was that one alone.
    stored: Any = root if "config" in root else root.get("model_config")
    name, config = (stored.get("class_name"), stored.get("config")) if isinstance(stored, Mapping) else (None, None)
    if not isinstance(name, str) or not isinstance(config, Mapping | list) or _lacks_config(config):
        return None
    graph_network = root.get("is_graph_network", isinstance(config, Mapping) and "layers" in config)
    if not graph_network and not config:
        return None
    return {"class_name": name, "config": config}


def _lacks_config(config: Any) -> bool:
    """Whether a config in it is missing: that layer can't be built by anyone."""
    stack = [config]
    while stack:
        node = stack.pop()
        if isinstance(node, Mapping):
            if _NO_CONFIG in node:
                return True
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    return False


def _training(root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    training = root.get("training_config")
    if not isinstance(training, Mapping):
        return None
    renamed = dict(training)
    if "optimizer_config" in renamed:
        renamed["optimizer"] = renamed.pop("optimizer_config")
    return renamed


def _signatures(meta: Mapping[str, Any]) -> dict[str, Signature]:
    found = {}
    for item in meta.get("signature_def", ()):
        name, value = item.get("key", ""), item.get("value") or {}
        if name == "__saved_model_init_op":
            continue
        found[name] = Signature(
            name, _tensors(value.get("inputs", ())), _tensors(value.get("outputs", ())), value.get("method_name", "")
        )
    return found


def _tensors(items: Any) -> dict[str, TensorInfo]:
    tensors = {}
    for item in items:
        value = item.get("value") or {}
        kind = "sparse" if "coo_sparse" in value else "composite" if "composite_tensor" in value else "dense"
        name = value.get("name") or (value.get("coo_sparse") or {}).get("values_tensor_name", "")
        dtype = DTYPES.get(value.get("dtype", 0), "variant")
        tensors[item.get("key", "")] = TensorInfo(name, dtype, shape_of(value.get("tensor_shape")), kind)
    return tensors


def _asset_files(meta: Mapping[str, Any], path: str | None) -> list[Mapping[str, Any]]:
    """The asset files in their order: a field since TensorFlow 1.9, a collection before and still in TensorFlow 1's."""
    found: list[Mapping[str, Any]] = list(meta.get("asset_file_def", ()))
    for item in meta.get("collection_def", ()):
        if item.get("key") == "saved_model_assets":
            packed = ((item.get("value") or {}).get("any_list") or {}).get("value", ())
            found += [parse(any_.get("value", b""), ASSET_FILE, path=path, where=PB) for any_ in packed]
    return found


def _graphs(meta: Mapping[str, Any], objects: Mapping[str, Any], path: str | None) -> SavedGraphs:
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
    for item in meta.get("collection_def", ()):
        if item.get("key") in ("saved_model_main_op", "legacy_init_op", "table_initializer"):
            initialisers += ((item.get("value") or {}).get("node_list") or {}).get("value", ())
    for item in meta.get("signature_def", ()):
        if item.get("key") == "__saved_model_init_op":
            initialisers += [t.get("value", {}).get("name", "") for t in (item.get("value") or {}).get("outputs", ())]
    return SavedGraphs(
        meta.get("graph_def", b""),
        path,
        meta.get("saver_def") or {},
        frozenset(saving),
        tuple(initialisers),
        functions,
        captures={
            item.get("key", ""): tuple((item.get("value") or {}).get("bound_inputs", ()))
            for item in objects.get("concrete_functions", ())
        },
        fetched=tuple(
            tensor.name for s in _signatures(meta).values() for tensor in (*s.inputs.values(), *s.outputs.values())
        ),
        asset_tensors=frozenset(
            (item.get("tensor_info") or {}).get("name", "").split(":")[0] for item in _asset_files(meta, path)
        ),
        asset_objects=frozenset(number for number, node in enumerate(nodes) if "asset" in node),
        asset_files=tuple(item.get("filename", "") for item in _asset_files(meta, path)),
    )
