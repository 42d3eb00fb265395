"""Objects inside a layer's config: dtype policies, initializers, activations, and layers in a custom layer's config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.objects.catalog import builtin
from safeload.objects.uses import DATA_CLASSES, kind_of_slot
from safeload.repairs.engine import Context, LayerRepair, Repaired, is_object
from safeload.repairs.keras3_to_2.own import class_of, own_class
from safeload.repairs.keras3_to_2.rules import rule
from safeload.repairs.refusal import refusal

__all__ = ["ROWS", "own_function", "policy_name", "translated"]

_POLICIES = frozenset({"DTypePolicy", "FloatDTypePolicy"})

_INITIALIZERS = {"OrthogonalInitializer": "Orthogonal", "IdentityInitializer": "Identity"}
"""Keras 3 registers these two under their aliases."""

SAME_ACTIVATIONS = frozenset(
    "elu exponential gelu linear relu selu sigmoid softmax softplus softsign swish tanh".split()
)
"""Functions that give the same numbers in Keras 2.12 and in Keras 3.15 under the same name."""

OWN_ACTIVATIONS = frozenset(
    "celu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid log_softmax mish relu6 silu "
    "soft_shrink sparse_plus sparse_sigmoid sparsemax squareplus tanh_shrink threshold".split()
)
"""Functions that Keras 2 doesn't have in every version, or that give other numbers there (`hard_sigmoid`)."""


def own_function(name: str) -> dict[str, Any]:
    """An activation of Keras 3 that safeload brings to Keras 2."""
    own = f"keras3_{'hard_silu' if name == 'hard_swish' else name}"
    return {"module": "builtins", "class_name": "function", "config": own, "registered_name": f"safeload>{own}"}


def activation(name: str, context: Context) -> Any:
    """The function that gives Keras 3's numbers in Keras 2; the name itself where that is what it does, or is custom."""
    if name in OWN_ACTIVATIONS:
        return "swish" if name == "silu" else own_function(name)
    return name


def policy_name(value: Any, context: Context) -> Any:
    """A dtype policy as the string that Keras 2 takes.

    Raises:
        VersionMismatchError: It is quantized, or differs within one layer.
    """
    if not is_object(value):
        return value
    name, config = class_of(value), value["config"]
    if name in _POLICIES and isinstance(config, Mapping):
        return config.get("name")
    if name == "DTypePolicyMap" and isinstance(config, Mapping):
        default = policy_name(config.get("default_policy"), context)
        inner = {policy_name(p, context) for p in (config.get("policy_map") or {}).values()}
        if inner <= {default}:
            return default
        raise refusal(context, "a layer's parts have dtype policies of their own (DTypePolicyMap)")
    if own_class(value, "dtype_policy") is not None:
        quantized = config.get("mode") if isinstance(config, Mapping) else None
        raise refusal(context, f"the layer is quantized ({quantized or name})")
    return value


def translated(value: Any, slot: str, context: Context) -> Any:
    """A value of a config with every object in it in Keras 2's form."""
    if isinstance(value, list):
        return [translated(v, slot, context) for v in value]
    if isinstance(value, str):
        return activation(value, context) if kind_of_slot(slot) == "activation" else value
    if not isinstance(value, Mapping):
        return value
    if not is_object(value):
        return {k: translated(v, k, context) for k, v in value.items()}
    name, config = class_of(value), value["config"]
    if name in DATA_CLASSES or name == "__lambda__":
        return value
    if name == "function":
        return _function(value, slot, context)
    if own_class(value, "dtype_policy") is not None:
        return policy_name(value, context)
    if isinstance(config, Mapping):
        found = own_class(value, "initializer")
        if found is not None:
            return _initializer(value)
        if own_class(value, "layer") is not None and not _is_training(slot):
            from safeload.repairs.keras3_to_2 import arguments  # a layer in a config that the engine does not walk

            value = arguments.repaired(value, context)
            config = value["config"]
        return {**_unbuilt(value), "config": {k: translated(v, k, context) for k, v in config.items()}}
    return value


def _is_training(slot: str) -> bool:
    return kind_of_slot(slot) in ("loss", "metric", "optimizer", "schedule")


def _unbuilt(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return {k: v for k, v in node.items() if k != "build_config"}


def _function(node: Mapping[str, Any], slot: str, context: Context) -> Any:
    """A function by name: Keras' own activations are written as `builtins` functions or with their module."""
    name, registered = node["config"], node.get("registered_name")
    module = node.get("module")
    own = not isinstance(module, str) or module.split(".")[0] in ("keras", "builtins")
    if own and registered in (None, name) and kind_of_slot(slot) == "activation" and name in OWN_ACTIVATIONS:
        return activation(name, context)
    return node


def _initializer(node: Mapping[str, Any]) -> dict[str, Any]:
    """An initializer with the arguments that Keras 2 takes; its values are replaced by the stored ones anyway."""
    name = class_of(node)
    name = _INITIALIZERS.get(name, name)
    found = builtin("keras2", "initializer", name)
    config = node["config"]
    if found is not None and found.arguments is not None:
        config = {k: v for k, v in config.items() if k in found.arguments}
    if not isinstance(config.get("seed"), int | None):
        config = {**config, "seed": None}
    return {**node, "class_name": name, "config": config}


def _forms(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping):
        return None
    changed: dict[str, Any] = {}
    for key, value in config.items():
        if key in ("layers", "layer", "backward_layer", "cell", "cells"):  # walked by the engine
            changed[key] = value
        elif key == "dtype":
            changed[key] = policy_name(value, context)
        elif key == "seed" and not isinstance(value, int | None):  # a generator; it matters in training alone
            changed[key] = None
        elif key in ("input_layers", "output_layers", "build_input_shape", "arguments"):
            changed[key] = value
        else:
            changed[key] = translated(value, key, context)
    names = sorted({_text(config[k]) for k in changed if changed[k] != config[k] and kind_of_slot(k) == "activation"})
    note = f"the activation {', '.join(names)} computes what Keras 3 computes" if names else None
    return Repaired({**layer, "config": changed}, note) if changed != config else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value.get("config") if isinstance(value, Mapping) else value)


ROWS = (
    LayerRepair(
        rule(
            776,
            "keras3-values",
            "dtype policies, initializers and activations in Keras 3's form",
            "`hard_sigmoid`, which is `relu6(x + 3) / 6` in Keras 3 and `clip(0.2 x + 0.5)` in Keras 2",
            "keras 3.0, `activations.hard_sigmoid`, `DTypePolicy.get_config`",
        ),
        None,
        _forms,
    ),
)
