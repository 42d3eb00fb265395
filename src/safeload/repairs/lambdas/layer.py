"""Lambda layers: what their bytecode says becomes a layer that computes it, or a function of the caller's takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safeload.lambdas import Reading, Role, inputs_of, name_of, read_function, role_of
from safeload.operations.python import APPLICATIONS
from safeload.repairs.engine import Context, Repaired
from safeload.repairs.forms import config_of, own_layer
from safeload.repairs.lambdas.setting import setting_of

__all__ = ["coded", "expression", "named", "replaced"]

_LAMBDA_KEYS = frozenset(
    """
    function function_type module output_shape output_shape_type output_shape_module mask mask_type mask_module arguments
    """.split()
)


def coded(config: Mapping[str, Any], slot: str) -> Any:
    """The bytecode under a key of a Lambda's config; None where there is none."""
    value = config.get(slot)
    if isinstance(value, Mapping) and value.get("class_name") == "__lambda__":
        return value.get("config")
    return value if config.get(f"{slot}_type") == "lambda" else None


def replaced(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """A Lambda whose function was passed in `custom_objects`, under the layer's name or the function's own."""
    config = config_of(layer)
    if config is None or not context.replacements:
        return None
    name = str(config.get("name") or layer.get("name"))
    stored = coded(config, "function")
    key = name if name in context.replacements else None
    if key is None and stored is not None:
        key = name_of(stored)
    if key not in context.replacements or key == "<lambda>":
        return None
    if context.runtime.dialect == "keras2":
        return Repaired(_named(layer, config, key, None), f"the function of {name!r} is custom_objects[{key!r}]")
    if "function_type" in config:
        function: dict[str, Any] = {"function": key, "function_type": "function", "module": None}
    else:
        function = {"function": {"class_name": "function", "config": key, "module": None, "registered_name": key}}
    changed = _without_shape({**config, **function})
    return Repaired({**layer, "config": changed}, f"the function of {name!r} is custom_objects[{key!r}]")


def named(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """A Lambda over a named function, for Keras 2 (see `layers.named_lambda`)."""
    config = config_of(layer)
    if config is None or context.runtime.dialect != "keras2" or config.get("function_type") != "function":
        return None
    name, module = config.get("function"), config.get("module")
    if not isinstance(name, str) or (name == "abs" and module in (None, "builtins")):  # `keras2.functions` has that
        return None
    return Repaired(_named(layer, config, name, module if isinstance(module, str) else None))


def _named(layer: Mapping[str, Any], config: Mapping[str, Any], name: str, module: str | None) -> dict[str, Any]:
    kept = {
        k: v for k, v in config.items() if not k.endswith(("_type", "module")) and k not in ("output_shape", "mask")
    }
    function = {"class_name": "function", "config": name, "module": module, "registered_name": name}
    shape = config.get("output_shape")
    if isinstance(shape, list) and all(n is None or isinstance(n, int) for n in shape):
        kept["output_shape"] = shape
    for slot in ("mask",):  # bytecode stays to be judged, and to be refused
        if config.get(slot) is not None:
            kept |= {slot: config[slot], **{f"{slot}_type": v for k, v in config.items() if k == f"{slot}_type"}}
    return own_layer(layer, "NamedLambda", {**kept, "function": function})


def _without_shape(config: dict[str, Any]) -> dict[str, Any]:
    """Without an `output_shape` that is bytecode: Keras finds the shape by tracing the function."""
    if coded(config, "output_shape") is None:
        return config
    return {k: v for k, v in config.items() if k not in ("output_shape_type", "output_shape_module")} | {
        "output_shape": None,
        **({"output_shape_type": "raw"} if "function_type" in config else {}),
    }


def expression(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """A Lambda whose bytecode, or whose named function of Keras' own, is an expression."""
    config = config_of(layer)
    if config is None:
        return None
    reading = _function(layer, config, context)
    if reading is None or reading.program is None:
        return None
    made: dict[str, Any] = {"program": reading.program, "source": reading.source}
    mask = coded(config, "mask")
    if mask is not None:
        read = _read(mask, "mask", layer, context)
        if read.program is None:
            return None
        made["mask_program"] = read.program
    elif config.get("mask") is not None:
        return None
    shape, given = coded(config, "output_shape"), config.get("output_shape")
    if shape is not None:
        read = _read(shape, "output_shape", layer, context)
        made |= {"shape_program": read.program} if read.program is not None else {}
    elif isinstance(given, list) and all(n is None or isinstance(n, int) for n in given):
        made["declared_shape"] = given
    name = config.get("name") or layer.get("name")
    how = "the bytecode" if coded(config, "function") is not None else "the function"
    return Repaired(
        own_layer(layer, "Expression", {**config, **made}, without=_LAMBDA_KEYS - made.keys()),
        f"{how} of {name!r} was read, not run: {reading.source}",
    )


def _function(layer: Mapping[str, Any], config: Mapping[str, Any], context: Context) -> Reading | None:
    stored = coded(config, "function")
    if stored is not None:
        return _read(stored, "function", layer, context, config.get("arguments"))
    return _of_application(config, context)


def _read(stored: Any, slot: str, layer: Mapping[str, Any], context: Context, arguments: Any = None) -> Reading:
    return read_function(
        stored,
        setting=replace(setting_of(context.document), inputs=inputs_of(layer)),
        arguments=arguments if isinstance(arguments, Mapping) else None,
        role=role_of(slot) or Role(),
    )


def _of_application(config: Mapping[str, Any], context: Context) -> Reading | None:
    """`Lambda(keras.applications.vgg16.preprocess_input)`, which Keras 3 stores by name."""
    value = config.get("function")
    if isinstance(value, Mapping) and value.get("class_name") == "function":
        name, module = value.get("config"), value.get("module")
    elif config.get("function_type") == "function":
        name, module = value, config.get("module")
    else:
        return None
    parts = str(module).split(".")
    mode = APPLICATIONS.get(parts[-1])
    if name != "preprocess_input" or mode is None or parts[0] not in ("keras", "tensorflow", "keras_applications"):
        return None
    if mode in ("caffe", "torch") and setting_of(context.document).data_format != "channels_last":
        return None
    nodes: list[Any] = [["parameter", 0]]
    if mode != "none":
        nodes += [["constant", mode], ["call", "applications.preprocess_input", [0, 1], {}]]
    program = {"parameters": ["x"], "nodes": nodes, "result": len(nodes) - 1}
    return Reading(program, f"lambda x: {parts[-1]}.preprocess_input(x)", None)
