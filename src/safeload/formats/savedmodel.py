"""Read a TensorFlow SavedModel, without TensorFlow.

Members: `saved_model.pb` (graphs, signatures, the graph of objects), `variables/variables.{index,data-*}` (a tensor
bundle), `assets/**`, `keras_metadata.pb` (Keras 2.5-2.15: what each layer is). Keras 2 models can be built from their
metadata and variables; everything else has its signatures alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safeload.bytesource import ByteRange
from safeload.document import ModelDocument, Writer
from safeload.errors import CorruptedModelError
from safeload.formats.checkpoint import bundle_graph, named_weights
from safeload.formats.dialects import writer_of
from safeload.formats.tensorflow.bundle import Bundle, read_bundle, shape_of
from safeload.formats.tensorflow.keras_metadata import MEMBER, keras_metadata
from safeload.formats.tensorflow.object_graph import ObjectGraph, saved_graph, weight_tree
from safeload.formats.tensorflow.optimizer import OPTIMIZERS, optimizer_weights
from safeload.formats.tensorflow.protos import DTYPES, SAVED_MODEL
from safeload.formats.tensorflow.saved_graphs import asset_files, saved_graphs
from safeload.formats.tensorflow.vocabularies import Tables, with_vocabularies
from safeload.formats.tensorflow.wire import parse
from safeload.formats.texts import parse_json
from safeload.source import Source
from safeload.trees import mappings

__all__ = ["Signature", "TensorInfo", "read"]

PB = "saved_model.pb"
MAX_MESSAGE = 1 << 31
"""Bytes of a protocol buffer: its parsers count in 32 bits with a sign."""
EXPORTED = "assets/saved_model.json"
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
    graph = saved_graph(objects, metadata, checkpoint, path, PB) if objects.get("nodes") else checkpoint
    root = metadata.get(0) or _exported(members, graph, path)
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
            "graphs": saved_graphs(meta, objects, path, PB),
            "all_graphs": tuple(saved_graphs(m, m.get("object_graph_def") or {}, path, PB) for m in metas),
            "keras_metadata": root,
            "members": members,
        },
    )
    if root is None:
        return document
    architecture = _architecture(root)
    if architecture is not None and graph is not None:
        files = [members.get(f"assets/{item.get('filename', '')}") for item in asset_files(meta, path, PB)]
        tables = Tables(graph, document.extras["graphs"], objects, files)
        before = document.writer.version < (2, 5)
        architecture = with_vocabularies(architecture, tables, without_oov=before)
    return document.evolve(
        dialect="keras2" if architecture else None, architecture=architecture, training=_training(root)
    )


def _exported(
    members: Mapping[str, ByteRange], graph: ObjectGraph | None, path: str | None
) -> Mapping[str, Any] | None:
    """What `tf.keras.experimental.export_saved_model` (1.14, 1.15, 2.0) put beside the graphs: `model.to_json()`."""
    if EXPORTED not in members or graph is None:
        return None
    found = parse_json(members[EXPORTED].read(), path=path, where=EXPORTED)
    return found if isinstance(found, Mapping) and "class_name" in found else None


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
    return any(_NO_CONFIG in node for node in mappings(config))


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
