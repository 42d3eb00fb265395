"""The variables of an optimizer that was built here: its counter, and its slots by name, for every family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from safeload.optimizers import KEPT

__all__ = ["Target"]

_INNER = ("inner_optimizer", "_optimizer")


class Target:
    """A model's optimizer, with its variables made.

    Args:
        optimizer: As `model.optimizer` is.
        variables: The model's trainable variables.
    """

    def __init__(self, optimizer: Any, variables: Sequence[Any]) -> None:
        self.outer = optimizer
        self.inner = optimizer
        for _ in range(8):
            inner = next((o for name in _INNER if (o := getattr(self.inner, name, None)) is not None), None)
            if inner is None or not hasattr(inner, "iterations"):
                break
            self.inner = inner
        self.variables = list(variables)
        self.legacy = hasattr(self.inner, "get_slot")
        self._build()
        self.cls = next(
            (name for cls in type(self.inner).__mro__ if (name := cls.__name__.lower()) in KEPT),
            type(self.inner).__name__.lower(),
        )

    def _build(self) -> None:
        if self.legacy:
            self.inner.iterations  # noqa: B018  # the property makes the variable
            self.inner._create_all_weights(self.variables)
        elif hasattr(self.outer, "build"):
            if not getattr(self.outer, "built", False):
                self.outer.build(self.variables)
            if self.inner is not self.outer and not getattr(self.inner, "built", False):
                self.inner.build(self.variables)

    def slot(self, name: str) -> list[Any] | None:
        """The slot's variables in the order of the trained variables; None where the optimizer has no such slot."""
        kept = KEPT.get(self.cls)
        row = next((s for s in kept.slots if s.name == name), None) if kept else None
        if self.legacy:
            key = row.v2 if row is not None else name
            if key not in self.inner.get_slot_names():
                return None
            return [self.inner.get_slot(v, key) for v in self.variables]
        attribute = row.attribute if row is not None else _COMMON.get(name)
        held = getattr(self.inner, attribute, None) if attribute else None
        return list(held) if held and len(held) == len(self.variables) else None

    @property
    def rest(self) -> list[Any]:
        """Every variable after the counter and the learning rate, in the order in which they were made."""
        variables = self.inner.variables
        variables = list(variables() if callable(variables) else variables)
        head = {id(self.inner.iterations), id(self.learning_rate)}
        head |= {id(getattr(self.inner, "_iterations", None)), id(getattr(self.inner, "_learning_rate", None))}
        return [v for v in variables if id(v) not in head]

    @property
    def learning_rate(self) -> Any:
        """The variable that holds the learning rate (Keras 3, where it is no schedule); None."""
        found = getattr(self.inner, "_learning_rate", None)
        return found if hasattr(found, "assign") and tuple(getattr(found, "shape", (1,))) == () else None

    def scalar(self, name: str) -> Any:
        """A single variable by our name for it; None where this optimizer has none."""
        for holder, attribute in _SINGLE.get(name, ()):
            found = getattr(self.outer if holder == "outer" else self.inner, attribute, None)
            if hasattr(found, "assign"):
                return found
        return None


_COMMON = {"average": "_model_variables_moving_average", "accumulated_gradient": "_accumulated_gradients"}

_SINGLE = {
    "u_product": (("inner", "_u_product"), ("inner", "_m_cache")),
    "dynamic_scale": (("outer", "dynamic_scale"),),
    "step_counter": (("outer", "step_counter"),),
}
