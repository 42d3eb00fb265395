"""What Keras calls a function with, by the slot of the config that it stands in."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LAYER", "MASK", "Role", "role_of"]


@dataclass(frozen=True, slots=True)
class Role:
    """What Keras calls a function with.

    Attributes:
        count: How many arguments it gets by position.
        named: What it gets by name, if it takes an argument of that name.
    """

    count: int = 1
    named: tuple[str, ...] = ()


LAYER = Role(1, ("mask", "training"))
"""The function of a Lambda layer (`core.py` of Keras 1 and 2, `lambda_layer.py` of Keras 3)."""

MASK = Role(2)
"""The `mask` of a Lambda layer: of its input and that one's mask."""

_ROLES = {"function": LAYER, "mask": MASK, "output_shape": Role(), "activation": Role()}
_ENDINGS = (
    ("_activation", Role()),
    ("_initializer", Role(1, ("dtype",))),
    ("_regularizer", Role()),
    ("_constraint", Role()),
)
_MEASURE = Role(2)
"""A loss or metric: of what should be and what is predicted."""


def role_of(slot: str) -> Role | None:
    """The role of a function under a key of a config; None where no function belongs.

    Example:
        >>> role_of("kernel_initializer").named
        ('dtype',)
    """
    if slot in ("loss", "loss_fn", "fn", "metrics", "weighted_metrics"):
        return _MEASURE
    return _ROLES.get(slot) or next((role for ending, role in _ENDINGS if slot.endswith(ending)), None)
