"""Packages that bring Keras objects or TensorFlow operations, as data, and the line that installs one that fits.

Sources: each package's `setup.py` and compatibility table; tensorflow-addons' README (its development ended in 2024),
tensorflow-io's and tensorflow-decision-forests' tables of versions. The lines were resolved once by hand, for TensorFlow 2.12 to
2.21; `tools/verify_environments.py` asks the registry about environments alone.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from safeload.environments import environment_with

__all__ = [
    "COMPUTING",
    "OPERATIONS",
    "PACKAGES",
    "Package",
    "install_line",
    "installed",
    "package_of_op",
    "packages_of",
]


@dataclass(frozen=True, slots=True)
class Package:
    """A package that brings Keras objects or operations.

    Attributes:
        module: What is imported.
        pip: What pip installs.
        prefixes: Packages of registered names (`Addons>GroupNormalization`).
        modules: Beginnings of the module names that Keras 3 stores.
        names: Class names that are its own; a name may be in several packages.
        last: The last TensorFlow that it works with, where it doesn't follow TensorFlow any more.
        fits: By TensorFlow's minor version: what pip installs; under "" a pattern for all others.
        keras2: Its layers are those of Keras 2 whatever is installed: with TensorFlow 2.16 and later, of tf_keras.
    """

    module: str
    pip: str
    prefixes: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    last: str | None = None
    fits: Mapping[str, str] = field(default_factory=dict)
    keras2: bool = False

    @property
    def shown(self) -> str:
        return self.pip.rpartition("/")[2].removesuffix(".git")

    def requirement(self, minor: str) -> str:
        """What pip installs for a TensorFlow."""
        return self.fits.get(minor, self.fits.get("", self.pip)).format(minor)

    def follows(self, minor: str) -> bool:
        """Whether there is one for a TensorFlow."""
        return self.last is None or not minor or _number(minor) <= _number(self.last)


PACKAGES: tuple[Package, ...] = (
    Package(
        "tensorflow_addons", "tensorflow-addons", ("Addons",), ("tensorflow_addons",),
        ("InstanceNormalization", "WeightNormalization", "CRF", "NoisyDense", "SpectralNormalization", "Sparsemax",
         "RectifiedAdam", "Lookahead", "NovoGrad", "ConditionalGradient",
         "SigmoidFocalCrossEntropy", "TripletSemiHardLoss", "CohenKappa", "RSquare", "MatthewsCorrelationCoefficient",
         "WeightedKappaLoss", "ContrastiveLoss", "PinballLoss", "LAMB", "LazyAdam", "AdaptiveAveragePooling2D",
         "AdaptiveMaxPooling2D", "CorrelationCost", "EmbeddingBag", "ESNCell", "ESN", "Maxout", "NASCell",
         "LayerNormLSTMCell", "PolynomialCrossing", "SpatialPyramidPooling2D", "TLU", "FilterResponseNormalization"),
        last="2.15", keras2=True,
    ),
    Package("tensorflow_hub", "tensorflow-hub", (), ("tensorflow_hub",), ("KerasLayer",),
            keras2=True),
    Package("tensorflow_text", "tensorflow-text", (), ("tensorflow_text",),
            ("BertTokenizer", "WordpieceTokenizer", "SentencepieceTokenizer"),
            fits={"2.13": "tensorflow-text==2.13.0rc0", "": "tensorflow-text=={}.*"}),
    Package("tensorflow_probability", "tensorflow-probability", ("tensorflow_probability",), ("tensorflow_probability",),
            ("DistributionLambda", "DenseVariational", "DenseFlipout", "DenseReparameterization", "Convolution2DFlipout",
             "Convolution2DReparameterization", "IndependentNormal", "OneHotCategorical", "MultivariateNormalTriL",
             "KLDivergenceRegularizer", "MixtureNormal", "Conv2DFlipout", "Conv2DReparameterization"), keras2=True),
    Package("tensorflow_decision_forests", "tensorflow-decision-forests", (), ("tensorflow_decision_forests",),
            ("GradientBoostedTreesModel", "RandomForestModel", "CartModel"), last="2.19", keras2=True,
            fits={"2.12": "tensorflow-decision-forests==1.4.*", "2.13": "tensorflow-decision-forests==1.5.*",
                  "2.14": "tensorflow-decision-forests==1.7.*", "2.15": "tensorflow-decision-forests==1.8.*",
                  "2.16": "tensorflow-decision-forests==1.9.*", "2.17": "tensorflow-decision-forests==1.10.*",
                  "2.18": "tensorflow-decision-forests==1.11.*", "2.19": "tensorflow-decision-forests==1.12.*"}),
    Package("tensorflow_model_optimization", "tensorflow-model-optimization", (), ("tensorflow_model_optimization",),
            ("PruneLowMagnitude", "QuantizeWrapper", "QuantizeWrapperV2", "QuantizeLayer", "QuantizeAnnotate",
             "ClusterWeights"), keras2=True),
    Package("tensorflow_recommenders", "tensorflow-recommenders", (), ("tensorflow_recommenders",),
            ("BruteForce", "ScaNN", "FactorizedTopK"), keras2=True),
    Package("tensorflow_similarity", "tensorflow-similarity", ("Similarity",), ("tensorflow_similarity",),
            ("SimilarityModel", "MetricEmbedding"), keras2=True),
    Package("keras_hub", "keras-hub", ("keras_hub",), ("keras_hub",)),
    Package("keras_cv", "keras-cv", ("keras_cv",), ("keras_cv",)),
    Package("keras_nlp", "keras-nlp", ("keras_nlp",), ("keras_nlp",)),
    Package("keras_rs", "keras-rs", ("keras_rs",), ("keras_rs",)),
    Package("keras_contrib", "git+https://github.com/keras-team/keras-contrib.git", (), ("keras_contrib",),
            ("PELU", "CosineDense", "SineReLU", "Capsule", "InstanceNormalization", "GroupNormalization", "CRF",
             "SubPixelUpscaling", "DenseNet"), keras2=True),
    Package("keras_self_attention", "keras-self-attention", (), ("keras_self_attention",), ("SeqSelfAttention",
            "SeqWeightedAttention", "ScaledDotProductAttention")),
    Package("keras_bert", "keras-bert", (), ("keras_bert",), ("TokenEmbedding", "EmbeddingSimilarity", "AdamWarmup")),
    Package("keras_radam", "keras-rectified-adam", (), ("keras_radam",), ("RAdam",)),
    Package("keras_tcn", "keras-tcn", (), ("tcn",), ("TCN", "ResidualBlock")),
    Package("larq", "larq", ("Larq",), ("larq",), ("QuantConv2D", "QuantDense", "QuantSeparableConv2D", "SteSign"),
            keras2=True),
    Package("qkeras", "qkeras", (), ("qkeras",),
            ("QDense", "QConv2D", "QConv1D", "QActivation", "QDepthwiseConv2D", "QBatchNormalization",
             "QConv2DBatchnorm", "quantized_bits", "quantized_relu"), keras2=True),
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
    Package("tensorflow_io", "tensorflow-io", (), ("tensorflow_io",), last="2.16",
            fits={"2.12": "tensorflow-io==0.32.*", "2.13": "tensorflow-io==0.34.*", "2.14": "tensorflow-io==0.35.*",
                  "2.15": "tensorflow-io==0.36.*", "2.16": "tensorflow-io==0.37.*"}),
    Package("tensorflow_recommenders_addons", "tensorflow-recommenders-addons", (), ("tensorflow_recommenders_addons",),
            last="2.16", keras2=True),
    Package("tensorflow_gnn", "tensorflow-gnn", ("GNN",), ("tensorflow_gnn",), keras2=True),
    Package("tensorflow_graphics", "tensorflow-graphics", (), ("tensorflow_graphics",)),
    Package("nobuco", "nobuco", (), ("nobuco",), ("WeightLayer", "ChangeOrderingLayer")),
    Package("onnx2keras", "onnx2keras", (), ("onnx2keras",)),
    Package("autokeras", "autokeras", ("autokeras",), ("autokeras",),
            ("CastToFloat32", "MultiCategoryEncoding", "ExpandLastDim")),
    Package("classification_models", "image-classifiers", (), ("classification_models",)),
)  # fmt: skip
"""Packages whose objects people meet in model files; `names` are those that no other well-known package has."""

OPERATIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("Sentencepiece", "WordpieceTokenize", "FastWordpiece", "FastBertNormalize", "RegexSplit", "NormalizeUTF8",
      "CaseFoldUTF8", "WhitespaceTokenize", "UnicodeScriptTokenize", "SplitMergeTokenize", "SentenceFragments",
      "TFText>", "BertNormalize", "PhraseTokenize", "MaxSpanningTree", "ConstrainedSequence", "FindSourceOffsets",
      "TokenizerFromLogits", "RougeL"), "tensorflow_text"),
    (("SimpleML", "Yggdrasil"), "tensorflow_decision_forests"),
    (("Addons>",), "tensorflow_addons"),
    (("TFRA>", "Tfra"), "tensorflow_recommenders_addons"),
    (("IO>", "Bigtable"), "tensorflow_io"),
)  # fmt: skip
"""What the operations of packages begin with (their shared libraries, for TensorFlow 2.14), and the module that registers
them when it is imported."""


COMPUTING: frozenset[str] = frozenset(
    """
    CaseFoldUTF8 ConstrainedSequence FastBertNormalize FastWordpieceTokenizeWithOffsets FindSourceOffsets MaxSpanningTree
    NormalizeUTF8 NormalizeUTF8WithOffsetsMap PhraseTokenize RegexSplitWithOffsets RougeL SentenceFragments
    SentenceFragmentsV2 SentencepieceDetokenizeOp SentencepieceIdToStringOp SentencepieceOp SentencepieceStringToIdOp
    SentencepieceTokenizeOp SentencepieceTokenizeWithOffsetsOp SentencepieceVocabSizeOp SplitMergeTokenizeWithOffsets
    TFText>BoiseTagsToOffsets TFText>ByteSplitByOffsets TFText>ByteSplitWithOffsets TFText>FastSentencepieceDetokenize
    TFText>FastSentencepieceTokenize TFText>FastWordpieceDetokenize TFText>NgramsStringJoin TFText>OffsetsToBoiseTags
    TFText>PhraseDetokenize TFText>RoundRobinGenerateMasks TFText>RoundRobinTrim TFText>Utf8Binarize
    TFText>WhitespaceTokenizeWithOffsetsV2 TokenizerFromLogits UnicodeScriptTokenizeWithOffsets
    WhitespaceTokenizeWithOffsets WordpieceTokenizeWithOffsets
    Addons>AdjustHsvInYiq Addons>CorrelationCost Addons>EmbeddingBag Addons>EuclideanDistanceTransform Addons>GatherTree
    Addons>ImageConnectedComponents Addons>ParseTime Addons>Resampler Addons>SkipGramGenerateCandidates
    """.split()
)
"""Operations of packages that only compute, by their definitions in tensorflow-text 2.14 and tensorflow-addons 0.23.

They may run once the user imported the package or registered it. Not here: those that open files or connections, which are
most of tensorflow-io's, and the loading of a decision forest from a path.
"""


def packages_of(name: str, registered_name: str | None, module: str | None) -> tuple[Package, ...]:
    """The packages that an object may come from: by its registered name or its module one, by its name alone all."""
    prefix = (registered_name or "").partition(">")[0] if ">" in (registered_name or "") else None
    for package in PACKAGES:
        if prefix is not None and prefix in package.prefixes:
            return (package,)
        if module is not None and any(module == m or module.startswith(f"{m}.") for m in package.modules):
            return (package,)
    if prefix is not None or (module or "").split(".")[0] not in ("", "keras", "tf_keras", "tensorflow", "builtins"):
        return ()
    return tuple(p for p in PACKAGES if name in p.names)


def package_of_op(op: str) -> Package | None:
    """The package that registers an operation with TensorFlow; None for TensorFlow's own and unknown ones."""
    module = next((module for prefixes, module in OPERATIONS if op.startswith(prefixes)), None)
    return next((p for p in PACKAGES if p.module == module), None)


def installed(module: str) -> bool:
    """Whether a module of that name could be imported; nothing is imported for this."""
    if module in sys.modules:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def install_line(package: Package, tensorflow: str | None, flavour: str | None, *, layers: bool = True) -> str:
    """The pip line that fits the TensorFlow that runs here, and what to do then.

    Args:
        package: What is missing.
        tensorflow: TensorFlow's version here.
        flavour: The Keras that runs here; see `runtime.Runtime`.
        layers: Whether its layers are needed, which have to be of the Keras that runs; else its operations alone.
    """
    minor = ".".join((tensorflow or "").split(".")[:2])
    then = f'then safeload.register_module("{package.module}")'
    if not package.follows(minor):
        environment = environment_with(str(package.last), package.requirement(str(package.last)))
        instead = "pass the class in custom_objects=, or load the file in" if layers else "load the file in"
        return (
            f"{package.shown} has no release for TensorFlow {minor}, its last is for {package.last}: {instead} an environment "
            f"of its own: {environment.line}; {then}"
        )
    line = f'python -m pip install "{package.requirement(minor)}"'
    if layers and package.keras2 and flavour == "keras3":
        return (
            f'{line} "tf-keras=={minor}.*" and set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported, because its layers are '
            f"those of Keras 2; {then}"
        )
    return f"{line}; {then}"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in version.split(".") if n.isdigit())
