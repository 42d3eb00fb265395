"""Repairs of the boundary `training`: what `compile` was called with, for the Keras that is installed.

Nothing here stops a load: what has no equal is noted in `extras["training_refused"]`, and the model comes uncompiled
(`compile="strict"` makes that an error).
"""

from __future__ import annotations

from typing import Any

from safeload.document import ModelDocument
from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, DocumentRepair, LayerRepair
from safeload.repairs.training.objectives import repaired_losses, repaired_metrics
from safeload.repairs.training.optimizers import Refused, repaired_optimizer

__all__ = ["ROWS"]

OPTIMIZER = Rule(
    "SL790",
    "optimizer-config",
    Severity.NOTE,
    """\
What it sees: an optimizer's config of another era: `lr`, `decay`, `clipnorm` of Keras outside TensorFlow, LossScaleOptimizer,
or a class whose step is computed otherwise today (RMSprop, Adagrad, Nadam up to Keras 2.10).
Why it matters: taken as it is, it is refused, or training goes on with other steps.
Example: `{"class_name": "RMSprop", "config": {"lr": 0.001, "rho": 0.9, "decay": 0.0001}}`.
What to do: nothing; the next step is the one that the writer would have made.
References: keras/optimizers.py 2.2.4, keras/optimizer_v2 of TensorFlow 2.8, Keras 3.15.
""",
)

OBJECTIVES = Rule(
    "SL791",
    "losses-and-metrics",
    Severity.NOTE,
    """\
What it sees: losses and metrics by names or arguments of another era: `cosine_proximity`, `reduction="auto"`, a
MeanMetricWrapper around the name of a function.
Why it matters: the Keras here does not know them, or takes them for something else.
Example: `{"class_name": "Huber", "config": {"reduction": "auto", "fn": "huber"}}`.
What to do: nothing.
References: keras 3.0 losses/loss.py, metrics/reduction_metrics.py.
""",
)

REFUSED = Rule(
    "SL601",
    "training-config-lost",
    Severity.WARNING,
    """\
What it sees: an optimizer or loss that has no equal in the Keras that is installed.
Why it matters: the model can predict, but not go on training as it did; it comes back uncompiled.
Example: an optimizer with both a learning rate schedule and decay.
What to do: compile the model anew; `compile="strict"` makes it an error.
References: none.
""",
)


def _optimizer(document: ModelDocument, context: Context) -> tuple[ModelDocument, str | None] | None:
    training = document.training
    if not training or not training.get("optimizer"):
        return None
    try:
        node, notes = repaired_optimizer(training["optimizer"], context.writer.version, context.runtime.dialect)
    except Refused as refused:
        return _refused(document, str(refused))
    if node == training["optimizer"]:
        return None
    return document.evolve(training={**training, "optimizer": node}), "; ".join(notes) or None


def _objectives(document: ModelDocument, context: Context) -> tuple[ModelDocument, str | None] | None:
    training = document.training
    if not training:
        return None
    writer, dialect = context.writer, context.runtime.dialect
    changed: dict[str, Any] = dict(training)
    try:
        if training.get("loss"):
            changed["loss"] = repaired_losses(training["loss"], writer, dialect)
    except Refused as refused:
        return _refused(document, str(refused))
    for key in ("metrics", "weighted_metrics"):
        if training.get(key):
            changed[key] = repaired_metrics(training[key], writer, dialect)
    names = [key for key in ("loss", "metrics", "weighted_metrics") if changed.get(key) != training.get(key)]
    if not names:
        return None
    return document.evolve(training=changed), f"{', '.join(names)} by the names of this Keras"


def _refused(document: ModelDocument, what: str) -> tuple[ModelDocument, None]:
    reasons = (*document.extras.get("training_refused", ()), what)
    finding = REFUSED.finding(f"{what} has no equal here: the model will not be compiled", where="training")
    return document.evolve(
        extras={**document.extras, "training_refused": reasons}, findings=(*document.findings, finding)
    ), None


ROWS: tuple[LayerRepair | DocumentRepair, ...] = (
    DocumentRepair(OPTIMIZER, _optimizer),
    DocumentRepair(OBJECTIVES, _objectives),
)
