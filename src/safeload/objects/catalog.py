"""The names that Keras itself brings, by dialect and kind; made by tools/make_catalog.py and reviewed."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["KINDS", "Builtin", "builtin", "is_alias", "is_later_than", "names"]

KINDS = (
    "layer model operation initializer regularizer constraint activation loss metric optimizer schedule dtype_policy "
    "quantization random"
).split()

_MODULES = {
    "layer": "keras.layers",
    "model": "keras",
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "activation": "keras.activations",
    "loss": "keras.losses",
    "metric": "keras.metrics",
    "optimizer": "keras.optimizers",
    "schedule": "keras.optimizers.schedules",
    "dtype_policy": "keras",
    "quantization": "keras.quantizers",
    "random": "keras.random",
}
"""The module under which Keras' deserializers know each kind."""

_EXTRA = {
    # Names that are no public attributes, or that have rules of their own.
    ("keras2", "layer"): ("Lambda", "TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty",
                          "TensorFlowOpLayer", "AddLoss", "AddMetric", "BatchNormalizationV1", "BatchNormalizationV2"),
    ("keras3", "layer"): ("Lambda",),
    ("keras2", "model"): ("Functional",),
    ("keras3", "model"): ("Functional",),
    ("keras2", "dtype_policy"): ("PolicyV1", "Policy"),
    ("keras2", "optimizer"): ("LossScaleOptimizer", "LossScaleOptimizerV3", "LossScaleOptimizerV1"),
}  # fmt: skip

_LEGACY = frozenset({"ThresholdedReLU", "RandomHeight", "RandomWidth"})
"""Layers that Keras 3 keeps under `keras._legacy.layers` alone, for files."""

_OF_TF_KERAS = frozenset(
    "AdditiveAttention Attention CategoryEncoding CenterCrop Conv1DTranspose ConvLSTM1D ConvLSTM3D Convolution1DTranspose "
    "DepthwiseConv1D Discretization EinsumDense GroupNormalization GroupQueryAttention HashedCrossing Hashing Identity "
    "IntegerLookup LayerNormalization MelSpectrogram MultiHeadAttention Normalization RMSNormalization RandomBrightness "
    "RandomContrast RandomCrop RandomFlip RandomFourierFeatures RandomHeight RandomRotation RandomTranslation RandomWidth "
    "RandomZoom Rescaling Resizing ReversibleEmbedding SpectralNormalization StringLookup SyncBatchNormalization "
    "TextVectorization UnitNormalization".split()
)
"""Layers that standalone Keras up to 2.3.1 (`keras/layers` of that release) didn't have: in its files they are custom."""

_ALIASES = {
    # Short names that `compile` and `get` take, in one Keras or another.
    "loss": "mse mae mape msle bce bfce kld kullback_leibler_divergence logcosh log_cosh cosine_proximity "
    "cosine_similarity huber huber_loss hinge",
    "metric": "accuracy acc crossentropy ce mse mae mape msle bce kld cosine_proximity cosine logcosh",
    "initializer": "normal uniform one zero",
    "regularizer": "l1l2 activity_l2 activity_l1 activity_l1l2",
    "constraint": "maxnorm nonneg unitnorm unit_norm",
    "activation": "leaky_relu swish silu gelu relu6",
    "optimizer": "adam adamax adagrad adadelta adamw adafactor ftrl lion nadam rmsprop sgd lamb muon",
}


@dataclass(frozen=True, slots=True)
class Builtin:
    """One of Keras' own.

    Attributes:
        kind: One of `KINDS`.
        name: Its public name.
        path: Where it lives below the package.
        module: What deserializers know it under.
        arguments: Those that it takes in one version or another; None: any.
        versions: Releases of Keras that were seen to have it, oldest first.
        some: By argument: the releases that take it, for those that not all of `versions` do.
    """

    kind: str
    name: str
    path: str
    module: str
    arguments: tuple[str, ...] | None = None
    versions: tuple[str, ...] = ()
    some: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def taken(self, version: tuple[int, ...]) -> frozenset[str] | None:
        """The arguments that a release of Keras takes; None where it takes any.

        Releases that were not looked at are taken for the one before them.
        """
        if self.arguments is None:
            return None
        seen = [v for v in self.versions if _numbers(v) <= version[:2]] or list(self.versions[:1])
        return frozenset(a for a in self.arguments if a not in self.some or (seen and seen[-1] in self.some[a]))

    def later(self, version: tuple[int, ...]) -> frozenset[str]:
        """The arguments that only later releases of Keras take."""
        return frozenset(a for a, releases in self.some.items() if _numbers(releases[0]) > version[:2])

    def is_in(self, version: tuple[int, ...]) -> bool:
        """Whether a release of Keras has it, unless it came and went."""
        return not self.versions or _numbers(self.versions[0]) <= version[:2]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@functools.cache
def _tables() -> dict[str, dict[str, dict[str, list[object]]]]:
    text = Path(__file__).with_name("catalog.json").read_text(encoding="utf-8")
    tables: dict[str, dict[str, dict[str, list[object]]]] = json.loads(text)
    return tables


def names(dialect: str, kind: str) -> Mapping[str, object]:
    """The built-in names of a kind."""
    extra = dict.fromkeys(_EXTRA.get((dialect, kind), ()))
    return {**extra, **_tables()[dialect].get(kind, {})}


def is_later_than(kind: str, name: str, version: tuple[int, ...], is_tf_keras: bool | None) -> bool:
    """Whether one of Keras' own is younger than a file's writer, so that the file means another object of that name.

    Only where it is certain: the layers of standalone Keras up to 2.3 (a custom `Attention` was common then).
    """
    return kind == "layer" and name in _OF_TF_KERAS and is_tf_keras is False and (1,) <= version < (2, 4)


def is_alias(kind: str, name: str) -> bool:
    """Whether a bare string in a slot of that kind is one of Keras' short names."""
    return name in _ALIASES.get(kind, "").split()


@functools.cache
def builtin(dialect: str, kind: str, name: str) -> Builtin | None:
    """Keras' own object of that kind and name; None when there is none."""
    row = _tables()[dialect].get(kind, {}).get(name)
    if row is None:
        if dialect == "keras3" and kind == "layer" and name in _LEGACY:
            return Builtin(kind, name, f"src.legacy.layers.{name}", "keras._legacy.layers")
        if name not in _EXTRA.get((dialect, kind), ()):
            return None
        home = "src.models.functional.Functional" if name == "Functional" else f"layers.{name}"
        return Builtin(kind, name, home, _module(kind, name, home))
    path, arguments, versions, some = row
    assert isinstance(path, str) and isinstance(versions, list) and isinstance(some, dict)
    taken = tuple(arguments) if isinstance(arguments, list) else None
    partial = {argument: tuple(found) for argument, found in some.items()}
    return Builtin(kind, name, path, _module(kind, name, path), taken, tuple(versions), partial)


def _module(kind: str, name: str, path: str) -> str:
    if path.startswith("src."):
        return "keras." + path.rpartition(".")[0]
    return _MODULES[kind]
