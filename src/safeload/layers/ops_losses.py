"""A layer that adds a loss: what `model.add_loss(tensor)` left in functional models of Keras 2."""

from __future__ import annotations

from typing import Any

from safeload.layers.ops import OperationLayer
from safeload.layers.registration import registered

__all__ = ["AddLoss"]


@registered
class AddLoss(OperationLayer):
    """Gives its first input back and adds the others to the model's losses.

    Keras 3 builds what leads to a model's outputs and nothing else, so the loss has to be on the way to one.
    """

    def call(self, inputs: Any) -> Any:
        output, *losses = inputs
        for loss in losses:
            self.add_loss(loss)
        return output

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask[0] if isinstance(previous_mask, list | tuple) else None
