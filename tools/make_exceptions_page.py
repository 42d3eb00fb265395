"""Write docs/exceptions.md: every exception with the message of a real call, and the remedy that its hint names.

    python tools/make_exceptions_page.py            # write the page
    python tools/make_exceptions_page.py --check    # exit 1 where the page is not what the calls say

Each scenario makes its files in an empty folder, calls safeload, and has the remedy as a call where one can be made
here; tests/test_exceptions_page.py runs them all.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "exceptions.md"
FIXTURES = ROOT / "tests" / "fixtures"
SCALE = (ROOT / "examples" / "my_layers.py").read_text(encoding="utf-8")
PYTHON_27 = b"c" + b"\1\0\0\0" * 4 + b"s\x08\0\0\0" + b"|\0\0d\1\0\x14S" + bytes(20)


@dataclass(frozen=True)
class Scenario:
    """One exception: how it comes about, and what to do.

    Attributes:
        name: Of the exception.
        shown: The call, as the page shows it.
        prepare: Makes the files, in the current directory.
        call: Raises it.
        advice: What to do, in a sentence.
        remedy: Does it; None where that can't be done here.
    """

    name: str
    shown: str
    prepare: Callable[[], None]
    call: Callable[[], Any]
    advice: str
    remedy: Callable[[], Any] | None = None


def load(*args: Any, **kwargs: Any) -> Any:
    import safeload

    return safeload.load_model(*args, **kwargs)


def fixture(source: str, target: str, size: int | None = None) -> Callable[[], None]:
    return lambda: void(Path(target).write_bytes((FIXTURES / source).read_bytes()[:size]))


def void(_: Any) -> None:
    """For lambdas whose value doesn't matter."""


def text(name: str, content: str) -> Callable[[], None]:
    return lambda: void(Path(name).write_text(content, encoding="utf-8"))


def both(*steps: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        for step in steps:
            step()

    return run


def sequential(*layers: dict[str, Any]) -> str:
    return json.dumps({"class_name": "Sequential", "config": {"name": "model", "layers": list(layers)}})


def weights_and_architecture() -> None:
    """A model's weights and its architecture as two files, as `save_weights` and `to_json` write them."""
    import h5py

    with h5py.File(FIXTURES / "k315" / "mlp.h5", "r") as whole, h5py.File("mlp.weights.h5", "w") as apart:
        Path("mlp.json").write_text(str(whole.attrs["model_config"]), encoding="utf-8")
        for name in whole["model_weights"]:
            whole.copy(whole["model_weights"][name], apart)
        apart.attrs.update(whole["model_weights"].attrs)


def lambda_model() -> None:
    import keras

    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x * int(str(2)), name="double")]).save(
        "model.keras"
    )


def custom_model() -> None:
    text("my_layers.py", SCALE)()
    import importlib

    import keras

    importlib.invalidate_caches()
    layers = importlib.import_module("my_layers")
    keras.Sequential([keras.Input((2,)), layers.Scale(name="scale")]).save("model.keras")
    del sys.modules["my_layers"]


def with_module() -> Any:
    import safeload

    with safeload.modules("my_layers"):
        return load("model.keras")


def two_modules() -> Any:
    import safeload

    with safeload.modules("our_layers", "their_layers"):
        return load("model.keras")


def chosen() -> Any:
    import importlib

    import safeload

    with safeload.modules("our_layers", "their_layers"):
        return load("model.keras", custom_objects={"Scale": importlib.import_module("our_layers").Scale})


def right_class() -> Any:
    import importlib

    return load("model.keras", custom_objects={"Scale": importlib.import_module("my_layers").Scale})


def other_class() -> Any:
    import keras

    class Scale(keras.layers.Layer):
        def __init__(self, rate):
            super().__init__()

    return load("model.keras", custom_objects={"Scale": Scale})


def failing_class() -> Any:
    import keras

    class Scale(keras.layers.Layer):
        def __init__(self, initial=1.0, **kwargs):
            super().__init__(**kwargs)
            raise RuntimeError("no licence for this layer")

    return load("model.keras", custom_objects={"Scale": Scale})


def gpu_class() -> Any:
    import keras
    import tensorflow as tf

    class Scale(keras.layers.Layer):
        def __init__(self, initial=1.0, **kwargs):
            super().__init__(**kwargs)
            x = tf.zeros((1, 1, 1))
            tf.raw_ops.CudnnRNN(input=x, input_h=x, input_c=x, params=tf.zeros((8,)))

    return load("model.keras", custom_objects={"Scale": Scale})


def enormous() -> None:
    """512 GB of weights, in a file that takes up a few kilobytes of the disk."""
    import h5py
    import numpy as np

    with h5py.File("huge.weights.h5", "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        group = file.create_group("dense/dense")
        space = h5py.h5s.create_simple((1 << 20, 1 << 17))
        h5py.h5d.create(group.id, b"kernel:0", h5py.h5t.IEEE_F32LE, space, plist)
        file.attrs["layer_names"] = np.array([b"dense"])
        file["dense"].attrs["weight_names"] = np.array([b"dense/kernel:0"])
    layer = {"class_name": "Dense", "config": {"name": "dense", "units": 1 << 17, "use_bias": False}}
    text("huge.json", sequential(layer))()


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 257557808\n"
HUB = {"class_name": "KerasLayer", "config": {"name": "embedding", "handle": "https://tfhub.dev/google/nnlm/1"}}
JAX = {"class_name": "JaxLayer", "module": "keras.layers", "registered_name": None, "config": {"name": "mlp"}}
OLD_LAMBDA = {
    "class_name": "Lambda",
    "config": {"name": "double", "function": [base64.b64encode(PYTHON_27).decode(), None, None],
               "function_type": "lambda"},
}  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "ModelNotFoundError", 'safeload.load_model("modle.h5")', fixture("k315/mlp.h5", "model.h5"),
        lambda: load("modle.h5"), "Load the one that was meant; `similar` has the names.", lambda: load("model.h5"),
    ),
    Scenario(
        "ModelAccessError", 'safeload.load_model("model.h5")  # a link to itself',
        both(lambda: os.symlink("model.h5", "model.h5"), fixture("k315/mlp.h5", "copy.h5")),
        lambda: load("model.h5"), "Mend the link, or the permissions, or load a copy.", lambda: load("copy.h5"),
    ),
    Scenario(
        "UnsupportedFormatError", 'safeload.load_model("model.h5")', text("model.h5", POINTER),
        lambda: load("model.h5"), "Here: `git lfs pull`. `detected` says what it is for some forty kinds of file.",
    ),
    Scenario(
        "CorruptedModelError", 'safeload.load_model("model.h5")',
        both(fixture("k315/mlp.h5", "model.h5", 9000), fixture("k315/mlp.h5", "backup.h5")),
        lambda: load("model.h5"), "Get the file again; or give a backup: `fallbacks=[\"backup.h5\"]`.",
        lambda: load("model.h5", fallbacks=["backup.h5"]),
    ),
    Scenario(
        "WeightsOnlyError", 'safeload.load_model("mlp.weights.h5")', weights_and_architecture,
        lambda: load("mlp.weights.h5"), "Give both: the hint has the line.",
        lambda: load("mlp.json", weights="mlp.weights.h5"),
    ),
    Scenario(
        "UnsafeModelError", 'safeload.load_model("model.keras")', lambda_model,
        lambda: load("model.keras"), "If you trust the file's author: `safe_mode=False`.",
        lambda: load("model.keras", safe_mode=False),
    ),
    Scenario(
        "MissingDependencyError", 'safeload.load_model("model.json", weights="w.h5")',
        both(text("model.json", sequential(HUB)), fixture("k315/mlp.h5", "w.h5")),
        lambda: load("model.json", weights="w.h5"), "Install what `packages` names.",
    ),
    Scenario(
        "BackendMismatchError", 'safeload.load_model("model.json", weights="w.h5")',
        both(text("model.json", sequential(JAX)), fixture("k315/mlp.h5", "w.h5")),
        lambda: load("model.json", weights="w.h5"),
        "Load it where that backend is. For files of Keras 1 that don't say who wrote them, the same exception asks for "
        "`saved_backend=`.",
    ),
    Scenario(
        "VersionMismatchError", 'safeload.load_model("model.json", weights="w.h5", safe_mode=False)',
        both(text("model.json", sequential(OLD_LAMBDA)), fixture("k315/mlp.h5", "w.h5")),
        lambda: load("model.json", weights="w.h5", safe_mode=False),
        "Load the file where it was written: for a file that says its Keras, the hint has the line that installs it.",
    ),
    Scenario(
        "AmbiguousCustomObjectError",
        'safeload.register_module("our_layers")\nsafeload.register_module("their_layers")\nsafeload.load_model("model.keras")',
        both(custom_model, text("our_layers.py", SCALE), text("their_layers.py", SCALE)), two_modules, "Pass the right one.", chosen,
    ),
    Scenario(
        "MissingCustomObjectError", 'safeload.load_model("model.keras")', custom_model,
        lambda: load("model.keras"), "Register the module that defines it; the hint says where it seems to be.",
        with_module,
    ),
    Scenario(
        "CustomObjectMismatchError", 'safeload.load_model("model.keras", custom_objects={"Scale": Scale})', custom_model,
        other_class, "Pass the class as it was when the model was saved.", right_class,
    ),
    Scenario(
        "WeightsMismatchError", 'safeload.load_model("mlp.json", weights="other.h5")',
        both(weights_and_architecture, fixture("k315/cnn.h5", "other.h5")),
        lambda: load("mlp.json", weights="other.h5"), "Give the weights of this architecture.",
        lambda: load("mlp.json", weights="mlp.weights.h5"),
    ),
    Scenario(
        "MissingOpError", 'safeload.load_model("model.keras", custom_objects={"Scale": Scale})', custom_model,
        gpu_class, "Load it on a machine that has the device; safeload moves Keras' own cuDNN layers to the CPU by itself.",
    ),
    Scenario(
        "InsufficientMemoryError", 'safeload.load_model("huge.json", weights="huge.weights.h5")', enormous,
        lambda: load("huge.json", weights="huge.weights.h5"), "Use a larger machine; `compile=False` leaves the optimizer out.",
    ),
    Scenario(
        "ModelBuildError", 'safeload.load_model("model.keras", custom_objects={"Scale": Scale})', custom_model,
        failing_class, "Look at `__cause__`: it is what Keras or the custom class raised.", right_class,
    ),
)  # fmt: skip


@contextlib.contextmanager
def prepared(scenario: Scenario) -> Iterator[Path]:
    """An empty folder with the scenario's files, as the working directory and on the path."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.path.insert(0, folder)
        try:
            scenario.prepare()
            yield Path(folder)
        finally:
            sys.path.remove(folder)
            os.chdir(before)
            for name in ("my_layers", "our_layers", "their_layers"):
                sys.modules.pop(name, None)


def raised(scenario: Scenario) -> tuple[Exception, str]:
    """The exception of a scenario, and its text without what differs from machine to machine."""
    import safeload

    with prepared(scenario) as folder:
        try:
            scenario.call()
        except safeload.SafeLoadError as error:
            return error, _stable(str(error), os.path.realpath(folder), str(folder))
    raise AssertionError(f"{scenario.name}: nothing was raised")


def _stable(message: str, *folders: str) -> str:
    for folder in folders:
        message = message.replace(folder, "/project")
    message = re.sub(r"[\d,]+ of [\d,]+ are free", "8,000,000,000 of 16,000,000,000 are free", message)
    message = re.sub(r"(Keras|TensorFlow|Python) (\d+\.\d+)\.\d+", r"\1 \2", message)
    return re.sub(
        r"Python 3\.\d+(?= runs here)", "Python 3.11", re.sub(r"of Python 3\.11 or later", "of Python 3.11", message)
    )


def page() -> str:
    """The page's text."""
    from safeload import errors

    parts = [HEAD]
    for cls in errors.FUNDAMENTAL_FIRST:
        scenario = next(s for s in SCENARIOS if s.name == cls.__name__)
        _, message = raised(scenario)
        bases = ", ".join(f"`{b.__name__}`" for b in cls.__bases__ if b is not errors.SafeLoadError)
        fields = ", ".join(f"`{name}`" for name in cls.FIELDS)
        summary = " ".join((cls.__doc__ or "").split())
        wrapped = "\n".join(
            textwrap.fill(line, 116, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
            for line in message.splitlines()
        )
        parts.append(
            f"## {cls.__name__}\n\n{summary}\n\nIs also {bases}. `code` is `{cls.code}`"
            + (f"; own fields: {fields}" if fields else "")
            + f".\n\n```python\n{scenario.shown}\n```\n\n```text\n{wrapped}\n```\n\n{scenario.advice}\n"
        )
    return "\n".join(parts)


HEAD = """\
# Exceptions

Everything that is wrong with a model file is raised as one of these, `safeload.SafeLoadError` above them all. Each is
also the builtin exception that the bare call raises in that case. All have `code`, `path`, `where`, `hint`, `findings`
and `to_dict()`; all survive pickle, copy and process pools. The order is the order of being fundamental: where several
things are wrong, the uppermost is raised, and `findings` has all.

The messages below are those of real calls (on Keras 3), made by `tools/make_exceptions_page.py`; a test compares them
and runs each remedy that can be run.
"""


def main() -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    text = page()
    if "--check" in sys.argv:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
