"""Are all custom objects there, and is each of them one?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from safeload.checks import Examination
from safeload.checks.suggestions import Suggestions
from safeload.environments import install_hint
from safeload.errors import (
    AmbiguousCustomObjectError,
    CustomObjectMismatchError,
    MissingCustomObjectError,
    VersionMismatchError,
)
from safeload.findings import Finding, Rule, Severity
from safeload.objects.resolution import Resolved, is_own
from safeload.objects.signatures import faults

__all__ = [
    "AMBIGUOUS",
    "LOST_NAME",
    "MISMATCH",
    "MISSING",
    "MISSING_FOR_TRAINING",
    "NEWER_SAFELOAD",
    "RETIRED_LAYER",
    "check",
]

MISSING = Rule(
    "SL401",
    "missing-custom-object",
    Severity.ERROR,
    """\
What it sees: a class or function that is none of Keras' own and was found in none of the places where custom objects
may come from.
Why it matters: Keras builds layers from their classes; without the class there is no layer.
Example: `MyLayer` at `layers[3]`.
What to do: register the module that defines it, `safeload.register_module("my_layers")`, or pass
`custom_objects={"MyLayer": MyLayer}`.
References: keras #7440, `keras.saving.register_keras_serializable`.
""",
    MissingCustomObjectError,
)

MISSING_FOR_TRAINING = Rule(
    "SL402",
    "missing-for-training",
    Severity.WARNING,
    """\
What it sees: an optimizer, loss, metric or schedule that was not found.
Why it matters: the model can predict without it, but not be compiled as it was.
Example: a loss `focal_loss` at `training.loss`.
What to do: register the module that defines it, or pass `compile=False`; `compile="strict"` makes it an error.
References: keras PR 4517, mlflow #1201.
""",
    MissingCustomObjectError,
)

AMBIGUOUS = Rule(
    "SL403",
    "ambiguous-custom-object",
    Severity.ERROR,
    """\
What it sees: two places of the same rank define a class or function of that name, and both can take the stored config.
Why it matters: choosing one could be choosing the wrong one.
Example: `Attention` in `team_a.layers` and in `team_b.layers`.
What to do: pass the right one: `custom_objects={"Attention": team_a.layers.Attention}`.
References: none.
""",
    AmbiguousCustomObjectError,
)

LOST_NAME = Rule(
    "SL404",
    "lost-lambda-name",
    Severity.ERROR,
    """\
What it sees: an activation, loss or initializer called `<lambda>`: Keras stored the name of a lambda, not its code.
Why it matters: the function is not in the file, and every lambda has that name.
Example: `Dense(8, activation=lambda x: x * x)`.
What to do: pass the function: `custom_objects={"<lambda>": my_function}`.
References: tensorflow #56403.
""",
    MissingCustomObjectError,
)

MISMATCH = Rule(
    "SL405",
    "custom-object-mismatch",
    Severity.ERROR,
    """\
What it sees: a custom class that was found, but whose constructor can't take the config that the file holds.
Why it matters: it is another version of the class than the one that was saved, or one that Keras can't rebuild.
Example: `Attention(units)` for a config with `units` and `heads`; a class without `**kwargs`, for the `name` and
`trainable` that Keras stores for each layer.
What to do: pass the class as it was; or let `__init__` take the keys, `**kwargs` for Keras' own.
References: keras.io/guides/serialization_and_saving.
""",
    CustomObjectMismatchError,
)

NEWER_SAFELOAD = Rule(
    "SL406",
    "newer-safeload",
    Severity.ERROR,
    """\
What it sees: a layer or function of safeload's own that this safeload doesn't have.
Why it matters: a newer safeload repaired the model and it was saved again; the old one can't build that layer.
Example: `safeload>TensorFlowFunction` in safeload 0.0.1.
What to do: upgrade: `python -m pip install --upgrade safeload`.
References: none.
""",
    VersionMismatchError,
)

RETIRED_LAYER = Rule(
    "SL407",
    "retired-layer",
    Severity.ERROR,
    """\
What it sees: a layer that Keras had for a while and the installed one hasn't: CategoryCrossing, feature columns.
Why it matters: it is not the user's own class, so that looking for one is in vain.
Example: `CategoryCrossing` of TensorFlow 2.3-2.8 (`experimental.preprocessing`); `DenseFeatures` in Keras 3.
What to do: load the file with the TensorFlow that wrote it and replace the layer there (`HashedCrossing`,
`CategoryEncoding`, `Embedding`), or pass a class of that name in `custom_objects`.
References: tensorflow.org/guide/migrate/migrating_feature_columns; keras 2.9, release notes.
""",
    VersionMismatchError,
)

RETIRED = frozenset(
    "CategoryCrossing DenseFeatures SequenceFeatures NumericColumn BucketizedColumn EmbeddingColumn SharedEmbeddingColumn "
    "IndicatorColumn CrossedColumn HashedCategoricalColumn IdentityCategoricalColumn VocabularyListCategoricalColumn "
    "VocabularyFileCategoricalColumn WeightedCategoricalColumn SequenceNumericColumn SequenceCategoricalColumn".split()
)
"""Layers of tf.keras that are gone, and the columns that `DenseFeatures` holds (`feature_column_v2.py`)."""

_OF_KERAS = frozenset({"name", "trainable", "dtype", "dynamic", "batch_input_shape", "batch_shape", "autocast"})


def check(examination: Examination) -> Iterable[Finding]:
    """A finding for every object that is missing or ambiguous."""
    resolution, strict = examination.resolution, examination.options.compile == "strict"
    if resolution is None:
        return
    missing = resolution.missing
    if missing:
        suggestions = Suggestions.for_missing(missing, resolution.known, examination.runtime.dialect)
        for resolved in missing:
            use = resolved.use
            if use.training and not strict:
                if examination.options.compile:
                    yield MISSING_FOR_TRAINING.finding(
                        f"the {use.kind} {use.name} was not found: the model will not be compiled",
                        where=use.where,
                        hint=suggestions.hint(use),
                    )
                continue
            if use.name == "<lambda>":
                layer = _layer_at(examination.repaired.architecture, use.where)
                of = f" of the layer {layer!r}" if layer else ""
                yield LOST_NAME.finding(
                    f"the {use.kind}{of} is a lambda of which only the name was stored",
                    where=use.where,
                    hint='pass the function: custom_objects={"<lambda>": my_function}',
                    missing=("<lambda>",),
                )
                continue
            if is_own(use):
                yield NEWER_SAFELOAD.finding(
                    f"{use.registered_name} is a {use.kind} that this safeload doesn't have",
                    where=use.where,
                    hint="python -m pip install --upgrade safeload",
                    running={k: str(v) for k, v in examination.runtime.to_dict().items() if v is not None},
                    reasons=(str(use.registered_name),),
                )
                continue
            places = suggestions.places(use)
            if use.name in RETIRED and ">" not in (use.registered_name or "") and not places:
                yield RETIRED_LAYER.finding(
                    f"{use.name} is a {use.kind} that Keras has no longer",
                    where=use.where,
                    hint=install_hint(examination.document.writer)
                    or "load the file with the TensorFlow that wrote it, and replace the layer there",
                    saved_with={k: str(v) for k, v in examination.document.writer.to_dict().items()},
                    running={k: str(v) for k, v in examination.runtime.to_dict().items() if v is not None},
                    reasons=(f"{use.name} is gone",),
                )
                continue
            yield MISSING.finding(
                f"the {use.kind} {use.registered_name or use.name} was not found",
                where=use.where,
                hint=suggestions.hint(use),
                missing=(use.registered_name or use.name,),
                candidates={use.name: places} if places else {},
            )
    for resolved in resolution.resolved:
        if resolved.target is not None and resolved.target.module is None and (not resolved.use.training or strict):
            value = resolution.custom_objects.get(resolved.target.name)
            yield from _foreign(resolved, value, examination.runtime.flavour)
            yield from _mismatch(resolved, value)
    for resolved in resolution.ambiguous:
        use = resolved.use
        yield AMBIGUOUS.finding(
            f"{use.name} was found more than once: {', '.join(resolved.candidates)}",
            where=use.where,
            hint=f"pass the right one: custom_objects={{{use.name!r}: ...}}",
            candidates={use.name: resolved.candidates},
        )


def _layer_at(config: Any, where: str) -> str | None:
    """The name of the innermost layer on the way to a place such as `layers[3].activation`."""
    name: str | None = None
    node = config
    for step in ["", *re.findall(r"[^.\[\]]+", where)]:
        if step:
            try:
                node = node[int(step) if isinstance(node, list | tuple) else step]
            except (IndexError, KeyError, TypeError, ValueError):
                return name
        if isinstance(node, Mapping) and isinstance(node.get("class_name"), str) and "config" in node:
            node = node["config"]
            if isinstance(node, Mapping) and isinstance(node.get("name"), str):
                name = node["name"]
    return name


def _foreign(resolved: Resolved, value: object, flavour: str | None) -> Iterable[Finding]:
    """A class that derives from the other Keras: tensorflow_hub's `KerasLayer`, for one, beside Keras 3."""
    homes = {base.__module__.split(".")[0] for base in getattr(value, "__mro__", ())}
    wanted, other = ("tf_keras", "keras") if flavour == "tf_keras" else ("keras", "tf_keras")
    if other not in homes or wanted in homes:
        return
    switch = "" if flavour == "tf_keras" else "set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported, or "
    yield MISMATCH.finding(
        f"{resolved.use.name} ({resolved.origin}) is a class of {other}, and {wanted} runs here",
        where=resolved.use.where,
        hint=f"{switch}pass a class that derives from {wanted}'s",
        name=resolved.use.name,
        expected=(wanted,),
        found=(other,),
    )


def _mismatch(resolved: Resolved, value: object) -> Iterable[Finding]:
    use = resolved.use
    wrong = faults(value, use.config)
    if wrong is None:
        return
    parts = [f"needs {', '.join(wrong.missing)}"] if wrong.missing else []
    parts += [f"does not take {', '.join(wrong.unexpected)}"] if wrong.unexpected else []
    if wrong.unexpected and set(wrong.unexpected) <= _OF_KERAS:
        hint = (
            "let its __init__ take **kwargs and call super().__init__(**kwargs): Keras stores these for each layer"
            if use.kind in ("layer", "model", "object")
            else f"let its __init__ take {', '.join(wrong.unexpected)}=None, which its get_config() stored"
        )
    elif wrong.missing and not wrong.unexpected:
        hint = f"let its get_config() give {', '.join(wrong.missing)}, or give them defaults, and save the model again"
    else:
        hint = f"pass the class as it was when the model was saved: custom_objects={{{use.name!r}: ...}}"
    yield MISMATCH.finding(
        f"{use.name} ({resolved.origin}) can't take its stored config: it {' and '.join(parts)}",
        where=use.where,
        hint=hint,
        name=use.name,
        expected=tuple(str(k) for k in use.config),
        found=wrong.takes,
    )
