"""Fill the optimizer's variables: iterations and slots, by order and shape."""

from __future__ import annotations

from typing import Any

from safeload.document import ModelDocument

__all__ = ["fill_optimizer"]


def fill_optimizer(model: Any, document: ModelDocument) -> str | None:
    """Give the compiled model's optimizer its stored state.

    Returns:
        None when all of it was restored (or there was none), else a sentence that says what was not.
    """
    stored = document.optimizer_weights
    optimizer = getattr(model, "optimizer", None)
    if stored is None or optimizer is None:
        return None
    group = stored.group("vars") or stored
    entries = list(group.entries)
    if not entries:
        return None
    variables = optimizer.variables
    variables = list(variables() if callable(variables) else variables)
    if len(variables) != len(entries) or any(
        tuple(v.shape) != e.shape for v, e in zip(variables, entries, strict=False)
    ):
        return f"the optimizer has {len(variables)} variables, the file holds {len(entries)} others"
    for variable, entry in zip(variables, entries, strict=True):
        variable.assign(entry.read())
    return None
