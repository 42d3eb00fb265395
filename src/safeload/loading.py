"""load_model, inspect and check: the flow written out."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from safeload import checks, formats, objects, repairs
from safeload.checks import Examination
from safeload.checks.function_only import as_function, may_be_function
from safeload.document import ModelDocument, Writer
from safeload.errors import CorruptedModelError, ModelAccessError, ModelNotFoundError, SafeLoadError
from safeload.events import Listener
from safeload.findings import Finding, Report, Severity
from safeload.lambdas.report import readable
from safeload.malformed import DATA_ERRORS, malformed
from safeload.options import Options, SafeLoadWarning
from safeload.repairs.lambdas import setting_of
from safeload.runtime import detect
from safeload.source import open_source

__all__ = ["check", "inspect", "load_model"]

log = logging.getLogger("safeload")
log.addHandler(logging.NullHandler())


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool | str = True,
    safe_mode: bool = True,
    *,
    weights: Any = None,
    modules: Sequence[Any] = (),
    repair: str = "auto",
    device: str = "auto",
    saved_backend: str | None = None,
    fallbacks: Iterable[Any] = (),
    integrity: str = "fast",
    options: Any = None,
    on_event: Listener | None = None,
) -> Any:
    """Load a Keras model of any format and any Keras, in place of `tf.keras.models.load_model`.

    The file is looked at first (no TensorFlow, nothing in it runs), repaired where another version wrote it, and built
    only when everything that it needs is known.

    Args:
        filepath: A path, an `h5py.File`, a binary file object or bytes; or a config dict, with `weights`.
        custom_objects: Classes and functions by name, as in Keras. They are also found in registered modules, in the
            caller's module and in the other places that `docs/custom-objects.md` lists.
        compile: True, False, or `"strict"`. With True, an optimizer, loss or metric that can't be had leaves the model
            uncompiled, with one warning that names it; with `"strict"` that is an error.
        safe_mode: False lets Python bytecode of `Lambda` layers in the file run. Every other rule stays.
        weights: Weights for an architecture that was saved without them: `.h5`, `.weights.h5`, `.weights.json`, npz, or
            the prefix of a TensorFlow checkpoint.
        modules: Modules, or their names, to look for custom objects in, for this call.
        repair: `"auto"`, or `"off"` to build exactly what the file says.
        device: `"auto"`: the CPU where a GPU is missing; `"cpu"`: always the CPU.
        saved_backend: Which backend wrote the file, for files that don't say (Keras 1): `tensorflow`, `theano` ...
        fallbacks: Other places of the same model, tried in order when the first is missing or corrupted.
        integrity: `"fast"`, or `"full"` to check every byte's checksum before building.
        options: `tf.saved_model.LoadOptions` for SavedModels.
        on_event: Called with an `Event` for progress.

    Returns:
        The model: the same that the bare call gives where that works. `model.safeload_report` says what was found and
        repaired.

    Raises:
        SafeLoadError: One of its leaves; see `safeload.errors`. All that is wrong is in its `findings`.
        TypeError: An unknown keyword.
        ValueError: An argument that is none of its values.

    Example:
        >>> model = safeload.load_model("model.h5")
        >>> model.predict(x)
    """
    wanted = Options(
        compile=compile,
        safe_mode=safe_mode,
        repair=repair,
        device=device,
        saved_backend=saved_backend,
        integrity=integrity,
        saved_model_options=options,
        on_event=on_event,
    )
    scope = objects.Scope.of_call(custom_objects, modules)
    places = [filepath, *fallbacks]
    for place, following in zip(places, [*places[1:], None], strict=True):
        try:
            return _load(place, weights, scope, wanted)
        except (CorruptedModelError, ModelNotFoundError, ModelAccessError) as error:
            if following is None:
                raise
            text = f"{error.path or 'the model'} can't be loaded ({error.message}); trying {following}"
            log.warning("%s", text)
            warnings.warn(text, SafeLoadWarning, stacklevel=2)
    raise AssertionError("unreachable: the last place returned or raised")


def inspect(filepath: Any) -> ModelDocument:
    """What a model file is: format, writer, architecture, weights (shapes, not values), training config.

    Imports no TensorFlow. Bytecode of Lambda layers is shown as source in its `findings`. The document is plain data; its weights can't be read any more after the file was closed.

    Raises:
        SafeLoadError: It can't be read.

    Example:
        >>> print(safeload.inspect("model.h5").summary())
        hdf5, written by Keras 2.4.0 (tensorflow), Sequential of 5 layers, 12,345 parameters, 61,440 bytes
    """
    with open_source(filepath) as source:
        document = formats.read(source)
        setting = setting_of(document)
        shown = [*readable(document.architecture, setting), *readable(document.training, setting, "training")]
        return document.evolve(findings=(*document.findings, *shown))


def check(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    *,
    weights: Any = None,
    modules: Sequence[Any] = (),
    safe_mode: bool = True,
    repair: str = "auto",
    device: str = "auto",
    saved_backend: str | None = None,
    integrity: str = "fast",
) -> Report:
    """Every finding about a model file on this machine, at once. Imports no TensorFlow, builds nothing.

    Takes the arguments of `load_model`. Never raises for what is wrong with the file: that is in the report.

    Example:
        >>> report = safeload.check("model.h5")
        >>> report.ok, [f.name for f in report]
        (True, ['other-keras'])
    """
    options = Options(
        safe_mode=safe_mode, repair=repair, device=device, saved_backend=saved_backend, integrity=integrity
    )
    scope = objects.Scope.of_call(custom_objects, modules)
    path = _path(filepath)
    try:
        with contextlib.ExitStack() as stack:
            document = _read(filepath, weights, stack, options)
            return _examine(document, scope, options, may_import=False)[1]
    except SafeLoadError as error:
        return Report(path, (*error.findings, Finding.of_error(error)), runtime=detect().to_dict())


def _load(filepath: Any, weights: Any, scope: objects.Scope, options: Options) -> Any:
    with contextlib.ExitStack() as stack:
        document = _read(filepath, weights, stack, options)
        examination, report = _examine(document, scope, options, may_import=True)
        report.raise_for_errors()
        for finding in report.of(Severity.WARNING):
            log.warning("%s: %s", document.path, finding)
        from safeload.construction import construct

        return construct(examination, report)


def _path(filepath: Any) -> str | None:
    return (
        os.fsdecode(filepath)
        if isinstance(filepath, str | bytes | os.PathLike) and not isinstance(filepath, bytes)
        else None
    )


def _read(filepath: Any, weights: Any, stack: contextlib.ExitStack, options: Options) -> ModelDocument:
    """Open and read the model, and the weights that were given with it."""
    source = stack.enter_context(open_source(filepath))
    options.tell("open")
    try:
        document = formats.read(source)
    except SafeLoadError:
        raise
    except DATA_ERRORS as error:
        raise malformed(error, "read", source.path) from error
    if weights is not None:
        second = formats.read(stack.enter_context(open_source(weights)))
        if second.weights is None:
            raise SafeLoadError("holds no weights", path=second.path)
        document = document.evolve(
            writer=_joined(document.writer, second.writer),
            layout=second.layout,
            weights=second.weights,
            optimizer_weights=second.optimizer_weights,
            findings=document.findings + second.findings,
            extras={**second.extras, **document.extras},
        )
    options.tell("read")
    log.debug("%s: %s", document.path, document.summary())
    return document


def _joined(architecture: Writer, weights: Writer) -> Writer:
    """The writer of an architecture, completed by what the weights say."""
    return Writer(**{**weights.to_dict(), **architecture.to_dict()})


def _examine(
    document: ModelDocument, scope: objects.Scope, options: Options, *, may_import: bool
) -> tuple[Examination, Report]:
    """Repair and check: everything that can be known before TensorFlow is imported.

    With `may_import`, registered modules are imported for names that are missing (they may well import TensorFlow).
    """
    runtime = detect()
    errors: list[Finding] = []
    repaired = document
    if options.repair == "auto":
        try:
            repaired = repairs.repair(
                document,
                runtime,
                saved_backend=options.saved_backend,
                device=options.device,
                replacements=scope.custom_objects,
            )
        except SafeLoadError as error:
            errors.append(Finding.of_error(error))
        except DATA_ERRORS as error:
            errors.append(Finding.of_error(malformed(error, "repair", document.path)))
    options.tell("repair")
    resolution = objects.Resolution()
    try:
        resolution = objects.resolve(repaired, runtime, scope, may_import=may_import)
    except SafeLoadError as error:
        errors.append(Finding.of_error(error))
    except DATA_ERRORS as error:
        errors.append(Finding.of_error(malformed(error, "names", document.path)))
    examination = Examination(document, repaired, runtime, scope, resolution, options, settled=not errors)
    findings = (*repaired.findings, *errors, *checks.run(examination))
    options.tell("check")
    report = Report(document.path, findings, document, runtime.to_dict())
    if report.errors and may_be_function(examination):
        second, other = as_function(examination, report.findings)
        if not other.errors:
            return second, other
    return examination, report
