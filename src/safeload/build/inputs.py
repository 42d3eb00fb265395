"""Build a subclassed model from a SavedModel: its variables are made when it is first called.

Keras 2 stored what the model was called with: `full_save_spec` and `save_spec` (2.6 on), `build_input_shape`, and the
inputs of the serving signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.document import ModelDocument

__all__ = ["ensure_built"]

_SPATIAL = 32
"""Length of an unknown dimension of images: enough for a few poolings."""


def ensure_built(model: Any, document: ModelDocument) -> None:
    """Call a model that has no variables yet on zeros of the kind that it was saved with."""
    metadata = document.extras.get("keras_metadata")
    if metadata is None or (model.built and model.weights):
        return
    inputs = _inputs(metadata, document)
    if inputs is None:
        return
    if metadata.get("expects_training_arg"):
        model(inputs, training=False)
    else:
        model(inputs)


def _inputs(metadata: Mapping[str, Any], document: ModelDocument) -> Any:
    spec = metadata.get("save_spec")
    if spec is not None:
        return _of_spec(spec)
    signatures = document.extras["signatures"]
    signature = signatures.get("serving_default") or next(iter(signatures.values()), None)
    if signature is not None and signature.inputs:
        tensors = {name: _zeros(t.shape, t.dtype) for name, t in signature.inputs.items() if t.kind == "dense"}
        if len(tensors) == 1:
            return next(iter(tensors.values()))
        # Keras calls the members of a list `input_1`, `input_2` ...; other names are a dict's keys.
        numbers = {name: name.removeprefix("input_") for name in tensors}
        if all(n.isdigit() for n in numbers.values()):
            return [tensors[name] for name in sorted(tensors, key=lambda name: int(numbers[name]))]
        return tensors or None
    shape = metadata.get("build_input_shape")
    return _zeros(tuple(shape), "float32") if isinstance(shape, list) and all(_is_size(d) for d in shape) else None


def _is_size(value: Any) -> bool:
    return value is None or isinstance(value, int)


def _of_spec(spec: Any) -> Any:
    """Zeros for a stored TensorSpec, or for lists and dicts of them."""
    if isinstance(spec, Mapping) and spec.get("class_name") == "TypeSpec":
        serialized = spec.get("serialized")
        if isinstance(serialized, list) and len(serialized) >= 2 and isinstance(serialized[0], list):
            return _zeros(tuple(serialized[0]), str(serialized[1]))
        return None
    if isinstance(spec, Mapping):
        return {name: _of_spec(value) for name, value in spec.items()}
    if isinstance(spec, list):
        return [_of_spec(value) for value in spec]
    return None


def _zeros(shape: tuple[int | None, ...] | None, dtype: str) -> Any:
    import tensorflow as tf

    known = shape or (1,)
    sizes = [d if d is not None else (1 if i == 0 or len(known) < 4 else _SPATIAL) for i, d in enumerate(known)]
    return tf.fill(sizes, "") if dtype == "string" else tf.zeros(sizes, tf.dtypes.as_dtype(dtype))
