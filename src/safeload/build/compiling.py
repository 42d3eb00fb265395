"""Compile: the stored training config, as far as it can be had.

Keras' own way back (`compile_from_config`, or the legacy reader of HDF5 files) gives up on strings in old files and on
several outputs; so the pieces are made here and `compile` is called with them. A model class that has its own `compile`
or `compile_from_config` is left to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from safeload.build.emit import Resolver, emit
from safeload.build.model import deserializer
from safeload.document import ModelDocument
from safeload.errors import VersionMismatchError

__all__ = ["compile_model"]

_PIECES = frozenset({"optimizer", "loss", "loss_weights", "metrics", "weighted_metrics"})
_SETTINGS = ("run_eagerly", "steps_per_execution", "jit_compile")
"""Arguments of `compile` that are plain values; only the same Keras means the same by them."""

_BESIDE = frozenset({*_PIECES, *_SETTINGS, "sample_weight_mode", "auto_scale_loss"})


def compile_model(model: Any, document: ModelDocument, resolver: Resolver, keras: ModuleType, *, plain: bool) -> bool:
    """Compile a model as it was when it was saved; False when it was not compiled then.

    Call it inside `scopes.building`.

    Raises:
        Exception: Whatever Keras raises for an optimizer, loss or metric that can't be had.
    """
    training = document.training
    if not training:
        return False
    config = emit(training, resolver, "training", plain=plain)
    if _has_its_own(model) or set(config) - _BESIDE:
        model.compile_from_config(config)
        return True
    if config.get("optimizer") is None:
        raise VersionMismatchError(
            "the file does not say which optimizer it was compiled with",
            where="training.optimizer",
            hint="compile the model; Keras 3 forgets the optimizer of a model that was saved as HDF5 before",
        )
    arguments: dict[str, Any] = {"optimizer": _optimizer(keras, config["optimizer"])}
    if config.get("loss") is not None:
        arguments["loss"] = _each(config["loss"], lambda c: _loss(keras, c))
    for name in ("metrics", "weighted_metrics"):
        if config.get(name):
            arguments[name] = _for_outputs(_each(config[name], lambda c: _metric(keras, c)), model, document, plain)
    if config.get("loss_weights") is not None:
        arguments["loss_weights"] = config["loss_weights"]
    if _same_keras(document, plain):
        arguments |= {k: config[k] for k in _SETTINGS if config.get(k) is not None}
    model.compile(**arguments)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and model.built and hasattr(optimizer, "build"):
        optimizer.build(model.trainable_variables)
    return True


def _has_its_own(model: Any) -> bool:
    """Whether the model's class compiles in its own way."""
    if not hasattr(model, "compile_from_config"):
        return False
    methods = (getattr(type(model), name, None) for name in ("compile", "compile_from_config"))
    return any(str(getattr(m, "__module__", "keras")).split(".")[0] not in ("keras", "tf_keras") for m in methods if m)


def _same_keras(document: ModelDocument, plain: bool) -> bool:
    return (document.writer.version[0] >= 3) is not plain


def _each(config: Any, deserialize: Callable[[Any], Any]) -> Any:
    if isinstance(config, str) or (isinstance(config, Mapping) and "class_name" in config):
        return deserialize(config)
    if isinstance(config, Mapping):
        return {k: _each(v, deserialize) for k, v in config.items()}
    if isinstance(config, list | tuple):
        return [_each(v, deserialize) for v in config]
    return config


def _optimizer(keras: ModuleType, config: Any) -> Any:
    """By the general deserializer where the node has a module: Keras 2's own for optimizers knows but half of them."""
    return _deserialized(keras, config) if "module" in config else keras.optimizers.get(config)


def _deserialized(keras: ModuleType, config: Mapping[str, Any]) -> Any:
    return deserializer(keras)(config)


def _loss(keras: ModuleType, config: Any) -> Any:
    """A loss; Keras' own names stay names, which `compile` takes."""
    if isinstance(config, str):
        return config
    return _deserialized(keras, config) if "module" in config else keras.losses.deserialize(config)


def _metric(keras: ModuleType, config: Any) -> Any:
    if isinstance(config, str):
        return config
    return _deserialized(keras, config) if "module" in config else keras.metrics.deserialize(config)


def _for_outputs(metrics: Any, model: Any, document: ModelDocument, plain: bool) -> Any:
    """Metrics as this Keras takes them where there are several outputs.

    A flat list stood for every output in Keras 2; Keras 3 takes it for one entry by output. Keras 2 also puts the
    output's name before each metric's, and stores it so.
    """
    names = list(getattr(model, "output_names", None) or ())
    if document.writer.version[0] >= 3 or len(names) < 2:
        return metrics
    if isinstance(metrics, list) and not any(isinstance(m, list | tuple | dict) for m in metrics):
        return metrics if plain else [list(metrics) for _ in names]
    if isinstance(metrics, list) and len(metrics) == len(names):
        for name, mine in zip(names, metrics, strict=True):
            for metric in mine if isinstance(mine, list) else [mine]:
                _without_prefix(metric, f"{name}_")
    return metrics


def _without_prefix(metric: Any, prefix: str) -> None:
    stored = getattr(metric, "name", None)
    if isinstance(stored, str) and stored.startswith(prefix) and len(stored) > len(prefix):
        attribute = "_name" if hasattr(metric, "_name") else "name"
        setattr(metric, attribute, stored.removeprefix(prefix))
