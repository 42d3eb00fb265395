"""The random generators of the process: a load draws from them (initial values, seeds) and leaves them as they were."""

from __future__ import annotations

import contextlib
import importlib
import random
from collections.abc import Iterator
from types import ModuleType
from typing import Any

__all__ = ["random_states"]


@contextlib.contextmanager
def random_states(keras: ModuleType) -> Iterator[None]:
    """Put the states of Python's, NumPy's, TensorFlow's and Keras' generators back at the end of a `with` block."""
    import numpy as np

    python, arrays = random.getstate(), np.random.get_state()
    others = [(generator, generator.getstate()) for generator in _generators(keras)]
    shared = _seed_variable(keras)
    counted = shared.numpy() if shared is not None else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(arrays)
        for generator, state in others:
            generator.setstate(state)
        if shared is not None:
            shared.assign(counted)


def _generators(keras: ModuleType) -> Iterator[random.Random]:
    """Generators of the kind of Python's that TensorFlow and Keras 2 keep, once a seed was set."""
    places: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("tensorflow.python.eager.context", ("_context", "_rng")),  # TF 2.12-2.21: seeds of operations
        (f"{keras.__name__}.src.backend", ("_SEED_GENERATOR", "generator")),  # tf_keras, Keras 2.13-2.15
        (f"{keras.__name__}.backend", ("_SEED_GENERATOR", "generator")),  # Keras 2.12
    )
    seen: list[Any] = []
    for module, path in places:
        try:
            found: Any = importlib.import_module(module)
        except ImportError:
            continue
        for name in path:
            found = getattr(found, name, None)
        if isinstance(found, random.Random) and all(found is not s for s in seen):
            seen.append(found)
            yield found


def _seed_variable(keras: ModuleType) -> Any:
    """The state of Keras 3's generator for the whole process, where something made it already."""
    try:
        module = importlib.import_module(f"{keras.__name__}.src.backend.common.global_state")
        key = importlib.import_module(f"{keras.__name__}.src.random.seed_generator").GLOBAL_SEED_GENERATOR
    except (ImportError, AttributeError):
        return None
    return getattr(module.get_global_attribute(key), "state", None)
