"""Can the devices that are here run what a function of a SavedModel needs? Told before anyone calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from safeload.build.endpoints import Endpoint
from safeload.document import ModelDocument
from safeload.errors import MissingOpError

__all__ = ["check_kernels"]

_REWRITTEN = frozenset({"AccumulateNV2"})
"""Operations without a kernel anywhere, which TensorFlow puts others in the place of before it runs a graph."""

_PLATFORMS = {"CPU": "CPU", "CUDA": "GPU", "ROCM": "GPU", "TPU": "TPU"}
"""Which kind of device a platform of `XlaCallModule` is; the module was lowered for its platforms and no other."""


def check_kernels(endpoint: Endpoint, document: ModelDocument) -> None:
    """Raise for what no device here runs.

    Raises:
        MissingOpError: With all of these operations.
    """
    import tensorflow as tf
    from tensorflow.python.framework import kernels  # no public name; the same since TF 1.13

    devices = {device.device_type for device in tf.config.list_physical_devices()}
    missing: dict[str, str] = {}
    formats: set[tuple[str, str]] = set()
    known_here: dict[str, set[str]] = {}
    for node in endpoint.nodes():
        op = node.op
        if op not in known_here:
            known_here[op] = {kernel.device_type for kernel in kernels.get_registered_kernels_for_op(op).kernel}
            if op not in _REWRITTEN and not known_here[op] & (devices | {"DEFAULT"}):
                missing[op] = op
        if op == "XlaCallModule":
            platforms = [p.decode("utf-8", "replace") for p in node.attr["platforms"].list.s]
            if platforms and not {_PLATFORMS.get(p, p) for p in platforms} & devices:
                missing[op] = f"{op} for {', '.join(platforms)}"
        elif op in _CHANNELS_FIRST and "GPU" not in devices:
            layout = node.attr["data_format"].s.decode("utf-8", "replace")
            if layout in ("NCHW", "NCDHW"):
                formats.add((op, layout))
    missing |= {op: f"{op} in the layout {layout}" for op, layout in sorted(formats) if not _runs(op, layout)}
    if missing:
        raise MissingOpError(
            f"no device here runs {', '.join(sorted(missing.values())[:5])}",
            path=document.path,
            hint="load it on a machine with the device that it was exported for",
            ops=tuple(sorted(missing)),
            devices=tuple(sorted(devices)),
        )


def _runs(op: str, layout: str) -> bool:
    """Whether a tiny call works: CPU kernels of these operations take channels first in some builds of TensorFlow."""
    import tensorflow as tf

    rank = len(layout)
    inputs, ones = tf.ones([1] * rank), [1] * rank
    common: dict[str, Any] = {"strides": ones, "padding": "VALID", "data_format": layout}
    try:
        _CHANNELS_FIRST[op](tf.raw_ops, inputs, ones, common)
    except (tf.errors.OpError, ValueError):
        return False
    return True


_CHANNELS_FIRST: Mapping[str, Callable[[Any, Any, list[int], Mapping[str, Any]], Any]] = {
    "Conv2D": lambda raw, x, ones, c: raw.Conv2D(input=x, filter=x, **c),
    "Conv3D": lambda raw, x, ones, c: raw.Conv3D(input=x, filter=x, **c),
    "DepthwiseConv2dNative": lambda raw, x, ones, c: raw.DepthwiseConv2dNative(input=x, filter=x, **c),
    "Conv2DBackpropInput": lambda raw, x, ones, c: raw.Conv2DBackpropInput(
        input_sizes=ones, filter=x, out_backprop=x, **c
    ),
    "Conv3DBackpropInputV2": lambda raw, x, ones, c: raw.Conv3DBackpropInputV2(
        input_sizes=ones, filter=x, out_backprop=x, **c
    ),
    "MaxPool": lambda raw, x, ones, c: raw.MaxPool(input=x, ksize=ones, **c),
    "AvgPool": lambda raw, x, ones, c: raw.AvgPool(value=x, ksize=ones, **c),
    "MaxPool3D": lambda raw, x, ones, c: raw.MaxPool3D(input=x, ksize=ones, **c),
    "AvgPool3D": lambda raw, x, ones, c: raw.AvgPool3D(input=x, ksize=ones, **c),
}
"""A call of one element for each operation whose CPU kernel may know channels last alone."""
