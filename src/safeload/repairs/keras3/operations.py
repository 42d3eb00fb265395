"""Operations of `keras.ops` in graphs: arguments that moved between the versions of Keras 3.

Up to 3.8 a few operations took an argument at their call that belongs to their config since (`dtype` of `ones_like`,
`shape` of `slice`): `keras/src/ops/{core,numpy}.py`. The inbound node holds it, and Keras of today refuses it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.tensors import is_operation

__all__ = ["ROWS"]

_MOVED: Mapping[str, tuple[str, int]] = {
    # class: (argument, its place in the old call)
    "Arange": ("dtype", 3),
    "Array": ("dtype", 1),
    "FullLike": ("dtype", 2),
    "Isclose": ("equal_nan", 4),
    "OnesLike": ("dtype", 1),
    "Scatter": ("shape", 2),
    "SearchSorted": ("side", 2),
    "Slice": ("shape", 2),
    "ZerosLike": ("dtype", 1),
}

_RENAMED: Mapping[str, Mapping[str, str]] = {
    "Threshold": {"threshold_value": "threshold", "value": "default_value"},
}

_SINCE = (3, 9)


def _operation(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    module, config = layer.get("module"), layer.get("config")
    name = str(layer.get("class_name"))
    if context.runtime.keras_version < _SINCE or not isinstance(module, str) or not isinstance(config, Mapping):
        return None
    if not module.startswith("keras.") or "ops" not in module.split("."):
        return None
    changed = {_RENAMED.get(name, {}).get(key, key): value for key, value in config.items()}
    nodes = list(layer.get("inbound_nodes") or ())
    if name in _MOVED and len(nodes) == 1 and isinstance(nodes[0], Mapping):
        argument, place = _MOVED[name]
        args, kwargs = list(nodes[0].get("args") or ()), dict(nodes[0].get("kwargs") or {})
        if argument in kwargs:
            changed.setdefault(argument, kwargs.pop(argument))
        elif len(args) > place:
            changed.setdefault(argument, args.pop(place))
        nodes = [{**nodes[0], "args": args, "kwargs": kwargs}]
    if changed == config:
        return None
    return Repaired({**layer, "config": changed, "inbound_nodes": nodes})


def _named(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if context.runtime.dialect != "keras3" or "module" in layer or not is_operation(layer):
        return None
    return Repaired({**layer, "module": "keras.src.ops", "registered_name": None})


ROWS = (
    LayerRepair(
        Rule(
            "SL789",
            "operation-by-name",
            Severity.NOTE,
            """\
What it sees: an operation of `keras.ops` in an .h5 of Keras 3, which stores its name alone.
Why it matters: `Add`, `Multiply`, `Reshape` and others are layers as well, and Keras takes the layer: 'too many positional
arguments'. Keras can't load its own file then.
Example: `x + y` between two layers, saved as .h5.
What to do: nothing; the operation is the same.
References: keras 3.15, `saving_utils.model_from_config`, `serialization_lib._retrieve_class_or_fn`.
""",
        ),
        None,
        _named,
    ),
    LayerRepair(
        Rule(
            "SL751",
            "moved-operation-argument",
            Severity.NOTE,
            """\
What it sees: an operation of `keras.ops` with an argument where older versions of Keras 3 took it.
Why it matters: Keras of today refuses the call.
Example: `ops.ones_like(x, dtype="int32")` in a file of Keras 3.3.
What to do: nothing; the operation is the same.
References: keras 3.3 and 3.15, ops/numpy.py.
""",
        ),
        frozenset({*_MOVED, *_RENAMED}),
        _operation,
    ),
)
