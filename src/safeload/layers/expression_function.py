"""A function that computes what a lambda's bytecode said, in the place of an activation, initializer, loss or metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from safeload.lambdas.program import validate
from safeload.layers.expression_program import evaluate
from safeload.layers.ops import plain
from safeload.layers.registration import registered

__all__ = ["ExpressionFunction"]


@registered
class ExpressionFunction:
    """A pure function as an object that Keras can call and store.

    Args:
        program: What it computes. It gets arguments by position, and those that Keras gives by name (an initializer's
            `dtype`) if it has a parameter of that name.
        source: The same as text, for whoever reads the config.
        name: What Keras calls it in logs and histories.

    Raises:
        ValueError: It is no program, or it calls what is not in the tables.
    """

    def __init__(self, program: Mapping[str, Any], source: str | None = None, name: str = "lambda") -> None:
        self._program = plain(program)
        validate(self._program)
        self._source = source
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return tf.convert_to_tensor(evaluate(self._program, *args, **kwargs))

    def get_config(self) -> dict[str, Any]:
        return {"program": plain(self._program), "source": self._source, "name": self.__name__}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ExpressionFunction:
        return cls(**config)
