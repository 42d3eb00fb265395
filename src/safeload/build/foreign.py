"""What Keras raises while it builds, as typed errors. The one table for it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator

from safeload.document import ModelDocument
from safeload.environments import install_hint
from safeload.errors import (
    CustomObjectMismatchError,
    InsufficientMemoryError,
    MissingCustomObjectError,
    MissingDependencyError,
    MissingOpError,
    ModelBuildError,
    SafeLoadError,
    UnsafeModelError,
    VersionMismatchError,
)
from safeload.objects.catalog import KINDS, builtin
from safeload.runtime import detect

__all__ = ["TABLE", "keras_errors"]

_Maker = Callable[[re.Match[str], str, ModelDocument], SafeLoadError]


def _name(found: re.Match[str]) -> str | None:
    return next((g for g in found.groups() if g), None)


def _missing_object(found: re.Match[str], text: str, document: ModelDocument) -> SafeLoadError:
    name = _name(found)
    return MissingCustomObjectError(
        f"{name} is not known here",
        path=document.path,
        hint=f"pass custom_objects={{{name!r}: ...}} or safeload.register_module() the module that defines it",
        missing=(name,) if name else (),
    )


def _no_kernel(found: re.Match[str], text: str, document: ModelDocument) -> SafeLoadError:
    name = _name(found)
    return MissingOpError(
        f"no kernel for an operation: {text[:300]}",
        path=document.path,
        hint='load it with device="cpu", or on a machine with the device that it was made for',
        ops=(name,) if name else (),
    )


def _arguments(found: re.Match[str], text: str, document: ModelDocument) -> SafeLoadError:
    """A constructor refuses its config: of a custom class, or of Keras' own in another version."""
    name, arguments = (found.group("cls") or "").rpartition(".")[2], found.group("args").strip()
    own = any(builtin(document.dialect or "keras3", kind, name) for kind in KINDS)
    if not own:
        return CustomObjectMismatchError(
            f"{name} can't take its stored config: {text[:300]}",
            path=document.path,
            hint="pass the class as it was when the model was saved; a layer's __init__ takes **kwargs for Keras' own keys",
            name=name,
            expected=(arguments,),
        )
    runtime, writer = detect(), document.writer
    if writer.keras is None or writer.version[:2] == runtime.keras_version[:2]:
        return _build_error(text, document, name)
    return VersionMismatchError(
        f"{name} of Keras {writer.keras} does not fit Keras {runtime.keras}: {text[:300]}",
        path=document.path,
        hint=install_hint(writer),
        saved_with={k: str(v) for k, v in writer.to_dict().items()},
        running={k: str(v) for k, v in runtime.to_dict().items() if v is not None},
        reasons=(f"{name}: {arguments}",),
    )


def _simple(cls: type[SafeLoadError], hint: str | None = None) -> _Maker:
    return lambda found, text, document: cls(text[:300], path=document.path, hint=hint)


TABLE: tuple[tuple[re.Pattern[str], _Maker], ...] = (
    (re.compile(r"Could not locate (?:class|function) '([^']+)'"), _missing_object),
    (
        re.compile(
            r"Unknown (?:layer|object|loss function|metric function|optimizer|activation function|initializer|regularizer|constraint): '?\"?([\w>.<]+)"
        ),
        _missing_object,
    ),
    (
        re.compile(r"deserialization of a (?:`Lambda` layer|Python lambda)|which would run arbitrary code"),
        _simple(UnsafeModelError, "if you trust the file's author, load it with safe_mode=False"),
    ),
    (
        re.compile(r"(?:OOM when allocating|failed to allocate memory|Unable to allocate|Resource exhausted)"),
        _simple(InsufficientMemoryError, "close other programs that use the device, or load it with device=\"cpu\""),
    ),
    (re.compile(r"Could not find device for node: .{0,200}? = (\w+)\["), _no_kernel),
    (re.compile(r"[Nn]o (?:OpKernel was registered|device for node|registered '([\w]+)')"), _no_kernel),
    (re.compile(r"(?P<cls>[\w.]+)\.__init__\(\) got an unexpected keyword argument (?P<args>'[^']+')"), _arguments),
    (re.compile(r"(?P<cls>[\w.]+)\.__init__\(\) missing \d+ required (?:positional|keyword-only) arguments?: (?P<args>.+)"),
     _arguments),
    (re.compile(r"Unrecognized keyword arguments passed to (?P<cls>\w+): (?P<args>.{0,200})"), _arguments),
    (
        re.compile(r"get_config\(\)? .*not implemented|must override `get_config"),
        _simple(CustomObjectMismatchError, "give the class a get_config that returns its arguments, and save the model again"),
    ),
)  # fmt: skip
"""Patterns of Keras' and TensorFlow's messages (2.12 to 3.15), and what makes the error that each stands for."""

_LAYER = re.compile(r"(?:class|layer|Layer) ['\"`]?([\w.>]+)['\"`]?")


@contextlib.contextmanager
def keras_errors(document: ModelDocument, layer: str | None = None) -> Iterator[None]:
    """Raise what Keras raises as a typed error, with Keras' own exception as the cause."""
    try:
        yield
    except SafeLoadError:
        raise
    except MemoryError as error:
        raise InsufficientMemoryError(
            "the model does not fit into memory", path=document.path, hint="use a machine with more memory"
        ) from error
    except RecursionError as error:
        raise ModelBuildError("the model is nested too deeply", path=document.path, keras_message=str(error)) from error
    except ModuleNotFoundError as error:  # a custom class that imports something when it is built
        raise MissingDependencyError(
            f"a custom object needs {error.name}: {error}",
            path=document.path,
            hint=f"python -m pip install {(error.name or '').split('.')[0]}",
            packages=((error.name or "").split(".")[0],),
        ) from error
    except Exception as error:  # whatever Keras, TensorFlow or a custom class raises; the cause is kept
        text = _told(str(error))
        for pattern, make in TABLE:
            found = pattern.search(text)
            if found:
                raise make(found, text, document) from error
        named = _LAYER.search(text)
        raise _build_error(
            f"{type(error).__name__}: {text}", document, layer or (named.group(1) if named else None)
        ) from error


def _build_error(text: str, document: ModelDocument, layer: str | None) -> ModelBuildError:
    same = document.writer.version[:2] == detect().keras_version[:2]
    hint = None if same else install_hint(document.writer)
    return ModelBuildError(
        f"Keras could not build the model: {text[:300]}",
        path=document.path,
        hint=hint or "look at __cause__: it is what Keras, or a custom class, raised",
        layer=layer,
        keras_message=text[:2000],
    )


_STYLES = re.compile(r"\x1b\[[0-9;]*m")
_DUMPED_CONFIG = re.compile(r"\n\nconfig=.*?(?:\n\nException encountered: |$)", re.DOTALL)


def _told(text: str) -> str:
    """A message of Keras without terminal styles and without the configs that it dumps: its innermost sentence."""
    text = _STYLES.sub("", text)
    inner = text.rpartition("Exception encountered: ")[2]
    return " ".join(_DUMPED_CONFIG.sub(" ", inner).split())
