"""Layers of Keras 1 as Keras 2 writes them: a row for each class.

Read from `keras/layers/*.py` of Keras 1.0.8, 1.1.2 and 1.2.2. Layers that Keras 2 dropped become layers of our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from safeload.document import WeightTransform
from safeload.repairs.engine import Context, Repaired
from safeload.repairs.keras1_to_2 import values, weights
from safeload.repairs.refusal import refusal

__all__ = ["FORMATS", "FORMS", "Form", "convert", "initializers"]

FORMATS = {"th": "channels_first", "tf": "channels_last"}
"""Keras 1's `dim_ordering` and Keras 2's `data_format`."""

Config = dict[str, Any]
Make = Callable[[Config, Context], tuple[Config, WeightTransform | None]]
"""What renaming alone doesn't do: from Keras 1's config (keys renamed) to Keras 2's, and what happens to the weights."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a class of Keras 1 is written in Keras 2.

    Attributes:
        class_name: Its class in Keras 2; `safeload>...` for our own.
        renames: Arguments that were renamed, beside those that every layer renames.
        make: What else changes.
        cell: Whether the weights belong to the layer's cell in Keras 2.
    """

    class_name: str
    renames: Mapping[str, str] = field(default_factory=dict)
    make: Make | None = None
    cell: bool = False


_RENAMED = {
    "border_mode": "padding",
    "subsample": "strides",
    "subsample_length": "strides",
    "atrous_rate": "dilation_rate",
    "bias": "use_bias",
    "nb_filter": "filters",
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "U_constraint": "recurrent_constraint",
    "b_constraint": "bias_constraint",
}
"""Arguments that were renamed in every layer that had them."""

_GONE = frozenset({"input_dim", "input_length", "input_dtype", "consume_less", "weights"})
"""Arguments that say nothing that the input layer or the stored weights don't say."""


def _transform(apply: weights.Arrays, trainable: int | None = None) -> WeightTransform:
    return WeightTransform("SL702", apply, trainable, 0 if trainable is not None else None)


def _pair(value: Any, rank: int) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value] * rank


def _ordering(config: Config) -> str:
    return str(config.pop("dim_ordering", "tf"))


def _conv1d(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    length = config.pop("filter_length", None)
    config["kernel_size"] = [length]
    for key in ("strides", "dilation_rate"):
        config[key] = _pair(config.get(key, 1), 1)
    config["data_format"] = "channels_last"
    return config, _transform(weights.conv1d(config.get("filters"), length))


def _kernel_size(config: Config) -> list[Any]:
    names = ("nb_row", "nb_col") if "nb_row" in config else ("kernel_dim1", "kernel_dim2", "kernel_dim3")
    return [config.pop(name, None) for name in names]


def _conv(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    ordering = _ordering(config)
    config["kernel_size"] = _kernel_size(config)
    config["data_format"] = FORMATS.get(ordering, ordering)
    return config, _transform(weights.conv_th) if ordering == "th" else None


def _separable(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    ordering = _ordering(config)
    config["kernel_size"] = _kernel_size(config)
    config["data_format"] = FORMATS.get(ordering, ordering)
    init = config.pop("kernel_initializer", "glorot_uniform")
    config["depthwise_initializer"] = config["pointwise_initializer"] = init
    return config, _transform(weights.separable_th) if ordering == "th" else None


def _deconv(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    ordering = _ordering(config)
    shape = config.pop("output_shape", None)
    size = list(shape)[-2:] if ordering == "th" and isinstance(shape, list | tuple) else list(shape or ())[1:3]
    if len(size) != 2 or not all(isinstance(n, int) and n > 0 for n in size):
        raise refusal(context, "a Deconvolution2D does not say the size of its output")
    config["kernel_size"] = _kernel_size(config)
    config["output_size"] = size
    config["data_format"] = FORMATS.get(ordering, ordering)
    return config, _transform(weights.deconv(ordering))


def _local1d(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    config["kernel_size"] = [config.pop("filter_length", None)]
    config["strides"] = _pair(config.get("strides", 1), 1)
    config["data_format"] = "channels_last"
    return config, None


def _local2d(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    ordering = _ordering(config)
    config["kernel_size"] = _kernel_size(config)
    config["data_format"] = FORMATS.get(ordering, ordering)
    return config, None


def _format(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    ordering = _ordering(config)
    config["data_format"] = FORMATS.get(ordering, ordering)
    return config, None


def _padding1d(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    padding = config.get("padding", 1)
    if isinstance(padding, Mapping):
        padding = [padding.get("left_pad", 0), padding.get("right_pad", 0)]
    config["padding"] = _pair(padding, 2)
    return config, None


def _padding2d(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    config, _ = _format(config, context)
    padding = config.get("padding", [1, 1])
    if isinstance(padding, Mapping):
        padding = [padding.get(f"{side}_pad", 0) for side in ("top", "bottom", "left", "right")]
    padding = list(padding)
    if len(padding) == 4:
        padding = [padding[:2], padding[2:]]
    config["padding"] = [_pair(p, 2) for p in padding]
    return config, None


def _recurrent(config: Config, context: Context) -> Config:
    config["recurrent_initializer"] = config.pop("inner_init", "orthogonal")
    config["use_bias"] = True
    config["dropout"] = config.pop("dropout_W", 0.0)
    config["recurrent_dropout"] = config.pop("dropout_U", 0.0)
    if "inner_activation" in config:
        config["recurrent_activation"] = config.pop("inner_activation")
    return config


def _forget_bias(config: Config) -> None:
    config["unit_forget_bias"] = config.pop("forget_bias_init", "one") == "one"


def _simple_rnn(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    return _recurrent(config, context), None


_LSTM_GATES = (0, 2, 1, 3)
"""Keras 1 stores the gates i, c, f, o; Keras 2 joins i, f, c, o."""


def _lstm(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    stored = 3 if config.pop("_consume_less", "cpu") == "gpu" else 12
    _forget_bias(config)
    return _recurrent(config, context), _transform(weights.gates(_LSTM_GATES), stored)


def _gru(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    stored = 3 if config.pop("_consume_less", "cpu") == "gpu" else 9
    config["reset_after"] = False
    return _recurrent(config, context), _transform(weights.gates((0, 1, 2)), stored)


def _conv_lstm(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    """Its config leaves out `subsample` and the regularizers (Keras 1.2.2, `convolutional_recurrent.py`)."""
    ordering = _ordering(config)
    config["kernel_size"] = _kernel_size(config)
    config["strides"] = _pair(config.get("strides", 1), 2)
    config["data_format"] = FORMATS.get(ordering, ordering)
    _forget_bias(config)
    return _recurrent(config, context), _transform(weights.gates(_LSTM_GATES, th=ordering == "th"), 12)


def _embedding(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    config["input_dim"] = config.pop("_input_dim", None)
    for key in ("initializer", "regularizer", "constraint"):
        if f"kernel_{key}" in config:
            config[f"embeddings_{key}"] = config.pop(f"kernel_{key}")
    config.pop("dropout", None)  # of whole words, in training alone
    return config, None


def _batch_normalization(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    config.pop("mode", None)
    return config, None


def _shared_axes(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    """`shared_axes` is not in the config of Keras 1; along a shared axis the stored array has one element."""
    entries = context.entries() or ()
    shared = [i + 1 for i, size in enumerate(entries[0].shape) if size == 1] if entries else []
    config["shared_axes"] = shared or None
    return config, None


def _prelu(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    config["alpha_initializer"] = config.pop("kernel_initializer", "zero")
    return _shared_axes(config, context)


def _pool1d(config: Config, context: Context) -> tuple[Config, WeightTransform | None]:
    config["pool_size"] = _pair(config.get("pool_size", 2), 1)
    strides = config.get("strides")
    config["strides"] = _pair(strides, 1) if strides is not None else config["pool_size"]
    config["data_format"] = "channels_last"
    return config, None


_UNITS = {"output_dim": "units"}
_POOL1D = Form("", {"pool_length": "pool_size", "stride": "strides"}, _pool1d)
_RATE = {"p": "rate"}


def _as(form: Form, class_name: str) -> Form:
    return Form(class_name, form.renames, form.make, form.cell)


FORMS: dict[str, Form] = {
    "Dense": Form("Dense", _UNITS),
    "TimeDistributedDense": Form("Dense", _UNITS),
    "MaxoutDense": Form("safeload>MaxoutDense", {**_UNITS, "nb_feature": "features"}),
    "Highway": Form("safeload>Highway"),
    "Convolution1D": Form("Conv1D", make=_conv1d),
    "AtrousConvolution1D": Form("Conv1D", make=_conv1d),
    "Convolution2D": Form("Conv2D", make=_conv),
    "AtrousConvolution2D": Form("Conv2D", make=_conv),
    "Convolution3D": Form("Conv3D", make=_conv),
    "Deconvolution2D": Form("safeload>Deconvolution2D", make=_deconv),
    "SeparableConvolution2D": Form("SeparableConv2D", make=_separable),
    "LocallyConnected1D": Form("LocallyConnected1D", make=_local1d),
    "LocallyConnected2D": Form("LocallyConnected2D", make=_local2d),
    "ConvLSTM2D": Form("ConvLSTM2D", make=_conv_lstm, cell=True),
    "SimpleRNN": Form("SimpleRNN", _UNITS, _simple_rnn),
    "GRU": Form("GRU", _UNITS, _gru, cell=True),
    "LSTM": Form("LSTM", _UNITS, _lstm, cell=True),
    "Embedding": Form("Embedding", make=_embedding),
    "BatchNormalization": Form(
        "BatchNormalization",
        {"gamma_init": "gamma_initializer", "beta_init": "beta_initializer"},
        _batch_normalization,
    ),
    "UpSampling1D": Form("UpSampling1D", {"length": "size"}),
    "UpSampling2D": Form("UpSampling2D", make=_format),
    "UpSampling3D": Form("UpSampling3D", make=_format),
    "ZeroPadding1D": Form("ZeroPadding1D", make=_padding1d),
    "ZeroPadding2D": Form("ZeroPadding2D", make=_padding2d),
    "ZeroPadding3D": Form("ZeroPadding3D", make=_format),
    "Cropping1D": Form("Cropping1D"),
    "Cropping2D": Form("Cropping2D", make=_format),
    "Cropping3D": Form("Cropping3D", make=_format),
    "MaxPooling1D": _as(_POOL1D, "MaxPooling1D"),
    "AveragePooling1D": _as(_POOL1D, "AveragePooling1D"),
    "MaxPooling2D": Form("MaxPooling2D", make=_format),
    "AveragePooling2D": Form("AveragePooling2D", make=_format),
    "MaxPooling3D": Form("MaxPooling3D", make=_format),
    "AveragePooling3D": Form("AveragePooling3D", make=_format),
    "GlobalMaxPooling1D": Form("GlobalMaxPooling1D"),
    "GlobalAveragePooling1D": Form("GlobalAveragePooling1D"),
    "GlobalMaxPooling2D": Form("GlobalMaxPooling2D", make=_format),
    "GlobalAveragePooling2D": Form("GlobalAveragePooling2D", make=_format),
    "GlobalMaxPooling3D": Form("GlobalMaxPooling3D", make=_format),
    "GlobalAveragePooling3D": Form("GlobalAveragePooling3D", make=_format),
    "Dropout": Form("Dropout", _RATE),
    "SpatialDropout1D": Form("SpatialDropout1D", _RATE),
    "SpatialDropout2D": Form("SpatialDropout2D", _RATE, _format),
    "SpatialDropout3D": Form("SpatialDropout3D", _RATE, _format),
    "GaussianDropout": Form("GaussianDropout", _RATE),
    "GaussianNoise": Form("GaussianNoise", {"sigma": "stddev"}),
    "PReLU": Form("PReLU", make=_prelu),
    "ParametricSoftplus": Form("safeload>ParametricSoftplus", make=_shared_axes),
    "SReLU": Form(
        "safeload>SReLU",
        {f"{n}_init": f"{n}_initializer" for n in ("t_left", "a_left", "t_right", "a_right")},
        _shared_axes,
    ),
    "Activation": Form("Activation"),
    "ActivityRegularization": Form("ActivityRegularization"),
    "Bidirectional": Form("Bidirectional"),
    "ELU": Form("ELU"),
    "Flatten": Form("Flatten"),
    "InputLayer": Form("InputLayer"),
    "LeakyReLU": Form("LeakyReLU"),
    "Masking": Form("Masking"),
    "Permute": Form("Permute"),
    "RepeatVector": Form("RepeatVector"),
    "Reshape": Form("Reshape"),
    "ThresholdedReLU": Form("ThresholdedReLU"),
    "TimeDistributed": Form("TimeDistributed"),
}
FORMS |= {
    # the short names are aliases; configs have the long ones, but subclasses and hand-written files may not
    "Conv1D": FORMS["Convolution1D"],
    "Conv2D": FORMS["Convolution2D"],
    "Conv3D": FORMS["Convolution3D"],
    "Deconv2D": FORMS["Deconvolution2D"],
    "AtrousConv1D": FORMS["AtrousConvolution1D"],
    "AtrousConv2D": FORMS["AtrousConvolution2D"],
    "SeparableConv2D": FORMS["SeparableConvolution2D"],
}


def convert(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """A layer of Keras 1 as Keras 2 writes it; None for classes that are not Keras' own."""
    name, stored = str(layer.get("class_name")), layer.get("config")
    form = FORMS.get(name)
    if form is None or not isinstance(stored, Mapping):
        return None
    if name == "BatchNormalization" and stored.get("mode", 0) != 0:
        form = Form("safeload>BatchNormalization1")
    config = _renamed(stored, form, name)
    transform = None
    if form.make is not None:
        config, transform = form.make(config, context)
    config.pop("_consume_less", None)
    config.pop("_input_dim", None)
    node = {**layer, "class_name": form.class_name, "config": config}
    if form.class_name.startswith("safeload>"):
        node["registered_name"] = form.class_name
    if node == layer:
        return None
    note = f"{name} became {form.class_name}" if name != form.class_name else f"arguments of {name} in Keras 2's names"
    if form.cell and transform is not None:
        return Repaired(node, note, inner={("cell",): transform})
    return Repaired(node, note, transform)


def _renamed(stored: Mapping[str, Any], form: Form, name: str) -> Config:
    config: Config = {}
    th_axes = values.TH_KERNEL_AXES.get(5 if "3D" in name else 4) if stored.get("dim_ordering") == "th" else None
    for key, value in stored.items():
        if key in ("consume_less", "input_dim"):
            config[f"_{key}"] = value
        if key in _GONE:
            continue
        new = form.renames.get(key) or _RENAMED.get(key, key)
        if new.endswith("_regularizer"):
            value = values.regularizer(value)
        elif new.endswith("_constraint"):
            value = values.constraint(value, th_axes if key == "W_constraint" and "Conv" in name else None)
        config[new] = value
    if "input_dtype" in stored and name == "InputLayer":
        config["dtype"] = stored["input_dtype"] or "float32"
    return config


def initializers(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Initializers by the names of Keras 1."""
    config = layer.get("config")
    if not isinstance(config, Mapping) or "layers" in config:
        return None
    changed = {k: values.initializer(v) if k.endswith("_initializer") else v for k, v in config.items()}
    return Repaired({**layer, "config": changed}) if changed != config else None
