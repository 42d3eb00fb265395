"""What a writer predicted, and what the loaded model predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def difference(model: Any, numbers: Path) -> float:
    """The largest difference between the model's outputs and those that the writer stored beside its file."""
    stored = np.load(numbers)
    inputs = [stored[name] for name in sorted(stored.files) if name.startswith("in_")]
    outputs = [stored[name] for name in sorted(stored.files) if name.startswith("out_")]
    found = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    found = list(found) if isinstance(found, list | tuple) else [found]
    assert [f.shape for f in found] == [o.shape for o in outputs]
    return max(float(np.max(np.abs(f - o))) for f, o in zip(found, outputs, strict=True))
