"""load_model, inspect and check: the flow written out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

__all__ = ["load_model"]


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool | str = True,
    safe_mode: bool = True,
    *,
    weights: Any = None,
    repair: str = "auto",
    saved_backend: str | None = None,
    device: str = "auto",
) -> Any:
    from safeload import build as building
    from safeload import formats, repairs
    from safeload.build.resolving import NaiveResolver
    from safeload.build.scopes import building as scope
    from safeload.fill import fill
    from safeload.fill.optimizer import fill_optimizer
    from safeload.runtime import detect, keras_module
    from safeload.source import open_source

    runtime = detect()
    with open_source(filepath) as source:
        original = formats.read(source)
        document = original
        if repair == "auto":
            document = repairs.repair(document, runtime, saved_backend=saved_backend, device=device)
        keras = keras_module(runtime)
        resolver = NaiveResolver(keras, custom_objects or {})
        with scope(keras, resolver.custom_objects, safe_mode=safe_mode):
            model = building.build(document, resolver, runtime, keras, allow_lambda=not safe_mode)
            if compile:
                building.compile_model(model, document, resolver, keras, plain=runtime.dialect == "keras2")
            fill(model, document, original)
            if compile:
                lost = fill_optimizer(model, document)
                if lost:
                    warnings.warn(lost, stacklevel=2)
    return model
