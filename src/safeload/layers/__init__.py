"""Layers and functions of our own that repaired models use, registered with Keras as `safeload>NAME`.

Their modules import TensorFlow and are loaded when a model needs one. A layer that does what one of Keras' own does is
called as that one is and is a subclass of it, so that code which asks for a layer's class goes on working.
"""

from __future__ import annotations

import importlib
from typing import Any

from safeload.errors import VersionMismatchError

__all__ = ["OWN", "own_object"]

_MODULES = {
    "named_lambda": "NamedLambda",
    "no_mask": "NoMask",
    "spectral": "SpectralNormalization",
    "masks": "Add Average Concatenate Maximum Minimum Multiply ReLU Subtract",
    "image": "RandomBrightness RandomContrast RandomCrop RandomHeight RandomWidth Resizing",
    "attention": "MultiHeadAttention",
    "cell_state": "CellStateLSTMCell",
    "keras1": "BatchNormalization1 Cosine Highway MaxoutDense ParametricSoftplus SReLU",
    "keras3_activations": "keras3_celu keras3_glu keras3_hard_shrink keras3_hard_sigmoid keras3_hard_silu keras3_hard_tanh "
    "keras3_leaky_relu keras3_log_sigmoid keras3_log_softmax keras3_mish keras3_relu6 keras3_soft_shrink "
    "keras3_sparse_plus keras3_sparse_sigmoid keras3_sparsemax keras3_squareplus keras3_tanh_shrink keras3_threshold",
    "expression": "Expression",
    "expression_function": "ExpressionFunction",
    "ops": "TensorFlowFunction",
    "ops3": "Keras3Operation",
    "ops_losses": "AddLoss",
    "ops_nodes": "TensorFlowNode",
    "ops_ragged": "RaggedToTensor",
    "windows": "Deconvolution2D PaddedMaxPooling1D PaddedMaxPooling2D PaddedMaxPooling3D PaddedAveragePooling1D "
    "PaddedAveragePooling2D PaddedAveragePooling3D",
    "objectives": "mean_cosine_proximity negative_cosine_proximity",
    "optimizers": "LegacyAdagrad LegacyNadam LegacyRMSprop",
    "activations": "absolute hard_sigmoid leaky_relu log_softmax relu6 silu",
    "channels_first": "Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose SeparableConv1D SeparableConv2D "
    "DepthwiseConv1D DepthwiseConv2D MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D "
    "AveragePooling3D ConvLSTM1D ConvLSTM2D ConvLSTM3D",
    "locally_connected": "LocallyConnected1D LocallyConnected2D",
    "normalization": "BatchNormalization",
    "thresholded_relu": "ThresholdedReLU",
    "upsampling": "UpSampling2D",
}

OWN: dict[str, str] = {name: module for module, names in _MODULES.items() for name in names.split()}
"""Name -> the module below `safeload.layers` that defines it."""


def own_object(name: str) -> Any:
    """The class or function of that name; imports TensorFlow.

    Raises:
        VersionMismatchError: There is none: a newer safeload wrote the name.
    """
    if name not in OWN:
        raise VersionMismatchError(
            f"this safeload has no {name} of its own: a newer one wrote the file",
            hint="python -m pip install --upgrade safeload",
            reasons=(f"safeload>{name}",),
        )
    return getattr(importlib.import_module(f"safeload.layers.{OWN[name]}"), name)
