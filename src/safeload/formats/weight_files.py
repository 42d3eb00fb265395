"""Read weights that lie in several files or in a NumPy archive."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safeload.bytesource import ByteRange
from safeload.document import ModelDocument, WeightEntry, WeightGroup
from safeload.errors import CorruptedModelError
from safeload.formats.hdf5 import open_hdf5
from safeload.formats.hdf5_model import joined_groups, v3_weights
from safeload.formats.texts import parse_json
from safeload.source import Source

__all__ = ["npz_weights", "read", "sharded_weights"]

_SHARD_NAME = re.compile(r"[^/\\\0]{1,200}\.weights\.h5")
_MAX_SHARDS = 10_000


def read(source: Source) -> ModelDocument:
    """The document of sharded weights (`.weights.json`, Keras 3.10 on) or of an npz file: weights alone."""
    assert source.data is not None
    if source.format == "npz":
        tree, layout = npz_weights(source.data, source.path), "npz"
    else:
        folder = Path(source.path).parent if source.path else None
        tree, layout = sharded_weights(source.data, _Folder(folder), source.path), "keras-v3"
    return ModelDocument(
        path=source.path,
        format=source.format,
        size=source.size,
        layout=layout,
        weights=WeightGroup("", tree.entries, tuple(g for g in tree.groups if g.name != "optimizer")),
        optimizer_weights=tree.group("optimizer"),
    )


class _Folder(Mapping[str, ByteRange]):
    """The files beside a `.weights.json`, opened by plain names only."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> ByteRange:
        if self._folder is None:
            raise KeyError(name)
        try:
            return ByteRange.of_path(self._folder / name, follow_symlinks=False)
        except OSError:
            raise KeyError(name) from None

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


def sharded_weights(index: ByteRange, files: Mapping[str, ByteRange], path: str | None) -> WeightGroup:
    """The weights that a `model.weights.json` spreads over shards beside it, put together.

    Its `weight_map` names the shards of each group; a group may be split over several.

    Raises:
        CorruptedModelError: The index is damaged or a shard is missing.
    """
    document = parse_json(index.read(), path=path, where=index.name)
    weight_map = document.get("weight_map") if isinstance(document, Mapping) else None
    if not isinstance(weight_map, Mapping):
        raise CorruptedModelError("the index of the shards has no weight_map", path=path, where=index.name)
    names: dict[str, None] = {}
    for shards in weight_map.values():
        for name in [shards] if isinstance(shards, str) else shards if isinstance(shards, list) else [None]:
            if not isinstance(name, str) or not _SHARD_NAME.fullmatch(name) or len(names) > _MAX_SHARDS:
                raise CorruptedModelError(f"no name of a shard: {str(name)[:80]!r}", path=path, where=index.name)
            names[name] = None
    tree = WeightGroup("")
    for name in names:
        shard = files.get(name)
        if shard is None:
            raise CorruptedModelError(
                f"the shard {name} is missing",
                path=path,
                where=name,
                hint=f"put {name} beside the .weights.json, or download the model again",
                damage=(name,),
            )
        tree = joined_groups(tree, v3_weights(open_hdf5(shard, path)))
    return tree


def npz_weights(archive: ByteRange, path: str | None) -> WeightGroup:
    """The arrays of an npz file, in the file's order; nothing pickled is ever read.

    Raises:
        CorruptedModelError: It is no npz file.
    """
    import numpy as np

    try:
        arrays = np.load(archive.open(), allow_pickle=False)
        names = list(arrays.files)
    except (OSError, ValueError, EOFError) as error:
        raise CorruptedModelError(f"the npz archive is damaged: {error}", path=path) from error

    def reader(name: str) -> Callable[[], Any]:
        return lambda: arrays[name]

    entries = []
    for name in names:
        with arrays.zip.open(f"{name}.npy" if f"{name}.npy" in arrays.zip.namelist() else name) as member:
            try:
                version = np.lib.format.read_magic(member)
                read_header = (
                    np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                )
                shape, _, dtype = read_header(member)
            except ValueError as error:
                raise CorruptedModelError(f"the array {name!r} is damaged: {error}", path=path, where=name) from error
        entries.append(WeightEntry(name, tuple(shape), dtype.name, reader(name), name))
    return WeightGroup("", tuple(entries))
