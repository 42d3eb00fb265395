"""From an examined document to a model: build, compile, fill, verify."""

from __future__ import annotations

import logging
import warnings
from typing import Any

from safeload.checks import Examination
from safeload.checks.function_only import FUNCTION_ONLY, as_function, may_be_function
from safeload.errors import SafeLoadError
from safeload.findings import Finding, Report
from safeload.options import SafeLoadWarning

__all__ = ["construct"]

log = logging.getLogger("safeload")


def construct(examination: Examination, report: Report) -> Any:
    """The model of an examination without errors. The first function of a load that imports TensorFlow.

    Raises:
        SafeLoadError: Keras could not build it, or the weights don't fit; `findings` are the report's.
    """
    from safeload import build as building
    from safeload import fill as filling
    from safeload.build.deferral import deferred
    from safeload.build.scopes import building as scope
    from safeload.fill.optimizer import fill_optimizer
    from safeload.runtime import keras_module

    options, document = examination.options, examination.repaired
    keras = keras_module(examination.runtime)
    try:
        resolver = examination.resolution.bind()
        with scope(keras, resolver.custom_objects, safe_mode=options.safe_mode), deferred(keras):
            model = building.build(
                document,
                resolver,
                examination.runtime,
                keras,
                allow_lambda=not options.safe_mode,
                options=options.saved_model_options,
            )
            options.tell("build")
            if document.architecture is not None:  # the functions of a SavedModel come with their values
                filling.fill(model, document, examination.document, options.tell)
            lost = _compile(model, examination, resolver, keras)
            options.tell("compile")
            if getattr(model, "optimizer", None) is not None and options.compile:
                lost = lost or fill_optimizer(model, document)
            options.tell("verify")
    except SafeLoadError as error:
        if may_be_function(examination):
            second, other = as_function(examination, (*report.findings, Finding.of_error(error)))
            if not other.errors:
                return construct(second, other)
        error.findings = error.findings or report.findings
        error.path = error.path or document.path
        raise
    if document.architecture is None:
        lost = _function_only(report) or lost
    if lost:
        log.warning("%s: %s", document.path, lost)
        warnings.warn(f"{document.path or 'the model'}: {lost}", SafeLoadWarning, stacklevel=4)
    model.safeload_report = report
    return model


def _function_only(report: Report) -> str | None:
    """That a Keras model is a function now, and why, in a sentence."""
    told = next((f for f in report.warnings if f.rule == FUNCTION_ONLY.id), None)
    if told is None:
        return None
    reasons = "; ".join(dict.fromkeys(f.message for f in report.warnings if f.raises is not None))
    return f"{told.message}{f': {reasons}' if reasons else ''}"


def _compile(model: Any, examination: Examination, resolver: Any, keras: Any) -> str | None:
    """Compile the model where that was asked for; what is missing for it, in a sentence."""
    from safeload import build as building

    options, document = examination.options, examination.repaired
    if not options.compile or not document.training:
        return None
    try:
        building.compile_model(model, document, resolver, keras, plain=examination.runtime.dialect == "keras2")
    except Exception as error:  # whatever Keras or a custom optimizer raises: the model itself is whole
        if options.compile == "strict":
            raise
        return f"the model is not compiled: {' '.join(str(error).split())[:300]}"
    return None
