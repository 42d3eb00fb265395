"""Fill from the layout `legacy-hdf5`: for each top-level layer a flat list of arrays.

The order in such a list is that of `layer.trainable_weights + layer.non_trainable_weights` when it was written
(Keras' `legacy_h5_format._legacy_weights`); nested models are flattened into their list. Names of groups are the layers'
names, names of weights mostly end in the variable's name (`kernel:0`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safeload.document import LayerPath, ModelDocument, WeightEntry, WeightGroup, WeightTransform
from safeload.errors import WeightsMismatchError
from safeload.fill.ledger import Ledger, fits, variable_name
from safeload.fill.owners import inner_layers, own_variables, owners
from safeload.fill.plain_state import give_plain_state

__all__ = ["fill_legacy_hdf5"]

TOP_LEVEL = "top_level_model_weights"


def fill_legacy_hdf5(model: Any, document: ModelDocument, original: ModelDocument, ledger: Ledger) -> None:
    """Fill a model from a document of this layout; see `fill.fill`."""
    assert document.weights is not None
    without = {layer.name: layer for layer in model.layers if not own_variables(layer)}
    stored = [
        g
        for g in document.weights.groups
        if g.entries and g.name != TOP_LEVEL and not (g.name in without and give_plain_state(without[g.name], g))
    ]
    for layer, group in _pairs(model, stored, document):
        path: LayerPath = (layer.name,)
        _fill_layer(layer, path, group, document.transforms, ledger)
    top = document.weights.group(TOP_LEVEL)
    if top is not None and top.entries:
        own = [v for v in _top_level_variables(model) if id(v) not in ledger.filled]
        _assign(own, top.entries, ledger, model.name)


def _top_level_variables(model: Any) -> list[Any]:
    wanted = {id(v) for v in model.weights}
    own = list(getattr(model, "_trainable_variables", None) or getattr(model, "_trainable_weights", []))
    own += list(getattr(model, "_non_trainable_variables", None) or getattr(model, "_non_trainable_weights", []))
    return [v for v in own if id(v) in wanted]


_UNBUILT = (
    "the model is a class of yours whose file does not say the shape of its input, so that its layers have no weights yet: "
    "make it in code, call it once on a batch, then model.load_weights(path); saved as .keras the shape is kept"
)
"""Keras 3 stores `build_config` in `.keras` files alone; its own loader fails at such an `.h5`, too."""


def _pairs(model: Any, stored: Sequence[WeightGroup], document: ModelDocument) -> list[tuple[Any, WeightGroup]]:
    """Layers with their groups: by name where the names are the same, by order otherwise (as Keras does)."""
    layers = [layer for layer in model.layers if own_variables(layer)]
    by_name = {layer.name: layer for layer in layers}
    if len(by_name) == len(layers) == len(stored) and {g.name for g in stored} == by_name.keys():
        return [(by_name[g.name], g) for g in stored]
    if len(layers) != len(stored):
        names = {g.name for g in stored}
        raise WeightsMismatchError(
            f"the model has {len(layers)} layers with weights, the file holds {len(stored)}",
            path=document.path,
            hint=_UNBUILT
            if not layers and not model.built
            else "the architecture and the weights come from different models",
            mismatches=tuple(
                [f"{n}: in the file, not in the model" for n in sorted(names - by_name.keys())]
                + [f"{n}: in the model, not in the file" for n in sorted(by_name.keys() - names)]
            ),
        )
    return list(zip(layers, stored, strict=True))


@dataclass(frozen=True, slots=True)
class _Run:
    """Variables of one owner that lie side by side in the flat list; `stored` arrays stand for them in the file."""

    owner: LayerPath
    variables: tuple[Any, ...]
    stored: int


def _fill_layer(
    layer: Any,
    path: LayerPath,
    group: WeightGroup,
    transforms: Mapping[LayerPath, tuple[WeightTransform, ...]],
    ledger: Ledger,
) -> None:
    owned = owners(layer, path)
    concerned = {p for p in set(owned.values()) if p in transforms}
    if not concerned:
        variables = own_variables(layer)
        for order in (variables, _by_creation(layer), _by_name(variables, group.entries)):
            if order is not None and _plausible(order, group.entries):
                _assign(order, group.entries, ledger, group.name)
                return
        _assign(variables, group.entries, ledger, group.name)
        return
    runs = _runs(layer, owned, transforms)
    if sum(run.stored for run in runs) != len(group.entries):
        ledger.mismatch(
            f"{'/'.join(path)}: expected {sum(r.stored for r in runs)} arrays, found {len(group.entries)} in the file"
        )
        return
    entries = list(group.entries)
    sources: dict[LayerPath, list[WeightEntry]] = {}
    targets: dict[LayerPath, list[Any]] = {}
    for run in runs:
        taken, entries = entries[: run.stored], entries[run.stored :]
        sources.setdefault(run.owner, []).extend(taken)
        targets.setdefault(run.owner, []).extend(run.variables)
    for owner, variables in targets.items():
        if owner not in transforms:
            _assign(variables, sources[owner], ledger, group.name)
            continue
        arrays = [entry.read() for entry in sources[owner]]
        for transform in transforms[owner]:
            arrays = transform.apply(arrays)
        _assign_arrays(variables, arrays, ledger, "/".join(owner))


def _runs(
    layer: Any, owned: Mapping[int, LayerPath], transforms: Mapping[LayerPath, tuple[WeightTransform, ...]]
) -> list[_Run]:
    """The flat list as runs of one owner, with the number of arrays that the writer stored for each."""
    runs: list[_Run] = []
    begun: set[LayerPath] = set()
    for trainable, variables in ((True, layer.trainable_weights), (False, layer.non_trainable_weights)):
        grouped: dict[LayerPath, list[Any]] = {}
        for variable in variables:
            grouped.setdefault(owned[id(variable)], []).append(variable)
        if not trainable:
            grouped = _with_frozen(grouped, layer, owned, transforms)
        for owner, mine in grouped.items():
            runs.append(_Run(owner, tuple(mine), _stored(transforms.get(owner), len(mine), trainable, owner in begun)))
            begun.add(owner)
    return runs


def _with_frozen(
    grouped: dict[LayerPath, list[Any]],
    layer: Any,
    owned: Mapping[int, LayerPath],
    transforms: Mapping[LayerPath, tuple[WeightTransform, ...]],
) -> dict[LayerPath, list[Any]]:
    """The owners among the non-trainable arrays, with those that stored some and have none any more (LoRA kernels)."""
    lost = {
        owner
        for owner in set(owned.values()) - grouped.keys()
        if owner in transforms and transforms[owner][0].non_trainable and transforms[owner][0].trainable is not None
    }
    if not lost:
        return grouped
    order = dict.fromkeys(owned[id(variable)] for variable in layer.weights)
    return {owner: grouped.get(owner, []) for owner in order if owner in grouped or owner in lost}


def _stored(transforms: tuple[WeightTransform, ...] | None, built: int, trainable: bool, begun: bool) -> int:
    if not transforms or transforms[0].trainable is None:
        return built
    first = transforms[0]
    assert first.trainable is not None
    if trainable:
        return first.trainable
    # A frozen layer has all its arrays in the second half of the list.
    return (first.non_trainable or 0) + (0 if begun else first.trainable)


def _by_creation(layer: Any) -> list[Any] | None:
    """The variables layer by layer, for writers that did not put the trainable ones first."""
    found: dict[int, Any] = {}

    def visit(node: Any) -> None:
        children = list(inner_layers(node))
        for _, child in children:
            visit(child)
        for variable in own_variables(node):
            found.setdefault(id(variable), variable)

    visit(layer)
    return list(found.values())


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1].split(":")[0]


def _by_name(variables: Sequence[Any], entries: Sequence[WeightEntry]) -> list[Any] | None:
    """The variables in the order of the entries, matched by the last two parts of their names, where that is unique."""

    def key(name: str) -> tuple[str, ...]:
        return tuple(name.split(":")[0].split("/")[-2:])

    by_key = {key(variable_name(v)): v for v in variables}
    keys = [key(e.name) for e in entries]
    if len(by_key) != len(variables) or set(keys) != by_key.keys() or len(keys) != len(variables):
        return None
    return [by_key[k] for k in keys]


_TOLD = frozenset(
    "kernel bias gamma beta moving_mean moving_variance recurrent_kernel embeddings depthwise_kernel pointwise_kernel alpha".split()
)
"""Names that tell what a weight is; where both sides have one, they must be the same."""


def _plausible(variables: Sequence[Any], entries: Sequence[WeightEntry]) -> bool:
    if len(variables) != len(entries):
        return False
    for variable, entry in zip(variables, entries, strict=True):
        if not fits(variable, entry.shape):
            return False
        ours, theirs = _last(variable_name(variable)), _last(entry.name)
        if ours in _TOLD and theirs in _TOLD and ours != theirs:
            return False
    return True


def _assign(variables: Sequence[Any], entries: Sequence[WeightEntry], ledger: Ledger, where: str) -> None:
    if len(variables) != len(entries):
        ledger.mismatch(f"{where}: expected {len(variables)} arrays, found {len(entries)} in the file")
        return
    for variable, entry in zip(variables, entries, strict=True):
        if not fits(variable, entry.shape):
            ledger.misfit(variable, entry.shape, entry.where)
            continue
        ledger.assign(variable, entry.read(), entry.where, owned=True)


def _assign_arrays(variables: Sequence[Any], arrays: Sequence[Any], ledger: Ledger, where: str) -> None:
    if len(variables) != len(arrays):
        ledger.mismatch(f"{where}: expected {len(variables)} arrays, found {len(arrays)} after repair")
        return
    for variable, array in zip(variables, arrays, strict=True):
        ledger.assign(variable, array, where)
