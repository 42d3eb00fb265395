"""A layer for one operation of a TensorFlow graph: what `TensorFlowOpLayer` of tf.keras 1.13-2.3 was."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from safeload.checks.graph_op_table import PURE
from safeload.layers.ops import OperationLayer, plain
from safeload.layers.registration import registered
from safeload.operations.nodes import ELEMENTWISE, LISTS, RANDOM_NODES, UNBUILDABLE

__all__ = ["TensorFlowNode"]


@registered
class TensorFlowNode(OperationLayer):
    """One operation.

    Args:
        operation: Its name in TensorFlow's registry; it must be in the table of pure ones.
        attributes: Its attributes as plain data (`operations.nodes.attributes`).
        constants: The values of those inputs that are no tensors of the model, by their number.

    Raises:
        ValueError: The operation is not in the table.
    """

    def __init__(
        self, operation: str, attributes: Mapping[str, Any], constants: Mapping[str, Any], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if (operation not in PURE and operation not in RANDOM_NODES) or operation in UNBUILDABLE:
            raise ValueError(f"{operation} is not in the table of pure operations")
        self._operation = operation
        self._attributes = dict(attributes)
        self._constants = {int(k): v for k, v in constants.items()}

    def compute(self, tensors: list[Any]) -> Any:
        inputs = list(tensors)
        common = self._attributes.get("T") if self._operation in ELEMENTWISE else None
        for index in sorted(self._constants):
            value = self._constants[index]
            inputs.insert(index, tf.constant(value, common) if common else tf.constant(value))
        raw = getattr(tf.raw_ops, self._operation)
        parameters = [p for p in inspect.signature(raw).parameters if p != "name"]
        named: dict[str, Any] = {}
        lists = LISTS.get(self._operation, ())
        count = int(self._attributes.get("N", len(inputs)))
        position = 0
        while inputs:
            if position in lists:
                named[parameters[position]], inputs = inputs[:count], inputs[count:]
            else:
                named[parameters[position]] = inputs.pop(0)
            position += 1
        named.update({k: v for k, v in self._attributes.items() if k in parameters and k not in named})
        return raw(**named)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "operation": self._operation,
            "attributes": plain(self._attributes),
            "constants": {str(k): plain(v) for k, v in self._constants.items()},
        }
