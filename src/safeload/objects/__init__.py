"""Custom objects: where they may come from, and what each name in a config stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Resolution", "Scope", "resolve"]


@dataclass(frozen=True)
class Scope:
    """Where custom objects may come from."""

    custom_objects: Mapping[str, Any]
    modules: tuple[Any, ...] = ()

    @classmethod
    def of_call(cls, custom_objects: Mapping[str, Any] | None, modules: Sequence[Any]) -> Scope:
        return cls(dict(custom_objects or {}), tuple(modules))


@dataclass(frozen=True)
class Resolution:
    """What each name in a config stands for."""

    scope: Scope

    def bind(self, keras: Any) -> Any:
        from safeload.objects.registry import registered_objects
        from safeload.objects.standin import NaiveResolver

        return NaiveResolver(keras, {**registered_objects(self.scope.modules), **self.scope.custom_objects})


def resolve(document: Any, runtime: Any, scope: Scope) -> Resolution:
    return Resolution(scope)
