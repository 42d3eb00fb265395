"""Weights that don't fit because a custom class is another one than the one that was saved."""

from __future__ import annotations

import re
from typing import Any

from safeload.errors import CustomObjectMismatchError, WeightsMismatchError

__all__ = ["as_custom_mismatch"]

_OWN = ("keras", "tf_keras", "tensorflow", "safeload")
_SHOWN = 3


def as_custom_mismatch(error: WeightsMismatchError, model: Any) -> WeightsMismatchError | CustomObjectMismatchError:
    """The error to raise: about the class, where every mismatch lies in layers of custom classes; else the same."""
    custom = _custom_layers(model)
    blamed: dict[str, None] = {}
    for text in error.mismatches:
        found = [cls for name, cls in custom.items() if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", text)]
        if not found:
            return error
        blamed.update(dict.fromkeys(found))
    if not blamed:
        return error
    names = ", ".join(blamed)
    shown = "; ".join(error.mismatches[:_SHOWN])
    more = f" and {len(error.mismatches) - _SHOWN} more" if len(error.mismatches) > _SHOWN else ""
    parts = [re.search(r"expected (.+?), found (.+)", text) for text in error.mismatches]
    return CustomObjectMismatchError(
        f"{names} builds other weights than the file holds: {shown}{more}",
        path=error.path,
        hint=f"pass the class as it was when the model was saved: custom_objects={{{next(iter(blamed))!r}: ...}}",
        name=next(iter(blamed)),
        expected=tuple(p.group(1) for p in parts if p) or error.mismatches,
        found=tuple(p.group(2) for p in parts if p),
    )


def _custom_layers(model: Any) -> dict[str, str]:
    """Class names of custom layers, by the layer's name and by the name that Keras 3's files give it."""
    found = {}
    for layer in model._flatten_layers(include_self=False):
        cls = type(layer)
        if cls.__module__.split(".")[0] not in _OWN:
            found[layer.name] = cls.__name__
            snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", cls.__name__)).lower()
            found[snake] = cls.__name__
    return found
