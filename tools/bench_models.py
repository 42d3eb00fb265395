"""Make the models that tools/bench.py measures with: random weights from a fixed seed, nothing is downloaded.

    python tools/bench_models.py FOLDER [S,M,...]

Every variable, optimizer slots included, is filled with numbers that differ from its initial value, so that a loader
which skips one is caught by the comparison.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


def small(keras: Any) -> Any:
    layers = keras.layers
    hidden = [layers.Dense(24, activation="relu"), layers.BatchNormalization(), layers.Dense(16), layers.Dense(4)]
    model = keras.Sequential([keras.Input((16,)), *hidden], name="mlp")
    model.compile("adam", keras.losses.MeanSquaredError())
    return model


def mobilenet(keras: Any) -> Any:
    return keras.applications.MobileNetV2(weights=None)


def resnet(keras: Any) -> Any:
    return keras.applications.ResNet50(weights=None)


def resnet_trained(keras: Any) -> Any:
    model = resnet(keras)
    model.compile(keras.optimizers.Adam(), keras.losses.CategoricalCrossentropy())
    return model


def transformer(keras: Any) -> Any:
    layers, width = keras.layers, 192
    tokens = keras.Input((64,), dtype="int32", name="tokens")
    x = layers.Embedding(4000, width)(tokens)
    for _ in range(12):
        h = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(6, width // 6)(h, h)])
        h = layers.Dense(width)(layers.Dense(4 * width, activation="gelu")(layers.LayerNormalization()(x)))
        x = layers.Add()([x, h])
    model = keras.Model(tokens, layers.Dense(16)(layers.GlobalAveragePooling1D()(x)), name="transformer")
    model.compile(keras.optimizers.AdamW(), keras.losses.MeanSquaredError())
    return model


def wide(keras: Any) -> Any:
    x = first = keras.Input((4,))
    for _ in range(3000):
        x = keras.layers.Dense(4)(x)
    return keras.Model(first, x, name="many_layers")


MODELS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    # name: (what it is, format, how it is made)
    "S": ("MLP of 1,000 parameters", ".keras", small),
    "M": ("MobileNetV2", ".keras", mobilenet),
    "M.h5": ("MobileNetV2 as HDF5", ".h5", mobilenet),
    "L": ("ResNet50, 103 MB", ".keras", resnet),
    "D": ("ResNet50 with Adam's state, 308 MB", ".keras", resnet_trained),
    "A": ("transformer of 12 blocks with AdamW's state", ".keras", transformer),
    "W": ("3,000 layers", ".keras", wide),
}


def fill(variables: Any) -> None:
    """Numbers from a fixed seed into every variable."""
    import numpy as np

    numbers = np.random.default_rng(7)
    for variable in variables:
        shape = tuple(int(d) for d in variable.shape)
        if "seed" in variable.path:
            continue
        if variable.dtype.startswith("float"):
            variable.assign(numbers.random(shape, dtype="float32") * 0.05 + 0.001)
        else:
            variable.assign(numbers.integers(1, 100, size=shape))


def make(folder: Path, name: str) -> Path:
    """The file of a model; made where it is not there yet."""
    _, suffix, builder = MODELS[name]
    path = folder / f"{name.split('.')[0]}{suffix}"
    if not path.exists():
        import keras

        sys.setrecursionlimit(100_000)
        folder.mkdir(parents=True, exist_ok=True)
        model = builder(keras)
        fill(model.variables)
        if getattr(model, "optimizer", None) is not None:
            model.optimizer.build(model.trainable_variables)
            fill(model.optimizer.variables)
        model.save(path)
    return path


if __name__ == "__main__":
    for each in (sys.argv[2] if len(sys.argv) > 2 else ",".join(MODELS)).split(","):
        print(make(Path(sys.argv[1]), each))
