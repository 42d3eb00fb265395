"""Progress, for a bar or a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Event", "Listener"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something was done.

    Attributes:
        step: `open`, `read`, `repair`, `check`, `build`, `compile`, `fill` or `verify`.
        done, total: How far the step is, in its unit; `done == total` when it ends. `fill` counts bytes.
        layer: What is being filled.

    Example:
        >>> safeload.load_model("model.keras", on_event=lambda e: print(e.step, e.done, e.total))
    """

    step: str
    done: int = 1
    total: int = 1
    layer: str | None = None


Listener = Callable[[Event], None]
