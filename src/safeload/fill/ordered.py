"""Fill from the layout `npz`: what `numpy.savez(path, *model.get_weights())` writes, arrays in the model's own order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from safeload.document import ModelDocument, WeightEntry
from safeload.fill.ledger import Ledger, variable_name

__all__ = ["fill_ordered"]

_NUMBERED = re.compile(r"arr_(\d+)")
"""The names that `numpy.savez` gives to positional arguments."""


def fill_ordered(model: Any, document: ModelDocument, original: ModelDocument, ledger: Ledger) -> None:
    """Fill a model from arrays that are numbered as `get_weights()` has them, or named as its variables are.

    The order of `get_weights()` is the same in every Keras (layer by layer, trainable weights first), so numbers are a
    sound key as long as no repair changed what a layer holds; names are one where each is a variable's own.

    Args:
        model: The model that was built.
        document: The repaired document.
        original: The document as it was read; unused.
        ledger: What was filled from what.
    """
    assert document.weights is not None
    entries = document.weights.entries
    variables = [v for v in model.weights if hasattr(v, "shape")]
    for path in document.transforms:
        ledger.mismatch(
            f"{'/'.join(path)}: its arrays were stored in another form, which an npz file doesn't tell apart"
        )
    if document.transforms:
        return
    numbered = {int(m[1]): e for e in entries if (m := _NUMBERED.fullmatch(e.name))}
    if len(numbered) == len(entries):
        _by_number(variables, numbered, ledger)
    else:
        _by_name(variables, entries, ledger)


def _by_number(variables: list[Any], entries: Mapping[int, WeightEntry], ledger: Ledger) -> None:
    if sorted(entries) != list(range(len(variables))):
        ledger.mismatch(f"expected {len(variables)} arrays, found {len(entries)}")
        return
    for number, variable in enumerate(variables):
        ledger.assign(variable, entries[number].read(), entries[number].where)


def _by_name(variables: list[Any], entries: Sequence[WeightEntry], ledger: Ledger) -> None:
    """By layer and weight: what stands before them (`sequential_1/`) is the writing session's own."""
    ours, theirs = Counter(_key(variable_name(v)) for v in variables), Counter(_key(e.name) for e in entries)
    for name, count in (ours | theirs).items():
        if count > 1:
            ledger.mismatch(f"{name}: {count} arrays could be it")
        elif name not in ours:
            ledger.mismatch(f"{name}: no variable of the model has this name")
    stored = {_key(e.name): e for e in entries}
    for variable in variables:
        name = _key(variable_name(variable))
        if name in stored and ours[name] == theirs[name] == 1:
            ledger.assign(variable, stored[name].read(), stored[name].where)


def _key(name: str) -> str:
    return "/".join(name.removesuffix(":0").split("/")[-2:])
