"""One object's own state in the layout `keras-v3`: its arrays by number, and its asset files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from safeload.document import LayerPath, ModelDocument, WeightGroup
from safeload.fill.ledger import Ledger

__all__ = ["load_own"]


def load_own(
    target: Any, stored: WeightGroup | None, document: ModelDocument, at: str, path: LayerPath, ledger: Ledger
) -> None:
    """Give an object its own arrays, through `load_own_variables`, and its assets, through `load_assets`."""
    if stored is not None and stored.entries:
        _load_variables(target, stored, document, at, path, ledger)
    prefix = f"{at}/" if at else ""
    files = {
        n[len(prefix) :]: r for n, r in document.assets.items() if n.startswith(prefix) and "/" not in n[len(prefix) :]
    }
    if files and hasattr(target, "load_assets"):
        with tempfile.TemporaryDirectory(prefix="safeload-") as folder:
            for name, run in files.items():
                Path(folder, name).write_bytes(run.read())
            target.load_assets(folder)
            ledger.mark(getattr(target, "weights", ()), at)


def _load_variables(
    target: Any, stored: WeightGroup, document: ModelDocument, at: str, path: LayerPath, ledger: Ledger
) -> None:
    arrays = [entry.read() for entry in stored.entries]
    names = [entry.name for entry in stored.entries]
    for transform in document.transforms.get(path, ()):
        arrays = transform.apply(arrays)
        names = [str(i) for i in range(len(arrays))]
    own = _own(target)
    if _is_plain(target):
        if len(own) != len(arrays):
            ledger.mismatch(f"{at or 'the model'}: expected {len(own)} arrays, found {len(arrays)} in the file")
            return
        for variable, array, name in zip(own, arrays, names, strict=True):
            ledger.assign(variable, array, f"{at}/vars/{name}", owned=path not in document.transforms)
        return
    try:
        _loader(target)(dict(zip(names, arrays, strict=True)))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        ledger.mismatch(f"{at}: {type(target).__name__} does not take its {len(arrays)} arrays: {error}")
        return
    ledger.mark(own, at)
    ledger.mark(getattr(target, "variables", ()) if not callable(getattr(target, "variables", ())) else (), at)


def _own(target: Any) -> list[Any]:
    """The variables that are the object's own, not its children's."""
    if hasattr(target, "_trainable_variables"):  # Keras 3
        return list(target._trainable_variables) + list(target._non_trainable_variables)
    if hasattr(target, "_trainable_weights"):  # Keras 2
        own = list(target._trainable_weights) + list(target._non_trainable_weights)
        return [v for v in own if hasattr(v, "shape")]  # lookup tables stand among them as handlers without one
    variables = getattr(target, "variables", ())
    return list(variables() if callable(variables) else variables)


def _is_plain(target: Any) -> bool:
    """Whether the object stores its own variables as every layer does, so that each can be checked by itself."""
    method = getattr(type(target), "load_own_variables", None)
    return getattr(method, "__qualname__", "") in ("Layer.load_own_variables", "BaseLayer.load_own_variables")


def _loader(target: Any) -> Any:
    """The method that takes the arrays; Keras 2.12 has it under a private name (`engine/base_layer.py`)."""
    method = getattr(target, "load_own_variables", None)
    return method if method is not None else target._load_own_variables
