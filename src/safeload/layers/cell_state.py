"""An LSTM cell that gives out its cell state: what `K.rnn` of Keras 2.2.3 to 2.3 did on CNTK."""

from __future__ import annotations

from typing import Any

from safeload.runtime import detect, keras_module

__all__ = ["CellStateLSTMCell"]

_keras: Any = keras_module(detect())
_LSTMCell: Any = _keras.layers.LSTMCell


@_keras.utils.register_keras_serializable("safeload", "CellStateLSTMCell")
class CellStateLSTMCell(_LSTMCell):
    """Keras' LSTMCell whose output is the second of its states."""

    def call(self, inputs: Any, states: Any, training: Any = False) -> Any:
        _, new_states = super().call(inputs, states, training=training)
        return new_states[1], new_states
