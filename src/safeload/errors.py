"""The exceptions of safeload.

    SafeLoadError
    ├── ModelNotFoundError          FileNotFoundError, ValueError   nothing lies at the path
    ├── ModelAccessError            OSError                         something lies there that can't be read
    ├── UnsupportedFormatError      ValueError, OSError             what lies there is no Keras model
    ├── CorruptedModelError         OSError, ValueError             a model, truncated or damaged
    ├── WeightsOnlyError            ValueError, OSError             weights without an architecture
    ├── UnsafeModelError            ValueError                      the file would run code, or reach outside itself
    ├── MissingDependencyError      ImportError, ValueError         a package that the file needs is not installed
    ├── BackendMismatchError        ValueError                      another backend wrote it, and that matters
    ├── VersionMismatchError        TypeError, ValueError           another Keras wrote it, and that can't be mended
    ├── AmbiguousCustomObjectError  TypeError, ValueError           a custom object was found more than once
    ├── MissingCustomObjectError    TypeError, ValueError           custom objects were not found
    ├── CustomObjectMismatchError   TypeError, ValueError           a custom object can't take its stored config
    ├── WeightsMismatchError        ValueError                      weights don't fit the architecture
    ├── MissingOpError              ValueError                      no device here can run an operation
    ├── InsufficientMemoryError     MemoryError                     the model is larger than the machine
    └── ModelBuildError             TypeError, ValueError           Keras itself raised while it built the model

The order is the order of being fundamental: where several things are wrong, the uppermost is raised and `findings` has
all. Each class also inherits the builtin exceptions that `tf.keras.models.load_model` raises in that case (Keras 2 and
Keras 3 differ, hence two), so that handlers written for the bare call go on working.

All fields are keyword-only, all errors survive pickle, copy and process pools, and `to_dict()` gives plain data for a
service's answer. This module imports nothing of safeload.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

__all__ = [
    "FUNDAMENTAL_FIRST",
    "AmbiguousCustomObjectError",
    "BackendMismatchError",
    "CorruptedModelError",
    "CustomObjectMismatchError",
    "InsufficientMemoryError",
    "MissingCustomObjectError",
    "MissingDependencyError",
    "MissingOpError",
    "ModelAccessError",
    "ModelBuildError",
    "ModelNotFoundError",
    "SafeLoadError",
    "UnsafeModelError",
    "UnsupportedFormatError",
    "VersionMismatchError",
    "WeightsMismatchError",
    "WeightsOnlyError",
]


def _plain(value: Any) -> Any:
    """Plain JSON data of a field's value."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    return str(value)


def _rebuild(cls: type[SafeLoadError], message: str, fields: dict[str, Any]) -> SafeLoadError:
    return cls(message, **fields)


class SafeLoadError(Exception):
    """Base of everything that safeload raises for what is wrong with a model file.

    Args:
        message: What happened, in one sentence, without the place and the hint.
        path: The path as the caller gave it; None for bytes and file objects.
        where: The place inside the file, such as `layers[4].activation`.
        hint: What to do; a remedy that works, often a line to copy.
        findings: Everything that was found, the causes of this error included.
        fields: The leaf's own fields (see each class' `FIELDS`).

    Example:
        >>> try:
        ...     safeload.load_model("model.keras")
        ... except safeload.SafeLoadError as error:
        ...     return JSONResponse(error.to_dict(), status_code=422)
    """

    code: ClassVar[str] = "safe-load"
    """A stable machine-readable name of the error's class."""
    FIELDS: ClassVar[Mapping[str, Any]] = {}
    """The leaf's own fields with their defaults; tuples and mappings merge when several findings raise together."""

    message: str
    path: str | None
    where: str | None
    hint: str | None
    findings: tuple[Any, ...]

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        where: str | None = None,
        hint: str | None = None,
        findings: Sequence[Any] = (),
        **fields: Any,
    ) -> None:
        unknown = set(fields) - set(self.FIELDS)
        if unknown:
            raise TypeError(f"{type(self).__name__} has no field {sorted(unknown)[0]!r}")
        super().__init__(message)
        self.message = message
        self.path = path
        self.where = where
        self.hint = hint
        self.findings = tuple(findings)
        for name, default in self.FIELDS.items():
            setattr(self, name, fields.get(name, default))

    def __str__(self) -> str:
        place = " at ".join(part for part in (self.path, self.where) if part)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}\n  Hint: {self.hint}" if self.hint else text

    def _state(self) -> dict[str, Any]:
        names = ("path", "where", "hint", "findings", *self.FIELDS)
        return {name: getattr(self, name) for name in names}

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self._state())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data: `error` (class), `code`, `message`, `path`, `where`, `hint`, `findings` and the own fields."""
        head = {"error": type(self).__name__, "code": self.code, "message": self.message}
        return head | {name: _plain(value) for name, value in self._state().items()}


class ModelNotFoundError(SafeLoadError, FileNotFoundError, ValueError):
    """Nothing lies at the path. `similar`: names nearby that were perhaps meant."""

    code = "model-not-found"
    FIELDS = {"similar": ()}
    similar: tuple[str, ...]


class ModelAccessError(SafeLoadError, OSError):
    """Something lies at the path but the operating system doesn't let us read it."""

    code = "model-access"


class UnsupportedFormatError(SafeLoadError, ValueError, OSError):
    """What lies there is no Keras model. `detected`: what it is instead (`git-lfs-pointer`, `html`, `onnx` ...)."""

    code = "unsupported-format"
    FIELDS = {"detected": None}
    detected: str | None


class CorruptedModelError(SafeLoadError, OSError, ValueError):
    """A model file that is truncated or damaged.

    `damage`: what is damaged, one line each; `recoverable`: names of layers whose weights are whole.
    """

    code = "corrupted-model"
    FIELDS = {"damage": (), "recoverable": ()}
    damage: tuple[str, ...]
    recoverable: tuple[str, ...]


class WeightsOnlyError(SafeLoadError, ValueError, OSError):
    """Weights without an architecture.

    `layers`: (layer name, shapes of its weights) pairs; `architecture`: a file beside it that may hold the architecture.
    """

    code = "weights-only"
    FIELDS = {"layers": (), "architecture": None}
    layers: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...]
    architecture: str | None


class UnsafeModelError(SafeLoadError, ValueError):
    """Loading would run code from the file or let it reach outside itself. `threats`: what would, one line each."""

    code = "unsafe-model"
    FIELDS = {"threats": ()}
    threats: tuple[str, ...]


class MissingDependencyError(SafeLoadError, ImportError, ValueError):
    """Packages that the file needs are not installed. `packages`: what pip would install."""

    code = "missing-dependency"
    FIELDS = {"packages": ()}
    packages: tuple[str, ...]


class BackendMismatchError(SafeLoadError, ValueError):
    """Another backend wrote the file, and that matters or has to be told.

    `saved_backend`: the backend that wrote it, None when the file doesn't say; `candidates`: the possible ones.
    """

    code = "backend-mismatch"
    FIELDS = {"saved_backend": None, "candidates": ()}
    saved_backend: str | None
    candidates: tuple[str, ...]


class VersionMismatchError(SafeLoadError, TypeError, ValueError):
    """Another Keras wrote the file and it can't be brought over.

    `saved_with`, `running`: versions by name (`{"keras": "2.4.0", ...}`); `reasons`: what of this file doesn't go.
    """

    code = "version-mismatch"
    FIELDS = {"saved_with": {}, "running": {}, "reasons": ()}
    saved_with: Mapping[str, str]
    running: Mapping[str, str]
    reasons: tuple[str, ...]


class AmbiguousCustomObjectError(SafeLoadError, TypeError, ValueError):
    """A custom object was found more than once. `candidates`: by name, where it was found."""

    code = "ambiguous-custom-object"
    FIELDS = {"candidates": {}}
    candidates: Mapping[str, tuple[str, ...]]


class MissingCustomObjectError(SafeLoadError, TypeError, ValueError):
    """Custom objects were not found. `missing`: their names; `candidates`: by name, where one seems to be defined."""

    code = "missing-custom-object"
    FIELDS = {"missing": (), "candidates": {}}
    missing: tuple[str, ...]
    candidates: Mapping[str, tuple[str, ...]]


class CustomObjectMismatchError(SafeLoadError, TypeError, ValueError):
    """A custom object was found but can't take its stored config, or builds other weights than the file holds."""

    code = "custom-object-mismatch"
    FIELDS = {"name": None, "expected": (), "found": ()}
    name: str | None
    expected: tuple[str, ...]
    found: tuple[str, ...]


class WeightsMismatchError(SafeLoadError, ValueError):
    """The weights don't fit the architecture. `mismatches`: one line each, with expected and found."""

    code = "weights-mismatch"
    FIELDS = {"mismatches": ()}
    mismatches: tuple[str, ...]


class MissingOpError(SafeLoadError, ValueError):
    """No device here can run an operation. `ops`: the operations; `devices`: the kinds of device present."""

    code = "missing-op"
    FIELDS = {"ops": (), "devices": ()}
    ops: tuple[str, ...]
    devices: tuple[str, ...]


class InsufficientMemoryError(SafeLoadError, MemoryError):
    """The model is larger than the machine. `needed`, `available`: bytes."""

    code = "insufficient-memory"
    FIELDS = {"needed": None, "available": None}
    needed: int | None
    available: int | None


class ModelBuildError(SafeLoadError, TypeError, ValueError):
    """Keras itself raised while it built the model. `layer`: the layer concerned; `__cause__`: what Keras raised."""

    code = "model-build"
    FIELDS = {"layer": None, "keras_message": None}
    layer: str | None
    keras_message: str | None


FUNDAMENTAL_FIRST: tuple[type[SafeLoadError], ...] = (
    ModelNotFoundError,
    ModelAccessError,
    UnsupportedFormatError,
    CorruptedModelError,
    WeightsOnlyError,
    UnsafeModelError,
    MissingDependencyError,
    BackendMismatchError,
    VersionMismatchError,
    AmbiguousCustomObjectError,
    MissingCustomObjectError,
    CustomObjectMismatchError,
    WeightsMismatchError,
    MissingOpError,
    InsufficientMemoryError,
    ModelBuildError,
)
"""Leaves in the order of being fundamental: the first that has a finding is the one that is raised."""
