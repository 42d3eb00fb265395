"""Is there all that a model needs: an architecture and weights?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from safeload.checks import Examination
from safeload.document import ModelDocument, WeightGroup
from safeload.errors import WeightsMismatchError, WeightsOnlyError
from safeload.findings import Finding, Rule, Severity

__all__ = ["ARCHITECTURE_ONLY", "WEIGHTS_ONLY", "check"]

WEIGHTS_ONLY = Rule(
    "SL110",
    "weights-only",
    Severity.ERROR,
    """\
What it sees: a file that holds weights and no architecture (`model.save_weights`, a checkpoint).
Why it matters: weights alone say neither how layers are connected nor what they compute.
Example: `load_model("model.weights.h5")`.
What to do: build the model in code and call `model.load_weights(path)`, or give both files:
`safeload.load_model("model.json", weights="model.weights.h5")`.
References: keras #7440, tensorflow #28281.
""",
    WeightsOnlyError,
)

ARCHITECTURE_ONLY = Rule(
    "SL111",
    "architecture-only",
    Severity.ERROR,
    """\
What it sees: an architecture (`model.to_json()`, `to_yaml()`, a config) and no weights.
Why it matters: a model with weights drawn at random looks like the trained one and predicts nonsense.
Example: `load_model("model.json")`.
What to do: `safeload.load_model("model.json", weights="model.weights.h5")`; for a fresh model,
`tf.keras.models.model_from_json`.
References: Keras' `model_from_json`.
""",
    WeightsMismatchError,
)

_ARCHITECTURES = (".json", ".yaml", ".yml")
_WEIGHTS = (".weights.h5", ".h5", ".hdf5", ".weights.json", ".index", ".npz")
_SHOWN = 8


def check(examination: Examination) -> Iterable[Finding]:
    """Say what is missing, and which file beside it seems to hold it."""
    document = examination.document
    if document.architecture is None and document.weights is not None and document.format != "savedmodel":
        layers = _layers(document)
        beside = _architecture_beside(document.path)
        shown = ", ".join(f"{name} {' '.join(map(str, shapes))}" for name, shapes in layers[:_SHOWN])
        more = f" and {len(layers) - _SHOWN} more" if len(layers) > _SHOWN else ""
        call = f"safeload.load_model({beside or 'model.json'!r}, weights={document.path or 'weights'!r})"
        yield WEIGHTS_ONLY.finding(
            f"holds the weights of {len(layers)} layers, but no architecture: {shown}{more}",
            hint=f"{call}, or build the model in code and call model.load_weights(...)",
            layers=layers,
            architecture=beside,
        )
    if document.format in ("json", "yaml", "config") and document.weights is None and document.architecture is not None:
        beside = _weights_beside(document.path)
        yield ARCHITECTURE_ONLY.finding(
            "holds an architecture, but no weights",
            hint=f"safeload.load_model({document.path or 'config'!r}, weights={beside or 'model.weights.h5'!r})",
        )


def _layers(document: ModelDocument) -> tuple[tuple[str, tuple[tuple[int, ...], ...]], ...]:
    assert document.weights is not None
    groups = document.weights.groups
    if document.layout == "object-graph":
        return tuple(_holders(document.weights))
    if document.layout == "keras-v3":
        holder = document.weights.group("layers") or document.weights.group("_layer_checkpoint_dependencies")
        groups = holder.groups if holder is not None else groups
    named = [(g.name, tuple(e.shape for e in g.walk())) for g in groups]
    named += [(e.name, (e.shape,)) for e in document.weights.entries]
    return tuple((name, shapes) for name, shapes in named if shapes)


def _holders(group: WeightGroup, at: str = "") -> Iterable[tuple[str, tuple[tuple[int, ...], ...]]]:
    """Each object of a checkpoint that has arrays of its own, by its attributes from the root."""
    if group.entries:
        yield at, tuple(entry.shape for entry in group.entries)
    for inner in group.groups:
        yield from _holders(inner, f"{at}/{inner.name}" if at else inner.name)


def _architecture_beside(path: str | None) -> str | None:
    """A file beside the weights that is a Keras architecture, judged by its first bytes."""
    for candidate in _beside(path, _ARCHITECTURES):
        try:
            head = candidate.read_bytes()[:4096]
        except OSError:
            continue
        if b"class_name" in head and (b'"config"' in head or b"config:" in head):
            return str(candidate)
    return None


def _weights_beside(path: str | None) -> str | None:
    found = next(iter(_beside(path, _WEIGHTS)), None)
    return str(found).removesuffix(".index") if found else None


def _beside(path: str | None, suffixes: tuple[str, ...]) -> list[Path]:
    """Files in the same folder with one of the suffixes, those of the same stem first."""
    if path is None:
        return []
    own = Path(path)
    try:
        files = [f for f in own.parent.iterdir() if f.is_file() and f.name.endswith(suffixes) and f != own]
    except OSError:
        return []
    stem = own.name.split(".")[0]
    files.sort(
        key=lambda f: (
            f.name.split(".")[0] != stem,
            next(i for i, s in enumerate(suffixes) if f.name.endswith(s)),
            f.name,
        )
    )
    return [f for f in files if f.name.split(".")[0] == stem] or (files if len(files) == 1 else [])
