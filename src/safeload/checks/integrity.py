"""Is every byte of the file what its writer stored? Reads everything once, when `integrity="full"` asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from safeload.checks import Examination
from safeload.document import ModelDocument, WeightEntry
from safeload.errors import CorruptedModelError, SafeLoadError
from safeload.findings import Finding, Rule, Severity

__all__ = ["DAMAGED", "NOT_FINITE", "check"]

DAMAGED = Rule(
    "SL103",
    "damaged-data",
    Severity.ERROR,
    """\
What it sees: bytes that are not what the writer stored: a checksum that is wrong, an array that can't be read.
Why it matters: the model would compute with wrong weights, and nobody would tell.
Example: one flipped bit in `model.weights.h5` of a `.keras` archive.
What to do: download or copy the file again; `recoverable` names the layers whose weights are whole.
References: only zips and TensorFlow's checkpoints have checksums of the weights; HDF5 has them where its writer asked.
""",
    CorruptedModelError,
)

NOT_FINITE = Rule(
    "SL104",
    "weights-not-finite",
    Severity.WARNING,
    """\
What it sees: weights that are NaN or infinite. Looked at with `integrity="full"` only: it reads every weight.
Why it matters: training diverged before the model was saved; it predicts NaN.
Example: a kernel that is NaN everywhere.
What to do: load an earlier checkpoint.
References: `tf.keras.callbacks.TerminateOnNaN`.
""",
)

_MAX_NAMED = 10


def check(examination: Examination) -> Iterable[Finding]:
    """The findings of reading everything once; nothing without `integrity="full"`."""
    if examination.options.integrity != "full":
        return
    document = examination.document
    for source in document.extras.get("sources", ()):
        for name, verify in source.verifiers.items():
            try:
                verify()
            except SafeLoadError as error:
                yield DAMAGED.finding(
                    error.message, where=name, hint=error.hint, damage=getattr(error, "damage", (name,))
                )
    yield from _weights(document)


def _weights(document: ModelDocument) -> Iterator[Finding]:
    broken: dict[str, tuple[str, str]] = {}
    whole: dict[str, None] = {}
    infinite: list[str] = []
    for layer, entry in _entries(document):
        try:
            array = entry.read()
        except (SafeLoadError, ValueError, OSError, MemoryError) as error:
            text = error.message if isinstance(error, SafeLoadError) else f"{type(error).__name__}: {error}"
            broken.setdefault(entry.where or entry.name, (layer, text))
            continue
        whole[layer] = None
        if array.dtype.kind == "f" and array.size and not _finite(array):
            infinite.append(entry.where or entry.name)
    if broken:
        bad = {layer for layer, _ in broken.values()}
        good = tuple(layer for layer in whole if layer not in bad)
        for where, (layer, text) in list(broken.items())[:_MAX_NAMED]:
            yield DAMAGED.finding(
                text,
                where=where,
                hint="download or copy the file again",
                damage=tuple(f"{w}: {t}" for w, (_, t) in broken.items()),
                recoverable=good,
                evidence={"layer": layer},
            )
    if infinite:
        shown = ", ".join(infinite[:_MAX_NAMED]) + (" ..." if len(infinite) > _MAX_NAMED else "")
        yield NOT_FINITE.finding(
            f"{len(infinite)} weights are NaN or infinite: {shown}",
            where=infinite[0],
            hint="load an earlier checkpoint: training diverged before this one was saved",
            evidence={"weights": infinite},
        )


def _finite(array: Any) -> bool:
    import numpy as np

    return bool(np.isfinite(array).all())


def _entries(document: ModelDocument) -> Iterator[tuple[str, WeightEntry]]:
    """Every weight with the name of the layer, or of the part of the model, that it belongs to."""
    for tree, own in ((document.weights, ""), (document.optimizer_weights, "optimizer")):
        if tree is None:
            continue
        for entry in tree.entries:
            yield own or entry.name, entry
        for group in tree.groups:
            inner = group.groups if group.name in ("layers", "_layer_checkpoint_dependencies") and not own else (group,)
            for layer in inner:
                for entry in layer.walk():
                    yield own or layer.name, entry
