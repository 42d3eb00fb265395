"""Files of the CNTK backend (Keras 2.0.5 to 2.3): windows that lie elsewhere, and an LSTM that gives out its cell state.

Read from `keras/backend/cntk_backend.py` and measured with CNTK 2.7 and Keras 2.2.4 on a CPU. Kernels are as TensorFlow's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.errors import BackendMismatchError
from safeload.repairs.backends import windows
from safeload.repairs.backends.surgery import Neighbours, cropped, padded, padded_steps, step_by_step, surround
from safeload.repairs.backends.theano import POOLED, TRANSPOSED
from safeload.repairs.engine import Context, Repaired

__all__ = ["layer", "pad"]

CONVOLUTIONS = {"Conv1D": 1, "Conv2D": 2, "Conv3D": 3, "ConvLSTM2D": 2}
GROUPED = {"SeparableConv1D": 1, "SeparableConv2D": 2, "DepthwiseConv2D": 2}

_LAST_STATE = (2, 2, 3)
"""From this Keras on `rnn` gives out the last of a cell's states, which was the first before (`new_output = n_s[-1]`)."""


def is_cntk(context: Context) -> bool:
    return context.saved_backend == "cntk" and context.writer.version < (3,)


def _mismatch(context: Context, reason: str) -> BackendMismatchError:
    return BackendMismatchError(
        f"{reason}; TensorFlow has no equal to it",
        path=context.document.path,
        where=context.where or None,
        hint="load the file with Keras on CNTK, or train the model anew",
        saved_backend="cntk",
    )


def layer(node: Mapping[str, Any], context: Context) -> Repaired | None:
    """Pooling and recurrent layers; an error for what can't be had."""
    name, config = str(node.get("class_name")), node.get("config")
    if not is_cntk(context) or not isinstance(config, Mapping):
        return None
    if name in POOLED:
        return _pool(node, config, name)
    if name in GROUPED:
        _grouped(config, name, context)
    if name in TRANSPOSED:
        _transposed_fronts(config, TRANSPOSED[name], context)
    if name in CONVOLUTIONS and config.get("padding") == "same":
        dilation = windows.integers(config.get("dilation_rate") or 1, CONVOLUTIONS[name])
        kernel = windows.integers(config.get("kernel_size", 1), CONVOLUTIONS[name])
        if any(d > 1 for d in dilation) and any(k % 2 == 0 for k in kernel):
            raise _mismatch(context, f"CNTK pads a dilated {name} with an even kernel in a way of its own")
    if context.writer.version >= _LAST_STATE and not config.get("unroll"):
        return _recurrent(node, config, name, context)
    return None


def _pool(node: Mapping[str, Any], config: Mapping[str, Any], name: str) -> Repaired | None:
    margins = windows.centred(config, POOLED[name], "pool_size")
    if margins is None:
        return None
    own = f"safeload>Padded{name}"
    changed = {**config, "margins": [list(m) for m in margins]}
    made = {**node, "class_name": own, "registered_name": own, "config": changed}
    return Repaired(made, "windows of a same pooling where CNTK puts them")


def _grouped(config: Mapping[str, Any], name: str, context: Context) -> None:
    """Depthwise convolutions: with an even kernel CNTK 2.7 gives numbers of no padding at all, with a dilation it strides."""
    kernel = windows.integers(config.get("kernel_size", 1), GROUPED[name])
    if any(d > 1 for d in windows.integers(config.get("dilation_rate") or 1, GROUPED[name])):
        raise _mismatch(context, f"Keras on CNTK strides where a {name} has a dilation")
    if config.get("padding") == "same" and any(k % 2 == 0 for k in kernel):
        raise _mismatch(context, f"CNTK pads a {name} with an even kernel in a way of its own")


def _transposed_fronts(config: Mapping[str, Any], rank: int, context: Context) -> list[int]:
    """What a `same` transposed convolution cuts before its first element."""
    kernel = windows.integers(config.get("kernel_size", 1), rank)
    strides = windows.integers(config.get("strides") or 1, rank)
    if config.get("padding") != "same":
        return []
    if any(k < s for k, s in zip(kernel, strides, strict=True)):
        raise _mismatch(
            context, "CNTK pads a transposed convolution whose stride exceeds its kernel in a way of its own"
        )
    return [(k - s + k % 2) // 2 for k, s in zip(kernel, strides, strict=True)]


def _recurrent(node: Mapping[str, Any], config: Mapping[str, Any], name: str, context: Context) -> Repaired | None:
    if name == "LSTM":
        return Repaired(_cell_state(node, config), "an LSTM on CNTK gives out its cell state")
    if name in ("ConvLSTM2D", "ConvRNN2D"):
        raise _mismatch(context, f"a {name} on CNTK gives out its cell state")
    if name == "RNN":
        cell = config.get("cell")
        if isinstance(cell, Mapping) and cell.get("class_name") in ("GRUCell", "SimpleRNNCell"):
            return None
        raise _mismatch(context, "a recurrent layer on CNTK gives out the last of its cell's states")
    return None


_OF_LAYER = tuple(
    "name trainable batch_input_shape dtype return_sequences return_state go_backwards stateful unroll".split()
)


def _cell_state(node: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The LSTM as an RNN of a cell of ours, with the same weights."""
    gone = (*_OF_LAYER, "activity_regularizer", "implementation")
    cell = {k: v for k, v in config.items() if k not in gone}
    own = "safeload>CellStateLSTMCell"
    made = {k: config[k] for k in _OF_LAYER if k in config}
    made["cell"] = {"class_name": own, "registered_name": own, "config": {"name": "lstm_cell", **cell}}
    return {**node, "class_name": "RNN", "config": made}


def pad(model: Mapping[str, Any], context: Context) -> Repaired | None:
    """Explicit padding before convolutions, cropping behind transposed ones."""
    if not is_cntk(context):
        return None

    def neighbours(node: Mapping[str, Any]) -> Neighbours | None:
        name, config = str(node["class_name"]), node["config"]
        rank = CONVOLUTIONS.get(name) or GROUPED.get(name)
        if rank is not None:
            margins = windows.centred(config, rank)
            if margins is None:
                return None
            return padded_steps(node, margins) if name == "ConvLSTM2D" else padded(node, margins)
        if name in TRANSPOSED and config.get("output_padding") is None:
            fronts = _transposed_fronts(config, TRANSPOSED[name], context)
            found = windows.transpose_margins(config, TRANSPOSED[name], fronts)
            return cropped(node, *found) if found is not None else None
        return None

    changed = surround(model, lambda node: step_by_step(node, neighbours))
    return Repaired(changed, "zeros were put where CNTK pads") if changed is not None else None
