"""Fill by variable name: checkpoints of TensorFlow 1's `Saver`, which know no objects."""

from __future__ import annotations

from typing import Any

from safeload.document import WeightEntry, WeightGroup
from safeload.fill.ledger import Ledger, variable_name
from safeload.fill.owners import own_variables

__all__ = ["fill_named"]


def fill_named(model: Any, weights: WeightGroup, ledger: Ledger) -> None:
    """Give each variable the entry whose name shares the longest end with its own, where that is unambiguous.

    Graph-mode Keras names variables `<layer>/<weight>`, with name scopes before the layer and cells between the two;
    an optimizer's slots follow the variable's name (`dense/kernel/Adam`) and end otherwise.
    """
    entries = {entry.where: entry for entry in weights.walk()}
    slots = {key for key in entries if key.rsplit("/", 1)[0] in entries}
    plain = {key: entry for key, entry in entries.items() if key not in slots}
    taken: dict[str, str] = {}
    for layer in model.layers:
        for variable in own_variables(layer):
            ours = [layer.name, *variable_name(variable).split("/")]
            fitting = [
                e for e in plain.values() if tuple(variable.shape) == e.shape and layer.name in e.where.split("/")
            ]
            best = _best(ours, fitting)
            if best is None:
                continue
            if best.where in taken:
                ledger.mismatch(f"{best.where}: {taken[best.where]} and {variable_name(variable)} could both be it")
                continue
            taken[best.where] = variable_name(variable)
            ledger.assign(variable, best.read(), best.where)


def _best(ours: list[str], entries: list[WeightEntry]) -> WeightEntry | None:
    """The entry that shares most parts of the name, the last one in any case; None where two share as many."""
    scored = []
    for entry in entries:
        theirs = entry.where.split("/")
        if theirs[-1] == ours[-1]:
            scored.append((len(set(theirs) & set(ours)), -abs(len(theirs) - len(ours)), entry))
    scored.sort(key=lambda item: item[:2], reverse=True)
    if not scored or (len(scored) > 1 and scored[0][:2] == scored[1][:2]):
        return None
    return scored[0][2]
