"""MultiHeadAttention as tf.keras 2.4-2.9 computed it: without the masks of its inputs."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from safeload.runtime import detect, keras_module

__all__ = ["MultiHeadAttention"]

keras: Any = keras_module(detect())


@keras.utils.register_keras_serializable("safeload")
class MultiHeadAttention(keras.layers.MultiHeadAttention):
    """Neither applies the masks of its inputs nor passes one on; `attention_mask` works as ever.

    The masks hang on the tensors, so the computation gets copies of them.
    """

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        return super().call(
            tf.identity(query),
            tf.identity(value),
            key=None if key is None else tf.identity(key),
            attention_mask=attention_mask,
            return_attention_scores=return_attention_scores,
            training=training,
            use_causal_mask=use_causal_mask,
        )

    def compute_mask(self, *args: Any, **kwargs: Any) -> None:
        """None: the mask ends here."""
