"""Repairs of the boundary `lambdas`: bytecode that says what it computes becomes a layer that computes it.

The bytecode is read (`safeload.lambdas`), never run; what can't be read stays as it is and is refused by `checks.safety`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.document import Writer
from safeload.lambdas import read_function
from safeload.repairs.engine import Context, DocumentRepair, LayerRepair, Repaired
from safeload.repairs.forms import config_of, own_layer, rule

__all__ = ["ROWS", "tensorflow_of"]

_LAMBDA_KEYS = frozenset(
    """
    function function_type module output_shape output_shape_type output_shape_module mask mask_type mask_module arguments
    """.split()
)


def tensorflow_of(writer: Writer, dialect: str | None) -> int | None:
    """Which TensorFlow's names `tf` has in a file's functions: 1, 2, or None where it may be either."""
    version = writer.version
    if dialect == "keras1" or (0,) < version < (2, 2):
        return 1
    if version >= (2, 4) or (writer.is_tf_keras and version >= (2, 3)):
        return 2
    return 1 if version >= (2, 2) and version < (2, 2, 5) and not writer.is_tf_keras else None


def _lambda(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = config_of(layer)
    if config is None or config.get("mask") is not None:
        return None
    function = config.get("function")
    coded = isinstance(function, Mapping) and function.get("class_name") == "__lambda__"
    if coded:
        function = function.get("config")  # type: ignore[union-attr]
    elif config.get("function_type") != "lambda":
        return None
    given = config.get("arguments")
    reading = read_function(
        function,
        tensorflow=tensorflow_of(context.writer, context.document.dialect),
        arguments=given if isinstance(given, Mapping) else None,
    )
    if reading.program is None:
        return None
    made: dict[str, Any] = {"program": reading.program, "source": reading.source}
    shape = config.get("output_shape")
    if isinstance(shape, list) and all(n is None or isinstance(n, int) for n in shape):
        made["declared_shape"] = shape
    name = config.get("name") or layer.get("name")
    return Repaired(
        own_layer(layer, "Expression", {**config, **made}, without=_LAMBDA_KEYS),
        f"the bytecode of {name!r} was read, not run: {reading.source}",
    )


ROWS: tuple[LayerRepair | DocumentRepair, ...] = (
    LayerRepair(
        rule(
            800,
            "lambda-expression",
            "a Lambda whose bytecode is an expression of known functions.",
            "bytecode can do anything, and runs in one version of Python alone.",
            "`Lambda(lambda x: K.l2_normalize(x, axis=1))`.",
            "keras #9595, #14875; docs/architecture.md, Lambdas.",
            "compare the expression with what you expect; a model that is saved again holds it as plain data and needs "
            "`import safeload` where it is loaded.",
        ),
        frozenset({"Lambda"}),
        _lambda,
    ),
)
