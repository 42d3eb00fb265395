"""Weights of Keras 1 as Keras 2 lays them out.

The facts are those of Keras 2's own loader, `engine/topology.py`, `preprocess_weights_for_loading` (2.0-2.3): kernels of
`th` ordering are (filters, channels, *space); one-dimensional kernels have an axis of one; recurrent layers have an
array for each gate. Flipped kernels are the business of the boundary `backends`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Arrays", "conv1d", "conv_th", "deconv", "gates", "separable_th"]

Arrays = Callable[[list["np.ndarray"]], list["np.ndarray"]]


def conv1d(filters: Any, length: Any) -> Arrays:
    """(length, 1, channels, filters), before Keras 1.2 (filters, channels, length, 1), to (length, channels, filters)."""

    def apply(arrays: list[np.ndarray]) -> list[np.ndarray]:
        kernel, *rest = arrays
        if kernel.ndim == 4:
            if kernel.shape[:2] != (length, 1) or kernel.shape[3] != filters:
                kernel = kernel.transpose(2, 3, 1, 0)
            kernel = kernel[:, 0]
        return [kernel, *rest]

    return apply


def conv_th(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """(filters, channels, *space) to (*space, channels, filters)."""
    kernel, *rest = arrays
    return [kernel.transpose(*range(2, kernel.ndim), 1, 0), *rest]


def separable_th(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Both kernels of a separable convolution, from `th`."""
    depthwise, pointwise, *rest = arrays
    return [depthwise.transpose(2, 3, 1, 0), pointwise.transpose(2, 3, 1, 0), *rest]


def deconv(ordering: str) -> Arrays:
    """A transposed convolution's kernel to (rows, columns, filters, channels)."""

    def apply(arrays: list[np.ndarray]) -> list[np.ndarray]:
        kernel, *rest = arrays
        return [kernel.transpose(2, 3, 0, 1) if ordering == "th" else kernel.transpose(0, 1, 3, 2), *rest]

    return apply


def gates(order: Sequence[int], *, th: bool = False) -> Arrays:
    """An array for each gate, (kernel, recurrent kernel, bias) gate by gate, joined in Keras 2's order of gates.

    Args:
        order: For each gate of Keras 2, its number among those stored.
        th: Kernels are (filters, channels, rows, columns).
    """

    def apply(arrays: list[np.ndarray]) -> list[np.ndarray]:
        import numpy as np

        if len(arrays) != 3 * len(order):  # `consume_less='gpu'` stores them joined, in Keras 2's order
            return arrays
        joined = []
        for kind in range(3):
            parts = [arrays[3 * gate + kind] for gate in order]
            if th and kind < 2:
                parts = [p.transpose(2, 3, 1, 0) for p in parts]
            joined.append(np.concatenate(parts, axis=-1))
        return joined

    return apply
