"""Arguments of Keras 2's layers that Keras 3 does not take, or takes under another name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.objects.catalog import builtin
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import RECURRENT_CELLS, RECURRENT_LAYERS, config_of, own_layer, plain, rule
from safeload.repairs.refusal import refusal

__all__ = ["ANY", "DROPPED", "ROWS"]

ANY = object()
"""Every value: the argument says how something is computed, not what."""

_CONV_LSTM = frozenset({"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
_RNN = RECURRENT_LAYERS | {"RNN"} | _CONV_LSTM
_NOT_GROUPED = frozenset(
    "DepthwiseConv2D DepthwiseConv1D SeparableConv1D SeparableConv2D Conv1DTranspose Conv2DTranspose Conv3DTranspose".split()
)
_SEPARATE = _NOT_GROUPED - {"Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"}
_SPATIAL = frozenset({"SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"})

DROPPED: dict[str, tuple[frozenset[str] | None, tuple[Any, ...]]] = {
    # argument: (classes that had it; None: every layer, values at which the layer does the same without it)
    "time_major": (_RNN, (False, None)),
    "groups": (_NOT_GROUPED, (1, None)),
    "filters": (frozenset({"DepthwiseConv1D", "DepthwiseConv2D"}), (ANY,)),
    "kernel_initializer": (_SEPARATE, (ANY,)),
    "kernel_regularizer": (_SEPARATE, (None,)),
    "kernel_constraint": (_SEPARATE, (None,)),
    "ragged": (frozenset({"InputLayer"}), (False, None)),
    "implementation": (RECURRENT_LAYERS | RECURRENT_CELLS | _CONV_LSTM, (ANY,)),
    "trainable": (_SPATIAL | {"Discretization"}, (True, False)),
    "noise_shape": (_SPATIAL, (None,)),
    "input_length": (frozenset({"Embedding"}), (ANY,)),
    "sparse": (frozenset({"Embedding"}), (False, None)),
    "dynamic": (None, (False, None)),
    "batch_size": (None, (None,)),
    "input_dtype": (None, (ANY,)),
    "rng_type": (None, (ANY,)),
    "force_generator": (None, (ANY,)),
    "robust_masking": (frozenset({"Softmax"}), (ANY,)),
}


def _drop(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = config_of(layer)
    if config is None:
        return None
    name = plain(layer)
    found = builtin("keras3", "layer", name)
    taken = (found.taken(context.runtime.keras_version) if found is not None else None) or frozenset()
    gone = []
    for key, (classes, allowed) in DROPPED.items():
        if key not in config or not (classes is None or name in classes):
            continue
        value = config[key]
        if any(v is ANY or value is v or (v is not None and value == v) for v in allowed):
            gone.append(key)
        elif key not in taken:  # `ragged` is back in Keras 3.9
            raise refusal(context, f"the {name} {config.get('name')!r} has {key}={value!r}")
    if not gone:
        return None
    kept = {k: v for k, v in config.items() if k not in gone}
    return Repaired({**layer, "config": kept}, f"dropped {', '.join(gone)}, which changes nothing")


RENAMED: dict[tuple[str, str], str] = {
    ("LeakyReLU", "alpha"): "negative_slope",
    ("ELU", "alpha_value"): "alpha",
}


def _rename(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = config_of(layer)
    if config is None:
        return None
    name = plain(layer)
    changed = {RENAMED.get((name, key), key): value for key, value in config.items()}
    return Repaired({**layer, "config": changed}) if changed != config else None


CLASSES = {"SyncBatchNormalization": ("BatchNormalization", {"synchronized": True})}


def _reclass(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = config_of(layer)
    if config is None:
        return None
    name, extra = CLASSES[plain(layer)]
    kept = {k: v for k, v in layer.items() if k not in ("module", "registered_name")}
    return Repaired({**kept, "class_name": name, "config": {**config, **extra}}, f"became {name}")


_OWN_LAYERS = frozenset({"ThresholdedReLU", "LocallyConnected1D", "LocallyConnected2D"})


def _own(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = config_of(layer)
    if config is None:
        return None
    name = plain(layer)
    return Repaired(own_layer(layer, name, config), f"{name}, which Keras 3 doesn't have, is safeload's own")


ROWS = (
    LayerRepair(
        rule(
            726,
            "removed-layer",
            "a layer that Keras 3 does not have.",
            "Keras 3 can't build it.",
            "LocallyConnected2D, ThresholdedReLU.",
            "keras 3.0, migration guide.",
            "nothing: a layer of safeload's with the same weights and numbers stands in its place; saved again, the file "
            "needs `import safeload` before it is loaded.",
        ),
        _OWN_LAYERS,
        _own,
    ),
    LayerRepair(
        rule(
            727,
            "renamed-layer",
            "a layer that is an argument of another in Keras 3.",
            "Keras 3 doesn't find it.",
            "SyncBatchNormalization: BatchNormalization(synchronized=True).",
            "keras 3.0, `layers/normalization/batch_normalization.py`.",
        ),
        frozenset(CLASSES),
        _reclass,
    ),
    LayerRepair(
        rule(
            722,
            "dropped-arguments",
            "arguments that Keras 3 removed.",
            "Keras 3 refuses the config as it is stored.",
            "groups=1 of a DepthwiseConv2D (TensorFlow 2.3 on; the keras_model.h5 of Teachable Machine).",
            "keras 3.0, migration guide; keras #19441.",
            "nothing where the value changes nothing; elsewhere the file is refused, with the argument's name.",
        ),
        None,
        _drop,
    ),
    LayerRepair(
        rule(
            728,
            "renamed-arguments",
            "arguments under their old name.",
            "Keras 3 takes them under the new one.",
            "LeakyReLU(alpha): negative_slope.",
            "keras 3.0, `layers/activations/leaky_relu.py`.",
        ),
        frozenset(name for name, _ in RENAMED),
        _rename,
    ),
)
