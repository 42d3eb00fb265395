"""Read an HDF5 file: a whole model of any Keras, or weights alone, in either of the two layouts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from safeload.document import ModelDocument, WeightEntry, WeightGroup, Writer
from safeload.errors import CorruptedModelError, UnsupportedFormatError
from safeload.formats.dialects import dialect_of, writer_of
from safeload.formats.hdf5 import Dataset, Group, open_hdf5
from safeload.formats.texts import parse_json
from safeload.source import Source

__all__ = ["joined_groups", "layout_of", "legacy_weights", "read", "v3_weights"]

TOP_LEVEL = "top_level_model_weights"
"""The group of a subclassed or functional model's own variables (Keras 2.5 on, saving/hdf5_format.py)."""


def read(source: Source) -> ModelDocument:
    """The document of an HDF5 file.

    Raises:
        CorruptedModelError: It is truncated or damaged, or holds neither a model nor weights.
    """
    assert source.data is not None
    root = open_hdf5(source.data, source.path)
    inside = root.get(source.extras.get("group", "/").strip("/"))  # an open h5py.Group that was given
    root = inside if isinstance(inside, Group) else root
    layout = layout_of(root)
    if layout == "keras-v3":
        tree = v3_weights(root)
        return ModelDocument(
            path=source.path,
            format="hdf5",
            size=source.size,
            writer=Writer(keras=_text(root.attrs.get("keras_version"))),
            layout=layout,
            weights=WeightGroup("", tree.entries, tuple(g for g in tree.groups if g.name != "optimizer")),
            optimizer_weights=tree.group("optimizer"),
        )
    holder = root.get("model_weights")
    group = holder if isinstance(holder, Group) else root
    writer = writer_of(
        _text(root.attrs.get("keras_version")) or _text(group.attrs.get("keras_version")),
        _text(root.attrs.get("backend")) or _text(group.attrs.get("backend")),
    )
    architecture = _json_attribute(root, "model_config", source.path)
    training = _json_attribute(root, "training_config", source.path)
    weights = legacy_weights(group, source.path)
    if architecture is None and next(weights.walk(), None) is None:
        raise _no_model(root, source)
    return ModelDocument(
        path=source.path,
        format="hdf5",
        size=source.size,
        writer=writer,
        dialect=dialect_of(architecture, writer),
        architecture=architecture,
        training=_normalised(training),
        layout="legacy-hdf5",
        weights=weights,
        optimizer_weights=_optimizer_weights(root, source.path),
    )


def _no_model(root: Group, source: Source) -> UnsupportedFormatError:
    """An HDF5 file of something else: a data set, or what a failed save left behind."""
    names = list(root)
    shown = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
    return UnsupportedFormatError(
        f"this is an HDF5 file without a model or weights in it ({shown})" if names else "this is an empty HDF5 file",
        path=source.path,
        hint="a save that failed leaves such a file behind: save the model again, or look where it really is",
        detected="hdf5" if names else "empty-hdf5",
    )


def layout_of(root: Group) -> str:
    """`keras-v3` for the tree by attribute, `legacy-hdf5` for the flat lists."""
    if any(name in root.attrs for name in ("layer_names", "layer_names0", "model_config")) or "model_weights" in root:
        return "legacy-hdf5"
    if any(re.split(r"[\\/]", name)[0] in ("layers", "_layer_checkpoint_dependencies", "vars") for name in root):
        return "keras-v3"
    return "keras-v3" if _has_vars(root, 4) else "legacy-hdf5"


def _has_vars(group: Group, depth: int) -> bool:
    return any(name == "vars" or (depth > 0 and _has_vars(child, depth - 1)) for name, child in group.groups())


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _json_attribute(root: Group, name: str, path: str | None) -> Any:
    text = root.attrs.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        raise CorruptedModelError(f"the attribute {name} is no text", path=path, where=name, damage=(name,))
    return parse_json(text, path=path, where=name)


def _normalised(training: Any) -> Mapping[str, Any] | None:
    """The training config with the optimizer under `optimizer`, as every later step expects it."""
    if not isinstance(training, Mapping):
        return None
    renamed = dict(training)
    if "optimizer_config" in renamed:
        renamed["optimizer"] = renamed.pop("optimizer_config")
    return renamed


def _names(group: Group, attribute: str) -> list[str] | None:
    """A list of names, put together from its chunks where it was over 64 KB (Keras 2.1.5 on)."""
    value = group.attrs.get(attribute)
    if value is None:
        chunks: list[str] = []
        while (value := group.attrs.get(f"{attribute}{len(chunks)}")) is not None:
            chunks.append(value)
        return [name for chunk in chunks for name in _listed(chunk)] if chunks else None
    return _listed(value)


def _listed(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(v) for v in value] if not hasattr(value, "tolist") else [str(v) for v in value.tolist()]


def _entry(dataset: Dataset, name: str) -> WeightEntry:
    return WeightEntry(
        name,
        tuple(dataset.shape),
        dataset.dtype,
        dataset.read,
        dataset.name.lstrip("/"),
        dataset.offset,
        dataset.length,
    )


def _listed_weights(group: Group, name: str, path: str | None) -> WeightGroup:
    names = _names(group, "weight_names") or []
    entries = []
    for weight in names:
        dataset = group.get(weight)
        if not isinstance(dataset, Dataset):
            raise CorruptedModelError(
                f"the weight {weight!r} is listed but not stored",
                path=path,
                where=f"{group.name}/{weight}".lstrip("/"),
                damage=(f"{name}: {weight}",),
            )
        entries.append(_entry(dataset, weight))
    return WeightGroup(name, tuple(entries))


def legacy_weights(group: Group, path: str | None) -> WeightGroup:
    """The weights of the layout with a group for each layer, in the writer's order of layers and weights."""
    names = _names(group, "layer_names")
    if names is None:
        names = [name for name, child in group.groups() if name != TOP_LEVEL and "weight_names" in child.attrs]
    layers = []
    for name in names:
        child = group.get(name)
        if not isinstance(child, Group):
            raise CorruptedModelError(
                f"the weights of the layer {name!r} are listed but not stored", path=path, where=name, damage=(name,)
            )
        layers.append(_listed_weights(child, name, path))
    top = group.get(TOP_LEVEL)
    if isinstance(top, Group):
        layers.append(_listed_weights(top, TOP_LEVEL, path))
    return WeightGroup(
        "", groups=tuple(layers), attrs={k: group.attrs[k] for k in ("backend", "keras_version") if k in group.attrs}
    )


def _optimizer_weights(root: Group, path: str | None) -> WeightGroup | None:
    group = root.get("optimizer_weights")
    return _listed_weights(group, "optimizer_weights", path) if isinstance(group, Group) else None


def v3_weights(group: Group, name: str = "") -> WeightGroup:
    """The weights of the layout with a group for each attribute.

    Windows wrote `layers\\conv1d` as one link where the others nest groups (keras #18650): such names are split.
    Numbered entries come in numeric order.
    """
    entries = sorted((_entry(dataset, key) for key, dataset in group.datasets()), key=_numeric)
    children: dict[str, WeightGroup] = {}
    for key, child in group.groups():
        head, *rest = re.split(r"\\", key)
        node = v3_weights(child, rest[-1] if rest else head)
        for part in reversed([head, *rest[:-1]] if rest else []):
            node = WeightGroup(part, groups=(node,))
        children[head] = joined_groups(children[head], node) if head in children else node
    return WeightGroup(name, tuple(entries), tuple(children.values()), dict(group.attrs))


def _numeric(entry: WeightEntry) -> tuple[int, int, str]:
    return (0, int(entry.name), "") if entry.name.isdecimal() else (1, 0, entry.name)


def joined_groups(a: WeightGroup, b: WeightGroup) -> WeightGroup:
    """Two trees as one: groups of the same name are joined, entries add up in numeric order."""
    groups = {g.name: g for g in a.groups}
    for g in b.groups:
        groups[g.name] = joined_groups(groups[g.name], g) if g.name in groups else g
    entries = sorted(a.entries + b.entries, key=_numeric)
    return WeightGroup(a.name, tuple(entries), tuple(groups.values()), {**a.attrs, **b.attrs})
