"""Losses and metrics of every era by the names and arguments of the Keras that is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from safeload.document import Writer
from safeload.repairs.training.optimizers import Refused

__all__ = ["repaired_losses", "repaired_metrics"]

_LOSSES = {
    # Names of functions that are gone, or that one of the two Kerases has alone.
    "keras3": {
        "cosine_proximity": "cosine_similarity",
        "cosine": "cosine_similarity",
        "kullback_leibler_divergence": "kl_divergence",
        "logcosh": "log_cosh",
        "huber_loss": "huber",
    },
    "keras2": {"cosine_proximity": "cosine_similarity", "cosine": "cosine_similarity", "huber_loss": "huber"},
}

_METRICS = {
    "keras3": {
        "kullback_leibler_divergence": "kl_divergence",
        "kld": "kl_divergence",
        "logcosh": "log_cosh_error",
        "log_cosh": "log_cosh_error",
        "cosine": "cosine_similarity",
    },
    "keras2": {"log_cosh": "logcosh"},
}

_CLASS_OF_FUNCTION = {
    # Keras 3's class for the function that a MeanMetricWrapper of Keras 2 wraps.
    "binary_accuracy": "BinaryAccuracy",
    "categorical_accuracy": "CategoricalAccuracy",
    "sparse_categorical_accuracy": "SparseCategoricalAccuracy",
    "top_k_categorical_accuracy": "TopKCategoricalAccuracy",
    "sparse_top_k_categorical_accuracy": "SparseTopKCategoricalAccuracy",
    "mean_squared_error": "MeanSquaredError",
    "mse": "MeanSquaredError",
    "mean_absolute_error": "MeanAbsoluteError",
    "mae": "MeanAbsoluteError",
    "mean_absolute_percentage_error": "MeanAbsolutePercentageError",
    "mape": "MeanAbsolutePercentageError",
    "mean_squared_logarithmic_error": "MeanSquaredLogarithmicError",
    "msle": "MeanSquaredLogarithmicError",
    "binary_crossentropy": "BinaryCrossentropy",
    "bce": "BinaryCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
    "kl_divergence": "KLDivergence",
    "kld": "KLDivergence",
    "kullback_leibler_divergence": "KLDivergence",
    "poisson": "Poisson",
    "hinge": "Hinge",
    "squared_hinge": "SquaredHinge",
    "categorical_hinge": "CategoricalHinge",
    "cosine_similarity": "CosineSimilarity",
    "cosine_proximity": "CosineSimilarity",
    "log_cosh": "LogCoshError",
    "logcosh": "LogCoshError",
}

_WRAPPERS = frozenset({"MeanMetricWrapper", "LossFunctionWrapper", "SumOverBatchSizeMetricWrapper"})
_REDUCTIONS = {
    "keras3": {"auto": "sum_over_batch_size", "sum_over_nonzero_weights": "sum_over_batch_size"},
    "keras2": {},
}
_RENAMED = {"keras3": {"LogCosh": "LogCosh", "KLD": "KLDivergence"}, "keras2": {}}


_SUMMED_SINCE = (2, 0, 9)
"""`cosine_proximity` took the mean over the last axis before, the sum since (keras/losses.py)."""


def repaired_losses(value: Any, writer: Writer, dialect: str) -> Any:
    """The `loss` of a training config, of whatever structure.

    Raises:
        Refused: A loss has no equal here.
    """

    def leaf(node: Any) -> Any:
        if isinstance(node, str):
            if node in ("cosine_proximity", "cosine") and (0,) < writer.version < _SUMMED_SINCE:
                return _mean_cosine()
            return _LOSSES[dialect].get(node, node)
        return _loss(node, writer, dialect)

    return _each(value, leaf)


def repaired_metrics(value: Any, writer: Writer, dialect: str) -> Any:
    """The `metrics` or `weighted_metrics` of a training config."""

    def leaf(node: Any) -> Any:
        if isinstance(node, str):
            return _metric_name(node, writer, dialect)
        return _metric(node, writer, dialect)

    return _each(value, leaf)


def _each(value: Any, leaf: Callable[[Any], Any]) -> Any:
    if isinstance(value, str) or (isinstance(value, Mapping) and "class_name" in value):
        return leaf(value)
    if isinstance(value, Mapping):
        return {k: _each(v, leaf) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_each(v, leaf) for v in value]
    return value


def _own_function(name: str) -> dict[str, Any]:
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": f"safeload>{name}"}


def _mean_cosine() -> dict[str, Any]:
    return _own_function("mean_cosine_proximity")


def _metric_name(name: str, writer: Writer, dialect: str) -> Any:
    if name in ("cosine_proximity", "cosine"):
        # As a metric it was the loss itself, negative, outside TensorFlow until Keras 2.3; then it became positive.
        if (0,) < writer.version < _SUMMED_SINCE:
            return _mean_cosine()
        outside = not writer.is_tf_keras and (2,) <= writer.version < (2, 3)
        return _own_function("negative_cosine_proximity") if outside else "cosine_similarity"
    return _METRICS[dialect].get(name, name)


def _loss(node: Mapping[str, Any], writer: Writer, dialect: str) -> Any:
    if node.get("class_name") == "function" or not isinstance(node.get("config"), Mapping):
        return node
    config = dict(node["config"])
    name = str(node["class_name"])
    if name in _WRAPPERS:
        return _unwrapped(node, lambda f: repaired_losses(f, writer, dialect))
    if not _is_keras(node):
        return node
    config.pop("fn", None)  # Keras 2 repeats the name of the function that the class wraps
    return {
        **node,
        "class_name": _RENAMED[dialect].get(name, name),
        "config": _reduced(config, name, writer, dialect),
    }


def _reduced(config: dict[str, Any], name: str, writer: Writer, dialect: str) -> dict[str, Any]:
    reduction = config.get("reduction")
    if isinstance(reduction, str):
        config["reduction"] = _REDUCTIONS[dialect].get(reduction, reduction)
    if dialect == "keras2" and writer.version[0] >= 3:
        config.pop("dtype", None)
        if config.get("reduction") == "mean_with_sample_weight":
            raise Refused(f"the loss {name} with the reduction mean_with_sample_weight")
        if config.get("reduction") == "mean":
            config["reduction"] = "sum_over_batch_size"
        if config.get("reduction") is None and "reduction" in config:
            config["reduction"] = "none"
    return config


def _metric(node: Mapping[str, Any], writer: Writer, dialect: str) -> Any:
    if node.get("class_name") == "function" or not isinstance(node.get("config"), Mapping):
        return node
    config = dict(node["config"])
    if str(node["class_name"]) not in _WRAPPERS:
        if not _is_keras(node):
            return node
        if dialect == "keras3":
            config.pop("fn", None)
        return {**node, "config": config}
    function = config.get("fn")
    if isinstance(function, Mapping) and function.get("class_name") == "function" and _is_keras_function(function):
        function = function["config"]  # Keras 3 would get the bare name, which it doesn't look up here
    if not isinstance(function, str):
        return node
    cls = _CLASS_OF_FUNCTION.get(function)
    if cls is None:
        return _unwrapped(node, lambda f: repaired_metrics(f, writer, dialect))
    if dialect == "keras2":
        return node
    kept = {k: v for k, v in config.items() if k in ("name", "dtype")}
    made: dict[str, Any] = {"class_name": cls, "config": kept}
    return {"module": "keras.metrics", "registered_name": None, **made} if "module" in node else made


def _unwrapped(node: Mapping[str, Any], of_name: Callable[[str], Any]) -> Any:
    """A function that a wrapper names, as itself: `compile` wraps it again."""
    function = node["config"].get("fn")
    if isinstance(function, Mapping) and function.get("class_name") == "function":
        return function
    return of_name(function) if isinstance(function, str) else node


def _is_keras_function(node: Mapping[str, Any]) -> bool:
    registered = node.get("registered_name")
    return isinstance(node.get("config"), str) and registered in (None, "function", node["config"])


def _is_keras(node: Mapping[str, Any]) -> bool:
    module = str(node.get("module") or "keras").split(".")[0]
    registered = str(node.get("registered_name") or "")
    return (
        module in ("keras", "tf_keras", "tensorflow") and ">" not in registered and ">" not in str(node["class_name"])
    )
