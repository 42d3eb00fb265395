"""What the arguments of Keras' own layers say about sizes, class by class and argument by argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["CAPS", "PARAMETERS", "SIZES", "STEPS"]

Config = Mapping[str, Any]


def _number(config: Config, *names: str) -> int:
    """The product of arguments that are numbers; what is missing or no number counts as one."""
    product = 1
    for name in names:
        value = config.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value and value < float("inf"):
            product *= max(int(value), 1)
    return product


def _volume(config: Config, name: str, rank: int) -> int:
    value = config.get(name)
    if isinstance(value, list | tuple):
        product = 1
        for v in value:
            product *= _number({"v": v}, "v")
        return product
    return int(_number(config, name) ** rank)


def _convolution(rank: int) -> Callable[[Config], int]:
    """A kernel has a column of `filters` numbers for each of its places (`base_conv.py`: input channels may be one)."""
    return lambda c: _number(c, "filters") * _volume(c, "kernel_size", rank)


def _depthwise(rank: int) -> Callable[[Config], int]:
    return lambda c: _number(c, "depth_multiplier") * _volume(c, "kernel_size", rank)


def _separable(rank: int) -> Callable[[Config], int]:
    return lambda c: _number(c, "depth_multiplier") * _volume(c, "kernel_size", rank) + _number(c, "filters")


def _recurrent(gates: int) -> Callable[[Config], int]:
    return lambda c: gates * _number(c, "units") * (_number(c, "units") + 1)


def _recurrent_convolution(rank: int) -> Callable[[Config], int]:
    return lambda c: 4 * _number(c, "filters") * _number(c, "filters") * _volume(c, "kernel_size", rank)


def _einsum(config: Config) -> int:
    value = config.get("output_shape")
    return _volume({"v": value if isinstance(value, list | tuple) else [value]}, "v", 1) if value is not None else 1


def _confusion(config: Config) -> int:
    return _number(config, "num_classes", "num_classes")


PARAMETERS: dict[str, Callable[[Config], int]] = {
    "Dense": lambda c: _number(c, "units") + (_number(c, "lora_rank", "units") if c.get("lora_rank") else 0),
    "EinsumDense": _einsum,
    "Embedding": lambda c: _number(c, "input_dim", "output_dim"),
    "ReversibleEmbedding": lambda c: _number(c, "input_dim", "output_dim"),
    "RandomFourierFeatures": lambda c: _number(c, "output_dim"),
    "MultiHeadAttention": lambda c: _number(c, "num_heads", "key_dim"),
    "GroupQueryAttention": lambda c: _number(c, "num_query_heads", "head_dim"),
    "SimpleRNN": _recurrent(1),
    "SimpleRNNCell": _recurrent(1),
    "GRU": _recurrent(3),
    "GRUCell": _recurrent(3),
    "CuDNNGRU": _recurrent(3),
    "LSTM": _recurrent(4),
    "LSTMCell": _recurrent(4),
    "CuDNNLSTM": _recurrent(4),
    **dict.fromkeys(("IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"), _confusion),
    **{
        f"{name}{rank}D": _convolution(rank)
        for name in ("Conv", "Convolution", "LocallyConnected")
        for rank in (1, 2, 3)
    },
    **{f"{name}{rank}DTranspose": _convolution(rank) for name in ("Conv", "Convolution") for rank in (1, 2, 3)},
    **{f"DepthwiseConv{rank}D": _depthwise(rank) for rank in (1, 2)},
    **{f"Separable{name}{rank}D": _separable(rank) for name in ("Conv", "Convolution") for rank in (1, 2)},
    **{f"ConvLSTM{rank}D": _recurrent_convolution(rank) for rank in (1, 2, 3)},
}
"""How many numbers a layer's variables hold at least, whatever its input is."""

SIZES = frozenset(
    """
    batch_input_shape batch_shape build_input_shape cropping dilation_rate factor fft_length filters frame_length
    frame_step height input_dim input_length input_shape kernel_size key_dim max_tokens new_shape newshape num num_bins
    num_heads num_mel_bins num_tokens output_dim output_sequence_length output_shape pad pad_width pool_size
    repeats sequence_length shape size strides target_shape units value_dim width
    """.split()
)
"""Arguments of layers and operations whose numbers multiply into the size of an output."""

STEPS = frozenset(
    "batch_input_shape batch_shape build_input_shape input_shape input_length n output_sequence_length shape target_shape".split()
)
"""Arguments that say how long a sequence is."""

CAPS: dict[str, int] = {
    "n": 2**17,  # RepeatVector: steps of a sequence
    "padding": 2**17,
    "num_oov_indices": 2**20,  # a list of that length is made (index_lookup.py)
    "num_thresholds": 2**20,  # metrics of confusion: four variables of that length, and a list in Python
    "num_classes": 2**22,  # one-hot outputs
    "max_ngrams": 64,
    "ngrams": 64,  # each of them is a pass over the text
    "num_spectral_iterations": 2**10,
    "power_iterations": 2**10,
    "groups": 2**20,
    "depth_multiplier": 2**20,
    "lora_rank": 2**20,
    "steps_per_execution": 2**20,
    "num_ops": 2**10,
    **dict.fromkeys(("top_padding", "bottom_padding", "left_padding", "right_padding"), 2**14),
}
"""The largest number that an argument may hold."""
