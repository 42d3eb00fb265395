"""Compile: the stored training config, as far as it can be had."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from safeload.build.emit import Resolver, emit
from safeload.document import ModelDocument

__all__ = ["compile_model"]

_PLAIN_METRICS = frozenset({"accuracy", "acc", "crossentropy", "ce"})
"""Names that `compile` itself resolves by the output's shape; they must stay strings."""


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
    if "optimizer_config" not in training and document.layout == "keras-v3" and hasattr(model, "compile_from_config"):
        model.compile_from_config(config)
        return True
    arguments: dict[str, Any] = {"optimizer": keras.optimizers.get(config["optimizer"])}
    if config.get("loss") is not None:
        arguments["loss"] = _nested(config["loss"], lambda c: _loss(keras, c))
    for name in ("metrics", "weighted_metrics"):
        if config.get(name) is not None:
            arguments[name] = _nested(config[name], lambda c: _metric(keras, c))
    if config.get("loss_weights") is not None:
        arguments["loss_weights"] = config["loss_weights"]
    model.compile(**arguments)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and model.built and hasattr(optimizer, "build"):
        optimizer.build(model.trainable_variables)
    return True


def _nested(config: Any, deserialize: Any) -> Any:
    if isinstance(config, str) or (isinstance(config, Mapping) and "class_name" in config):
        return deserialize(config)
    if isinstance(config, Mapping):
        return {k: _nested(v, deserialize) for k, v in config.items()}
    if isinstance(config, list | tuple):
        return [_nested(v, deserialize) for v in config]
    return config


def _loss(keras: ModuleType, config: Any) -> Any:
    return keras.losses.get(config) if isinstance(config, str) else keras.losses.deserialize(config)


def _metric(keras: ModuleType, config: Any) -> Any:
    if isinstance(config, str) and config in _PLAIN_METRICS:
        return config
    return keras.metrics.get(config) if isinstance(config, str) else keras.metrics.deserialize(config)
