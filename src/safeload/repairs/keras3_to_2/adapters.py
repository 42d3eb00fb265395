"""Low-rank adapters (LoRA): Keras 2 has none, so they are added to the kernels that they adapt.

A `.keras` file holds the kernel with its adapters merged (`Dense.save_own_variables`, Keras 3.0 on); an `.h5` holds the
kernel and both factors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from safeload.document import WeightTransform
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.keras3_to_2.rules import rule

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ROWS"]

_ADAPTED = frozenset({"Dense", "EinsumDense", "Embedding", "Conv1D", "Conv2D", "Conv3D"})


def _lora(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or config.get("lora_rank") is None:
        return None
    rank = int(config["lora_rank"])
    alpha = config.get("lora_alpha")
    kept = {k: v for k, v in config.items() if k not in ("lora_rank", "lora_alpha")}
    note = f"the adapters of rank {rank} were added to the kernel"
    if context.document.layout != "legacy-hdf5":
        return Repaired({**layer, "config": kept}, note)
    scale = float(alpha) / rank if alpha else 1.0
    bias = 1 if config.get("use_bias") else 0

    def merged(arrays: list[np.ndarray]) -> list[np.ndarray]:
        # `bias, lora_a, lora_b, kernel`: adapted kernels are frozen, so they come last.
        *own, a, b, kernel = arrays
        return [kernel + (scale * (a @ b)).astype(kernel.dtype), *own]

    transform = WeightTransform("SL779", merged, bias + 2, 1)
    return Repaired({**layer, "config": kept}, note, transform)


ROWS = (
    LayerRepair(
        rule(
            779,
            "lora-merged",
            "a layer with low-rank adapters (LoRA)",
            "`Dense.enable_lora(4)`",
            "keras 3.0, `Dense.enable_lora`",
        ),
        _ADAPTED,
        _lora,
    ),
)
