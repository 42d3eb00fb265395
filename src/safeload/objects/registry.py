"""Modules that were registered to hold custom objects."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import threading
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["modules", "register_module", "registered_modules", "unregister_module"]

_lock = threading.Lock()
_registered: dict[str, Any] = {}


def register_module(module: Any) -> None:
    with _lock:
        _registered[module if isinstance(module, str) else module.__name__] = module


def unregister_module(module: Any) -> None:
    with _lock:
        _registered.pop(module if isinstance(module, str) else module.__name__, None)


def registered_modules() -> tuple[str, ...]:
    with _lock:
        return tuple(_registered)


@contextlib.contextmanager
def modules(*names: Any) -> Iterator[None]:
    for name in names:
        register_module(name)
    try:
        yield
    finally:
        for name in names:
            unregister_module(name)


def registered_objects(extra: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in (*_registered.values(), *extra):
        loaded = importlib.import_module(module) if isinstance(module, str) else module
        for name, value in vars(loaded).items():
            if (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__ == loaded.__name__:
                found[name] = value
    return found
