"""Which arrays the writer trained, in the writer's order, and whose they are in the model that was built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safeload.document import LayerPath, ModelDocument, WeightTransform
from safeload.fill.ledger import variable_name
from safeload.fill.owners import owners
from safeload.naming import layers_of
from safeload.repairs.stored import stored_entries

__all__ = ["Trained", "writer_order"]


@dataclass(frozen=True)
class Trained:
    """The trained arrays of one layer.

    Attributes:
        path: The layer's.
        variables: Those of the built layer, in its order.
        stored: How many arrays of it the writer trained.
        names: The writer's names of them, as they are stored; the built variables' where the layout doesn't tell.
        transforms: How a repair makes the built layer's arrays from the stored ones.
        frozen: Stored arrays of it that were not trained: (shape) of each, for the transforms.
        told: Whether the file tells `names`.
    """

    path: LayerPath
    variables: tuple[Any, ...]
    stored: int
    names: tuple[str, ...]
    transforms: tuple[WeightTransform, ...] = ()
    frozen: tuple[tuple[int, ...], ...] = ()
    told: bool = False

    def built(self, arrays: Sequence[Any]) -> list[Any]:
        """What a slot's arrays are for the built layer's variables.

        A transform that only moves elements around (gates, flipped kernels, splits) moves a slot's as well. Where one
        adds up several stored arrays (the two biases of cuDNN's LSTM), each of them had the same gradient, so the slot
        of the sum is their mean; steps of that array are smaller from now on than the writer's two together.

        Raises:
            ValueError: The shapes don't fit, or the transform does something else.
        """
        if not self.transforms:
            return list(arrays)
        import numpy as np

        beside = [np.zeros(shape, "float32") for shape in self.frozen]
        # Three everywhere gives three times the number of stored elements that each built element is the sum of.
        probed = self._apply([np.full(a.shape, 3.0) for a in arrays] + beside)
        nothing = self._apply([np.zeros(a.shape) for a in arrays] + beside)
        made = self._apply([*(np.asarray(a, "float64") for a in arrays), *beside])
        result = []
        for probe, zero, array in zip(probed, nothing, made, strict=True):
            count = np.asarray(probe, "float64") / 3.0
            if np.any(zero) or np.any(count < 0) or np.any(count != np.round(count)):
                raise ValueError("the repair of its weights does more than move them")
            result.append((np.asarray(array) / np.maximum(count, 1)).astype("float32"))
        return result

    def _apply(self, arrays: list[Any]) -> list[Any]:
        for transform in self.transforms:
            arrays = transform.apply(arrays)
        return list(arrays[: len(self.variables)])


def writer_order(model: Any, document: ModelDocument, original: ModelDocument) -> tuple[Trained, ...]:
    """The trained arrays of every layer, in the order in which the writer's model had them."""
    owned = owners(model)
    grouped: dict[LayerPath, list[Any]] = {}
    for variable in model.trainable_variables:
        grouped.setdefault(owned.get(id(variable), ()), []).append(variable)
    architecture = original.architecture if original.architecture is not None else document.architecture
    paths = list(grouped)
    order = [_rank(path, architecture, i) for i, path in enumerate(paths)]
    if all(rank is not None for rank in order):
        paths = [path for _, path in sorted(zip(order, paths, strict=True), key=lambda pair: pair[0] or ())]
    return tuple(_trained(model, path, tuple(grouped[path]), document, original) for path in paths)


def _rank(path: LayerPath, architecture: Any, position: int) -> tuple[int, ...] | None:
    """Where a layer stands in the writer's config: its number in each model on the way; then as it was built."""
    ranks: list[int] = []
    config = architecture
    for name in path:
        layers = layers_of(config)
        if name not in layers:
            break
        ranks.append(list(layers).index(name))
        config = layers[name]
    return (*ranks, position) if ranks else None


def _trained(
    model: Any, path: LayerPath, variables: tuple[Any, ...], document: ModelDocument, original: ModelDocument
) -> Trained:
    transforms = document.transforms.get(path, ())
    first = transforms[0] if transforms else None
    stored = first.trainable if first is not None and first.trainable is not None else len(variables)
    entries = stored_entries(original, path) or ()
    names = tuple(e.name for e in entries[:stored])
    told = len(names) == stored and original.layout == "legacy-hdf5"
    if not told:
        names = tuple("/".join(variable_name(v).split("/")[-2:]) for v in variables) if stored == len(variables) else ()
    return Trained(path, variables, stored, names, transforms, _frozen(model, path, entries[stored:], transforms), told)


def _frozen(
    model: Any, path: LayerPath, entries: Sequence[Any], transforms: Sequence[WeightTransform]
) -> tuple[tuple[int, ...], ...]:
    if not transforms:
        return ()
    if entries:
        return tuple(e.shape for e in entries)
    return _shapes_of(model, path)


def _shapes_of(model: Any, path: LayerPath) -> tuple[tuple[int, ...], ...]:
    """The shapes of a layer's variables that are not trained, for layouts that don't tell what was stored."""
    owned: Mapping[int, LayerPath] = owners(model)
    return tuple(tuple(v.shape) for v in model.non_trainable_variables if owned.get(id(v)) == path)
