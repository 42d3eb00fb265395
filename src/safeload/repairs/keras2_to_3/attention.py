"""Attention layers: arguments of Keras 2 that Keras 3 does not take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.keras2_to_3.nodes import is_reference
from safeload.repairs.refusal import refusal

__all__ = ["ROWS"]

SHAPES = ("query_shape", "key_shape", "value_shape")
"""What MultiHeadAttention of 2.5-2.15 was built on; a call builds it in Keras 3."""

ROBUST = "softmax_robust_masking"
"""An argument of tf_keras since 2.19; False is what Keras has always done."""


def _shapes(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or not any(key in config for key in (*SHAPES, ROBUST)):
        return None
    if config.get(ROBUST):
        raise refusal(context, "the softmax of MultiHeadAttention masks by setting scores")
    return Repaired({**layer, "config": {k: v for k, v in config.items() if k not in (*SHAPES, ROBUST)}})


def _causal(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """`causal=True` of the layer as `use_causal_mask=True` of each of its calls."""
    config = layer.get("config")
    if not isinstance(config, Mapping) or "causal" not in config:
        return None
    changed = {**layer, "config": {k: v for k, v in config.items() if k != "causal"}}
    if not config["causal"]:
        return Repaired(changed)
    nodes = layer.get("inbound_nodes")
    if not isinstance(nodes, list) or not nodes or any(isinstance(node, Mapping) for node in nodes):
        raise refusal(context, "a causal attention layer is not called by a functional model")
    changed["inbound_nodes"] = [_masked(node) for node in nodes]
    return Repaired(changed, "causal is an argument of the call now")


def _masked(node: Any) -> Any:
    if is_reference(node):
        kwargs = node[3] if len(node) == 4 and isinstance(node[3], Mapping) else {}
        return [*node[:3], {**kwargs, "use_causal_mask": True}]
    return [_masked(item) for item in node] if isinstance(node, list) else node


ROWS = (
    LayerRepair(
        Rule(
            "SL760",
            "attention-shapes",
            Severity.NOTE,
            """\
What it sees: the shapes that MultiHeadAttention of TensorFlow 2.5-2.15 stored among its arguments.
Why it matters: Keras 3 refuses them.
Example: `"query_shape": [None, 5, 6]`.
What to do: nothing; the layer is built when it is called.
References: keras 2.15, `layers/attention/multi_head_attention.py`, `get_config`.
""",
        ),
        frozenset({"MultiHeadAttention"}),
        _shapes,
    ),
    LayerRepair(
        Rule(
            "SL761",
            "causal-attention",
            Severity.NOTE,
            """\
What it sees: `causal=True` of Attention and AdditiveAttention of TensorFlow 2.1-2.11.
Why it matters: Keras 3 refuses it; left out, every position would see the ones behind it.
Example: `Attention(causal=True)([q, v])`.
What to do: nothing; each call says `use_causal_mask=True`.
References: keras 2.10, `layers/attention/base_dense_attention.py`.
""",
        ),
        frozenset({"Attention", "AdditiveAttention"}),
        _causal,
    ),
)
