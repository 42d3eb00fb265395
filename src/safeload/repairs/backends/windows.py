"""Where Theano and CNTK put the windows of convolutions and pooling: the padding that makes them those of TensorFlow.

Theano pads `same` convolutions by half the kernel on both sides, whatever the stride, and cuts what is too much off the
end (`theano_backend.conv2d`, `border_mode="half"`). TensorFlow pads as much as the stride leaves over, the smaller half
in front. With zeros put in explicitly, a `valid` convolution gives Theano's numbers. CNTK centres the kernel on every
stride-th element: the smaller half of the kernel lies in front, whatever the stride (measured with CNTK 2.7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["centred", "conv_margins", "integers", "pool_margins", "transpose_margins"]

Margin = tuple[int, int]


def integers(value: Any, rank: int) -> tuple[int, ...]:
    """An argument for each axis: Keras takes one number for all of them."""
    listed = tuple(value) if isinstance(value, list | tuple) else (value,) * rank
    return tuple(int(v) for v in listed) if len(listed) == rank else (int(listed[0]),) * rank


def conv_margins(config: Mapping[str, Any], rank: int, *, cut: bool = True) -> list[Margin] | None:
    """The zeros around the input of a convolution; None where TensorFlow's own padding is the same.

    Args:
        config: In Keras 2's names.
        rank: Number of spatial axes.
        cut: Whether Keras cuts what an even kernel gives too much. It forgets to for separable convolutions, where it
            looks at the size of the pointwise kernel (Keras 2.2.4, `separable_conv2d`).
    """
    padding = config.get("padding", "valid")
    kernel = integers(config.get("kernel_size", 1), rank)
    strides = integers(config.get("strides") or 1, rank)
    dilation = integers(config.get("dilation_rate") or 1, rank)
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if padding == "full":
        return [(e - 1, e - 1) for e in extents]
    if padding != "same" or all(e == 1 or (e % 2 == 1 and s == 1) for e, s in zip(extents, strides, strict=True)):
        return None
    return [(e // 2, e - 1 - e // 2 if cut else e // 2) for e in extents]


def pool_margins(config: Mapping[str, Any], rank: int) -> list[Margin] | None:
    """What Theano's pooling puts around its input; None where TensorFlow does the same.

    It pads an even window, and one of two, by its size less one, an odd one by its size less two, on both sides, and
    cuts the end (`theano_backend.pool2d`). The windows then are those of one that ends where the input ends.
    """
    if config.get("padding", "valid") != "same":
        return None
    sizes = integers(config.get("pool_size") or 2, rank)
    strides = integers(config["strides"], rank) if config.get("strides") else sizes
    front = [s - 2 if s > 2 and s % 2 == 1 else s - 1 for s in sizes]
    margins = [(f, s - 1 - f) for f, s in zip(front, sizes, strict=True)]
    alike = [
        s == 1 or (step == 1 and m == ((s - 1) // 2, s // 2))
        for s, step, m in zip(sizes, strides, margins, strict=True)
    ]
    return None if all(alike) else margins


def centred(config: Mapping[str, Any], rank: int, size: str = "kernel_size") -> list[Margin] | None:
    """CNTK's margins of a `same` convolution or pooling; None where TensorFlow's own padding is the same."""
    if config.get("padding", "valid") != "same":
        return None
    kernel = integers(config.get(size) or 2, rank)
    strides = (
        integers(config["strides"], rank) if config.get("strides") else kernel if size == "pool_size" else (1,) * rank
    )
    if all(s == 1 or k == 1 for k, s in zip(kernel, strides, strict=True)):
        return None
    return [((k - 1) // 2, k // 2) for k in kernel]


def transpose_margins(
    config: Mapping[str, Any], rank: int, fronts: Sequence[int] | None = None
) -> tuple[list[int], list[Margin]] | None:
    """For a `same` transposed convolution: the output padding of a `valid` one, and what to cut off its output.

    It is the gradient of a convolution that pads by half the kernel (`theano_backend.conv2d_transpose`); TensorFlow's
    pads by half of what the kernel exceeds the stride.

    Args:
        config: In Keras 2's names.
        rank: Number of spatial axes.
        fronts: What to cut before the first element; half of the kernel by default.
    """
    if config.get("padding", "valid") != "same":
        return None
    kernel = integers(config.get("kernel_size", 1), rank)
    strides: Sequence[int] = integers(config.get("strides") or 1, rank)
    front = list(fronts) if fronts is not None else [k // 2 for k in kernel]
    if all(f == max(k - s, 0) // 2 for f, k, s in zip(front, kernel, strides, strict=True)):
        return None
    more = [max(0, f + s - k) for f, k, s in zip(front, kernel, strides, strict=True)]
    end = [k - s + m - f for k, s, m, f in zip(kernel, strides, more, front, strict=True)]
    return more, list(zip(front, end, strict=True))
