"""Which packages do the custom objects come from, and are these installed?"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from safeload.checks import Examination
from safeload.errors import MissingDependencyError
from safeload.findings import Finding, Rule, Severity

__all__ = ["MISSING_PACKAGE", "PACKAGES", "Package", "check", "package_of"]

MISSING_PACKAGE = Rule(
    "SL502",
    "package-missing",
    Severity.ERROR,
    """\
What it sees: a layer, loss or other object of a package that is not installed.
Why it matters: its class is in that package, so the model can't be built without it.
Example: `Addons>WeightNormalization` without tensorflow-addons.
What to do: install what the hint says, then `safeload.register_module("the_package")`.
References: the packages' own documentation.
""",
    MissingDependencyError,
)


@dataclass(frozen=True, slots=True)
class Package:
    """A package that brings Keras objects.

    Attributes:
        module: What is imported.
        pip: What pip installs.
        prefixes: Packages of registered names (`Addons>GroupNormalization`).
        modules: Beginnings of the module names that Keras 3 stores.
        names: Class names that are its alone.
        last: The last TensorFlow that it works with, where it is no longer maintained.
    """

    module: str
    pip: str
    prefixes: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    last: str | None = None


PACKAGES: tuple[Package, ...] = (
    Package(
        "tensorflow_addons", "tensorflow-addons", ("Addons",), ("tensorflow_addons",),
        ("InstanceNormalization", "WeightNormalization", "CRF", "NoisyDense", "SpectralNormalization", "Sparsemax",
         "RectifiedAdam", "Lookahead", "NovoGrad", "ConditionalGradient",
         "SigmoidFocalCrossEntropy", "TripletSemiHardLoss", "CohenKappa", "RSquare", "MatthewsCorrelationCoefficient",
         "WeightedKappaLoss", "ContrastiveLoss", "PinballLoss", "LAMB", "LazyAdam", "AdaptiveAveragePooling2D",
         "AdaptiveMaxPooling2D", "CorrelationCost", "EmbeddingBag", "ESNCell", "ESN", "Maxout", "NASCell",
         "LayerNormLSTMCell", "PolynomialCrossing", "SpatialPyramidPooling2D", "TLU", "FilterResponseNormalization"),
        last="2.14",
    ),
    Package("tensorflow_hub", "tensorflow-hub", (), ("tensorflow_hub",), ("KerasLayer",)),
    Package("tensorflow_text", "tensorflow-text", (), ("tensorflow_text",),
            ("BertTokenizer", "WordpieceTokenizer", "SentencepieceTokenizer")),
    Package("tensorflow_probability", "tensorflow-probability", (), ("tensorflow_probability",),
            ("DistributionLambda", "DenseVariational", "DenseFlipout", "DenseReparameterization", "Convolution2DFlipout",
             "Convolution2DReparameterization", "IndependentNormal", "OneHotCategorical", "MultivariateNormalTriL",
             "KLDivergenceRegularizer", "MixtureNormal", "Conv2DFlipout", "Conv2DReparameterization")),
    Package("tensorflow_decision_forests", "tensorflow-decision-forests", (), ("tensorflow_decision_forests",),
            ("GradientBoostedTreesModel", "RandomForestModel", "CartModel")),
    Package("tensorflow_model_optimization", "tensorflow-model-optimization", (), ("tensorflow_model_optimization",),
            ("PruneLowMagnitude", "QuantizeWrapper", "QuantizeWrapperV2", "QuantizeLayer", "QuantizeAnnotate",
             "ClusterWeights")),
    Package("tensorflow_recommenders", "tensorflow-recommenders", (), ("tensorflow_recommenders",),
            ("BruteForce", "ScaNN", "FactorizedTopK")),
    Package("tensorflow_similarity", "tensorflow-similarity", ("Similarity",), ("tensorflow_similarity",),
            ("SimilarityModel", "MetricEmbedding")),
    Package("keras_hub", "keras-hub", ("keras_hub",), ("keras_hub",)),
    Package("keras_cv", "keras-cv", ("keras_cv",), ("keras_cv",)),
    Package("keras_nlp", "keras-nlp", ("keras_nlp",), ("keras_nlp",)),
    Package("keras_rs", "keras-rs", ("keras_rs",), ("keras_rs",)),
    Package("keras_contrib", "git+https://github.com/keras-team/keras-contrib.git", (), ("keras_contrib",),
            ("PELU", "CosineDense", "SineReLU", "Capsule")),
    Package("keras_self_attention", "keras-self-attention", (), ("keras_self_attention",), ("SeqSelfAttention",
            "SeqWeightedAttention", "ScaledDotProductAttention")),
    Package("keras_bert", "keras-bert", (), ("keras_bert",), ("TokenEmbedding", "EmbeddingSimilarity", "AdamWarmup")),
    Package("keras_radam", "keras-rectified-adam", (), ("keras_radam",), ("RAdam",)),
    Package("keras_tcn", "keras-tcn", (), ("tcn",), ("TCN", "ResidualBlock")),
    Package("larq", "larq", ("Larq",), ("larq",), ("QuantConv2D", "QuantDense", "QuantSeparableConv2D", "SteSign")),
    Package("qkeras", "qkeras", (), ("qkeras",),
            ("QDense", "QConv2D", "QConv1D", "QActivation", "QDepthwiseConv2D", "QBatchNormalization",
             "QConv2DBatchnorm", "quantized_bits", "quantized_relu")),
    Package("spektral", "spektral", ("spektral",), ("spektral",),
            ("GCNConv", "GATConv", "ChebConv", "GraphSageConv", "ARMAConv", "GlobalAttentionPool", "ECCConv")),
    Package("stellargraph", "stellargraph", (), ("stellargraph",), ("GraphConvolution", "GraphAttention",
            "SortPooling")),
    Package("efficientnet", "efficientnet", (), ("efficientnet",), ("FixedDropout",)),
    Package("segmentation_models", "segmentation-models", (), ("segmentation_models",)),
    Package("vit_keras", "vit-keras", (), ("vit_keras",), ("ClassToken", "AddPositionEmbs")),
    Package("transformers", "transformers", ("transformers",), ("transformers",),
            ("TFBertModel", "TFBertMainLayer", "TFDistilBertMainLayer", "TFRobertaMainLayer", "TFOpenAIGPTLMHeadModel")),
    Package("deepctr", "deepctr", (), ("deepctr",), ("DNN", "CrossNet", "CIN")),
    Package("kapre", "kapre", ("Kapre",), ("kapre",), ("Melspectrogram", "STFT", "MagnitudeToDecibel", "Magnitude")),
    Package("official", "tf-models-official", ("Text", "Vision"), ("official",)),
    Package("tensorflow_graphics", "tensorflow-graphics", (), ("tensorflow_graphics",)),
    Package("nobuco", "nobuco", (), ("nobuco",), ("WeightLayer", "ChangeOrderingLayer")),
    Package("onnx2keras", "onnx2keras", (), ("onnx2keras",)),
    Package("autokeras", "autokeras", ("autokeras",), ("autokeras",),
            ("CastToFloat32", "MultiCategoryEncoding", "ExpandLastDim")),
    Package("classification_models", "image-classifiers", (), ("classification_models",)),
)  # fmt: skip
"""Packages whose objects people meet in model files; `names` are those that no other well-known package has."""


def package_of(name: str, registered_name: str | None, module: str | None) -> Package | None:
    """The package that an object comes from: by its registered name, its module, or by its name alone."""
    prefix = (registered_name or "").partition(">")[0] if ">" in (registered_name or "") else None
    for package in PACKAGES:
        if prefix is not None and prefix in package.prefixes:
            return package
        if module is not None and any(module == m or module.startswith(f"{m}.") for m in package.modules):
            return package
    if prefix is not None or (module or "").split(".")[0] not in ("", "keras", "tf_keras", "tensorflow", "builtins"):
        return None
    return next((p for p in PACKAGES if name in p.names), None)


def check(examination: Examination) -> Iterable[Finding]:
    """An error for each package that is missing; training parts leave the model uncompiled and are warnings elsewhere."""
    strict = examination.options.compile == "strict"
    wanted: dict[str, tuple[Package, list[str], list[str]]] = {}
    for resolved in examination.resolution.missing if examination.resolution else ():
        use = resolved.use
        if use.training and not strict:
            continue
        package = package_of(use.name, use.registered_name, use.module)
        if package is not None:
            _, names, places = wanted.setdefault(package.module, (package, [], []))
            names.append(use.registered_name or use.name)
            places.append(use.where)
    for package, names, places in wanted.values():
        shown = ", ".join(dict.fromkeys(names))
        if installed(package.module):
            continue  # `custom_objects` says to register it
        yield MISSING_PACKAGE.finding(
            f"{shown}: of the package {package.pip.rpartition('/')[2].removesuffix('.git')}, which is not installed",
            where=places[0],
            hint=_hint(package, examination.runtime.tensorflow),
            packages=(package.pip,),
            evidence={"places": places},
        )


def installed(module: str) -> bool:
    """Whether a module of that name could be imported; nothing is imported for this."""
    if module in sys.modules:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _hint(package: Package, tensorflow: str | None) -> str:
    """The pip line that fits the TensorFlow that runs here, and what to do then."""
    minor = ".".join((tensorflow or "").split(".")[:2])
    then = f'then safeload.register_module("{package.module}")'
    if package.last is not None and minor and _number(minor) > _number(package.last):
        return (
            f"{package.pip} ended with TensorFlow {package.last}: pass the class in custom_objects=, or use an environment "
            f'of its own: python -m pip install "tensorflow=={package.last}.*" {package.pip}; {then}'
        )
    if package.module == "tensorflow_text" and minor:
        return f'python -m pip install "tensorflow-text=={minor}.*"; {then}'
    return f"python -m pip install {package.pip}; {then}"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in version.split(".") if n.isdigit())
