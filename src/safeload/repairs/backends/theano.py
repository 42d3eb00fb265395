"""Files of the Theano backend: kernels that are flipped, and windows that lie elsewhere.

Read from `keras/backend/theano_backend.py` of Keras 1.0.8 to 2.2.4. Theano's convolution is a true one: it flips its
kernel; TensorFlow's is a correlation. Depthwise kernels are the exception: Keras flips them itself before it calls Theano.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from safeload.document import WeightTransform
from safeload.repairs.backends import windows
from safeload.repairs.backends.surgery import Neighbours, cropped, padded, padded_steps, step_by_step, surround
from safeload.repairs.engine import Context, Repaired, is_object
from safeload.repairs.refusal import refusal

if TYPE_CHECKING:
    import numpy as np

__all__ = ["FLIPPED", "flip", "pad", "pool", "srelu"]

FLIPPED: dict[str, int] = {
    "Conv1D": 1,
    "Conv2D": 2,
    "Conv3D": 3,
    "Conv2DTranspose": 2,
    "Conv3DTranspose": 3,
    "Deconvolution2D": 2,
    "ConvLSTM2D": 2,
}
"""Layers whose kernels Theano flips, with their number of spatial axes."""

PADDED: dict[str, int] = {
    "Conv1D": 1,
    "Conv2D": 2,
    "Conv3D": 3,
    "SeparableConv1D": 1,
    "SeparableConv2D": 2,
    "DepthwiseConv2D": 2,
}
"""Layers whose input gets explicit zeros."""

POOLED = {f"{kind}Pooling{rank}D": rank for kind in ("Max", "Average") for rank in (1, 2, 3)}

TRANSPOSED = {"Conv2DTranspose": 2, "Conv3DTranspose": 3}


_EVEN = "safeload_enlarged"
"""Where `flip` tells `pad` which axes of a ConvLSTM2D's kernel it has made odd; gone when the boundary is crossed."""


def is_theano(context: Context) -> bool:
    return context.saved_backend == "theano"


def class_of(layer: Mapping[str, Any]) -> str:
    """The class of Keras' own, or of ours, without the package; other packages' classes are nobody we know."""
    name = str(layer.get("class_name"))
    package, _, last = name.rpartition(">")
    return last if package in ("", "safeload") else ""


def flip(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Kernels reversed along their spatial axes."""
    name, config = class_of(layer), layer.get("config")
    rank = FLIPPED.get(name)
    if not is_theano(context) or rank is None or not isinstance(config, Mapping):
        return None
    kernel = windows.integers(config.get("kernel_size", 1), rank)
    if all(k == 1 for k in kernel):
        return None
    if name == "ConvLSTM2D":
        return _flip_convlstm(layer, config, kernel, context)
    node = layer
    if name == "Deconvolution2D":
        node = {**layer, "config": {**config, "margins": _deconvolution(config, context)}}
    return Repaired(node, "kernels of Theano were flipped", WeightTransform("SL716", _flipping(rank, 1)))


def _flipping(rank: int, kernels: int, more: tuple[int, ...] = ()) -> Callable[[list[np.ndarray]], list[np.ndarray]]:
    def apply(arrays: list[np.ndarray]) -> list[np.ndarray]:
        import numpy as np

        flipped = [np.flip(a, tuple(range(rank))) for a in arrays[:kernels]]
        if any(more):
            flipped = [np.pad(a, [*((0, m) for m in more), (0, 0), (0, 0)]) for a in flipped]
        return [*flipped, *arrays[kernels:]]

    return apply


def _flip_convlstm(
    layer: Mapping[str, Any], config: Mapping[str, Any], kernel: tuple[int, ...], context: Context
) -> Repaired:
    """Both kernels flipped, and an even one made odd by a last row of zeros.

    The recurrent convolution is always padded `same`, inside the cell: an odd kernel has the same windows everywhere.
    """
    more = tuple(1 - k % 2 for k in kernel)
    changed = dict(config)
    if any(more):
        if any(d != 1 for d in windows.integers(config.get("dilation_rate") or 1, 2)):
            raise refusal(context, "a dilated ConvLSTM2D of Theano has an even kernel")
        changed |= {"kernel_size": [k + m for k, m in zip(kernel, more, strict=True)], _EVEN: list(more)}
    transform = WeightTransform("SL716", _flipping(2, 2, more))
    return Repaired({**layer, "config": changed}, "kernels of Theano were flipped", inner={("cell",): transform})


def _deconvolution(config: Mapping[str, Any], context: Context) -> list[int] | None:
    """How much of the full output of Keras 1's Deconvolution2D lies before the part that is kept."""
    kernel = windows.integers(config.get("kernel_size", 1), 2)
    padding = config.get("padding", "valid")
    if padding == "same" and any(k % 2 == 0 for k in kernel):
        raise refusal(context, "Theano cuts a same Deconvolution2D with an even kernel to the size of its input")
    return {"same": [k // 2 for k in kernel], "full": [k - 1 for k in kernel]}.get(str(padding))


def pool(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Pooling with `same` padding as a layer of ours that has Theano's windows."""
    name, config = str(layer.get("class_name")), layer.get("config")
    if not is_theano(context) or name not in POOLED or not isinstance(config, Mapping):
        return None
    margins = windows.pool_margins(config, POOLED[name])
    if margins is None:
        return None
    own = f"safeload>Padded{name}"
    changed = {**config, "margins": [list(m) for m in margins]}
    node = {**layer, "class_name": own, "registered_name": own, "config": changed}
    return Repaired(node, "windows of a same pooling where Theano puts them")


def srelu(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Theano's `relu` with a slope and a maximum cuts the left side too."""
    if not is_theano(context) or class_of(layer) != "SReLU":
        return None
    return Repaired({**layer, "config": {**layer["config"], "capped": True}})


def pad(model: Mapping[str, Any], context: Context) -> Repaired | None:
    """Explicit padding before convolutions, cropping behind transposed ones."""
    if not is_theano(context):
        return None
    changed = surround(model, lambda layer: step_by_step(layer, _neighbours))
    return Repaired(changed, "zeros were put where Theano pads") if changed is not None else None


def _neighbours(layer: Mapping[str, Any]) -> Neighbours | None:
    name, config = str(layer["class_name"]), layer["config"]
    if name in PADDED:
        margins = windows.conv_margins(config, PADDED[name], cut=not name.startswith("Separable"))
        return padded(layer, margins) if margins is not None else None
    if name in TRANSPOSED:
        found = windows.transpose_margins(config, TRANSPOSED[name])
        return cropped(layer, *found) if found is not None and config.get("output_padding") is None else None
    if name == "Bidirectional" and is_object(config.get("layer")):
        inner = config["layer"]
        if inner["class_name"] == "ConvLSTM2D" and (made := _convlstm(inner, inner["config"])) is not None:
            return Neighbours({**layer, "config": {**config, "layer": made.layer}}, made.before)
    return _convlstm(layer, config) if name == "ConvLSTM2D" else None


def _convlstm(layer: Mapping[str, Any], config: Mapping[str, Any]) -> Neighbours | None:
    more = config.get(_EVEN) or [0, 0]
    kept = {k: v for k, v in config.items() if k != _EVEN}
    original = {
        **kept,
        "kernel_size": [k - m for k, m in zip(windows.integers(kept["kernel_size"], 2), more, strict=True)],
    }
    strides = windows.integers(kept.get("strides") or 1, 2)
    margins = windows.conv_margins(original, 2)
    if margins is None and kept.get("padding", "valid") != "same":
        margins = [(0, 0), (0, 0)] if any(more) else None
    elif margins is not None and all(s == 1 for s in strides):
        margins = None  # made odd, the kernel has TensorFlow's windows
    if margins is None:
        return Neighbours({**layer, "config": kept}) if _EVEN in config else None
    wider = [(front, end + m) for (front, end), m in zip(margins, more, strict=True)]
    return padded_steps({**layer, "config": kept}, wider)
