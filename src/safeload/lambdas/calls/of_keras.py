"""Functions of Keras and TensorFlow that are not just computed.

They call functions (`K.switch`, `tf.map_fn`), or their meaning is only known with the writer (`K.backend()`, the arguments of
`tf.concat`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from safeload.lambdas.builder import Refused
from safeload.lambdas.calls.rows import Args, Row, Words, table
from safeload.lambdas.machine import Machine
from safeload.lambdas.values import Function
from safeload.operations.python import APPLICATIONS

__all__ = ["CALLING", "preprocess"]


def _value(machine: Machine, value: Any) -> int:
    """A value, or what a function without parameters gives."""
    return machine.node(machine.enter(value, [], {}) if isinstance(value, Function) else value)


def _bound(names: str, args: Args, named: Words, needed: int) -> dict[str, Any]:
    """Arguments by name.

    Raises:
        Refused: There are others.
    """
    words = names.split()
    given = {**dict(zip(words, args, strict=False)), **named}
    if len(args) > len(words) or not set(named) <= set(words) or not set(words[:needed]) <= set(given):
        raise Refused(f"it calls a function with other arguments than {', '.join(words)}")
    return given


def _switch(machine: Machine, args: Args, named: Words) -> Any:
    given = _bound("condition then_expression else_expression", args, named, 3)
    values = [_value(machine, given[k]) for k in ("then_expression", "else_expression")]
    return machine.builder.call("K.switch", [machine.node(given["condition"]), *values], {})


def _cond(machine: Machine, args: Args, named: Words) -> Any:
    given = _bound("pred true_fn false_fn strict name fn1 fn2", args, named, 1)
    yes, no = (given.get(a, given.get(b)) for a, b in (("true_fn", "fn1"), ("false_fn", "fn2")))
    if not isinstance(yes, Function) or not isinstance(no, Function):
        raise Refused("it calls tf.cond without its two functions")
    return machine.builder.call("tf.cond", [machine.node(given["pred"]), _value(machine, yes), _value(machine, no)], {})


def _phase(first: bool) -> Row:
    def row(machine: Machine, args: Args, named: Words) -> Any:
        given = _bound("x alt training", args, named, 2)
        training = given.get("training")
        known = machine.known(training) if isinstance(training, int) else None
        if training is None or (known is not None and known[0] is None):
            training, known = machine.training(), None
        chosen = ("x", "alt") if first else ("alt", "x")
        if known is not None:
            return machine.node(_value(machine, given[chosen[0 if known[0] else 1]]))
        condition = machine.node(training)
        yes, no = (_value(machine, given[k]) for k in chosen)
        return machine.builder.add("select", condition, yes, no, below=(condition, yes, no))

    return row


def _map_fn(how: str, names: str) -> Row:
    def row(machine: Machine, args: Args, named: Words) -> Any:
        given = _bound(names, args, named, 2)
        function = given["fn"]
        if not isinstance(function, Function):
            raise Refused(f"it calls {how} with a function that is not its own")
        elements = machine.node(given["elems"])
        mark = len(machine.builder.nodes)
        argument = machine.argument()
        body = machine.node(machine.enter(function, [argument], {}))
        captured = machine.builder.captured(body, mark)
        dtype = next((machine.node(given[k]) for k in ("fn_output_signature", "dtype") if k in given), None)
        below = [elements, argument, body, *captured, *([] if dtype is None else [dtype])]
        return machine.builder.add("map", how, elements, argument, body, captured, [dtype], below=below)

    return row


def _concat(machine: Machine, args: Args, named: Words) -> Any:
    """TensorFlow 0.x has the axis first: `tf.concat(1, [a, b])`, `concat_dim`."""
    before = "concat_dim" in named or (
        len(args) == 2 and isinstance(args[0], int) and machine.builder.known(args[0]) is not None
    )
    if before:
        given = _bound("concat_dim values name", args, named, 2)
        machine.only_1 = True
        return table(machine, "tf.concat", [given["values"], given["concat_dim"]], {})
    return table(machine, "tf.concat", args, named)


def _split(machine: Machine, args: Args, named: Words) -> Any:
    """TensorFlow 0.x has the axis and the number first: `tf.split(1, 2, x)`."""
    before = "split_dim" in named or (
        len(args) >= 2 and all(isinstance(a, int) and machine.builder.known(a) is not None for a in args[:2])
    )
    if before:
        given = _bound("split_dim num_split value name", args, named, 3)
        machine.only_1 = True
        return table(machine, "tf.split", [given["value"], given["num_split"], given["split_dim"]], {})
    return table(machine, "tf.split", args, named)


def _constant(value: Callable[[Machine], Any], what: str) -> Row:
    def row(machine: Machine, args: Args, named: Words) -> Any:
        found = value(machine)
        if args or named:
            raise Refused(f"it changes the {what}")
        if found is None:
            raise Refused(f"it asks for the {what}, which the file doesn't tell")
        return machine.builder.constant(found)

    return row


def _data_format(machine: Machine) -> Any:
    return machine.setting.data_format


def _ordering(machine: Machine) -> Any:
    return {"channels_last": "tf", "channels_first": "th"}.get(machine.setting.data_format or "")


def _learning_phase(machine: Machine, args: Args, named: Words) -> Any:
    return machine.training()


def _resize_images(machine: Machine, args: Args, named: Words) -> Any:
    given = _bound("X height_factor width_factor dim_ordering", args, named, 4) if "X" in named else {}
    given = given or _bound(
        "x height_factor width_factor data_format interpolation",
        args,
        {{"dim_ordering": "data_format"}.get(k, k): v for k, v in named.items()},
        4,
    )
    way = machine.text(given["interpolation"]) if "interpolation" in given else "nearest"
    if way != "nearest" and not (way == "bilinear" and machine.setting.bilinear):
        raise Refused(f"K.resize_images with interpolation={way!r} differs between the versions of Keras")
    return table(machine, "K.resize_images", list(given.values()), {})


def preprocess(machine: Machine, module: str, args: Args, named: Words) -> Any:
    """`keras.applications.MODULE.preprocess_input`, which scales an image as the weights want it."""
    mode: Any = APPLICATIONS.get(module)
    given = _bound("x data_format mode" if mode is None else "x data_format", args, named, 1)
    if mode is None:  # imagenet_utils, where caffe is the default
        mode = machine.text(given["mode"]) if "mode" in given else "caffe"
    if mode == "none":
        return given["x"]
    known = machine.known(given["data_format"]) if isinstance(given.get("data_format"), int) else (None,)
    data_format = known[0] if known and known[0] else machine.setting.data_format
    if mode not in ("tf", "caffe", "torch") or (data_format != "channels_last" and mode != "tf"):
        raise Refused("it calls preprocess_input for an order of axes that the file doesn't tell")
    return table(machine, "applications.preprocess_input", [given["x"], machine.builder.constant(mode)], {})


CALLING: Mapping[str, Row] = {
    "K.backend": _constant(lambda m: m.setting.backend, "backend of Keras"),
    "K.image_data_format": _constant(_data_format, "data format of Keras"),
    "K.image_dim_ordering": _constant(_ordering, "data format of Keras"),
    "K.in_test_phase": _phase(False),
    "K.in_train_phase": _phase(True),
    "K.learning_phase": _learning_phase,
    "K.map_fn": _map_fn("map_fn", "fn elems name dtype"),
    "K.resize_images": _resize_images,
    "K.switch": _switch,
    "tf.concat": _concat,
    "tf.cond": _cond,
    "tf.map_fn": _map_fn(
        "map_fn", "fn elems dtype parallel_iterations back_prop swap_memory infer_shape name fn_output_signature"
    ),
    "tf.split": _split,
    "tf.vectorized_map": _map_fn("vectorized_map", "fn elems fallback_to_while_loop warn"),
}
