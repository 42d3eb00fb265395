"""A layer for one operation of a TensorFlow graph: what `TensorFlowOpLayer` of tf.keras 1.13-2.3 was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_def_registry  # no public way to a kernel's signature

from safeload.checks.graph_op_table import PURE
from safeload.layers.ops import OperationLayer, plain
from safeload.layers.registration import registered
from safeload.operations.nodes import RANDOM_NODES, UNBUILDABLE

__all__ = ["TensorFlowNode"]


@registered
class TensorFlowNode(OperationLayer):
    """One operation.

    It is made in a function's graph from its stored attributes, as `TensorFlowOpLayer` did. The wrappers in `tf.raw_ops`
    name and order arguments in their own way, and guess the types of constants: an empty list would be float32.

    Args:
        operation: Its name in TensorFlow's registry; it must be in the table of pure ones.
        attributes: Its attributes as plain data (`operations.nodes.attributes`).
        constants: The values of those inputs that are no tensors of the model, by their number.

    Raises:
        ValueError: The operation is not in the table, or this TensorFlow doesn't have it.
    """

    def __init__(
        self, operation: str, attributes: Mapping[str, Any], constants: Mapping[str, Any], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if (operation not in PURE and operation not in RANDOM_NODES) or operation in UNBUILDABLE:
            raise ValueError(f"{operation} is not in the table of pure operations")
        self._definition = op_def_registry.get(operation)
        if self._definition is None:
            raise ValueError(f"this TensorFlow has no operation {operation}")
        self._operation = operation
        self._attributes = dict(attributes)
        self._constants = {int(k): v for k, v in constants.items()}
        self._run = tf.function(self._make, autograph=False)

    def compute(self, tensors: list[Any]) -> Any:
        # In a function of its own, so that a gradient tape sees the operation.
        return self._run(tensors)

    def _make(self, tensors: list[Any]) -> Any:
        attributes = {name: self._attribute(name, value) for name, value in self._attributes.items()}
        waiting = list(tensors)
        inputs = []
        for index, dtype in enumerate(self._types(len(tensors) + len(self._constants))):
            if index in self._constants:
                inputs.append(tf.constant(self._constants[index], dtype))
            else:
                inputs.append(waiting.pop(0))
        graph = tf.compat.v1.get_default_graph()
        made = graph.create_op(self._operation, inputs, None, attrs=attributes, op_def=self._definition)
        return list(made.outputs)

    def _types(self, count: int) -> Iterator[Any]:
        """The types of the inputs, in order."""
        for argument in self._definition.input_arg:
            if argument.type_list_attr:
                yield from self._given(argument.type_list_attr)
                continue
            dtype = self._given(argument.type_attr) if argument.type_attr else tf.dtypes.as_dtype(argument.type)
            number = self._given(argument.number_attr) if argument.number_attr else 1
            for _ in range(min(number, count)):
                yield dtype

    def _given(self, name: str) -> Any:
        """An attribute; one that is younger than the file has its default, which is always a type."""
        if name in self._attributes:
            return self._attributes[name]
        default = next(a.default_value for a in self._definition.attr if a.name == name)
        return tf.dtypes.as_dtype(default.type)

    def _attribute(self, name: str, value: Any) -> Any:
        kind = next((a.type for a in self._definition.attr if a.name == name), None)
        if kind is None:
            raise ValueError(f"{self._operation} has no attribute {name} here")
        proto = tf.compat.v1.AttrValue
        if kind.startswith("list("):
            key = _FIELDS[kind[5:-1]]
            return proto(list=proto.ListValue(**{key: [_encoded(kind[5:-1], v) for v in value]}))
        return proto(**{_FIELDS[kind]: _encoded(kind, value)})

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "operation": self._operation,
            "attributes": plain(self._attributes),
            "constants": {str(k): plain(v) for k, v in self._constants.items()},
        }


_FIELDS = {"type": "type", "int": "i", "float": "f", "bool": "b", "string": "s", "shape": "shape"}
"""Kind of an attribute -> field of `AttrValue`."""


def _encoded(kind: str, value: Any) -> Any:
    if kind == "type":
        return tf.dtypes.as_dtype(value).as_datatype_enum
    if kind == "string":
        return str(value).encode()
    return tf.TensorShape(value).as_proto() if kind == "shape" else value
