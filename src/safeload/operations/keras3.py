"""Operations of Keras 3 by the names of their classes, which graphs of Keras 3 hold: those that Keras 2 can be given."""

from __future__ import annotations

__all__ = ["CALL_SIZES", "OPERATIONS", "OPERATION_SIZES"]

OPERATIONS = frozenset(
    """
    Absolute Add All Amax Amin Any Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh Argmax Argmin Argsort Average
    AveragePool BroadcastTo Cast Ceil Celu Clip Concatenate Copy Cos Cosh CountNonzero Cumprod Cumsum Divide DivideNoNan
    Dot Einsum Elu Equal Erf Erfinv Exp ExpandDims Expm1 Flip Floor FloorDivide FullLike Gelu GetItem Glu Greater
    GreaterEqual HardShrink HardSigmoid HardSilu HardTanh Hstack Isclose Isfinite Isinf Isnan LeakyRelu Less LessEqual Log
    Log10 Log1p Log2 LogSigmoid LogSoftmax Logaddexp LogicalAnd LogicalNot LogicalOr LogicalXor Logsumexp Matmul Max
    MaxPool Maximum Mean Min Minimum Mod Moments Moveaxis Multiply NanToNum Negative Norm Normalize NotEqual OneHot OnesLike
    Outer Pad Power Prod Ravel Reciprocal Relu Relu6 Repeat Reshape Resize Roll Round Rsqrt SaturateCast Selu Sigmoid Sign
    Silu Sin Sinh Size SoftShrink Softmax Softplus Softsign Sort SparsePlus SparseSigmoid Sparsemax Split Sqrt Square
    Squareplus Squeeze Stack Std StopGradient Subtract Sum Swapaxes Take Tan Tanh TanhShrink Tensordot Threshold Tile TopK
    Transpose Tril Triu TrueDivide Unstack Var Vstack Where ZerosLike
    """.split()
)
"""What `layers.ops3` computes."""

OPERATION_SIZES: dict[str, tuple[str, ...]] = {
    "AdaptiveAveragePool": ("output_size",),
    "AdaptiveMaxPool": ("output_size",),
    "Bincount": ("minlength",),
    "BroadcastTo": ("shape",),
    "CropImages": ("target_height", "target_width"),
    "Diag": ("k", "k"),
    "Diagflat": ("k", "k"),
    "ExtractSequences": ("sequence_length",),
    "Fold": ("output_size",),
    "Full": ("shape",),
    "Geomspace": ("num",),
    "Histogram": ("bins",),
    "IRFFT": ("fft_length",),
    "ISTFT": ("length",),
    "Linspace": ("num",),
    "Logspace": ("num",),
    "MultiHot": ("num_classes",),
    "OneHot": ("num_classes",),
    "Pad": ("pad_width",),
    "PadImages": ("target_height", "target_width"),
    "RFFT": ("fft_length",),
    "Repeat": ("repeats",),
    "Resize": ("size",),
    "STFT": ("fft_length",),
    "Scatter": ("shape",),
    "SegmentMax": ("num_segments",),
    "SegmentSum": ("num_segments",),
    "Tile": ("repeats",),
    "Unique": ("size",),
    "Vander": ("N",),
}
"""The arguments of operations that say how large the result is; in Keras 3 they stand in the config, or in the call."""

CALL_SIZES: dict[str, dict[int, str]] = {"Scatter": {2: "shape"}}
"""By their place in the call: those of them that versions before 3.9 took there (`ops/core.py`)."""
