"""Whether anything in a model may make a mask: repairs that keep masks off have nothing to do where nothing does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safeload.repairs.engine import is_object

__all__ = ["layers_below", "may_mask"]

_BARE = frozenset(
    "InputLayer Dense Conv1D Conv2D Conv3D Dropout Activation ReLU LayerNormalization BatchNormalization Add Concatenate "
    "Flatten Reshape Permute MultiHeadAttention GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D "
    "GlobalMaxPooling2D MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D Multiply Subtract Average Maximum "
    "EinsumDense Softmax Rescaling Normalization Lambda TFOpLambda SlicingOpLambda TensorFlowOpLayer LSTM GRU SimpleRNN "
    "RNN Bidirectional TimeDistributed Sequential Functional Model SpatialDropout1D GaussianNoise RepeatVector "
    "ZeroPadding1D ZeroPadding2D DepthwiseConv2D SeparableConv2D SeparableConv1D UpSampling2D LeakyReLU Resizing".split()
)
"""Layers that make no mask of their own; every other one may (custom layers have `compute_mask`)."""


def layers_below(node: Any) -> Iterator[Mapping[str, Any]]:
    """A config's layers at any depth, wrapped ones included."""
    stack = [node]
    while stack:
        value = stack.pop()
        if is_object(value) and isinstance(value["config"], Mapping):
            config = value["config"]
            yield value
            stack += [config.get(slot) for slot in ("layer", "layers", "backward_layer")]
        elif is_object(value):
            stack.append(value["config"])
        elif isinstance(value, list):
            stack += value


def may_mask(architecture: Any) -> bool:
    """Whether a layer of a model may make a mask."""
    for layer in layers_below(architecture):
        name = layer["class_name"]
        if name == "Embedding":
            if layer["config"].get("mask_zero"):
                return True
        elif name not in _BARE:
            return True
    return False
