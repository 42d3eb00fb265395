"""Fill the optimizer: the number of steps, and each slot of each variable, so that training goes on where it stopped.

Slots are matched with variables by the writer's names where the file has them, else by the writer's order of layers, and
only where every shape fits. What a repair did to a layer's weights is done to its slots.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from safeload.document import ModelDocument
from safeload.fill.optimizer.order import Trained, writer_order
from safeload.fill.optimizer.state import State, never_stored, read_state
from safeload.fill.optimizer.targets import Target
from safeload.optimizers import KEPT, KERAS2, KERAS3, STANDALONE, sorted_by_name, u_product

__all__ = ["Left", "fill_optimizer"]

_NEVER = "the optimizer starts anew: Keras 2.12 to 2.15 stores no state of optimizers.legacy in .keras files"

_NAMELESS = re.compile(r"param_\d+")
"""How HDF5 files name an array that has none; Keras 1 sorted it by a number that Theano had given it."""


@dataclass(frozen=True, slots=True)
class Left:
    """What of an optimizer's state was not restored, a sentence for each.

    Attributes:
        lost: What makes the next steps other than the writer's.
        unknown: What no file of that writer holds, and no next step depends on.
    """

    lost: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def fill_optimizer(model: Any, document: ModelDocument, original: ModelDocument) -> Left:
    """Give the compiled model's optimizer its stored state.

    Args:
        model: Built, compiled and filled.
        document: The repaired document.
        original: As it was read: the writer's optimizer and names.

    Returns:
        What could not be restored; empty when all of it was. A file without any state tells nothing: the model may not
        have been trained.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return Left()
    order = writer_order(model, document, original)
    try:
        state = read_state(original, sum(t.stored for t in order))
    except ValueError as error:
        return Left((f"the optimizer starts anew: {error}",))
    if state is None:
        return Left((_NEVER,) if never_stored(original) else ())
    if not model.built:
        return Left(("the optimizer starts anew: the model is built only when it is called",))
    target = Target(optimizer, model.trainable_variables)
    by_name = state.era == STANDALONE and sorted_by_name(original.writer.version)
    lost = _slots(state, target, order, by_name and bool(state.slots))
    if not lost or state.slots:
        _singles(state, target)
        if lost and state.iterations is not None:
            lost = (*lost, f"the number of steps is restored ({int(state.iterations.read())})")
    if state.iterations is None and state.slots:
        return _without_steps(state, lost)
    return Left(lost)


def _without_steps(state: State, lost: tuple[str, ...]) -> Left:
    """Standalone Keras before 2.3 counted the steps of some optimizers without storing them; `decay` alone uses them."""
    text = f"the number of steps starts at 0: Keras did not store it for {state.cls} then"
    if state.config.get("decay"):
        return Left((*lost, f"{text}, and the decay of its learning rate depends on it"))
    return Left(lost, (text,))


def _singles(state: State, target: Target) -> None:
    if state.iterations is not None:
        target.inner.iterations.assign(int(state.iterations.read()))
    if state.learning_rate is not None and target.learning_rate is not None:
        target.learning_rate.assign(state.learning_rate.read())
    for name in ("dynamic_scale", "step_counter"):
        if name in state.scalars and (variable := target.scalar(name)) is not None:
            variable.assign(state.scalars[name].read())
    if (variable := target.scalar("u_product")) is not None:
        if "u_product" in state.scalars:
            variable.assign(state.scalars["u_product"].read())
        else:
            exponent = getattr(target.inner, "schedule_decay", None) or getattr(target.inner, "_initial_decay", None)
            beta_1 = float(state.config.get("beta_1", 0.9))
            steps = int(state.iterations.read()) if state.iterations is not None else 0
            times = len(target.variables) if state.era == KERAS2 else 1
            variable.assign(u_product(steps, beta_1, float(exponent or 1.0), times))


def _slots(state: State, target: Target, order: Sequence[Trained], by_name: bool) -> tuple[str, ...]:
    if state.rest:
        return _opaque(state, target, order)
    lost: dict[str, None] = {}
    try:
        runs = _sorted_runs(order) if by_name else _runs(state, order)
    except ValueError as error:
        return (f"the optimizer's slots start anew: {error}",)
    index = {id(v): i for i, v in enumerate(target.variables)}
    for name, entries in state.slots.items():
        variables = target.slot(name)
        if variables is None:
            if _is_used(state, name) and any(e.read().any() for e in entries):
                lost[f"the optimizer here has no slot {name}"] = None
            continue
        for trained, places in runs:
            chosen = [entries[i] for i in places]
            try:
                arrays = trained.built([entry.read() for entry in chosen])
            except (ValueError, IndexError, TypeError) as error:
                lost[f"the optimizer's slots of {'/'.join(trained.path)} start anew: {error}"] = None
                continue
            targets = [variables[index[id(v)]] for v in trained.variables]
            if [tuple(v.shape) for v in targets] != [tuple(a.shape) for a in arrays]:
                lost[f"the optimizer's slots of {'/'.join(trained.path)} start anew: other shapes are stored"] = None
                continue
            for variable, array in zip(targets, arrays, strict=True):
                variable.assign(array)
    return tuple(lost)


def _is_used(state: State, name: str) -> bool:
    """Whether the next step depends on a slot: SGD's moments at momentum 0 are stored by some, and never used."""
    kept = KEPT.get(state.cls)
    row = next((s for s in kept.slots if s.name == name), None) if kept else None
    return row is None or row.when is None or row.when(KERAS3, state.config)


def _runs(state: State, order: Sequence[Trained]) -> list[tuple[Trained, list[int]]]:
    """For each layer the places of its entries in a slot's list.

    Raises:
        ValueError: They can't be told.
    """
    count = len(next(iter(state.slots.values()), ()))
    stored = sum(t.stored for t in order)
    if state.names is not None:
        found = _by_names(state.names, order)
        if found is not None:
            return found
    if count != stored:
        if not state.slots:
            return []
        raise ValueError(f"there are slots of {count} variables, the model trains {stored}")
    runs, start = [], 0
    for trained in order:
        runs.append((trained, list(range(start, start + trained.stored))))
        start += trained.stored
    return runs


def _sorted_runs(order: Sequence[Trained]) -> list[tuple[Trained, list[int]]]:
    """The places where the writer sorted all that it trained by name before the optimizer saw it.

    Raises:
        ValueError: The stored names are not those that were sorted by.
    """
    names = [(name, i, k) for i, trained in enumerate(order) if trained.told for k, name in enumerate(trained.names)]
    told = {name for name, _, _ in names if not _NAMELESS.fullmatch(name)}
    if len(told) != sum(t.stored for t in order):
        raise ValueError("their order is that of names which the file doesn't hold")
    rank = {(i, k): number for number, (_, i, k) in enumerate(sorted(names))}
    return [(t, [rank[i, k] for k in range(t.stored)]) for i, t in enumerate(order)]


def _by_names(names: Sequence[str], order: Sequence[Trained]) -> list[tuple[Trained, list[int]]] | None:
    """The places by the variables' names; None where names are missing, or not those of one variable each.

    A variable that had no gradient has no slot: its layer is left out, which is what a new optimizer would have.
    """
    wanted: dict[str, tuple[int, int]] = {}
    for i, trained in enumerate(order):
        if len(trained.names) != trained.stored:
            return None
        for k, name in enumerate(n.split(":")[0] for n in trained.names):
            if name in wanted:
                return None
            wanted[name] = (i, k)
    places: dict[tuple[int, int], int] = {}
    for number, name in enumerate(names):
        fitting = [w for w in wanted if name == w or name.endswith(f"/{w}")]
        if not fitting:
            return None
        place = wanted[max(fitting, key=len)]
        if place in places:
            return None
        places[place] = number
    runs = []
    for i, trained in enumerate(order):
        found = [places.get((i, k)) for k in range(trained.stored)]
        known = [p for p in found if p is not None]
        if len(known) == trained.stored:
            runs.append((trained, known))
        elif known and not trained.transforms:
            part = [v for v, p in zip(trained.variables, found, strict=True) if p is not None]
            runs.append((Trained(trained.path, tuple(part), len(part), ()), known))
    return runs


def _opaque(state: State, target: Target, order: Sequence[Trained]) -> tuple[str, ...]:
    """The state of a class that is not known here: variable by variable, where nothing about the model was changed."""
    ours = target.rest
    same = (
        target.cls == state.cls
        and state.era in (KERAS2, KERAS3)
        and not any(t.transforms for t in order)
        and [id(v) for t in order for v in t.variables] == [id(v) for v in target.variables]
        and [tuple(v.shape) for v in ours] == [e.shape for e in state.rest]
    )
    if not same:
        return (f"the optimizer starts anew: {state.cls or 'it'} keeps other state than the file holds",)
    for variable, entry in zip(ours, state.rest, strict=True):
        variable.assign(entry.read())
    if state.iterations is not None:
        target.inner.iterations.assign(int(state.iterations.read()))
    if state.learning_rate is not None and target.learning_rate is not None:
        target.learning_rate.assign(state.learning_rate.read())
    return ()
