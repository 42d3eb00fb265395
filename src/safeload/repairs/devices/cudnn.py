"""cuDNN's recurrent layers of Keras 2, which no CPU runs and Keras 3 does not have.

What they store (Keras 2.1.6, `layers/cudnn_recurrent.py`; `_convert_rnn_weights` in 2.2.4 `engine/saving.py`): each
gate's kernels transposed, one flat list of input and recurrent biases. Their recurrent activation is a sigmoid, and the
GRU resets after the product, as cuDNN does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from safeload.document import LayerPath, WeightTransform
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import config_of, plain, rule

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ROWS", "gru_weights", "lstm_weights"]

_RULE = rule(
    740,
    "cudnn-layer",
    "CuDNNLSTM or CuDNNGRU, or weights that they stored.",
    "no CPU runs them, and Keras 3 doesn't have them.",
    "a model that was trained on a GPU with Keras 2.1 to 2.3.",
    "keras 2.2.4, `engine/saving.py`, `_convert_rnn_weights`.",
    "nothing: LSTM and GRU(reset_after=True) give the same numbers, and use cuDNN by themselves where there is a GPU.",
)

_TWINS: dict[str, tuple[str, dict[str, Any]]] = {
    "CuDNNLSTM": ("LSTM", {}),
    "CuDNNGRU": ("GRU", {"reset_after": True}),
}
_SAME = {"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True}
_GATES = {"LSTM": 4, "GRU": 3}


def lstm_weights(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """LSTM's kernel, recurrent kernel and bias from CuDNNLSTM's; those of an LSTM as they are."""
    if len(arrays) != 3 or arrays[2].shape != (8 * arrays[1].shape[0],):
        return arrays
    half = arrays[2].shape[0] // 2
    return [*_kernels(arrays, 4), arrays[2][:half] + arrays[2][half:]]


def gru_weights(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """GRU's kernel, recurrent kernel and two biases from CuDNNGRU's; those of a GRU as they are."""
    if len(arrays) != 3 or arrays[2].shape != (6 * arrays[1].shape[0],):
        return arrays
    return [*_kernels(arrays, 3), arrays[2].reshape(2, -1)]


def _kernels(arrays: list[np.ndarray], gates: int) -> list[np.ndarray]:
    """Both kernels, gate by gate: cuDNN's are stored in the shape of Keras' and in the order of their transposes."""
    import numpy as np

    def kernel(gate: np.ndarray) -> np.ndarray:
        transposed: np.ndarray = gate.reshape(gate.shape[1], gate.shape[0]).T
        return transposed

    return [
        np.concatenate([kernel(gate) for gate in np.split(arrays[0], gates, axis=1)], axis=1),
        np.concatenate([gate.T for gate in np.split(arrays[1], gates, axis=1)], axis=1),
    ]


_WEIGHTS = {"LSTM": lstm_weights, "GRU": gru_weights}


def _in_cell(weights: Callable[[list[np.ndarray]], list[np.ndarray]]) -> dict[LayerPath, WeightTransform]:
    """The transform of a recurrent layer: its cell owns the weights."""
    return {("cell",): WeightTransform("cudnn", weights)}


def _cudnn(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = config_of(layer)
    if config is None:
        return None
    name = plain(layer)
    twin, extra = _TWINS[name]
    kept = {k: v for k, v in config.items() if k != "cudnn"}
    changed = {**layer, "class_name": twin, "config": {**kept, **_SAME, **extra}}
    return Repaired(changed, f"{name} became {twin}", inner=_in_cell(_WEIGHTS[twin]))


def _stored_by_cudnn(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """An LSTM or GRU whose weights come from its cuDNN twin: an architecture with another model's weights."""
    entries = context.entries()
    name = plain(layer)
    if config_of(layer) is None or entries is None or len(entries) != 3 or len(entries[1].shape) != 2:
        return None
    if entries[2].shape != (2 * _GATES[name] * entries[1].shape[0],):
        return None
    if name == "GRU" and not layer["config"].get("reset_after"):
        return None
    return Repaired(layer, f"weights of CuDNN{name} became those of {name}", inner=_in_cell(_WEIGHTS[name]))


ROWS = (
    LayerRepair(_RULE, frozenset(_WEIGHTS), _stored_by_cudnn),
    LayerRepair(_RULE, frozenset(_TWINS), _cudnn),
)
