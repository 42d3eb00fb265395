"""What Keras raises while it builds, as typed errors. The one table for it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from safeload.document import ModelDocument
from safeload.errors import (
    CustomObjectMismatchError,
    InsufficientMemoryError,
    MissingCustomObjectError,
    MissingOpError,
    ModelBuildError,
    SafeLoadError,
    UnsafeModelError,
)

__all__ = ["TABLE", "keras_errors"]

TABLE: tuple[tuple[re.Pattern[str], type[SafeLoadError]], ...] = (
    (re.compile(r"Could not locate (?:class|function) '([^']+)'"), MissingCustomObjectError),
    (
        re.compile(
            r"Unknown (?:layer|object|loss function|metric function|optimizer|activation function|initializer|regularizer|constraint): '?\"?([\w>.<]+)"
        ),
        MissingCustomObjectError,
    ),
    (re.compile(r"deserialization of a (?:`Lambda` layer|Python lambda)"), UnsafeModelError),
    (re.compile(r"(?:OOM when allocating|failed to allocate memory|Unable to allocate)"), InsufficientMemoryError),
    (re.compile(r"[Nn]o (?:OpKernel was registered|device for node|registered '([\w]+)')"), MissingOpError),
    (re.compile(r"get_config\(\)? .*not implemented|must override `get_config"), CustomObjectMismatchError),
)
"""Patterns of Keras' and TensorFlow's messages (2.12 to 3.15), and the class that each stands for."""

_LAYER = re.compile(r"(?:class|layer|Layer) ['\"`]?([\w.>]+)['\"`]?")


@contextlib.contextmanager
def keras_errors(document: ModelDocument, layer: str | None = None) -> Iterator[None]:
    """Raise what Keras raises as a typed error, with Keras' own exception as the cause."""
    try:
        yield
    except SafeLoadError:
        raise
    except MemoryError as error:
        raise InsufficientMemoryError("the model does not fit into memory", path=document.path) from error
    except RecursionError as error:
        raise ModelBuildError("the model is nested too deeply", path=document.path, keras_message=str(error)) from error
    except Exception as error:  # whatever Keras, TensorFlow or a custom class raises; the cause is kept
        text = _told(str(error))
        for pattern, cls in TABLE:
            found = pattern.search(text)
            if found:
                raise _typed(cls, found, text, document) from error
        named = _LAYER.search(text)
        raise ModelBuildError(
            f"Keras could not build the model: {type(error).__name__}: {text[:300]}",
            path=document.path,
            layer=layer or (named.group(1) if named else None),
            keras_message=text[:2000],
        ) from error


_STYLES = re.compile(r"\x1b\[[0-9;]*m")
_DUMPED_CONFIG = re.compile(r"\n\nconfig=.*?(?:\n\nException encountered: |$)", re.DOTALL)


def _told(text: str) -> str:
    """A message of Keras without terminal styles and without the configs that it dumps: its innermost sentence."""
    text = _STYLES.sub("", text)
    inner = text.rpartition("Exception encountered: ")[2]
    return " ".join(_DUMPED_CONFIG.sub(" ", inner).split())


def _typed(cls: type[SafeLoadError], found: re.Match[str], text: str, document: ModelDocument) -> SafeLoadError:
    name = next((g for g in found.groups() if g), None)
    if cls is MissingCustomObjectError:
        return MissingCustomObjectError(
            f"{name} is not known here",
            path=document.path,
            hint=f"pass custom_objects={{{name!r}: ...}} or safeload.register_module() the module that defines it",
            missing=(name,) if name else (),
        )
    if cls is MissingOpError:
        return MissingOpError(
            f"no kernel for an operation: {text[:300]}", path=document.path, ops=(name,) if name else ()
        )
    return cls(text[:300], path=document.path)
