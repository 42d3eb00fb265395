"""Read an architecture without weights: `model.to_json()`, `model.to_yaml()` (Keras 1 and 2), or a config dict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.document import ModelDocument
from safeload.errors import CorruptedModelError, MissingDependencyError, UnsupportedFormatError
from safeload.formats.dialects import dialect_of, writer_of
from safeload.formats.texts import parse_json
from safeload.source import Source

__all__ = ["read"]


def read(source: Source) -> ModelDocument:
    """The document of an architecture.

    Raises:
        UnsupportedFormatError: It is JSON or YAML, but no Keras architecture.
        CorruptedModelError: It is neither.
    """
    if source.format == "config":
        config = source.extras["config"]
    else:
        assert source.data is not None
        text = source.data.read()
        config = (
            _yaml(text, source.path) if source.format == "yaml" else parse_json(text, path=source.path, where="model")
        )
    if not isinstance(config, Mapping) or "class_name" not in config or "config" not in config:
        raise UnsupportedFormatError(
            f"this is {source.format.upper()}, but no Keras architecture: it has no class_name and config",
            path=source.path,
            detected=source.format,
        )
    version, backend = config.get("keras_version"), config.get("backend")
    writer = writer_of(version if isinstance(version, str) else None, backend if isinstance(backend, str) else None)
    return ModelDocument(
        path=source.path,
        format=source.format,
        size=source.size,
        writer=writer,
        dialect=dialect_of(config, writer),
        architecture={k: v for k, v in config.items() if k not in ("keras_version", "backend", "compile_config")},
        training=config.get("compile_config") if isinstance(config.get("compile_config"), Mapping) else None,
    )


def _yaml(text: bytes, path: str | None) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise MissingDependencyError(
            "reading a YAML architecture needs PyYAML",
            path=path,
            hint="python -m pip install pyyaml",
            packages=("pyyaml",),
        ) from error

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Plain data, and the tuples that Keras 1 and 2 wrote with a Python tag."""

    Loader.add_constructor(
        "tag:yaml.org,2002:python/tuple", lambda loader, node: loader.construct_sequence(node, deep=True)
    )
    try:
        return yaml.load(text, Loader)  # a SafeLoader: plain data only
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CorruptedModelError(f"this is no YAML: {error}", path=path) from error
