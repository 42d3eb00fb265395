"""Calls: of functions in the bytecode, of functions of a table, and of those that are done while the function is read.

The latter are functions of Python over what is known (`range`, `len` of a list), functions that call functions (`K.switch`,
`tf.map_fn`), and those whose meaning is only known with the writer (`K.backend()`, the arguments of `tf.concat`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from safeload.lambdas.builder import Refused
from safeload.lambdas.machine import MAX_ITEMS, Machine
from safeload.lambdas.names import Meaning, allowed, resolve
from safeload.lambdas.program import METHODS
from safeload.lambdas.values import Failure, Frame, Function, Global, Items, Member, Named, Pack, Slice
from safeload.operations.python import APPLICATIONS

__all__ = ["call"]

Args = Sequence[Any]
Words = Mapping[str, Any]
Row = Callable[[Machine, Args, Words], Any]


def call(machine: Machine, frame: Frame, function: Any, args: Args, named: Words) -> Any:
    """What a call gives."""
    if isinstance(function, Function):
        return machine.enter(function, args, named)
    if isinstance(function, Global):
        return _global(machine, function.path, args, named)
    if isinstance(function, Member):
        if isinstance(function.owner, Pack | Named):
            return _of_container(machine, frame, function, args, named)
        if function.name in _OF_ARRAYS and machine.builder.is_array(function.owner):
            return _of_array(machine, function, args, named)
        if function.name in METHODS:
            return _stopped(machine, "method", function.owner, function.name, args, named)
        machine.stop(f"it calls the method {function.name!r} of a value")
        owner = machine.builder.add("member", function.owner, function.name, below=(function.owner,))
    elif isinstance(function, Failure):  # `AssertionError(text)`
        return Failure(f"{function.text}: {machine.text(args[0])}" if args and machine.text(args[0]) else function.text)
    else:
        machine.stop("it calls a value")
        owner = machine.node(function)
    return _stopped(machine, "apply", owner, None, args, named)


def _stopped(machine: Machine, kind: str, owner: int, name: str | None, args: Args, named: Words) -> int:
    numbers = [machine.node(v) for v in args]
    kept = {k: machine.node(v) for k, v in named.items()}
    below = [owner, *numbers, *kept.values()]
    parts = (kind, owner, numbers, kept) if name is None else (kind, owner, name, numbers, kept)
    return machine.builder.add(*parts, below=below)


def _global(machine: Machine, path: str, args: Args, named: Words) -> Any:
    row = _PYTHON.get(path)
    if row is not None:
        return row(machine, args, named)
    if path in _EXCEPTIONS:
        shown = machine.text(args[0]) if args else None
        return Failure(f"{path}: {shown}" if shown else path)
    found = resolve(path, machine.setting, len(args), named.keys())
    if found is not None and found.only_1:
        machine.only_1 = True
    if found is not None and found.kind == "calling":
        calling = _CALLING.get(found.id)
        return calling(machine, args, named) if calling else _preprocess(machine, found.id, args, named)
    if found is not None and found.id in _LAID_OUT and machine.setting.data_format == "channels_first":
        raise Refused(f"it calls {path}, which is only known for channels_last")
    if found is not None and found.kind in ("call", "value") and allowed("call", found.id):
        return called(machine, found, args, named)
    machine.stop(f"it calls {path}, which is not in the table of pure functions")
    return _stopped(machine, "apply", machine.builder.add("name", path), None, args, named)


def called(machine: Machine, found: Meaning, args: Args, named: Words) -> int:
    """A call of a function of a table."""
    if found.id.startswith(("tf.", "K.")):
        named = {k: v for k, v in named.items() if k != "name"}
    numbers = [machine.node(v) for v in args]
    return machine.builder.call(found.id, numbers, {found.renamed.get(k, k): machine.node(v) for k, v in named.items()})


def _table(machine: Machine, path: str, args: Args, named: Words) -> int:
    return called(machine, Meaning("call", path), args, named)


_OF_ARRAYS = frozenset("astype copy cumsum flatten max mean min prod ravel repeat reshape std sum transpose".split())


_ALSO = {"copy": "array", "flatten": "ravel"}


def _of_array(machine: Machine, function: Member, args: Args, named: Words) -> int:
    """A method of an array of NumPy, as the function of the same name."""
    owner, name = function.owner, function.name
    if name in ("reshape", "transpose") and args and not isinstance(args[0], Pack) and not named:
        args = [machine.pack("tuple", args)]
    if name == "astype":
        return _table(machine, "np.asarray", [owner, *args], named)
    return _table(machine, f"np.{_ALSO.get(name, name)}", [owner, *args], named)


# --- Python


def _range(machine: Machine, args: Args, named: Words) -> Any:
    known = [machine.known(a) if isinstance(a, int) else None for a in args]
    numbers = [k[0] for k in known if k is not None and isinstance(k[0], int)]
    if len(numbers) != len(args) or not 1 <= len(args) <= 3 or named or (len(numbers) == 3 and not numbers[2]):
        raise Refused("it loops over a range that is not constant")
    values = range(*numbers)
    if len(values) > MAX_ITEMS:
        raise Refused("it loops over a long range")
    return Pack("list", tuple(machine.builder.constant(i) for i in values))


def _enumerate(machine: Machine, args: Args, named: Words) -> Any:
    start = machine.known(args[1]) if len(args) == 2 and isinstance(args[1], int) else (0,)
    if not 1 <= len(args) <= 2 or named or start is None or not isinstance(start[0], int):
        raise Refused("it calls enumerate in a way that is not known")
    items = machine.items(args[0])
    return Items(tuple(Pack("tuple", (machine.builder.constant(start[0] + i), v)) for i, v in enumerate(items)))


def _zip(machine: Machine, args: Args, named: Words) -> Any:
    if named:
        raise Refused("it calls zip in a way that is not known")
    return Items(tuple(Pack("tuple", row) for row in zip(*map(machine.items, args), strict=False)))


def _map(machine: Machine, args: Args, named: Words) -> Any:
    if named or len(args) < 2 or not isinstance(args[0], Function):
        raise Refused("it calls map in a way that is not known")
    rows = list(zip(*map(machine.items, args[1:]), strict=False))
    made = tuple(machine.enter(args[0], row, {}) for row in rows)
    return machine.pack("list", made) if machine.python < (3,) else Items(made)


def _reversed(machine: Machine, args: Args, named: Words) -> Any:
    if named or len(args) != 1:
        raise Refused("it calls reversed in a way that is not known")
    return Items(tuple(reversed(machine.items(args[0]))))


def _convert(kind: str) -> Row:
    def convert(machine: Machine, args: Args, named: Words) -> Any:
        if len(args) == 1 and not named:
            return machine.joined(kind, args)
        if not args and not named:
            return machine.pack(kind, ())
        raise Refused(f"it calls {kind} in a way that is not known")

    return convert


def _dict(machine: Machine, args: Args, named: Words) -> Any:
    if args:
        raise Refused("it calls dict in a way that is not known")
    return Named(dict(named))


def _len(machine: Machine, args: Args, named: Words) -> Any:
    if len(args) == 1 and not named:
        known = args[0] if isinstance(args[0], Pack | Named) else None
        count = len(known.items) if known is not None else machine.counted(args[0])
        if count is not None:
            return machine.builder.constant(count)
    return machine.builder.call("builtins.len", [machine.node(a) for a in args], {})


def _sum(machine: Machine, args: Args, named: Words) -> Any:
    """`sum` of what is known item by item; the rest is summed when it is computed."""
    first = [machine.pack("list", machine.items(args[0]))] if args and isinstance(args[0], Items) else list(args[:1])
    return _table(machine, "builtins.sum", [*first, *args[1:]], named)


def _slice(machine: Machine, args: Args, named: Words) -> Any:
    none = machine.builder.constant(None)
    if named or not 1 <= len(args) <= 3:
        raise Refused("it calls slice in a way that is not known")
    return Slice((none, args[0]) if len(args) == 1 else tuple(args))


def _print(machine: Machine, args: Args, named: Words) -> Any:
    """Nothing that a model computes depends on what is printed."""
    return machine.builder.constant(None)


def _isinstance(machine: Machine, args: Args, named: Words) -> Any:
    if len(args) != 2 or named:
        raise Refused("it calls isinstance in a way that is not known")
    kinds = args[1].items if isinstance(args[1], Pack) else (args[1],)
    names = {k.path for k in kinds if isinstance(k, Global)}
    value = args[0]
    if isinstance(value, Pack) and names <= {"list", "tuple"}:
        return machine.builder.constant(value.kind in names)
    if value == machine.parameter and names <= {"list", "tuple"} and machine.setting.inputs is not None:
        return machine.builder.constant("list" in names)
    raise Refused("it asks for the type of a value")


def _of_container(machine: Machine, frame: Frame, function: Member, args: Args, named: Words) -> Any:
    """Methods of lists and dictionaries whose items are known."""
    owner, name = function.owner, function.name
    if named:
        raise Refused(f"it calls {name} in a way that is not known")
    none = machine.builder.constant(None)
    if isinstance(owner, Named):
        keys = [machine.builder.constant(k) for k in owner.items]
        if name == "get" and 1 <= len(args) <= 2:
            known = machine.known(args[0]) if isinstance(args[0], int) else None
            if known is not None:
                return owner.items.get(known[0], args[1] if len(args) == 2 else none)
        if name == "items" and not args:
            return machine.pack("list", [Pack("tuple", p) for p in zip(keys, owner.items.values(), strict=True)])
        if name in ("keys", "values") and not args:
            return machine.pack("list", keys if name == "keys" else list(owner.items.values()))
    elif owner.kind == "list" and len(args) == 1:
        if name == "append":
            machine.change(frame, owner, [*owner.items, args[0]])
            return none
        if name == "extend":
            machine.change(frame, owner, [*owner.items, *machine.items(args[0])])
            return none
    elif owner.kind == "list" and name == "insert" and len(args) == 2:
        known = machine.known(args[0]) if isinstance(args[0], int) else None
        if known is not None and isinstance(known[0], int):
            items = list(owner.items)
            items.insert(known[0], args[1])
            machine.change(frame, owner, items)
            return none
    raise Refused(f"it calls the method {name!r} of a list or dictionary")


_LAID_OUT = frozenset(
    f"K.{name}"
    for name in "bias_add conv2d conv2d_transpose conv3d depthwise_conv2d pool2d pool3d separable_conv2d spatial_2d_padding "
    "spatial_3d_padding".split()
)
"""Functions whose `data_format` is that of Keras where it isn't given."""

_EXCEPTIONS = frozenset(
    "AssertionError AttributeError Exception IndexError KeyError NotImplementedError RuntimeError TypeError ValueError".split()
)

_PYTHON: Mapping[str, Row] = {
    "dict": _dict,
    "enumerate": _enumerate,
    "isinstance": _isinstance,
    "len": _len,
    "list": _convert("list"),
    "map": _map,
    "print": _print,
    "range": _range,
    "reversed": _reversed,
    "slice": _slice,
    "sum": _sum,
    "tuple": _convert("tuple"),
    "xrange": _range,
    "zip": _zip,
}


# --- Keras and TensorFlow


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
        return _table(machine, "tf.concat", [given["values"], given["concat_dim"]], {})
    return _table(machine, "tf.concat", args, named)


def _split(machine: Machine, args: Args, named: Words) -> Any:
    """TensorFlow 0.x has the axis and the number first: `tf.split(1, 2, x)`."""
    before = "split_dim" in named or (
        len(args) >= 2 and all(isinstance(a, int) and machine.builder.known(a) is not None for a in args[:2])
    )
    if before:
        given = _bound("split_dim num_split value name", args, named, 3)
        machine.only_1 = True
        return _table(machine, "tf.split", [given["value"], given["num_split"], given["split_dim"]], {})
    return _table(machine, "tf.split", args, named)


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
    return _table(machine, "K.resize_images", list(given.values()), {})


def _preprocess(machine: Machine, module: str, args: Args, named: Words) -> Any:
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
    return _table(machine, "applications.preprocess_input", [given["x"], machine.builder.constant(mode)], {})


_CALLING: Mapping[str, Row] = {
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
