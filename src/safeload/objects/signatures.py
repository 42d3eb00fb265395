"""Can a class take its stored config? From its signature alone; nothing is called."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Faults", "faults"]

_DEFAULT_OWNERS = frozenset("Operation Layer Loss Metric Initializer Regularizer Constraint".split())
"""The classes of Keras whose `from_config` is `cls(**config)`."""

_KERAS = ("keras", "tf_keras", "tensorflow")


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong between a constructor and a stored config.

    Attributes:
        missing: Arguments that the constructor needs and the config doesn't have.
        unexpected: Keys of the config that the constructor doesn't take.
        takes: The constructor's arguments.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    takes: tuple[str, ...]


def faults(cls: Any, config: Any) -> Faults | None:
    """What keeps a class from taking a config; None where nothing does, as far as can be told.

    Only for classes whose `from_config` is Keras' own, and whose constructor says all that it takes: what `**kwargs`
    may hold can't be told from outside.
    """
    if not inspect.isclass(cls) or not isinstance(config, Mapping) or not _is_default(cls):
        return None
    try:
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    except (TypeError, ValueError):
        return None
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    takes = tuple(p.name for p in named)
    missing = tuple(p.name for p in named if p.default is p.empty and p.name not in config)
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
    unexpected = () if open_ended else tuple(str(k) for k in config if k not in takes)
    return Faults(missing, unexpected, takes) if missing or unexpected else None


def _is_default(cls: type) -> bool:
    method = getattr(cls, "from_config", None)
    function = getattr(method, "__func__", method)
    owner = getattr(function, "__qualname__", "").split(".")[0]
    home = str(getattr(function, "__module__", "")).split(".")[0]
    return home in _KERAS and owner in _DEFAULT_OWNERS
