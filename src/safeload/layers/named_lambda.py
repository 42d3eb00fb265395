"""A Lambda over a function that was found by its name, where Keras 2 is installed.

Keras 2.13 on can't: `class_and_config_for_serialized_keras_object` puts registered functions in the place of their names,
and `Lambda.from_config` then takes the function for a config. It also takes the function from any loaded module that the
file names, which nothing here does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.layers.registration import registered
from safeload.runtime import detect, keras_module

__all__ = ["NamedLambda"]

keras: Any = keras_module(detect())


@registered
class NamedLambda(keras.layers.Layer):
    """Becomes an ordinary `Lambda` when it is built from its config."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The Lambda.

        Args:
            config: A Lambda's, with the function itself, its name, or an object that names it.

        Raises:
            ValueError: No function of that name is registered.
        """
        given = dict(config)
        function = given.pop("function")
        if isinstance(function, Mapping):
            function = function.get("registered_name") or function["config"]
        if isinstance(function, str):
            name, function = function, keras.utils.get_registered_object(function)
            function = function if callable(function) else keras.activations.get(name)
        return keras.layers.Lambda(function, **given)
