"""Read an architecture without weights: `model.to_json()`, `model.to_yaml()` (Keras 1 and 2), or a config dict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.document import ModelDocument
from safeload.errors import CorruptedModelError, UnsupportedFormatError
from safeload.formats.dialects import dialect_of, writer_of
from safeload.formats.texts import MAX_TEXT, parse_json, parse_yaml
from safeload.source import Source

__all__ = ["read"]

_OTHERS: tuple[tuple[str, str, str, str], ...] = (
    # key, detected, what it is, what to do
    ("modelTopology", "tfjs", "a model of TensorFlow.js",
     "tensorflowjs_converter --input_format=tfjs_layers_model --output_format=keras model.json model.h5"),
    ("weightsManifest", "tfjs", "a model of TensorFlow.js",
     "tensorflowjs_converter --input_format=tfjs_layers_model --output_format=keras model.json model.h5"),
    ("model_type", "transformers", "the config of a model of transformers",
     "transformers.TFAutoModel.from_pretrained(folder)"),
    ("architectures", "transformers", "the config of a model of transformers",
     "transformers.TFAutoModel.from_pretrained(folder)"),
    ("image_data_format", "keras-json", "Keras' own settings (keras.json)", "that is no model"),
    ("keras_version", "keras-metadata", "the metadata.json of a Keras archive", "give the archive or its folder"),
    ("loss", "history", "a training history", "the model lies elsewhere"),
    ("message", "error-message", "a server's answer", "the download failed: open it in an editor"),
    ("error", "error-message", "a server's answer", "the download failed: open it in an editor"),
    ("cells", "notebook", "a Jupyter notebook", "run it to make the model"),
    ("imagenet_class_index", "json", "JSON", "that is no model"),
)  # fmt: skip
"""What else JSON files are that people give: by a key that they have."""


def read(source: Source) -> ModelDocument:
    """The document of an architecture.

    Raises:
        UnsupportedFormatError: It is JSON or YAML, but no Keras architecture; says what it is.
        CorruptedModelError: It is neither.
    """
    config = _config(source)
    if not isinstance(config, Mapping) or "class_name" not in config or "config" not in config:
        raise _no_architecture(config, source)
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


def _config(source: Source) -> Any:
    if source.format == "config":
        return source.extras["config"]
    assert source.data is not None
    if source.data.size > MAX_TEXT:
        raise CorruptedModelError(f"a text of {source.data.size:,} bytes is no architecture", path=source.path)
    text = source.data.read()
    if source.format == "yaml":
        return parse_yaml(text, path=source.path)
    config = parse_json(text, path=source.path, where="the file")
    # An object in a text in a text: `json.dump(model.to_json(), file)`.
    return parse_json(config, path=source.path, where="the file") if isinstance(config, str) else config


def _no_architecture(config: Any, source: Source) -> UnsupportedFormatError:
    name = "a dict" if source.format == "config" else source.format.upper()
    keys = set(config) if isinstance(config, Mapping) else set()
    for key, detected, what, hint in _OTHERS:
        if key in keys and not {"layers", "class_name"} & keys:
            return UnsupportedFormatError(
                f"this is {what}, no Keras architecture", path=source.path, detected=detected, hint=hint
            )
    if "layers" in keys:  # what model.get_config() gives
        hint = 'give the class as well: {"class_name": "Functional", "config": ...}, or model.to_json()'
    else:
        hint = "an architecture is what model.to_json() gives: class_name and config"
    return UnsupportedFormatError(
        f"this is {name}, but no Keras architecture: it has no class_name and config",
        path=source.path,
        detected=source.format,
        hint=hint,
    )
