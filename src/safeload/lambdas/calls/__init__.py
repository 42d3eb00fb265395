"""Calls: of functions in the bytecode, of functions of a table, and of those that are done while the function is read.

The latter are those of Python (`of_python`) and those of Keras and TensorFlow that are not just computed (`of_keras`).
"""

from __future__ import annotations

from typing import Any

from safeload.lambdas.builder import Refused
from safeload.lambdas.calls.of_keras import CALLING, preprocess
from safeload.lambdas.calls.of_python import PYTHON, of_container
from safeload.lambdas.calls.rows import Args, Words, called, table
from safeload.lambdas.machine import Machine
from safeload.lambdas.names import allowed, resolve
from safeload.lambdas.program import METHODS
from safeload.lambdas.values import EXCEPTIONS, Failure, Frame, Function, Global, Member, Named, Pack

__all__ = ["call"]

_LAID_OUT = frozenset(
    f"K.{name}"
    for name in "bias_add conv2d conv2d_transpose conv3d depthwise_conv2d pool2d pool3d separable_conv2d spatial_2d_padding "
    "spatial_3d_padding".split()
)
"""Functions whose `data_format` is that of Keras where it isn't given."""


def call(machine: Machine, frame: Frame, function: Any, args: Args, named: Words) -> Any:
    """What a call gives."""
    if isinstance(function, Function):
        return machine.enter(function, args, named)
    if isinstance(function, Global):
        return _global(machine, function.path, args, named)
    if isinstance(function, Member):
        if isinstance(function.owner, Pack | Named):
            return of_container(machine, frame, function, args, named)
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
    row = PYTHON.get(path)
    if row is not None:
        return row(machine, args, named)
    if path in EXCEPTIONS:
        shown = machine.text(args[0]) if args else None
        return Failure(f"{path}: {shown}" if shown else path)
    found = resolve(path, machine.setting, len(args), named.keys())
    if found is not None and found.only_1:
        machine.only_1 = True
    if found is not None and found.kind == "calling":
        calling = CALLING.get(found.id)
        return calling(machine, args, named) if calling else preprocess(machine, found.id, args, named)
    if found is not None and found.id in _LAID_OUT and machine.setting.data_format == "channels_first":
        raise Refused(f"it calls {path}, which is only known for channels_last")
    if found is not None and found.kind in ("call", "value") and allowed("call", found.id):
        return called(machine, found, args, named)
    machine.stop(f"it calls {path}, which is not in the table of pure functions")
    return _stopped(machine, "apply", machine.builder.add("name", path), None, args, named)


_OF_ARRAYS = frozenset("astype copy cumsum flatten max mean min prod ravel repeat reshape std sum transpose".split())


_ALSO = {"copy": "array", "flatten": "ravel"}


def _of_array(machine: Machine, function: Member, args: Args, named: Words) -> int:
    """A method of an array of NumPy, as the function of the same name."""
    owner, name = function.owner, function.name
    if name in ("reshape", "transpose") and args and not isinstance(args[0], Pack) and not named:
        args = [machine.pack("tuple", args)]
    if name == "astype":
        return table(machine, "np.asarray", [owner, *args], named)
    return table(machine, f"np.{_ALSO.get(name, name)}", [owner, *args], named)
