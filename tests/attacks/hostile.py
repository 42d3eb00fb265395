"""Files around a config, as each container holds one: what the attacks of this folder are made with."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Config = dict[str, Any]


def layer(name: str, module: str | None = None, /, **config: Any) -> Config:
    """A layer's entry: Keras 2's form, or Keras 3's where there is a module."""
    entry: Config = {"class_name": name, "config": {"name": name.lower().replace(">", "_"), **config}}
    if module is not None:
        entry |= {"module": module, "registered_name": None}
    return entry


def sequential(*layers: Config, shape: tuple[int | None, ...] = (None, 4)) -> Config:
    entry = {"class_name": "InputLayer", "config": {"name": "in", "batch_input_shape": list(shape), "dtype": "float32"}}
    return {"class_name": "Sequential", "config": {"name": "model", "layers": [entry, *layers]}}


def functional(calls: list[tuple[Config, list[Any]]], shape: tuple[int | None, ...] = (None, 4)) -> Config:
    """A functional model of Keras 3: each layer with its nodes, the last one's first output as the model's."""
    entry = {
        "module": "keras.layers", "class_name": "InputLayer", "registered_name": None, "name": "in", "inbound_nodes": [],
        "config": {"name": "in", "batch_shape": list(shape), "dtype": "float32"},
    }  # fmt: skip
    rows = [{**made, "name": made["config"]["name"], "inbound_nodes": nodes} for made, nodes in calls]
    inner = {
        "name": "model", "trainable": True, "layers": [entry, *rows], "input_layers": [["in", 0, 0]],
        "output_layers": [[rows[-1]["name"], 0, 0]],
    }  # fmt: skip
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": inner,
        "registered_name": "Functional",
    }


def tensor(name: str, *shape: int | None) -> Config:
    """A reference to the first output of a layer's first call."""
    config = {"shape": list(shape), "dtype": "float32", "keras_history": [name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def call(*args: Any, **kwargs: Any) -> Config:
    return {"args": list(args), "kwargs": kwargs}


def hdf5(path: Path, config: Any, training: Any = None, weights: Mapping[str, Mapping[str, Any]] | None = None) -> Path:
    """The HDF5 file of Keras 2 around a config. `weights`: layer -> name -> array."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.12.0"
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(config)
        if training is not None:
            file.attrs["training_config"] = json.dumps(training)
        _weights(file.create_group("model_weights"), weights or {})
    return path


def _weights(group: h5py.Group, weights: Mapping[str, Mapping[str, Any]]) -> None:
    group.attrs["layer_names"] = np.array([n.encode() for n in weights], "S64")
    for name, arrays in weights.items():
        inside = group.create_group(name)
        inside.attrs["weight_names"] = np.array([n.encode() for n in arrays], "S64")
        for key, value in arrays.items():
            inside.create_dataset(key, data=value)


def keras(path: Path, config: Any, *, members: Mapping[str, bytes] | None = None, version: str = "3.15.1") -> Path:
    """The `.keras` file around a config, with further members."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_group("layers")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version, "date_saved": "2026-01-01@00:00:00"}))
        archive.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        archive.writestr("model.weights.h5", buffer.getvalue())
        for name, data in (members or {}).items():
            archive.writestr(name, data)
    return path
