"""Route `tf.keras.models.load_model` calls of other people's code through safeload, and undo it exactly."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

__all__ = ["install", "patch", "uninstall"]

_lock = threading.Lock()
_installed: list[tuple[Any, Any]] = []
"""(module, its own load_model) of every place that was changed."""


def install(**defaults: Any) -> None:
    """Put `safeload.load_model` wherever a loaded module holds Keras' `load_model`, until `uninstall`.

    Modules that did `from keras.models import load_model` are included. `defaults` are keyword arguments for every call
    that doesn't give them itself, for example `modules=("my_layers",)`.

    Raises:
        RuntimeError: It is installed already.
    """
    from safeload.runtime import detect, keras_module

    keras = keras_module(detect())
    import tensorflow as tf

    originals = {id(f): f for f in (keras.models.load_model, keras.saving.load_model, tf.keras.models.load_model)}
    with _lock:
        if _installed:
            raise RuntimeError("safeload is installed already; call safeload.uninstall() first")
        replacement = _replacement(defaults)
        for module in list(sys.modules.values()):
            namespace = getattr(module, "__dict__", {})
            own = namespace.get("load_model")
            if own is not None and id(own) in originals and not getattr(module, "__name__", "").startswith("safeload"):
                _installed.append((module, own))
                namespace["load_model"] = replacement


def _replacement(defaults: dict[str, Any]) -> Any:
    from safeload.loading import load_model as load

    def load_model(
        filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True, **kwargs: Any
    ) -> Any:
        return load(filepath, custom_objects, compile, safe_mode, **{**defaults, **kwargs})

    load_model.__doc__ = load.__doc__
    return load_model


def uninstall() -> None:
    """Undo `install`: every module has its own `load_model` again."""
    with _lock:
        while _installed:
            module, own = _installed.pop()
            module.load_model = own


@contextlib.contextmanager
def patch(**defaults: Any) -> Iterator[None]:
    """`install` for the duration of a `with` block.

    Example:
        >>> with safeload.patch():
        ...     third_party.predict("model.h5")  # calls tf.keras.models.load_model inside
    """
    install(**defaults)
    try:
        yield
    finally:
        uninstall()
