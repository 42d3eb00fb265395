"""Arguments and layers that Keras 3 got late, where the Keras 3 that is installed is older than the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.objects.catalog import Builtin, builtin
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.refusal import refusal

__all__ = ["ROWS"]

YOUNG = Rule(
    "SL788",
    "keras3-young-argument",
    Severity.NOTE,
    """\
What it sees: an argument, or a layer, that the installed Keras 3 doesn't have yet.
Why it matters: it refuses the whole model ('Unrecognized keyword arguments passed to Dense').
Example: `quantization_config=None`, which every Dense of Keras 3.15 stores and Keras 3.8 doesn't take.
What to do: nothing where the value changes nothing; elsewhere the file is refused, with the argument's name.
References: keras 3.15, `Dense.get_config`, `RandomInitializer.get_config`.
""",
)

_ANY: tuple[Any, ...] = ("any",)

_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "quantization_config": (None,),
    "gptq_unpacked_column_size": (None,),
    "lora_alpha": (None,),
    "sliding_window": (None,),
    "use_gate": (False,),
    "ragged": (False, None),
    "oov_method": (None, "floormod"),
    "salt": (None,),
    "antialias": (False,),
    "equal_nan": (False,),
    "renorm": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": _ANY,  # without renorm, which is looked at above, it is not used
    "name": _ANY,  # of an operation
    "input_axes": _ANY,  # they shape first values alone, and those come from the file
    "output_axes": _ANY,
}
"""Argument -> the values at which an object does what it does without the argument."""

_PARTS = ("initializer", "regularizer", "constraint")


def _young(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    runtime = context.runtime
    config = layer.get("config")
    if runtime.dialect != "keras3" or not isinstance(config, Mapping) or not _of_keras(layer):
        return None
    name = str(layer.get("class_name"))
    kinds = (
        ("operation", "layer") if ".ops" in str(layer.get("module")) else ("layer", "operation")
    )  # both have Average
    found = builtin("keras3", kinds[0], name) or builtin("keras3", kinds[1], name)
    if found is None:
        return None
    version = runtime.keras_version
    if not found.is_in(version):
        raise refusal(context, f"the {found.kind} {found.name} came with Keras {found.versions[0]} or just before it")
    dropped: list[str] = []
    kept = _without(found, config, version, context, dropped)
    for key, value in kept.items():
        if isinstance(value, Mapping) and _of_keras(value) and isinstance(value.get("config"), Mapping):
            parts = (builtin("keras3", kind, str(value.get("class_name"))) for kind in _PARTS)
            if (part := next((p for p in parts if p is not None), None)) is not None:
                kept[key] = {**value, "config": _without(part, value["config"], version, context, dropped)}
    if not dropped:
        return None
    return Repaired({**layer, "config": kept}, f"dropped {', '.join(dict.fromkeys(dropped))}, which changes nothing")


def _without(
    found: Builtin, config: Mapping[str, Any], version: tuple[int, ...], context: Context, dropped: list[str]
) -> dict[str, Any]:
    """The config without arguments that are too young, each noted; `dropped` grows.

    Raises:
        VersionMismatchError: One of them changes what the object does.
    """
    kept = dict(config)
    for key in [k for k in config if k in found.later(version)]:
        values = _NEUTRAL.get(key, ())
        if key == "lora_alpha":
            values = (*values, config.get("lora_rank"))  # the scale is alpha / rank, and was 1 before
        if values is not _ANY and not any(type(config[key]) is type(v) and config[key] == v for v in values):
            raise refusal(context, f"the {found.name} {config.get('name', '')!r} has {key}={config[key]!r}")
        del kept[key]
        dropped.append(key)
    return kept


def _of_keras(node: Mapping[str, Any]) -> bool:
    """Whether a node names one of Keras' own classes; HDF5 files store no module."""
    module = node.get("module")
    own = module is None or str(module).split(".")[0] == "keras"
    return own and node.get("registered_name") in (None, node.get("class_name"))


ROWS = (LayerRepair(YOUNG, None, _young),)
