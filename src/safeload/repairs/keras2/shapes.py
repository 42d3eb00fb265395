"""A Sequential that begins with an InputLayer lost its input's shape in Keras 2.2 and 2.3: the weights tell it.

`Sequential.get_config` of these versions (and of tf.keras 1.14 to 2.1) walks `self.layers`, which leaves the InputLayer
out, and the layer behind it has no `batch_input_shape` of its own. Even the writing version can't load such a file
("a weight file containing 2 layers into a model with 0 layers").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from safeload.repairs.engine import Context, LayerRepair, Repaired, is_object
from safeload.repairs.forms import config_of, plain, rule

__all__ = ["ROWS"]

_RANKS = {1: 3, 2: 4, 3: 5}
_RECURRENT = frozenset("LSTM GRU SimpleRNN RNN CuDNNLSTM CuDNNGRU Bidirectional".split())
_ANY_RANK = frozenset(
    "Dense BatchNormalization LayerNormalization Activation Dropout ReLU LeakyReLU ELU ThresholdedReLU Softmax "
    "GaussianNoise GaussianDropout AlphaDropout Masking ActivityRegularization".split()
)
_STORED_SHAPES = ("batch_input_shape", "batch_shape", "input_shape", "input_dim")


def _rank(layers: Sequence[Mapping[str, Any]]) -> int | None:
    """The rank of the input, from the first layer that takes one rank alone; 2 where none does; None: not known."""
    for layer in layers:
        name = plain(layer)
        if config_of(layer) is None:
            return None
        if name == "Embedding" or name == "RepeatVector":
            return 2
        if name in _RECURRENT:
            return 3
        if name.startswith("ConvLSTM"):
            return _RANKS[int(name[8])] + 1
        if found := re.search(r"([123])D(?:Transpose)?$", name):
            return _RANKS[int(found.group(1))]
        if name not in _ANY_RANK:
            return None
    return 2


def _channels(layers: Sequence[Mapping[str, Any]], context: Context) -> int | None:
    """The length of the input's channel axis, from the first layer with weights."""
    for layer in layers:
        name = str(layer["config"].get("name"))
        entries = replace(context, path=(*context.path, name)).entries()
        if not entries:
            if name and plain(layer) in ("Flatten", "Reshape", "Permute", "RepeatVector"):
                return None
            continue
        shape = entries[0].shape
        if len(shape) == 1:
            return shape[0]
        return shape[0] if plain(layer) in _RECURRENT | {"Dense"} else shape[-2]
    return None


def _shaped(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    layers = config.get("layers") if isinstance(config, Mapping) else None
    if not isinstance(layers, list) or not layers or not all(is_object(x) for x in layers):
        return None
    assert isinstance(config, Mapping)
    first = layers[0]
    inner = config_of(first)
    if config.get("build_input_shape") or "build_config" in layer or inner is None or context.path:
        return None
    known = plain(first) == "InputLayer" or "layers" in inner or isinstance(first["config"], list)
    if known or any(
        inner.get(k) is not None for k in _STORED_SHAPES if k != "input_dim" or plain(first) != "Embedding"
    ):
        return None
    rank = _rank(layers)
    if plain(first) == "Embedding":
        shape: list[Any] = [None, inner.get("input_length")]
    else:
        channels = _channels(layers, context)
        if rank is None or channels is None:
            return None
        free: list[Any] = [None] * (rank - 2)
        first_axis = any(x["config"].get("data_format") == "channels_first" for x in layers[:3])
        shape = [None, channels, *free] if first_axis else [None, *free, channels]
    changed = {**first, "config": {**inner, "batch_input_shape": shape}}
    note = f"the input's shape {shape} is told by the weights"
    return Repaired({**layer, "config": {**config, "layers": [changed, *layers[1:]]}}, note)


ROWS = (
    LayerRepair(
        rule(
            744,
            "lost-input-shape",
            "a Sequential without the shape of its input.",
            "without it the model has no weights when they are to be loaded.",
            "Sequential([InputLayer((8,)), Dense(4)]) of Keras 2.2.4.",
            "keras 2.2.4, `engine/sequential.py`, `get_config`; keras #10417.",
            "nothing; dimensions that the weights don't tell are left open.",
        ),
        frozenset({"Sequential"}),
        _shaped,
    ),
)
