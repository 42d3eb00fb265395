"""The ledger of a fill: which variable got which array, and what didn't fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from safeload.build.deferral import give
from safeload.errors import WeightsMismatchError

__all__ = ["Ledger", "fits", "is_generator_state", "variable_bytes", "variable_name"]

_SHOWN = 20


def variable_name(variable: Any) -> str:
    """`dense/kernel`: the variable's path in Keras 3, its name without `:0` in Keras 2."""
    return str(getattr(variable, "path", None) or variable.name).removesuffix(":0")


def variable_bytes(variable: Any) -> int:
    """Bytes of a variable's value."""
    size = 1
    for d in variable.shape:
        size *= int(d or 0)  # the weights of a vocabulary have no length before it is there
    dtype = variable.dtype if isinstance(variable.dtype, str) else variable.dtype.name
    bits = "".join(c for c in dtype if c.isdigit())
    return size * (int(bits) // 8 if bits else 1)


def fits(variable: Any, shape: Sequence[int]) -> bool:
    """Whether an array of a shape can be the variable's value; tf.keras leaves the length of what `adapt` makes open."""
    expected = tuple(variable.shape)
    return len(expected) == len(shape) and all(e is None or e == s for e, s in zip(expected, shape, strict=True))


def is_generator_state(variable: Any) -> bool:
    """Whether it is the state of a random generator, which some layouts don't store (FACTS: unseeded generators)."""
    name = variable_name(variable)
    return name.rsplit("/", 1)[-1] in ("seed_generator_state", "StateVar", "state_var") or "seed_generator" in name


class Ledger:
    """Collects what was filled, and every mismatch, so that all of them are raised at once."""

    def __init__(self, tell: Callable[..., None] = lambda *args: None, total: int = 0) -> None:
        self.filled: dict[int, str] = {}
        self.mismatches: list[str] = []
        self._misfits: set[int] = set()
        self._tell, self._done, self._total = tell, 0, total

    def assign(self, variable: Any, array: Any, where: str, *, owned: bool = False) -> bool:
        """Put an array into a variable; False, and a mismatch, where the shapes differ.

        Args:
            variable: What to fill.
            array: What with.
            where: Where the array comes from.
            owned: The array was read for this variable alone, and nobody else has its memory.
        """
        if not fits(variable, array.shape):
            self.misfit(variable, tuple(array.shape), where)
            return False
        give(variable, array, owned=owned)
        self.mark((variable,), where)
        return True

    def mark(self, variables: Iterable[Any], where: str) -> None:
        """These variables were filled."""
        for variable in variables:
            if id(variable) not in self.filled and hasattr(variable, "shape"):  # a lookup table has none
                self._done += variable_bytes(variable)
                self._tell("fill", min(self._done, self._total), self._total, variable_name(variable))
            self.filled[id(variable)] = where

    def misfit(self, variable: Any, found: Sequence[int], where: str) -> None:
        """The array for a variable has another shape; that nothing fills it then is not told a second time."""
        self._misfits.add(id(variable))
        self.mismatch(f"{variable_name(variable)}: expected {tuple(variable.shape)}, found {tuple(found)} at {where}")

    def mismatch(self, text: str) -> None:
        self.mismatches.append(text)

    def raise_for_mismatches(self, model: Any, path: str | None) -> None:
        """Raise for every mismatch, and for variables of the model that nothing filled.

        Raises:
            WeightsMismatchError: With all of them.
        """
        missing = [
            f"{variable_name(v)}: expected {tuple(v.shape)}, found nothing in the file"
            for v in model.weights
            if id(v) not in self.filled
            and id(v) not in self._misfits
            and hasattr(v, "shape")
            and not is_generator_state(v)
        ]
        problems = tuple(dict.fromkeys(self.mismatches + missing))
        if problems:
            more = f" and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
            raise WeightsMismatchError(
                "the weights don't fit the architecture: " + "; ".join(problems[:_SHOWN]) + more,
                path=path,
                hint="the architecture and the weights come from different models, or a custom layer has changed since",
                mismatches=problems,
            )
