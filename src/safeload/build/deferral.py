"""Variables that get their first value from the file.

Keras gives each variable an initial value when a layer is built: 12 to 35 % of the time of a load goes into random numbers
that are overwritten at once (keras #17652). While a model is built here, its variables are left in the state in which
Keras itself leaves variables that are created in a stateless scope: no value, and the initializer kept for later
(`Variable._deferred_initialize`). Whoever fills such a variable gives it its first value; `settle` runs the initializer
of each that nobody filled. Whoever looks at one before that gets what the initializer gives, so nothing that was not
initialized can ever be seen.

The hooks are four methods of one class of Keras, in place for one thread and under the lock of `scopes.building`. A
version of Keras without them (3.0 to 3.3, Keras 2, another backend) builds the plain way.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from safeload.build.budget import spend

__all__ = ["Pending", "deferred", "give"]

_NEEDED = ("_initialize", "_initialize_with_initializer", "_deferred_initialize", "_direct_assign", "value")
"""What the class of variables must have; Keras 3.4 to 3.15 do (`keras/src/backend/tensorflow/core.py`)."""


class Pending:
    """The variables that wait for their first value, with the name scope in which each was made."""

    def __init__(self) -> None:
        self.waiting: dict[int, tuple[Any, str]] = {}

    def give(self, variable: Any, value: Any) -> None:
        """Make a waiting variable's value: a tensor or an array of its shape and type."""
        import tensorflow as tf

        _, scope = self.waiting.pop(id(variable))
        with tf.init_scope(), tf.name_scope(f"{scope}/" if scope else ""):
            variable._initialize(value)
        variable._initializer = None

    def initialize(self, variable: Any) -> None:
        """Run a waiting variable's own initializer."""
        initializer, shape, dtype = variable._initializer, variable._shape, variable._dtype
        self.give(variable, lambda: initializer(shape, dtype=dtype))

    def settle(self) -> None:
        """Initialize every variable that still waits."""
        for variable, _ in list(self.waiting.values()):
            self.initialize(variable)


_current: list[Pending] = []
"""The variables of the build that goes on; there is one at most (`scopes.building` holds a lock)."""


def give(variable: Any, array: Any, *, owned: bool = False) -> None:
    """Put an array into a variable: as its first value where it waits for one, else by assigning.

    Args:
        variable: A variable of Keras or TensorFlow.
        array: Of its shape.
        owned: Nobody else has the array's memory, now or later: it may become the variable's own.
    """
    pending = _current[-1] if _current else None
    if pending is None or id(variable) not in pending.waiting:
        variable.assign(array)
        return
    pending.give(variable, _tensor(array, variable._dtype, owned))


_WORTH = 1 << 16
"""Bytes from which on it pays to hand the memory over instead of copying it."""

_SHARED = frozenset("float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64".split())
"""Types whose memory is handed over; the exchange (dlpack) refuses bfloat16 and knows no bool in old versions."""


def _tensor(array: Any, dtype: str, owned: bool) -> Any:
    import tensorflow as tf

    if str(array.dtype) != dtype:
        return tf.cast(tf.convert_to_tensor(array), dtype)
    # Unaligned memory would make TensorFlow abort the process; read-only memory is refused.
    if owned and dtype in _SHARED and array.nbytes >= _WORTH and array.ctypes.data % 64 == 0:
        flags = array.flags
        if flags.c_contiguous and flags.writeable:
            return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.convert_to_tensor(array)


@contextlib.contextmanager
def deferred(keras: ModuleType) -> Iterator[Pending]:
    """Leave variables that this thread makes without a value, for the duration of a `with` block.

    At its end no variable waits any more. Where something was raised inside, they stay as Keras itself leaves variables
    of a stateless scope: whoever looks at one gets what its initializer gives.
    """
    pending = Pending()
    cls = _variable_class(keras)
    if cls is None:
        yield pending
        return
    _current.append(pending)
    saved = {name: cls.__dict__[name] for name in _NEEDED if name in cls.__dict__}
    try:
        for name, hook in _hooks(cls, pending, threading.get_ident()).items():
            setattr(cls, name, hook)
        yield pending
        pending.settle()
    finally:
        _current.pop()
        for name in ("_initialize_with_initializer", "_deferred_initialize", "_direct_assign", "value"):
            if name in saved:
                setattr(cls, name, saved[name])
            else:
                delattr(cls, name)


def _variable_class(keras: ModuleType) -> Any:
    """Keras' class of variables, where it is one that we know; None elsewhere."""
    if not hasattr(keras, "Variable") or keras.backend.backend() != "tensorflow":
        return None
    cls = importlib.import_module(f"{keras.__name__}.src.backend.tensorflow.core").Variable
    return cls if all(hasattr(cls, name) for name in _NEEDED) and isinstance(cls.value, property) else None


def _hooks(cls: Any, pending: Pending, owner: int) -> dict[str, Any]:
    import tensorflow as tf

    first, assign, later = cls._initialize_with_initializer, cls._direct_assign, cls._deferred_initialize
    read = cls.value.fget

    def _initialize_with_initializer(self: Any, initializer: Any) -> None:
        if threading.get_ident() != owner or tf.inside_function():
            first(self, initializer)
            return
        spend(self._shape)
        self._value, self._initializer = None, initializer
        pending.waiting[id(self)] = (self, tf.get_current_name_scope())

    def _deferred_initialize(self: Any) -> None:
        if id(self) in pending.waiting:
            pending.initialize(self)
        elif self._value is None and threading.get_ident() == owner and not tf.inside_function():
            spend(self._shape)
            pending.waiting[id(self)] = (self, tf.get_current_name_scope())  # made while shapes were worked out
        else:
            later(self)

    def _direct_assign(self: Any, value: Any) -> None:
        if id(self) in pending.waiting and not tf.inside_function():
            pending.give(self, tf.cast(value, self._dtype))
        else:
            assign(self, value)

    def value(self: Any) -> Any:
        if id(self) in pending.waiting:
            if tf.inside_function():  # the shapes of outputs are being worked out: any value will do
                return self._maybe_autocast(tf.zeros(self._shape, self._dtype))
            pending.initialize(self)
        return read(self)

    return {
        "_initialize_with_initializer": _initialize_with_initializer,
        "_deferred_initialize": _deferred_initialize,
        "_direct_assign": _direct_assign,
        "value": property(value),
    }
