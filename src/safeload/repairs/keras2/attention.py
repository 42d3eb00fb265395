"""Layers whose treatment of masks has changed inside Keras 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.objects.catalog import names
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.masking import layers_below, may_mask

__all__ = ["ROWS"]


def _unmasked(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if not isinstance(layer.get("config"), Mapping) or not may_mask(context.document.architecture):
        return None
    name = "safeload>MultiHeadAttention"
    return Repaired({**layer, "class_name": name, "registered_name": name}, "MultiHeadAttention that sees no masks")


def _ends(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if context.writer.is_tf_keras is False:  # the standalone Keras of the time let it pass
        return None
    if not isinstance(layer.get("config"), Mapping) or not may_mask(context.document.architecture):
        return None
    name = "safeload>ReLU"
    return Repaired({**layer, "class_name": name, "registered_name": name}, "ReLU that lets no mask pass")


def _shapes(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """The shapes of `get_config` since 2.5, without which its reader fails; None: built when it is called."""
    config = layer.get("config")
    missing = [
        k for k in ("query_shape", "key_shape", "value_shape") if isinstance(config, Mapping) and k not in config
    ]
    if not missing:
        return None
    return Repaired({**layer, "config": {**layer["config"], **dict.fromkeys(missing)}})


def _masks(architecture: Any) -> bool:
    """Whether a layer of a model makes a mask for certain."""
    return any(
        layer["class_name"] == "Masking" or (layer["class_name"] == "Embedding" and layer["config"].get("mask_zero"))
        for layer in layers_below(architecture)
    )


def _held(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """A MultiHeadAttention in a custom layer, which only the names of its weights tell: nothing to repair, all to tell."""
    name = str(layer["class_name"])
    if context.writer.is_tf_keras is False or name.startswith("safeload>"):
        return None
    if ">" not in name and name in names("keras2", "layer"):
        return None
    stored = {e.name.split(":")[0] for e in context.entries() or ()}
    if not any(n.endswith("/query/kernel") and f"{n[:-12]}attention_output/kernel" in stored for n in stored):
        return None
    if not _masks(context.document.architecture):
        return None
    return Repaired(
        layer, f"{name} holds a MultiHeadAttention, which sees masks since TensorFlow 2.10: its numbers may differ"
    )


ROWS = (
    LayerRepair(
        Rule(
            "SL780",
            "held-attention",
            Severity.WARNING,
            """\
What it sees: a custom layer of TensorFlow 2.4-2.9 that holds a MultiHeadAttention, in a model with masks.
Why it matters: up to 2.9 the layer saw no mask but `attention_mask`; since 2.10 it also applies those of its inputs. The
custom layer's code makes it, so that safeload can't put another one in its place.
Example: a `TransformerBlock` behind `Embedding(..., mask_zero=True)`.
What to do: compare an output with a known one; where they differ, let the block's `call` drop the mask first.
References: keras 2.10, `layers/attention/multi_head_attention.py`.
""",
        ),
        None,
        _held,
        since=(2,),
        until=(2, 10),
    ),
    LayerRepair(
        Rule(
            "SL765",
            "attention-without-shapes",
            Severity.NOTE,
            """\
What it sees: MultiHeadAttention of TensorFlow 2.4.
Why it matters: later versions of tf.keras read the shapes of its inputs from the config, and fail where they are not.
Example: `KeyError: 'query_shape'`.
What to do: nothing; the layer is built when it is called.
References: keras 2.15, `layers/attention/multi_head_attention.py`, `from_config`.
""",
        ),
        frozenset({"MultiHeadAttention"}),
        _shapes,
    ),
    LayerRepair(
        Rule(
            "SL759",
            "attention-without-masks",
            Severity.NOTE,
            """\
What it sees: MultiHeadAttention of TensorFlow 2.4-2.9 in a model in which a layer makes masks.
Why it matters: up to 2.9 the layer saw no mask but `attention_mask`; since 2.10 it also applies those of its inputs, and
passes them on. The same weights give other numbers.
Example: `MultiHeadAttention(2, 8)(e, e)` behind `Embedding(..., mask_zero=True)`.
What to do: nothing; a layer of safeload leaves the masks out, as the writer did.
References: keras 2.10, `layers/attention/multi_head_attention.py`.
""",
        ),
        frozenset({"MultiHeadAttention"}),
        _unmasked,
        since=(2,),
        until=(2, 10),
    ),
    LayerRepair(
        Rule(
            "SL767",
            "relu-without-masks",
            Severity.NOTE,
            """\
What it sees: a ReLU layer of TensorFlow 2.4 or earlier in a model in which a layer makes masks.
Why it matters: it let no mask pass; since 2.5 it does, and the layers behind it leave out masked steps.
Example: `Embedding(..., mask_zero=True)`, `ReLU()`, `LSTM(8)`.
What to do: nothing; a layer of safeload ends the mask, as the writer's did.
References: tf.keras 2.4 and 2.5, `layers/advanced_activations.py`.
""",
        ),
        frozenset({"ReLU"}),
        _ends,
        since=(2,),
        until=(2, 5),
    ),
)
