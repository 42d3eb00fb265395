"""Read weights that lie in several files or in a NumPy archive."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from safeload.bytesource import ByteRange
from safeload.containers.folder import Folder, listing
from safeload.containers.zips import of_zip
from safeload.document import ModelDocument, WeightEntry, WeightGroup
from safeload.errors import CorruptedModelError
from safeload.formats.hdf5 import open_hdf5
from safeload.formats.hdf5_model import joined_groups, v3_weights
from safeload.formats.texts import MAX_TEXT, parse_json
from safeload.source import Source

__all__ = ["npz_weights", "read", "sharded_weights"]

_SHARD_NAME = re.compile(r"[^/\\\0]{1,200}\.weights\.h5")
_MAX_SHARDS = 10_000
_MAX_HEADER = 1 << 16


def read(source: Source) -> ModelDocument:
    """The document of sharded weights (`.weights.json`, Keras 3.10 on) or of an npz file: weights alone."""
    assert source.data is not None
    if source.format == "npz":
        tree, layout = _arrays(source.members, source.path), "npz"
    else:
        beside = _Beside(Path(source.path).parent if source.path else None)
        tree, layout = sharded_weights(source.data, beside, source.path), "keras-v3"
    return ModelDocument(
        path=source.path,
        format=source.format,
        size=source.size,
        layout=layout,
        weights=WeightGroup("", tree.entries, tuple(g for g in tree.groups if g.name != "optimizer")),
        optimizer_weights=tree.group("optimizer"),
    )


class _Beside(Mapping[str, ByteRange]):
    """The shards beside a `.weights.json`, by plain names only; opened when they are read, links out refused."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder
        self._folder: Folder | None = None

    def __getitem__(self, name: str) -> ByteRange:
        if self._path is None:
            raise KeyError(name)
        if self._folder is None:
            self._folder = listing(str(self._path), lambda n: "/" not in n and n.endswith(".weights.h5"))
        return self._folder.member(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def sharded_weights(index: ByteRange, files: Mapping[str, ByteRange], path: str | None) -> WeightGroup:
    """The weights that a `model.weights.json` spreads over shards beside it, put together.

    Its `weight_map` names the shards of each group; a group may be split over several.

    Raises:
        CorruptedModelError: The index is damaged or a shard is missing.
    """
    if index.size > MAX_TEXT:
        raise CorruptedModelError(f"an index of {index.size:,} bytes", path=path, where=index.name)
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
    missing = []
    for name in names:
        shard = files.get(name)
        if shard is None:
            missing.append(name)
        elif not missing:
            tree = joined_groups(tree, v3_weights(open_hdf5(shard, path)))
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise CorruptedModelError(
            f"{len(missing)} of {len(names)} shards are missing: {shown}",
            path=path,
            where=missing[0],
            hint=f"put {missing[0]} beside the .weights.json, or download the model again",
            damage=tuple(missing),
        )
    return tree


def npz_weights(archive: ByteRange, path: str | None) -> WeightGroup:
    """The arrays of an npz file, in the file's order; nothing pickled is ever read.

    Raises:
        CorruptedModelError: It is no npz file.
        UnsafeModelError: It is an archive that no honest writer makes, or holds a pickle.
    """
    found = of_zip(archive, path)
    if found.format != "npz":
        raise CorruptedModelError("the npz archive holds no arrays", path=path, where=archive.name)
    return _arrays(found.members, path)


def _arrays(members: Mapping[str, ByteRange], path: str | None) -> WeightGroup:
    return WeightGroup("", tuple(_array(name, member, path) for name, member in members.items()))


def _array(name: str, member: ByteRange, path: str | None) -> WeightEntry:
    import numpy as np

    from safeload.errors import UnsafeModelError

    plain = name.removesuffix(".npy")
    file = member.open()
    try:
        version = np.lib.format.read_magic(file)
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, _, dtype = readers.get(version, readers[(2, 0)])(file, max_header_size=_MAX_HEADER)
    except (ValueError, EOFError, SyntaxError, RecursionError, KeyError, TypeError) as error:
        raise _damaged(plain, str(error), path) from error
    if dtype.hasobject:
        raise UnsafeModelError(
            "an array is a pickle, which can run code",
            path=path,
            where=plain,
            hint="save plain arrays: numpy.savez(path, *model.get_weights())",
            threats=(f"{plain}: a pickle",),
        )
    needed = dtype.itemsize
    for length in shape:
        needed *= length
    if needed != member.size - file.tell():
        raise _damaged(plain, f"{member.size - file.tell():,} of {needed:,} bytes", path)

    def read() -> Any:
        return np.lib.format.read_array(member.open(), allow_pickle=False, max_header_size=_MAX_HEADER)

    reader: Callable[[], Any] = read
    return WeightEntry(plain, tuple(int(n) for n in shape), dtype.name, reader, plain)


def _damaged(name: str, what: str, path: str | None) -> CorruptedModelError:
    return CorruptedModelError(
        f"the array {name!r} is damaged: {' '.join(what.split())[:200]}", path=path, where=name, damage=(name,)
    )
