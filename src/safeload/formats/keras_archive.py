"""Read a Keras v3 archive (`.keras`, Keras 2.12 on), zipped or not.

Members: `config.json` (architecture and compile config), `metadata.json` (`keras_version`, `date_saved`),
`model.weights.h5` (layout keras-v3) or `model.weights.json` with shards (Keras 3.10 on), `assets/**`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.document import ModelDocument, WeightGroup, Writer
from safeload.errors import CorruptedModelError
from safeload.formats.hdf5 import open_hdf5
from safeload.formats.hdf5_model import v3_weights
from safeload.formats.texts import parse_json
from safeload.formats.weight_files import npz_weights, sharded_weights
from safeload.source import Source

__all__ = ["read"]


def read(source: Source) -> ModelDocument:
    """The document of a Keras v3 archive.

    Raises:
        CorruptedModelError: A member is missing or damaged.
    """
    config = _json_member(source, "config.json")
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise CorruptedModelError(
            "config.json holds no model", path=source.path, where="config.json", damage=("config.json",)
        )
    metadata = _json_member(source, "metadata.json") if "metadata.json" in source.members else {}
    metadata = metadata if isinstance(metadata, Mapping) else {}
    version = metadata.get("keras_version")
    writer = Writer(
        keras=version if isinstance(version, str) else None,
        saved_at=str(metadata["date_saved"]) if "date_saved" in metadata else None,
        is_tf_keras=str(version).startswith("2."),
    )
    architecture = {key: value for key, value in config.items() if key != "compile_config"}
    tree = _weights(source)
    return ModelDocument(
        path=source.path,
        format=source.format,
        size=source.size,
        writer=writer,
        dialect="keras2" if writer.version[0] == 2 else "keras3",
        architecture=architecture,
        training=config.get("compile_config") if isinstance(config.get("compile_config"), Mapping) else None,
        layout="keras-v3",
        weights=WeightGroup("", tree.entries, tuple(g for g in tree.groups if g.name != "optimizer"), tree.attrs),
        optimizer_weights=tree.group("optimizer"),
        assets={n.removeprefix("assets/"): r for n, r in source.members.items() if n.startswith("assets/")},
    )


def _json_member(source: Source, name: str) -> Any:
    return parse_json(source.members[name].read(), path=source.path, where=name)


def _weights(source: Source) -> WeightGroup:
    members = source.members
    if "model.weights.h5" in members:
        return v3_weights(open_hdf5(members["model.weights.h5"], source.path))
    if "model.weights.json" in members:
        return sharded_weights(members["model.weights.json"], members, source.path)
    if "model.weights.npz" in members:
        return npz_weights(members["model.weights.npz"], source.path)
    raise CorruptedModelError(
        "the archive holds no weights: model.weights.h5 is missing",
        path=source.path,
        where="model.weights.h5",
        damage=("model.weights.h5",),
    )
