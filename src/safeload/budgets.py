"""How much a model may ask for: limits that honest models stay far below, in one place."""

from __future__ import annotations

from safeload.document import ModelDocument

__all__ = ["MAX_CALLS", "MAX_LAYERS", "MAX_OUTPUT", "MAX_RANK", "MAX_STEPS", "parameters_allowed"]

MAX_LAYERS = 200_000
"""Objects in a config; the largest applications of Keras have some 5,000."""

MAX_CALLS = 200_000
"""Calls of layers while a graph is built; a nested model's layers count for each call of it."""

MAX_RANK = 64
"""Dimensions in an argument that is a shape."""

MAX_OUTPUT = 2**32
"""Numbers in a layer's output for one sample."""

MAX_STEPS = 2**17
"""Steps of an axis for each of which Keras makes operations of a graph."""

_FREE = 2**26
"""Parameters that need no counterpart in the file: a model that was saved before it was built has none."""

_SLACK = 4
"""Parameters for each stored number: quantized kernels hold several in a byte."""


def parameters_allowed(document: ModelDocument) -> int:
    """How many parameters the model of a document may have at most.

    An architecture without weights gets a quarter of a billion: there is nothing to compare with.
    """
    if document.weights is None:
        return 4 * _FREE
    return max(_FREE, _SLACK * sum(entry.size for entry in document.weights.walk()))
