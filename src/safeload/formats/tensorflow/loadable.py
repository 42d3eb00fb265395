"""The SavedModel that TensorFlow is given: one meta graph, without devices of other machines.

Graphs of distributed training are pinned to `/job:ps/task:1` and the like, which no other machine has; TensorFlow's soft
placement only helps where the kind of device is missing (`/device:GPU:0` runs on a CPU). So a pin keeps its device and
loses its job, replica and task, and what is no device at all goes. The other meta graphs are left out: what was not
asked for can't run. All else is the file's own bytes.

A function needs no optimizer. TensorFlow would import tf_keras for it, into a process that has Keras 3, and without tf_keras
it can't make the slots ('_UserObject' object has no attribute 'add_slot'): it becomes a plain object, its slots plain variables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from safeload.formats.tensorflow.wire import varint

__all__ = ["loadable", "plain_device"]

_META_GRAPH, _LENGTH = 2, 2
_DEVICE = re.compile(r"(?:/job:\w+|/replica:\d+|/task:\d+)*((?:/(?:device:)?[A-Za-z_]\w*:(?:\d+|\*))?)")

Edit = Callable[[bytes], bytes | None]
Plan = Mapping[int, Any]
"""By field: what becomes of its bytes (an `Edit`; None: it goes), or the plan of the message that it holds."""


def plain_device(device: bytes) -> bytes:
    """A device without the machine: `/job:ps/replica:0/task:1/device:GPU:0` is `/device:GPU:0`."""
    found = _DEVICE.fullmatch(device.decode("utf-8", "replace"))
    return found.group(1).encode() if found else b""


def _without(value: bytes) -> None:
    """Nothing in its place."""


def _plain_object(identifier: bytes) -> bytes:
    return b"_generic_user_object" if identifier == b"optimizer" else identifier


_NODE: Plan = {4: plain_device}
_META: Plan = {
    2: {1: _NODE, 2: {1: {3: _NODE}}},  # graph_def: its nodes, and those of the functions in its library
    7: {  # object_graph_def: its objects
        1: {
            3: _without,  # slot_variables
            4: {1: _plain_object},  # user_object.identifier
            7: {7: plain_device},  # variable.device
            10: {1: plain_device},  # resource.device
        }
    },
}


def loadable(data: bytes, number: int) -> bytes:
    """The bytes of a SavedModel with one of its meta graphs alone.

    Args:
        data: A `SavedModel` that was parsed before.
        number: Which of its meta graphs.
    """
    found = -1
    out: list[bytes | memoryview] = []
    for field, whole, value in _fields(memoryview(data)):
        if field != _META_GRAPH or value is None:
            out.append(whole)
            continue
        found += 1
        if found == number:
            out += _written(field, _edited(value, _META))
    return b"".join(out)


def _edited(view: memoryview, plan: Plan) -> bytes:
    out: list[bytes | memoryview] = []
    for field, whole, value in _fields(view):
        step = plan.get(field)
        if step is None or value is None:
            out.append(whole)
            continue
        changed = step(bytes(value)) if callable(step) else _edited(value, step)
        if changed is not None:
            out += _written(field, changed)
    return b"".join(out)


def _fields(view: memoryview) -> Any:
    """The fields of a message: number, all its bytes, and those of its value where it has a length."""
    at = 0
    while at < len(view):
        start = at
        tag, at = varint(view, at)
        wire = tag & 7
        value = None
        if wire == _LENGTH:
            size, at = varint(view, at)
            value = view[at : at + size]
            at += size
        elif wire == 0:
            _, at = varint(view, at)
        else:
            at += 4 if wire == 5 else 8
        yield tag >> 3, view[start:at], value


def _written(field: int, value: bytes) -> list[bytes]:
    return [_number(field << 3 | _LENGTH), _number(len(value)), value]


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
