"""Modules that the user registered to hold custom objects."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from types import ModuleType

__all__ = ["modules", "register_module", "registered", "registered_modules", "unregister_module"]

_lock = threading.Lock()
_registered: dict[str, ModuleType | str] = {}


def _name(module: ModuleType | str) -> str:
    if isinstance(module, ModuleType):
        return module.__name__
    if isinstance(module, str) and module and all(part.isidentifier() for part in module.split(".")):
        return module
    raise TypeError(f"a module or the dotted name of one is expected, not {module!r}")


def register_module(module: ModuleType | str) -> None:
    """Let safeload find custom objects in a module, in every later load of this process.

    Args:
        module: A module, or its dotted name: it is then imported at the first load that misses something. A package
            stands for itself and the modules below it.

    Raises:
        TypeError: It is neither.

    Example:
        >>> safeload.register_module("my_project.layers")
        >>> model = safeload.load_model("model.keras")
    """
    name = _name(module)
    with _lock:
        _registered[name] = module


def unregister_module(module: ModuleType | str) -> None:
    """Undo `register_module`.

    Raises:
        KeyError: It is not registered.
    """
    name = _name(module)
    with _lock:
        if name not in _registered:
            raise KeyError(f"{name} is not registered")
        del _registered[name]


def registered_modules() -> tuple[str, ...]:
    """The names of the registered modules, in the order of registration."""
    with _lock:
        return tuple(_registered)


def registered() -> tuple[ModuleType | str, ...]:
    """The registered modules themselves, or their names, in the order of registration."""
    with _lock:
        return tuple(_registered.values())


@contextlib.contextmanager
def modules(*names: ModuleType | str) -> Iterator[None]:
    """`register_module` for the duration of a `with` block.

    Example:
        >>> with safeload.modules("experiment_7.layers"):
        ...     model = safeload.load_model("model.keras")
    """
    with _lock:
        before = dict(_registered)
    for module in names:
        register_module(module)
    try:
        yield
    finally:
        with _lock:
            _registered.clear()
            _registered.update(before)
