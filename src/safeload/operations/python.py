"""Functions that a Lambda may call beside TensorFlow's: of `keras.backend`, NumPy, `math`, `keras.ops`, and Python's own.

`layers.expression_keras` and `layers.expression_values` compute them. A function of NumPy, `math` or Python itself gets
plain values and shapes, never tensors; `abs`, `sum` and `len` may get tensors, as in Python.
"""

from __future__ import annotations

__all__ = ["BUILTINS", "KERAS_BACKEND", "KERAS_OPS", "MATH", "NUMPY", "NUMPY_VALUES"]

KERAS_BACKEND = frozenset(
    """
    abs all any arange argmax argmin batch_dot batch_flatten batch_get_value cast cast_to_floatx clip concatenate constant
    cos cumprod cumsum dot elu epsilon equal exp expand_dims exponential eye flatten floatx gather greater greater_equal
    hard_sigmoid int_shape l2_normalize less less_equal linear log logsumexp max maximum mean min minimum ndim not_equal
    one_hot ones ones_like permute_dimensions pow prod random_normal random_uniform relu repeat repeat_elements reshape
    resize_images reverse round selu shape sigmoid sign sin softmax softplus softsign spatial_2d_padding sqrt square squeeze
    stack std stop_gradient sum swish switch tanh temporal_padding tile transpose truncated_normal var zeros zeros_like
    """.split()
) - {"batch_get_value"}
"""With the meaning that Keras 1 and 2 gave them; `keras.activations` has some of them under the same names."""

NUMPY = frozenset(
    """
    abs add arange array asarray ceil cos divide exp float32 float64 floor int32 int64 log log10 log2 maximum mean minimum
    multiply ones power prod reshape round sign sin sqrt square subtract sum tan tanh zeros
    """.split()
)
NUMPY_VALUES = frozenset({"pi", "e", "inf", "newaxis"})
MATH = frozenset("ceil cos exp fabs floor log log10 log2 pow sin sqrt tan tanh".split())
BUILTINS = frozenset("abs bool float int len list max min pow round slice sum tuple".split())

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
