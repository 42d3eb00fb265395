"""What the caller asked for, as one frozen value, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from safeload.events import Event, Listener

__all__ = ["Options", "SafeLoadWarning"]

_CHOICES: dict[str, tuple[Any, ...]] = {
    "compile": (True, False, "strict"),
    "repair": ("auto", "off"),
    "device": ("auto", "cpu"),
    "integrity": ("fast", "full"),
    "saved_backend": (None, "tensorflow", "theano", "cntk", "jax", "torch"),
}


class SafeLoadWarning(UserWarning):
    """The model was loaded, but something of it is not as it was saved."""


@dataclass(frozen=True)
class Options:
    """The keyword arguments of `load_model` and `check`.

    Raises:
        ValueError: One of them is none of its values.
    """

    compile: bool | str = True
    safe_mode: bool = True
    repair: str = "auto"
    device: str = "auto"
    saved_backend: str | None = None
    integrity: str = "fast"
    saved_model_options: Any = None
    on_event: Listener | None = None

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if not any(value is c or (isinstance(c, str) and value == c) for c in choices):
                raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")

    def tell(self, step: str, done: int = 1, total: int = 1, layer: str | None = None) -> None:
        """Tell the caller's listener, if there is one."""
        if self.on_event is not None:
            self.on_event(Event(step, done, total, layer))
