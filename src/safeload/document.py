"""What a model file is, as plain data: the value that flows from `read` to `fill`.

A `ModelDocument` holds the config tree, the training config, an index of the weights (shape, dtype and a function that
reads the bytes when they are wanted), who wrote the file and what lies beside. Config trees are plain JSON values; by
convention nobody changes one in place: a repair makes a new document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from safeload.bytesource import ByteRange
    from safeload.findings import Finding

__all__ = ["LayerPath", "ModelDocument", "WeightEntry", "WeightGroup", "WeightTransform", "Writer"]

LayerPath = tuple[str, ...]
"""The names of the layers from the outermost model's child down to a layer: `("encoder", "conv1")`; `()` is the model.

A wrapper's inner layers follow by their slot in the config: `("bidirectional", "forward_layer")`, `("td", "layer")`,
`("rnn", "cell")`, `("rnn", "cells", "0")`.
"""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote the file, as far as the file says (None: it doesn't).

    Attributes:
        keras: Version of Keras, such as `2.2.4`, `2.4.0` or `3.15.1`, without the `-tf` suffix.
        tensorflow: Version of TensorFlow, or a range that the file's layout implies.
        backend: `tensorflow`, `theano`, `cntk`, `jax`, `torch`.
        is_tf_keras: The `-tf` suffix or another sign that Keras was the one inside TensorFlow.
        python: Range of Python versions that embedded bytecode implies.
        saved_at: As the file has it.
    """

    keras: str | None = None
    tensorflow: str | None = None
    backend: str | None = None
    is_tf_keras: bool | None = None
    python: str | None = None
    saved_at: str | None = None

    @property
    def version(self) -> tuple[int, ...]:
        """Keras' version as numbers; `(0,)` when it isn't known."""
        numbers = []
        for part in (self.keras or "0").split("."):
            digits = "".join(c for c in part if c.isdigit())
            if not digits:
                break
            numbers.append(int(digits))
        return tuple(numbers) or (0,)

    def to_dict(self) -> dict[str, Any]:
        names = ("keras", "tensorflow", "backend", "is_tf_keras", "python", "saved_at")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


@dataclass(frozen=True, slots=True)
class WeightEntry:
    """One stored array.

    Attributes:
        name: As its layout has it: `dense/kernel:0` (legacy-hdf5), `0` (keras-v3), `kernel` (object-graph).
        shape: Its shape.
        dtype: NumPy's name of its type; also `bfloat16` and `string`.
        read: Reads the bytes and gives the array, in native byte order.
        where: The full place in the file, for messages.
        offset, length: The run of bytes in the file, where it is one run.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], np.ndarray] = field(compare=False, repr=False)
    where: str = ""
    offset: int | None = None
    length: int | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        n = 1
        for d in self.shape:
            n *= d
        return n


@dataclass(frozen=True, slots=True)
class WeightGroup:
    """A node of the tree in which a layout stores weights: entries in the writer's order, and further groups."""

    name: str
    entries: tuple[WeightEntry, ...] = ()
    groups: tuple[WeightGroup, ...] = ()
    attrs: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def group(self, name: str) -> WeightGroup | None:
        return next((g for g in self.groups if g.name == name), None)

    def find(self, path: str) -> WeightGroup | None:
        """The group at a `/`-separated path below this one."""
        node: WeightGroup | None = self
        for part in filter(None, path.split("/")):
            node = node.group(part) if node is not None else None
        return node

    def walk(self) -> Iterator[WeightEntry]:
        """All entries, depth first."""
        yield from self.entries
        for group in self.groups:
            yield from group.walk()


@dataclass(frozen=True, slots=True)
class WeightTransform:
    """How a layer's stored weights become those of the layer that is built in its place.

    Attributes:
        id: The repair that made it.
        apply: From the stored arrays of the layer, in the writer's order, to the built layer's, in its own order
            (trainable first, then non-trainable, as `layer.weights` has them).
        trainable, non_trainable: How many arrays the writing version stored; None: as many as the built layer has.
    """

    id: str
    apply: Callable[[list[np.ndarray]], list[np.ndarray]] = field(compare=False, repr=False)
    trainable: int | None = None
    non_trainable: int | None = None


@dataclass(frozen=True)
class ModelDocument:
    """A model file as data.

    Attributes:
        path: As the caller gave it; None for bytes and file objects.
        format: The container, one of `formats.FORMATS`: `keras`, `keras-directory`, `hdf5`, `savedmodel`,
            `checkpoint`, `json`, `yaml`, `weights-json`, `npz`.
        size: Bytes of the file, or of all files of the directory.
        writer: Who wrote it.
        dialect: Of the config: `keras1`, `keras2`, `keras3`; None without a config.
        architecture: `{"class_name": ..., "config": ..., ...}` of the model; None for weights alone.
        training: What `compile` was called with: `optimizer` (`{"class_name", "config"}`), `loss`, `metrics`,
            `weighted_metrics`, `loss_weights`, `sample_weight_mode`; None when it was not compiled. In a `keras3`
            dialect, the stored compile config as it is.
        layout: Of the weights: `legacy-hdf5` (a group for each top-level layer, in it a flat list), `keras-v3` (a tree
            by attribute, arrays by number), `object-graph` (a tree by attribute, arrays by name), or None.
        weights: The model's weights, in that layout.
        optimizer_weights: The optimizer's variables, in the writer's order and by the writer's names.
        assets: Files that belong to layers (vocabularies), by path in the container.
        transforms: Weight transforms by layer, added by repairs.
        findings: What reading and repairing saw.
        extras: What only one format has (a SavedModel's graphs and signatures, for example), by name.
    """

    path: str | None
    format: str
    size: int
    writer: Writer = field(default_factory=Writer)
    dialect: str | None = None
    architecture: Mapping[str, Any] | None = None
    training: Mapping[str, Any] | None = None
    layout: str | None = None
    weights: WeightGroup | None = None
    optimizer_weights: WeightGroup | None = None
    assets: Mapping[str, ByteRange] = field(default_factory=dict)
    transforms: Mapping[LayerPath, tuple[WeightTransform, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    extras: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def evolve(self, **changes: Any) -> ModelDocument:
        """A copy with some fields changed."""
        return replace(self, **changes)

    @property
    def parameters(self) -> int:
        """Number of stored weight elements, the optimizer's not counted."""
        return sum(entry.size for entry in self.weights.walk()) if self.weights else 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data, without the arrays."""
        return {
            "path": self.path,
            "format": self.format,
            "size": self.size,
            "writer": self.writer.to_dict(),
            "dialect": self.dialect,
            "architecture": self.architecture,
            "training": self.training,
            "layout": self.layout,
            "parameters": self.parameters,
            "weights": _index(self.weights),
            "optimizer_weights": _index(self.optimizer_weights),
            "assets": sorted(self.assets),
        }

    def summary(self) -> str:
        """One line: format, writer, model class, layers, parameters, size."""
        parts = [self.format]
        if self.writer.keras:
            parts.append(
                f"written by Keras {self.writer.keras}" + (f" ({self.writer.backend})" if self.writer.backend else "")
            )
        if self.architecture:
            config = self.architecture.get("config")
            layers = config.get("layers") if isinstance(config, Mapping) else config
            count = f" of {len(layers)} layers" if isinstance(layers, list) else ""
            parts.append(f"{self.architecture.get('class_name')}{count}")
        parts.append(f"{self.parameters:,} parameters")
        parts.append(f"{self.size:,} bytes")
        return ", ".join(parts)


def _index(group: WeightGroup | None) -> list[dict[str, Any]] | None:
    if group is None:
        return None
    return [{"path": e.where or e.name, "shape": list(e.shape), "dtype": e.dtype} for e in group.walk()]
