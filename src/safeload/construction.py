"""From an examined document to a model: build, compile, fill, verify."""

from __future__ import annotations

import logging
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safeload.checks import Examination
from safeload.checks.custom_objects import MISSING_FOR_TRAINING
from safeload.checks.function_only import FUNCTION_ONLY, as_function, may_be_function
from safeload.errors import SafeLoadError, VersionMismatchError, WeightsMismatchError
from safeload.findings import Finding, Report, Rule, Severity
from safeload.options import SafeLoadWarning

if TYPE_CHECKING:
    from safeload.fill.optimizer import Left

__all__ = ["construct"]

log = logging.getLogger("safeload")

STATE_LOST = Rule(
    "SL602",
    "optimizer-state-lost",
    Severity.WARNING,
    """\
What it sees: slots of an optimizer (momentum, accumulators) that can't be matched with variables of the model, or state
that Keras has not stored: the number of steps (RMSprop, Adagrad, Adadelta before 2.3), all of `optimizers.legacy` in `.keras`.
Why it matters: training goes on, but its next steps are not those that the writer's would have been.
Example: a class of optimizer whose order is not known, in a file of another Keras.
What to do: train a few steps with a small learning rate; `compile="strict"` makes it an error where the next steps differ.
References: docs/formats.md, Optimizer state.
""",
    WeightsMismatchError,
)


def construct(examination: Examination, report: Report) -> Any:
    """The model of an examination without errors. The first function of a load that imports TensorFlow.

    Raises:
        SafeLoadError: Keras could not build it, or the weights don't fit; `findings` are the report's.
    """
    from safeload import build as building
    from safeload import fill as filling
    from safeload.build.budget import check_outputs, limited
    from safeload.build.deferral import deferred
    from safeload.build.foreign import keras_errors
    from safeload.build.scopes import building as scope
    from safeload.fill.optimizer import fill_optimizer
    from safeload.runtime import keras_module

    options, document = examination.options, examination.repaired
    keras = keras_module(examination.runtime)
    try:
        resolver = examination.resolution.bind()
        objects, config = resolver.custom_objects, document.architecture
        state = scope(keras, objects, safe_mode=options.safe_mode, config=config)
        with keras_errors(document), state, deferred(keras):
            with limited(document, keras):
                model = building.build(
                    document,
                    resolver,
                    examination.runtime,
                    keras,
                    allow_lambda=not options.safe_mode,
                    options=options.saved_model_options,
                )
            check_outputs(model)
            options.tell("build")
            if document.architecture is not None:  # the functions of a SavedModel come with their values
                filling.fill(model, document, examination.document, options.tell)
            lost = _compile(model, examination, resolver, keras, report)
            options.tell("compile")
            if getattr(model, "optimizer", None) is not None and options.compile:
                left = fill_optimizer(model, document, examination.document)
                lost = lost or _started_anew(left, examination)
                if sentences := (*left.lost, *left.unknown):
                    found = [STATE_LOST.finding(text, where="optimizer") for text in sentences]
                    report = replace(report, findings=(*report.findings, *found))
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


def _compile(model: Any, examination: Examination, resolver: Any, keras: Any, report: Report) -> str | None:
    """Compile the model where that was asked for; what is missing for it, in a sentence.

    Raises:
        SafeLoadError: With `compile="strict"`.
    """
    from safeload import build as building
    from safeload.build.foreign import keras_errors

    options, document = examination.options, examination.repaired
    if not options.compile or not document.training:
        return None
    missing = [r.use for r in examination.resolution.missing if r.use.training]
    refused = document.extras.get("training_refused", ())
    if options.compile != "strict" and (missing or refused):
        names = [f"the {use.kind} {use.name}" for use in missing]
        found = f"{_listed(names)} {'was' if len(names) == 1 else 'were'} not found" if names else ""
        hints = dict.fromkeys(f.hint for f in report.warnings if f.rule == MISSING_FOR_TRAINING.id and f.hint)
        return f"the model is not compiled: {'; '.join([*filter(None, [found]), *(f'{r} has no equal here' for r in refused), *hints])}"
    try:
        with keras_errors(document):
            if refused:
                raise VersionMismatchError(f"{refused[0]} has no equal here", where="training", reasons=refused)
            building.compile_model(model, document, resolver, keras, plain=examination.runtime.dialect == "keras2")
    except SafeLoadError as error:
        if options.compile == "strict":
            raise
        return f"the model is not compiled: {error.message}"
    return None


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _started_anew(left: Left, examination: Examination) -> str | None:
    """What of the optimizer's state was not restored, in a sentence.

    Raises:
        WeightsMismatchError: With `compile="strict"`.
    """
    if left.lost and examination.options.compile == "strict":
        raise WeightsMismatchError(
            f"the optimizer's state can't be restored: {'; '.join(left.lost)}", where="optimizer", mismatches=left.lost
        )
    return "; ".join((*left.lost, *left.unknown)) or None
