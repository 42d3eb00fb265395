"""A layer that computes what a Lambda's bytecode said, from a program as plain data (`lambdas.program`)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from safeload.lambdas.program import validate
from safeload.layers import expression_values as values
from safeload.layers.expression_keras import BACKEND, OLD_NAMES
from safeload.layers.ops import DTYPES, bounded, plain
from safeload.layers.ops_functions import implementation
from safeload.layers.registration import registered
from safeload.runtime import detect, keras_module

__all__ = ["Expression", "evaluate"]

keras = keras_module(detect())


@registered
class Expression(keras.layers.Layer):  # type: ignore[misc, name-defined]
    """A pure function of its input, in the place of a Lambda.

    As a Lambda's, its mask ends here (`Lambda.compute_mask` gave its `mask` argument, None by default, in Keras 1 to 3).

    Args:
        program: What it computes.
        source: The same as text, for whoever reads the config.
        declared_shape: The Lambda's `output_shape` without the samples, where it was a list: what tracing can't tell.

    Raises:
        ValueError: It is no program, or it calls what is not in the tables.
    """

    def __init__(
        self, program: Mapping[str, Any], source: str | None = None, declared_shape: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._program = plain(program)
        validate(self._program)
        self._source = source
        self._declared_shape = declared_shape
        self.supports_masking = True
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        # Graphs of Keras 3 hold the two as arguments of a Lambda's call; a function that takes them is not read.
        if isinstance(inputs, tuple):
            inputs = list(inputs)
        result = evaluate(self._program, inputs)
        if isinstance(result, list | tuple):
            return [tf.convert_to_tensor(r) for r in result]
        result = tf.convert_to_tensor(result)
        if self._declared_shape is not None and result.shape.is_compatible_with([None, *self._declared_shape]):
            result.set_shape([None, *self._declared_shape])
        return result

    if detect().dialect == "keras3":
        # `TimeDistributed` asks for shapes; a layer that tells them must tell the types as well (`argmax`).

        def compute_output_shape(self, input_shape: Any) -> Any:
            many = isinstance(input_shape, list) or (input_shape and isinstance(input_shape[0], list | tuple))
            given = [keras.KerasTensor(s, self.compute_dtype) for s in (input_shape if many else [input_shape])]
            found = self.compute_output_spec(given if many else given[0])
            return [f.shape for f in found] if isinstance(found, list | tuple) else found.shape

        def compute_output_spec(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
            return keras.Operation.compute_output_spec(self, inputs)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "program": plain(self._program), "source": self._source}
        return config if self._declared_shape is None else {**config, "declared_shape": list(self._declared_shape)}


def evaluate(program: Mapping[str, Any], inputs: Any) -> Any:
    """What a validated program gives for an input.

    Steps are computed when they are needed, each one once: of a condition, only the branch that is taken.

    Raises:
        ValueError: Some of its functions can't be computed here.
    """
    nodes = program["nodes"]
    found: dict[int, Any] = {}

    def get(number: int) -> Any:
        if number not in found:
            kind, *parts = nodes[number]
            found[number] = _KINDS[kind](get, inputs, *parts)
        return found[number]

    return get(program["result"])


def _item(get: Callable[[int], Any], inputs: Any, owner: int, key: int) -> Any:
    return get(owner)[get(key)]


def _unpack(get: Callable[[int], Any], inputs: Any, owner: int, count: int, index: int) -> Any:
    items = get(owner)
    if not isinstance(items, list | tuple | tf.TensorShape) or len(items) != count:
        raise ValueError(f"{count} values are unpacked from something else")
    return items[index]


def _method(get: Callable[[int], Any], inputs: Any, owner: int, name: str, args: Any, named: Any) -> Any:
    if args or named:
        raise ValueError(f"the method {name} with arguments")
    value = get(owner)
    return value.as_list() if name == "as_list" else value.shape


def _slice(get: Callable[[int], Any], inputs: Any, parts: Any) -> slice:
    return slice(*(None if p is None else get(p) for p in parts))


def _select(get: Callable[[int], Any], inputs: Any, condition: int, yes: int, no: int) -> Any:
    return get(yes if values.truth(get(condition)) else no)


def _call(get: Callable[[int], Any], inputs: Any, name: str, args: Any, named: Any) -> Any:
    function, renamed = _function(name)
    given = {renamed.get(k, k): get(n) for k, n in named.items()}
    if name.startswith("tf."):
        for key in DTYPES & given.keys():
            if isinstance(given[key], str):
                given[key] = tf.dtypes.as_dtype(given[key])
    result = function(*(get(n) for n in args), **given)
    bounded([r for r in tf.nest.flatten(result) if tf.is_tensor(r)])
    return result


@functools.cache
def _function(name: str) -> tuple[Callable[..., Any], Mapping[str, str]]:
    module, _, rest = name.partition(".")
    if name == "tf.constant":
        return tf.constant, {}
    if module == "tf":
        return implementation(rest), {}
    if module == "K":
        return BACKEND[rest], OLD_NAMES
    if module == "ops":
        return _operation(rest), {}
    return values.value_function(module, rest), {}


def _operation(name: str) -> Callable[..., Any]:
    """A function of `keras.ops`: Keras 3's own, or what `ops3` computes where Keras 2 is installed."""
    if detect().dialect == "keras3":
        return getattr(keras.ops, name)  # type: ignore[no-any-return]
    from safeload.layers.ops3 import _COMPUTED

    wanted = name.replace("_", "").lower()
    for operation, function in _COMPUTED.items():
        if operation.lower() == wanted:
            return function
    raise ValueError(f"keras.ops.{name} can't be computed here")


_KINDS: Mapping[str, Callable[..., Any]] = {
    "parameter": lambda get, inputs, index: inputs,
    "constant": lambda get, inputs, value: value,
    "ellipsis": lambda get, inputs: Ellipsis,
    "float": lambda get, inputs, text: float(text),
    "tuple": lambda get, inputs, items: tuple(get(n) for n in items),
    "list": lambda get, inputs, items: [get(n) for n in items],
    "slice": _slice,
    "binary": lambda get, inputs, op, a, b: values.binary(op, get(a), get(b)),
    "unary": lambda get, inputs, op, a: values.unary(op, get(a)),
    "compare": lambda get, inputs, op, a, b: values.compare(op, get(a), get(b)),
    "item": _item,
    "unpack": _unpack,
    "attribute": lambda get, inputs, owner, name: values.attribute(get(owner), name),
    "method": _method,
    "call": _call,
    "value": lambda get, inputs, name: values.value(name),
    "select": _select,
}
