"""Are the functions and operations that the model's op layers call pure, and of a size that a model may have?

Keras 2 looks the stored name up in TensorFlow's whole API (`tf_op_layer.py`: `get_symbol_from_name`, `getattr`) and builds
a stored graph node whatever its operation is; `io.write_file` and `WriteFile` are as good as `math.add` to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from safeload.checks import Examination
from safeload.checks.graph_op_table import PURE
from safeload.errors import InsufficientMemoryError, UnsafeModelError
from safeload.findings import Finding, Rule, Severity
from safeload.lambdas import validate
from safeload.operations import MAX_ELEMENTS, elements, function
from safeload.operations.arguments import literals
from safeload.operations.keras3 import CALL_SIZES, OPERATION_SIZES, OPERATIONS
from safeload.operations.nodes import NODE_SIZES, RANDOM_NODES, UNBUILDABLE, attributes

__all__ = ["IMPURE", "JUDGED", "TOO_LARGE", "check"]

IMPURE = Rule(
    "SL749",
    "impure-operation",
    Severity.ERROR,
    """\
What it sees: a layer that calls a TensorFlow function, a graph operation or a method that is not in the reviewed table of
pure ones.
Why it matters: whoever wrote the file decides what is called; some functions read and write files.
Example: a `TFOpLambda` with the function `io.write_file`.
What to do: if the model is yours, put the call into a layer of your own and save it again.
References: keras 2.15, layers/core/tf_op_layer.py.
""",
    UnsafeModelError,
)

TOO_LARGE = Rule(
    "SL750",
    "operation-size",
    Severity.ERROR,
    """\
What it sees: constants in the file that make one operation's result larger than a quarter of a billion elements.
Why it matters: a few characters can ask for any amount of memory.
Example: `tf.fill` with the size `[100000, 100000]`.
What to do: don't load the file, if it isn't yours.
References: none.
""",
    InsufficientMemoryError,
)

_RAGGED_CLASS = "RaggedTensor"
_CLASS_METHODS = frozenset(
    """
    from_value_rowids from_row_splits from_row_lengths from_row_starts from_row_limits from_uniform_row_length
    from_nested_value_rowids from_nested_row_splits from_nested_row_lengths from_tensor from_sparse
    """.split()
)
_PROPERTIES = frozenset("values flat_values row_splits nested_row_splits indices dense_shape".split())
_METHODS = frozenset(
    """
    value_rowids nested_value_rowids nrows row_starts row_limits row_lengths nested_row_lengths bounding_shape with_values
    with_flat_values with_row_splits_dtype merge_dims to_tensor to_sparse
    """.split()
)
"""What Keras 2 delegates on symbolic ragged and sparse tensors (`tf_op_layer.py`, 2.4-2.15)."""

Judged = tuple[str | None, int]
"""What is called, if it isn't pure (else None), and how many elements the constants ask for."""

_Judge = Callable[[Mapping[str, Any], Mapping[str, Any]], Judged]
"""What judges a layer and its config."""


def _function(layer: Mapping[str, Any], config: Mapping[str, Any]) -> Judged:
    name = config.get("function")
    row = function(name) if isinstance(name, str) else None
    if row is None:
        return f"the function {name!r}", 0
    if not row.sizes:
        return None, 0
    calls = [literals(config["arguments"])] if isinstance(config.get("arguments"), Mapping) else _calls(layer)
    found = [0]
    for args, kwargs in calls:
        try:
            found.append(elements(row.sizes, row.bind(args, kwargs)))
        except TypeError:
            continue  # Keras will say it
    return None, max(found)


def _calls(layer: Mapping[str, Any]) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any]]]:
    """The first argument and the others of each call, as Keras 2 stores them."""
    for data in layer.get("inbound_nodes") or ():
        kwargs: Mapping[str, Any] = {}
        node = data
        while isinstance(node, list) and node and isinstance(node[0], list):
            node = node[0]
        if isinstance(node, list) and len(node) == 4 and isinstance(node[3], Mapping):
            kwargs = {str(k): v for k, v in node[3].items()}
        yield (_constants(data),), kwargs


def _constants(data: Any) -> Any:
    if isinstance(data, list | tuple):
        if len(data) in (3, 4) and isinstance(data[0], str):
            return data[2] if data[0] == "_CONSTANT_VALUE" else None
        return [_constants(item) for item in data]
    return None


def _node(layer: Mapping[str, Any], config: Mapping[str, Any]) -> Judged:
    stored = config.get("node_def")
    name = config.get("operation") if stored is None else stored.get("op") if isinstance(stored, Mapping) else None
    if not isinstance(name, str) or (name not in PURE and name not in RANDOM_NODES) or name in UNBUILDABLE:
        return f"the operation {name!r}", 0
    if isinstance(stored, Mapping):
        try:
            attributes(stored.get("attr") or {})
        except ValueError as error:
            return f"the operation {name} ({error})", 0
    constants = config.get("constants")
    constants = constants if isinstance(constants, Mapping) else {}
    wanted = {str(i): constants.get(str(i), constants.get(i)) for i in NODE_SIZES.get(name, ())}
    return None, elements(tuple(wanted), wanted)


def _class_method(layer: Mapping[str, Any], config: Mapping[str, Any]) -> Judged:
    symbol, method = config.get("cls_symbol"), config.get("method_name")
    pure = symbol == _RAGGED_CLASS and method in _CLASS_METHODS
    return (None if pure else f"the method {symbol}.{method}"), 0


def _named(allowed: frozenset[str], what: str) -> _Judge:
    def judge(layer: Mapping[str, Any], config: Mapping[str, Any]) -> Judged:
        name = config.get("attr_name")
        return (None if name in allowed else f"the {what} {name!r}"), 0

    return judge


def _operation(layer: Mapping[str, Any], config: Mapping[str, Any]) -> Judged:
    name = config.get("operation")
    options = config.get("options")
    if name not in OPERATIONS or not isinstance(options, Mapping):
        return f"the operation {name!r}", 0
    return None, elements(OPERATION_SIZES.get(str(name), ()), options)


def _expression(layer: Mapping[str, Any], config: Mapping[str, Any]) -> Judged:
    try:
        validate(config.get("program"))
        for key in ("mask_program", "shape_program"):
            if config.get(key) is not None:
                validate(config[key])
    except ValueError as error:
        return f"a program that is not allowed ({error})", 0
    return None, 0


def _native(layer: Mapping[str, Any], config: Mapping[str, Any]) -> Judged:
    """An operation of Keras 3 that Keras builds itself: Keras' own are pure, so its size alone is in question.

    What is in the config today stood in the call in some versions.
    """
    name = str(layer["class_name"])
    sizes = OPERATION_SIZES[name]
    found = [elements(sizes, config)]
    for node in layer.get("inbound_nodes") or ():
        if not isinstance(node, Mapping):
            continue
        args, kwargs = node.get("args"), node.get("kwargs")
        given = dict(kwargs) if isinstance(kwargs, Mapping) else {}
        if isinstance(args, list | tuple) and name in CALL_SIZES:
            given |= {argument: args[place] for place, argument in CALL_SIZES[name].items() if place < len(args)}
        found.append(elements(sizes, given))
    return None, max(found)


def _is_native(node: Mapping[str, Any]) -> bool:
    name, module = node.get("class_name"), node.get("module")
    if not isinstance(name, str) or name not in OPERATION_SIZES or node.get("registered_name") not in (None, name):
        return False
    return module is None or (isinstance(module, str) and module.startswith("keras.") and "ops" in module.split("."))


_JUDGES: dict[str, _Judge] = {
    "TFOpLambda": _function,
    "SlicingOpLambda": _function,
    "TensorFlowOpLayer": _node,
    "ClassMethod": _class_method,
    "InstanceMethod": _named(_METHODS, "method"),
    "InstanceProperty": _named(_PROPERTIES, "attribute"),
    "safeload>Expression": _expression,
    "safeload>ExpressionFunction": _expression,
    "safeload>TensorFlowFunction": _function,
    "safeload>TensorFlowNode": _node,
    "safeload>Keras3Operation": _operation,
}

JUDGED = frozenset(_JUDGES)
"""The classes of op layers."""


def _layers(config: Any) -> Iterator[tuple[_Judge, Mapping[str, Any], Mapping[str, Any], str]]:
    """What judges it, layer, its config and its place, of every op layer."""
    stack: list[tuple[Any, str]] = [(config, "")]
    while stack:
        node, at = stack.pop()
        if isinstance(node, list | tuple):
            stack += [(v, f"{at}[{i}]") for i, v in enumerate(node)]
        elif isinstance(node, Mapping):
            inner = node.get("config")
            if isinstance(inner, Mapping):
                for name in (node.get("class_name"), node.get("registered_name")):
                    known = str(name).removeprefix("Keras>").removeprefix("keras>")
                    if known in _JUDGES:
                        yield _JUDGES[known], node, inner, at
                        break
                else:
                    if _is_native(node):
                        yield _native, node, inner, at
            stack += [(v, at if k == "config" else f"{at}.{k}".lstrip(".")) for k, v in node.items()]


def check(examination: Examination) -> Iterable[Finding]:
    """A finding for each op layer, of the repaired model, that calls what is not known to be pure or is too large."""
    repaired = examination.repaired
    for judge, layer, config, where in (*_layers(repaired.architecture), *_layers(repaired.training)):
        impure, size = judge(layer, config)
        if impure is not None:
            yield IMPURE.finding(
                f"a layer calls {impure}, which is not known to be pure",
                where=where,
                hint="if the model is yours, put the call into a layer of your own and save it again",
                threats=(f"{where}: calls {impure}",),
            )
        elif size > MAX_ELEMENTS:
            yield TOO_LARGE.finding(f"an operation asks for {size:,} elements", where=where)
