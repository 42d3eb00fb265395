"""A layer that computes what a Lambda's bytecode said, from programs as plain data (`lambdas.program`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from safeload.lambdas.program import validate
from safeload.layers.expression_program import evaluate
from safeload.layers.ops import plain
from safeload.layers.registration import registered
from safeload.runtime import detect, keras_module

__all__ = ["Expression", "evaluate"]

keras: Any = keras_module(detect())


@registered
class Expression(keras.layers.Layer):
    """A pure function of its input, in the place of a Lambda.

    As a Lambda's, its mask ends here unless it has a program for it (`Lambda.compute_mask` gave its `mask` argument, None by
    default, in Keras 1 to 3).

    Args:
        program: What it computes; parameters behind the first are named `mask` and `training`.
        source: The same as text, for whoever reads the config.
        declared_shape: The Lambda's `output_shape` without the samples, where it was a list: what tracing can't tell.
        shape_program: The same, where it was a function: of the shape, or shapes, of the input with the samples.
        mask_program: The Lambda's `mask`, where it was a function: of the input and its mask.

    Raises:
        ValueError: It is no program, or it calls what is not in the tables.
    """

    def __init__(
        self,
        program: Mapping[str, Any],
        source: str | None = None,
        declared_shape: Any = None,
        shape_program: Mapping[str, Any] | None = None,
        mask_program: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._programs = {
            key: plain(given)
            for key, given in (("program", program), ("shape_program", shape_program), ("mask_program", mask_program))
            if given is not None
        }
        for given in self._programs.values():
            validate(given)
        self._source = source
        self._declared_shape = declared_shape
        self.supports_masking = True
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        program = self._programs.get("mask_program")
        return None if program is None else evaluate(program, _lists(inputs), mask)

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        result = evaluate(self._programs["program"], _lists(inputs), mask=mask, training=training)
        if isinstance(result, list | tuple):
            return [tf.convert_to_tensor(r) for r in result]
        result = tf.convert_to_tensor(result)
        for shape in (self._told(inputs), [None, *self._declared_shape] if self._declared_shape is not None else None):
            if shape is not None and result.shape.is_compatible_with(shape):
                result.set_shape(shape)
        return result

    def _told(self, inputs: Any) -> list[int | None] | None:
        """The shape that the Lambda's `output_shape` gives for an input. It only completes what tracing leaves open."""
        program = self._programs.get("shape_program")
        many = isinstance(inputs, list | tuple)
        shapes = [
            tuple(t.shape.as_list()) if t.shape.rank is not None else None for t in (inputs if many else [inputs])
        ]
        if program is None or None in shapes:
            return None
        try:
            found = evaluate(program, shapes if many else shapes[0])
        except (ArithmeticError, IndexError, TypeError, ValueError):
            return None
        if not isinstance(found, list | tuple) or not all(n is None or isinstance(n, int) for n in found):
            return None
        return [None, *found[1:]]

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
        config = {**super().get_config(), **{k: plain(p) for k, p in self._programs.items()}, "source": self._source}
        return config if self._declared_shape is None else {**config, "declared_shape": list(self._declared_shape)}


def _lists(inputs: Any) -> Any:
    """Several inputs are a list for the function, whatever Keras makes of them."""
    return list(inputs) if isinstance(inputs, tuple) else inputs
