"""Train, stop, and go on from the last checkpoint with the optimizer's state.

    python examples/train_resume.py run/ --epochs 2
    python examples/train_resume.py run/ --epochs 4     # goes on at epoch 3

`safeload.load_model` takes the place of `tf.keras.models.load_model`; the newest checkpoint that is whole is used.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import safeload


def new_model():
    import tensorflow as tf

    tf.keras.utils.set_random_seed(0)  # every run starts from the same weights
    model = tf.keras.Sequential(
        [tf.keras.layers.Input((4,)), tf.keras.layers.Dense(8, activation="relu"), tf.keras.layers.Dense(1)]
    )
    model.compile(tf.keras.optimizers.Adam(0.01), "mse")
    return model


def data():
    x = np.random.default_rng(0).normal(size=(128, 4)).astype("float32")
    return x, x.sum(axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=4)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    checkpoints = sorted(arguments.folder.glob("epoch-*.keras"), reverse=True)
    start, model = 0, None
    if checkpoints:
        newest, *older = checkpoints
        model = safeload.load_model(newest, compile="strict", fallbacks=older)
        start = int(Path(model.safeload_report.path).stem.split("-")[1])
        print(f"resumed after epoch {start}, at step {int(model.optimizer.iterations)}")
    model = model or new_model()
    x, y = data()
    for epoch in range(start + 1, arguments.epochs + 1):
        loss = model.fit(x, y, batch_size=32, shuffle=False, verbose=0).history["loss"][-1]
        model.save(arguments.folder / f"epoch-{epoch:03d}.keras")
        print(f"epoch {epoch}: loss {loss:.4f}, step {int(model.optimizer.iterations)}")


if __name__ == "__main__":
    main()
