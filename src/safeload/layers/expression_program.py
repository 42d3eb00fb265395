"""Computing a program (`lambdas.program`): its steps, each one once, when they are needed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from safeload.layers import expression_values as values
from safeload.layers.expression_keras import BACKEND, OLD_NAMES
from safeload.layers.ops import DTYPES, bounded
from safeload.layers.ops_functions import implementation
from safeload.runtime import detect, keras_module

__all__ = ["evaluate"]


def evaluate(program: Mapping[str, Any], *inputs: Any, **named: Any) -> Any:
    """What a validated program gives.

    Of a condition, only the branch that is taken is computed.

    Args:
        program: The program.
        inputs: Its first parameters.
        named: The others, by name: `mask`, `training`, `dtype`.

    Raises:
        ValueError: Some of its functions can't be computed here, or it raises an exception.
    """
    given = [inputs[i] if i < len(inputs) else named.get(name) for i, name in enumerate(program["parameters"])]
    return _Steps(program["nodes"], given, {}, {}).get(program["result"])


class _Steps:
    """The steps of a program in one scope: outside, or in a function that is called for each element."""

    def __init__(
        self, nodes: Sequence[Any], given: Sequence[Any], found: dict[int, Any], arguments: Mapping[int, Any]
    ) -> None:
        self.nodes, self.given, self.found, self.arguments = nodes, given, found, arguments

    def get(self, number: int) -> Any:
        if number not in self.found:
            kind, *parts = self.nodes[number]
            self.found[number] = _KINDS[kind](self, *parts)
        return self.found[number]

    def inside(self, argument: int, value: Any) -> _Steps:
        """The steps of a function: what was computed outside is there, what is computed inside stays there."""
        return _Steps(self.nodes, self.given, dict(self.found), {**self.arguments, argument: value})


def _unpack(steps: _Steps, owner: int, count: int, index: int) -> Any:
    items = steps.get(owner)
    if tf.is_tensor(items) and items.shape.rank and items.shape[0] == count:
        return items[index]  # as Python's unpacking of a tensor whose first dimension is known
    if not isinstance(items, list | tuple | tf.TensorShape) or len(items) != count:
        raise ValueError(f"{count} values are unpacked from something else")
    return items[index]


def _method(steps: _Steps, owner: int, name: str, args: Any, named: Any) -> Any:
    value = steps.get(owner)
    if name == "concatenate" and isinstance(value, tf.TensorShape) and len(args) == 1 and not named:
        return value.concatenate(steps.get(args[0]))
    if args or named or name == "concatenate":
        raise ValueError(f"the method {name} with arguments")
    if name == "as_list":
        return list(value) if isinstance(value, list | tuple) else value.as_list()
    return value.shape


def _slice(steps: _Steps, parts: Any) -> slice:
    return slice(*(None if p is None else steps.get(p) for p in parts))


def _select(steps: _Steps, condition: int, yes: int, no: int) -> Any:
    return steps.get(yes if values.truth(steps.get(condition)) else no)


def _raise(steps: _Steps, text: str) -> Any:
    raise ValueError(f"the function raises {text}")


def _argument(steps: _Steps, number: int) -> Any:
    if number not in steps.arguments:
        raise ValueError("an argument outside of its function")
    return steps.arguments[number]


def _map(steps: _Steps, how: str, elements: int, argument: int, body: int, captured: Any, dtype: Any) -> Any:
    over, number = steps.get(elements), steps.nodes[argument][1]
    for outer in captured:
        steps.get(outer)

    def function(element: Any) -> Any:
        return steps.inside(number, element).get(body)

    if how == "vectorized_map":
        return tf.vectorized_map(function, over)
    kind = None if dtype[0] is None else steps.get(dtype[0])
    kind = tf.nest.map_structure(tf.dtypes.as_dtype, kind) if kind is not None else None
    return tf.map_fn(function, over, fn_output_signature=kind)


def _call(steps: _Steps, name: str, args: Any, named: Any) -> Any:
    function, renamed = _function(name)
    given = {renamed.get(k, k): steps.get(n) for k, n in named.items()}
    if name.startswith("tf."):
        for key in DTYPES & given.keys():
            if isinstance(given[key], str):
                given[key] = tf.dtypes.as_dtype(given[key])
    result = function(*(steps.get(n) for n in args), **given)
    bounded([r for r in tf.nest.flatten(result) if tf.is_tensor(r)])
    return result


def _cond(pred: Any, yes: Any, no: Any) -> Any:
    """`tf.cond`, both of whose results are there: pure functions give the same whether they are needed or not."""
    if not tf.is_tensor(pred):
        return yes if pred else no
    return tf.cond(tf.cast(pred, tf.bool), lambda: yes, lambda: no)


@functools.cache
def _function(name: str) -> tuple[Callable[..., Any], Mapping[str, str]]:
    module, _, rest = name.partition(".")
    own = {"tf.constant": tf.constant, "tf.cond": _cond, "applications.preprocess_input": values.preprocess_input}
    if name in own:
        return own[name], {}
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
        found: Callable[..., Any] = getattr(keras_module(detect()).ops, name)
        return found
    from safeload.layers.ops3 import _COMPUTED

    wanted = name.replace("_", "").lower()
    for operation, function in _COMPUTED.items():
        if operation.lower() == wanted:
            return function
    raise ValueError(f"keras.ops.{name} can't be computed here")


_KINDS: Mapping[str, Callable[..., Any]] = {
    "parameter": lambda steps, index: steps.given[index],
    "argument": _argument,
    "constant": lambda steps, value: value,
    "ellipsis": lambda steps: Ellipsis,
    "float": lambda steps, text: float(text),
    "tuple": lambda steps, items: tuple(steps.get(n) for n in items),
    "list": lambda steps, items: [steps.get(n) for n in items],
    "slice": _slice,
    "binary": lambda steps, op, a, b: values.binary(op, steps.get(a), steps.get(b)),
    "unary": lambda steps, op, a: values.unary(op, steps.get(a)),
    "compare": lambda steps, op, a, b: values.compare(op, steps.get(a), steps.get(b)),
    "item": lambda steps, owner, key: values.item(steps.get(owner), steps.get(key)),
    "unpack": _unpack,
    "attribute": lambda steps, owner, name: values.attribute(steps.get(owner), name),
    "method": _method,
    "call": _call,
    "value": lambda steps, name: values.value(name),
    "select": _select,
    "map": _map,
    "raise": _raise,
}
