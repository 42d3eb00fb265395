"""The story in under a minute, on real files: `make demo` runs it.

1. A model with a custom layer is trained and saved as .h5, .keras and SavedModel.
2. Each is loaded in a fresh process, where the layer is found by itself in a registered module.
3. A file of an old Keras that the bare call refuses is loaded, with the old numbers.
4. The pre-flight report, and the exceptions for a truncated file and for a missing custom object.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HERE = Path(__file__).resolve().parent
OLD_FILE = HERE.parent / "tests" / "fixtures" / "tf24" / "nested.h5"
"""Written by TensorFlow 2.4: a convolutional model of the kind that Teachable Machine exports."""

LOAD = """
import os, sys
import numpy as np
import safeload

safeload.register_module("my_layers")
model = safeload.load_model(sys.argv[1])
x = np.load(sys.argv[2])
y = model.predict(x, verbose=0)
y = y if isinstance(y, np.ndarray) else next(iter(y.values()))
print("same numbers:", bool(np.allclose(y, np.load(sys.argv[3]), atol=1e-6)))
"""


def title(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def show(text: object) -> None:
    print(textwrap.indent(str(text), "    "), flush=True)


def train(folder: Path) -> list[Path]:
    """Train a small model with a custom layer, and save it in every format."""
    import numpy as np
    import tensorflow as tf
    from my_layers import Scale

    tf.keras.utils.set_random_seed(0)
    layers = [tf.keras.layers.Dense(8, activation="relu"), Scale(0.5), tf.keras.layers.Dense(1)]
    model = tf.keras.Sequential([tf.keras.layers.Input((4,)), *layers])
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    model.fit(x, x.sum(axis=1, keepdims=True), epochs=2, verbose=0)
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", model.predict(x, verbose=0))
    paths = [folder / "model.keras", folder / "model.h5", folder / "model.savedmodel"]
    model.save(paths[0])
    model.save(paths[1])
    if hasattr(tf.keras, "ops"):  # Keras 3 writes SavedModels by `export`
        model.export(paths[2], verbose=False)
    else:
        model.save(paths[2])
    return paths


def load_in_fresh_process(path: Path, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", LOAD, str(path), str(folder / "x.npy"), str(folder / "y.npy")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.strip()


def bare_error(path: Path) -> str:
    """What the bare call says to a file."""
    import tensorflow as tf

    try:
        tf.keras.models.load_model(path)
    except Exception as error:  # whatever it is: we show it
        return f"{type(error).__name__}: {' '.join(str(error).split())[:160]} ..."
    return "it loads"


def main() -> None:
    import safeload

    folder = Path(tempfile.mkdtemp(prefix="safeload-demo-"))
    try:
        title("1. Train a model with a custom layer; save it as .keras, .h5 and SavedModel")
        sys.path.insert(0, str(HERE))
        paths = train(folder)
        show("\n".join(p.name for p in paths))

        title("2. Load each in a fresh process: the layer is found in the registered module")
        for path in paths:
            show(f"{path.name:18} {load_in_fresh_process(path, folder)}")

        title("3. A file of TensorFlow 2.4")
        show(f"tf.keras.models.load_model:  {bare_error(OLD_FILE)}")
        import numpy as np

        model = safeload.load_model(OLD_FILE)
        with np.load(OLD_FILE.with_suffix(".npz")) as recorded:
            difference = float(np.abs(model.predict(recorded["in_0"], verbose=0) - recorded["out_0"]).max())
        show(f"safeload.load_model:         loaded; largest difference to TensorFlow 2.4's own output {difference:.1e}")

        title("4. The pre-flight report, without importing TensorFlow")
        show(safeload.check(OLD_FILE))

        title("5. A truncated copy")
        broken = folder / "broken.h5"
        broken.write_bytes(OLD_FILE.read_bytes()[:20_000])
        try:
            safeload.load_model(broken)
        except safeload.CorruptedModelError as error:
            show(error)

        title("6. A custom object that is nowhere to be found")
        try:
            safeload.load_model(custom_model_without_class(folder))
        except safeload.MissingCustomObjectError as error:
            show(error)
            show(f"error.missing == {error.missing}")
    finally:
        shutil.rmtree(folder)


def custom_model_without_class(folder: Path) -> Path:
    """A copy of the .keras file whose layer has another name: as if its class had not been registered."""
    import zipfile

    path = folder / "unknown.keras"
    with zipfile.ZipFile(folder / "model.keras") as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data.replace(b'"Scale"', b'"Gate"') if name == "config.json" else data)
    return path


if __name__ == "__main__":
    main()
