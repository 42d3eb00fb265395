"""Functions that a Lambda may call beside TensorFlow's: of `keras.backend`, NumPy, `math`, `keras.ops`, and Python's own.

`layers.expression_keras` and `layers.expression_values` compute them. A function of NumPy, `math` or Python itself gets
plain values and shapes, never tensors; `abs`, `sum` and `len` may get tensors, as in Python.
"""

from __future__ import annotations

__all__ = ["APPLICATIONS", "BUILTINS", "KERAS_BACKEND", "KERAS_OPS", "MATH", "NUMPY", "NUMPY_SIZES", "NUMPY_VALUES"]

KERAS_BACKEND = frozenset(
    """
    abs all any arange argmax argmin batch_dot batch_flatten batch_normalization bias_add binary_crossentropy cast
    cast_to_floatx categorical_crossentropy clip concatenate constant conv1d conv2d conv2d_transpose conv3d cos
    ctc_batch_cost cumprod cumsum depthwise_conv2d dot dropout dtype elu epsilon equal exp expand_dims exponential eye
    flatten floatx gather greater greater_equal hard_sigmoid identity in_top_k int_shape l2_normalize less less_equal linear
    log logsumexp max maximum mean min minimum ndim not_equal one_hot ones ones_like permute_dimensions pool2d pool3d pow
    prod random_bernoulli random_binomial random_normal random_uniform relu repeat repeat_elements reshape resize_images
    resize_volumes reverse round selu separable_conv2d shape sigmoid sign sin slice softmax softplus softsign
    sparse_categorical_crossentropy spatial_2d_padding spatial_3d_padding sqrt square squeeze stack std stop_gradient sum
    swish switch tanh temporal_padding tile to_dense transpose truncated_normal var variable zeros zeros_like
    """.split()
)
"""With the meaning that Keras 1 and 2 gave them; `keras.activations` has some of them under the same names."""

NUMPY = frozenset(
    """
    abs absolute add arange arccos arcsin arctan arctan2 array asarray ascontiguousarray ceil clip concatenate cos cosh cumsum
    deg2rad degrees diag divide dot exp expand_dims expm1 eye fabs flip float16 float32 float64 floor floor_divide full
    hstack hypot identity int32 int64 linspace log log10 log1p log2 logspace matmul max maximum mean median min minimum mod
    multiply negative ones outer power prod product rad2deg radians ravel reciprocal remainder repeat reshape round sign sin
    sinc sinh sqrt square squeeze stack std subtract sum swapaxes tan tanh tile transpose tri tril triu true_divide uint8
    var vstack zeros
    """.split()
)
NUMPY_SIZES = frozenset("arange eye full identity linspace logspace ones repeat tile tri zeros".split())
"""Functions that make arrays of any size from a few numbers: the product of all of their numbers is bounded."""

NUMPY_VALUES = frozenset({"pi", "e", "inf", "newaxis"})
MATH = frozenset(
    "acos asin atan atan2 ceil cos cosh degrees exp fabs floor hypot log log10 log1p log2 pow radians sin sinh sqrt tan "
    "tanh trunc".split()
)
BUILTINS = frozenset("abs bool divmod float int len list max min pow round slice sum tuple".split())

APPLICATIONS: dict[str, str] = {
    **dict.fromkeys("inception_resnet_v2 inception_v3 mobilenet mobilenet_v2 nasnet resnet_v2 xception".split(), "tf"),
    **dict.fromkeys("resnet resnet50 vgg16 vgg19".split(), "caffe"),
    "densenet": "torch",
    **dict.fromkeys("convnext efficientnet efficientnet_v2 mobilenet_v3 regnet resnet_rs".split(), "none"),
}
"""Modules of `keras.applications` and how their `preprocess_input` scales: a mode of `imagenet_utils`, `none` for no change.

Read in `keras/applications/*.py` of 2.0.8 and 2.15 and in `keras_applications` 1.0.8, which scale tensors alike."""

KERAS_OPS = frozenset(
    """
    abs absolute add all amax amin any arccos arcsin arctan arctan2 argmax argmin average broadcast_to cast ceil clip
    concatenate cos cosh cumprod cumsum divide einsum elu equal erf exp expand_dims expm1 flip floor floor_divide gelu greater
    greater_equal hard_sigmoid leaky_relu less less_equal log log10 log1p log2 log_sigmoid log_softmax logical_and
    logical_not logical_or logsumexp matmul max maximum mean min minimum mod multiply negative norm normalize not_equal
    one_hot ones_like outer pad power prod ravel reciprocal relu relu6 repeat reshape roll round rsqrt selu sigmoid sign
    silu sin sinh size softmax softplus softsign sort split sqrt square squeeze stack std stop_gradient subtract sum
    swapaxes take tan tanh tensordot tile transpose true_divide unstack var vstack where zeros_like
    """.split()
)
