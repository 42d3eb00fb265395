"""Layers that merge tensors: what Keras 2 and Keras 3 make of their masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.masking import may_mask

__all__ = ["ROWS"]

MERGES = frozenset({"Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract"})


def _merge(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    name = str(layer["class_name"])
    if name not in MERGES or not isinstance(layer.get("config"), Mapping):
        return None
    if not may_mask(context.document.architecture):
        return None
    own = f"safeload>{name}"
    return Repaired({**layer, "class_name": own, "registered_name": own}, f"{name} that takes masks as Keras 2 does")


ROWS = (
    LayerRepair(
        Rule(
            "SL766",
            "merged-masks",
            Severity.NOTE,
            """\
What it sees: a merging layer of Keras 2 in a model in which a layer makes masks.
Why it matters: Keras 2 merges the values as they are, and keeps the steps that every mask keeps. Keras 3 leaves masked
values out of Multiply, Maximum and Minimum, keeps the steps that any mask keeps, and drops the mask where one input has
none. The same weights give other numbers.
Example: `Add()([embedded, Conv1D(8, 1)(embedded)])` in front of an LSTM.
What to do: nothing; layers of safeload take masks as Keras 2 does.
References: keras 2.15, `layers/merging/base_merge.py`; keras 3.15, `layers/merging`.
""",
        ),
        MERGES,
        _merge,
    ),
)
