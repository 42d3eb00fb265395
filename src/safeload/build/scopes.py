"""Keras' process-wide state while a model is built: set for this thread, under a lock, and put back exactly."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from safeload.build.randomness import random_states
from safeload.trees import mappings

__all__ = ["building"]

_lock = threading.RLock()


@contextlib.contextmanager
def building(
    keras: ModuleType, custom_objects: Mapping[str, Any], *, safe_mode: bool, config: Any = None
) -> Iterator[None]:
    """Everything that deserializing needs around it.

    - one build at a time: name counters and the legacy loaders' module tables are process-wide;
    - the custom objects, merged over the active scope (Keras 3's `custom_object_scope` replaces it on entry);
    - Keras' own safe mode, so that no bytecode runs below us;
    - dtype policy, float type and image format as they were, whatever a config's `from_config` does;
    - the states of all random generators as they were: initial values and seeds are drawn from them.
    """
    with _lock, contextlib.ExitStack() as stack:
        stack.enter_context(random_states(keras))
        before = _globals(keras)
        stack.callback(_restore, keras, before)
        stack.enter_context(_name_counters(keras, config))
        stack.enter_context(_custom_objects(keras, custom_objects))
        stack.enter_context(_safe_mode(keras, safe_mode))
        yield


def _globals(keras: ModuleType) -> dict[str, Any]:
    backend = keras.backend
    policy = (
        keras.config.dtype_policy()
        if hasattr(keras, "config") and hasattr(keras.config, "dtype_policy")
        else (keras.mixed_precision.global_policy())
    )
    return {
        "floatx": backend.floatx(),
        "epsilon": backend.epsilon(),
        "image_data_format": backend.image_data_format(),
        "policy": policy,
    }


def _restore(keras: ModuleType, before: Mapping[str, Any]) -> None:
    after = _globals(keras)
    for name in ("floatx", "epsilon", "image_data_format"):
        if after[name] != before[name]:
            getattr(keras.backend, f"set_{name}")(before[name])
    if after["policy"] is not before["policy"]:
        setter = (
            keras.config.set_dtype_policy
            if hasattr(keras, "config") and hasattr(keras.config, "set_dtype_policy")
            else (keras.mixed_precision.set_global_policy)
        )
        setter(before["policy"])


@contextlib.contextmanager
def _name_counters(keras: ModuleType, config: Any) -> Iterator[None]:
    """A load must not change the names that later layers get: `keras.backend.get_uid` counts in the process.

    Meanwhile the names of the config's layers are taken: Keras 3 computes the masks of a functional model with operations
    of the model, which it names itself, and refuses a model with two of one name (`concatenate` in `Concatenate`).
    """
    module = _module(keras, "src.backend.common.global_state")
    if module is None:
        yield
        return
    counters = module.get_global_attribute("object_name_uids")
    saved = dict(counters) if counters is not None else None
    naming = _module(keras, "src.utils.naming")
    if naming is not None and hasattr(naming, "uniquify"):
        for name in sorted(_layer_names(config)):
            naming.uniquify(name)
    try:
        yield
    finally:
        now = module.get_global_attribute("object_name_uids")
        if saved is not None and now is not None:
            now.clear()
            now.update(saved)
        elif now is not None:
            now.clear()


def _layer_names(config: Any) -> set[str]:
    """The names of all layers in a config."""
    nodes = mappings(config, without=("inbound_nodes",))
    return {node["name"] for node in nodes if isinstance(node.get("name"), str) and "class_name" not in node}


@contextlib.contextmanager
def _custom_objects(keras: ModuleType, custom_objects: Mapping[str, Any]) -> Iterator[None]:
    registration = _module(keras, "src.saving.object_registration")
    merged: dict[str, Any] = {}
    state = _module(keras, "src.backend.common.global_state")
    if state is not None:
        merged.update(state.get_global_attribute("custom_objects_scope_dict", {}) or {})
    merged.update(custom_objects)
    scope = keras.utils.custom_object_scope if registration is None else registration.CustomObjectScope
    with scope(merged):
        yield


@contextlib.contextmanager
def _safe_mode(keras: ModuleType, safe_mode: bool) -> Iterator[None]:
    serialization = _module(keras, "src.saving.serialization_lib") or _module(keras, "saving.serialization_lib")
    if serialization is None or not hasattr(serialization, "SafeModeScope"):
        yield
        return
    with serialization.SafeModeScope(safe_mode):
        yield


def _module(keras: ModuleType, name: str) -> ModuleType | None:
    """A private module of Keras, where this version has it."""
    import importlib

    try:
        return importlib.import_module(f"{keras.__name__}.{name}")
    except ImportError:
        return None
