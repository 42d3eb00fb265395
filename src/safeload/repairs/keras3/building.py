"""On which shapes custom layers are built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.objects.catalog import builtin
from safeload.repairs.engine import Context, LayerRepair, Repaired

__all__ = ["ROWS"]

BUILT_BY_CALL = Rule(
    "SL772",
    "built-by-call",
    Severity.NOTE,
    """\
What it sees: a custom layer in a model, with the shape on which it was built.
Why it matters: Keras builds the layer on that shape before it is called. A layer that makes its sub-layers in
`__init__` and has no `build` is thereby marked as built while its sub-layers have no weights, and the stored weights
find no place.
Example: the `TransformerBlock` of the Keras examples with a `compute_output_shape`.
What to do: nothing; the layer is built by its call in the model, as it was where it was written.
References: keras 3.15, `Layer.build_from_config`; 'Layer was never built and thus it doesn't have any variables'.
""",
)

_SHAPES = frozenset({"input_shape", "shapes_dict"})
"""What Keras' own `get_build_config` writes; a layer with another one has a `build_from_config` of its own."""


def _by_call(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    build = layer.get("build_config")
    if not isinstance(build, Mapping) or not build.keys() <= _SHAPES or context.model is None:
        return None
    module = layer.get("module")
    if module is None or (isinstance(module, str) and module.split(".")[0] == "keras"):
        name = str(layer.get("class_name")).rsplit(">", 1)[-1]
        if ">" not in str(layer.get("registered_name") or "") and builtin("keras3", "layer", name) is not None:
            return None
        if name in ("Functional", "Sequential", "Model"):
            return None
    if not _is_called(layer, context.model):
        return None
    return Repaired({k: v for k, v in layer.items() if k != "build_config"})


def _is_called(layer: Mapping[str, Any], model: Mapping[str, Any]) -> bool:
    """Whether making the model calls the layer: it has inbound nodes, or stands in a Sequential with known inputs."""
    if layer.get("inbound_nodes"):
        return True
    config = model.get("config")
    layers = config.get("layers") if isinstance(config, Mapping) else None
    if str(model.get("class_name")) != "Sequential" or not isinstance(layers, list) or not layers:
        return False
    first = layers[0]
    return isinstance(first, Mapping) and first.get("class_name") == "InputLayer"


ROWS = (LayerRepair(BUILT_BY_CALL, None, _by_call),)
