"""Repairs of the boundary `lambdas`: bytecode that says what it computes becomes a layer or function that computes it.

The bytecode is read (`safeload.lambdas`), never run; what can't be read stays as it is and is refused by `checks.safety`.
"""

from __future__ import annotations

from safeload.repairs.engine import DocumentRepair, LayerRepair
from safeload.repairs.forms import rule
from safeload.repairs.lambdas.layer import expression, named, replaced
from safeload.repairs.lambdas.setting import setting_of, tensorflow_of
from safeload.repairs.lambdas.slots import functions, training

__all__ = ["ROWS", "setting_of", "tensorflow_of"]

_AGAIN = (
    "compare the expression with what you expect; a model that is saved again holds it as plain data and needs "
    "`import safeload` where it is loaded."
)

ROWS: tuple[LayerRepair | DocumentRepair, ...] = (
    LayerRepair(
        rule(
            803,
            "lambda-replaced",
            "a Lambda for which `custom_objects` has a function, under the name of the layer or of the function.",
            "what the caller passes comes before what the file says.",
            '`custom_objects={"lambda_1": my_function}`.',
            "docs/lambdas.md; keras #9595.",
            "nothing.",
        ),
        frozenset({"Lambda"}),
        replaced,
    ),
    LayerRepair(
        rule(
            800,
            "lambda-expression",
            "a Lambda whose bytecode is an expression of known functions.",
            "bytecode can do anything, and runs in one version of Python alone.",
            "`Lambda(lambda x: K.l2_normalize(x, axis=1))`.",
            "keras #9595, #14875; docs/lambdas.md.",
            _AGAIN,
        ),
        frozenset({"Lambda"}),
        expression,
    ),
    LayerRepair(
        rule(
            804,
            "named-lambda",
            "a Lambda over a named function, for Keras 2.",
            "Keras 2 takes the function from any module that the file names, and fails on one from `custom_objects`.",
            "{'function': 'my_function', 'function_type': 'function', 'module': 'my_module'}.",
            "keras 2.15, `layers/core/lambda_layer.py`.",
            "register the module that defines the function.",
        ),
        frozenset({"Lambda"}),
        named,
    ),
    LayerRepair(
        rule(
            801,
            "lambda-function",
            "a lambda as activation, initializer, regularizer or constraint whose bytecode is an expression.",
            "bytecode can do anything, and runs in one version of Python alone.",
            "`Dense(8, activation=lambda x: x * tf.nn.sigmoid(x))`, saved by Keras 2.13 or later.",
            "keras 3.15, `activations/__init__.py`; docs/lambdas.md.",
            _AGAIN,
        ),
        None,
        functions,
    ),
    DocumentRepair(
        rule(
            802,
            "lambda-in-training-read",
            "a lambda as loss or metric whose bytecode is an expression.",
            "without it, the model can't be compiled as it was.",
            "`model.compile(loss=lambda y, p: K.mean(K.abs(y - p)))`, saved as `.keras`.",
            "docs/lambdas.md.",
            _AGAIN,
        ),
        training,
    ),
)
