"""The variables that a build makes, counted before their memory is asked for.

`checks.budget` tells from the config what it can; here every variable passes, whatever class makes it: a layer's size may
come from the shape of its input, or from what a custom class computes.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from safeload.budgets import MAX_OUTPUT, MAX_STEPS, parameters_allowed
from safeload.document import ModelDocument
from safeload.errors import InsufficientMemoryError

__all__ = ["Budget", "check_outputs", "limited", "spend"]


class Budget:
    """What is left for the variables of one build."""

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed
        self.spent = 0

    def spend(self, shape: Any) -> None:
        """Account for a variable of that shape.

        Raises:
            InsufficientMemoryError: All variables together have more numbers than the model of this file may have.
        """
        sizes = [d if isinstance(d, int) else 1 for d in (shape if shape is not None else ())]
        self.spent += math.prod(max(d, 1) for d in sizes)
        if self.spent > self.allowed:
            raise InsufficientMemoryError(
                f"the model asks for more than {self.allowed:,} parameters, far more than the file stores",
                hint="don't load the file, if it isn't yours",
            )


_current: list[Budget] = []
"""The budget of the build that goes on; there is one at most (`scopes.building` holds a lock)."""


def spend(shape: Any) -> None:
    """Account for a variable whose creation is put off (`build.deferral`)."""
    if _current:
        _current[-1].spend(shape)


_SPLITTING = ("UpSampling1D", "UpSampling3D")
"""Layers of Keras 2 that make an operation for each step of an axis (`backend.repeat_elements`, 2.0-2.15)."""


@contextlib.contextmanager
def limited(document: ModelDocument, keras: ModuleType) -> Iterator[Budget]:
    """Refuse to make more variables than the model of a document may have, for the duration of a `with` block.

    In Keras 2, layers that make a graph node for each step also refuse endless axes.
    """
    import tensorflow as tf

    budget = Budget(parameters_allowed(document))

    def creator(make: Any, **arguments: Any) -> Any:
        shape = arguments.get("shape")
        if shape is not None and tf.TensorShape(shape).rank is not None:
            budget.spend(tf.TensorShape(shape).as_list())
        return make(**arguments)

    _current.append(budget)
    try:
        with tf.variable_creator_scope(creator), _bounded_axes(keras):
            yield budget
    finally:
        _current.pop()


@contextlib.contextmanager
def _bounded_axes(keras: ModuleType) -> Iterator[None]:
    if hasattr(keras, "ops"):  # Keras 3 repeats with one operation
        yield
        return
    with contextlib.ExitStack() as stack:
        for name in _SPLITTING:
            cls = getattr(keras.layers, name)
            stack.callback(setattr, cls, "call", cls.call)
            cls.call = _bounded(cls.call)
        yield


def _bounded(call: Any) -> Any:
    """The same call with a bound; of the same signature, from which Keras 2 tells whether a layer takes `training`."""

    def bounded(self: Any, inputs: Any) -> Any:
        if max((d or 0 for d in inputs.shape), default=0) > MAX_STEPS:
            raise InsufficientMemoryError(f"the layer {self.name!r} takes {inputs.shape}", where=str(self.name))
        return call(self, inputs)

    return bounded


def check_outputs(model: Any) -> None:
    """That no layer's output is of a size that no machine has, for a single sample.

    Raises:
        InsufficientMemoryError: One is.
    """
    layers = list(getattr(model, "layers", ()))
    while layers:
        layer = layers.pop()
        layers += getattr(layer, "layers", None) or ()
        try:
            outputs = layer.output
        except (AttributeError, ValueError, RuntimeError):  # not built, or called more than once
            continue
        for output in outputs if isinstance(outputs, list | tuple) else (outputs,):
            shape = getattr(output, "shape", None)
            if shape is None or getattr(shape, "rank", 0) is None:
                continue
            size = math.prod(int(d) for d in list(shape)[1:] if d is not None)
            if size > MAX_OUTPUT:
                raise InsufficientMemoryError(
                    f"the layer {layer.name!r} gives {size:,} numbers for each sample", where=str(layer.name)
                )
