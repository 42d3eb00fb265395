"""A SavedModel as a function: when its layers can't be built here, its own graph may still run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from safeload import checks
from safeload.checks import Examination
from safeload.findings import Finding, Report, Rule, Severity

__all__ = ["FUNCTION_ONLY", "as_function", "may_be_function"]

FUNCTION_ONLY = Rule(
    "SL312",
    "function-only",
    Severity.WARNING,
    """\
What it sees: a SavedModel whose layers can't be built from their configs: a class without `get_config`, a custom class
that wasn't found, a Lambda, a SavedModel that isn't Keras'.
Why it matters: the model predicts what it did, by the graph that the writer traced, but its layers are gone: no
`get_layer`, no changes to the architecture, training only where the writer stored a graph for it.
Example: a subclassed model whose class isn't registered.
What to do: pass the classes in `custom_objects`, or register the module that defines them. If the function is all that
you need: nothing. `model.safeload_inference_only` is True for such models.
References: keras `TFSMLayer`; safeload's issue 4.
""",
)


def may_be_function(examination: Examination) -> bool:
    """Whether the model has layers to be built, and could be a function in their place."""
    document = examination.document
    return document.format == "savedmodel" and examination.repaired.architecture is not None


def as_function(examination: Examination, why: Sequence[Finding]) -> tuple[Examination, Report]:
    """The same model without its layers, checked as such: every graph is judged, because one will run.

    Args:
        examination: Of the model with its layers.
        why: What keeps the layers from being built; warnings from now on.
    """
    bare = replace(
        examination,
        document=examination.document.evolve(architecture=None),
        repaired=examination.repaired.evolve(architecture=None, transforms={}),
        resolution=examination.resolution.for_training() if examination.resolution is not None else None,
    )
    reasons = [replace(f, severity=Severity.WARNING) for f in why if f.severity is Severity.ERROR]
    findings = (*examination.repaired.findings, *reasons, *checks.run(bare))
    return bare, Report(bare.document.path, findings, examination.document, bare.runtime.to_dict())


def check(examination: Examination) -> Iterable[Finding]:
    """Say that a model will be a function."""
    document = examination.document
    if document.format != "savedmodel" or examination.repaired.architecture is not None:
        return
    keras = document.extras.get("kind") == "keras2"
    yield FUNCTION_ONLY.finding(
        "is loaded as a function of the SavedModel, without its layers",
        severity=Severity.WARNING if keras else Severity.NOTE,
    )
