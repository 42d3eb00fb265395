"""Where custom objects are found, in which order, and what is said when they are not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import safeload

LAYER = """
import {imports}
class {base}:
    pass
class Scale({base}):
    def __init__(self, factor=1.0, **kwargs):
        self.factor = factor
"""


def config(name: str = "Scale", **more: Any) -> dict[str, Any]:
    layer = {"class_name": name, "config": {"name": "s", "factor": 2.0}, **more}
    return {"class_name": "Sequential", "config": {"name": "m", "layers": [layer]}}


def missing(report: safeload.Report) -> list[str]:
    return [f.name for f in report.errors if f.raises is not safeload.WeightsMismatchError]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with its own modules; whatever it registers or imports is undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = safeload.registered_modules()
    yield tmp_path
    for name in set(safeload.registered_modules()) - set(before):
        safeload.unregister_module(name)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "") or "").startswith(str(tmp_path)):
            del sys.modules[name]


def write(file: Path, text: str = "class Scale:\n    pass\n") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_a_registered_module_is_read_as_text_by_check(project: Path) -> None:
    write(project / "my_layers.py", "raise SystemExit('imported')\nclass Scale: pass\n")
    assert missing(safeload.check(config())) == ["missing-custom-object"]
    safeload.register_module("my_layers")
    assert missing(safeload.check(config())) == []
    assert "my_layers" not in sys.modules


def test_a_package_stands_for_the_modules_below_it(project: Path) -> None:
    for name in ("__init__", "other", "deep/__init__"):
        write(project / "team" / f"{name}.py", "")
    write(project / "team" / "deep" / "layers.py")
    write(project / "team" / "broken.py", "raise RuntimeError('never needed')\n")
    safeload.register_module("team")
    assert missing(safeload.check(config())) == []
    assert missing(safeload.check(config("Other"))) == ["missing-custom-object"]
    assert not [m for m in sys.modules if m.startswith("team")]


def test_names_that_a_decorator_registers(project: Path) -> None:
    text = "import keras\n@keras.saving.register_keras_serializable(package='mine', name='Other')\nclass Scale: pass\n"
    write(project / "my_layers.py", text)
    safeload.register_module("my_layers")
    assert missing(safeload.check(config("mine>Other"))) == []


@pytest.mark.parametrize("source", ["modules=", "environment", "pyproject", "pyproject above"])
def test_other_places(source: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project / "my_layers.py")
    arguments: dict[str, Any] = {}
    if source == "modules=":
        arguments = {"modules": ["my_layers"]}
    elif source == "environment":
        monkeypatch.setenv("SAFELOAD_MODULES", "nothing_there, my_layers")
    else:
        (project / "pyproject.toml").write_text('[tool.safeload]\nmodules = ["my_layers"]\n')
        if source == "pyproject above":
            (project / "scripts").mkdir()
            monkeypatch.chdir(project / "scripts")
    assert missing(safeload.check(config(), **arguments)) == []


def test_two_of_one_rank_are_ambiguous(project: Path) -> None:
    write(project / "team_a.py")
    write(project / "team_b.py")
    safeload.register_module("team_a")
    safeload.register_module("team_b")
    error = safeload.check(config()).error()
    report = safeload.check(config())
    assert missing(report) == ["ambiguous-custom-object"]
    assert isinstance(error, safeload.SafeLoadError)
    finding = next(f for f in report.errors if f.name == "ambiguous-custom-object")
    assert len(finding.fields["candidates"]["Scale"]) == 2
    with safeload.modules():
        safeload.unregister_module("team_b")
        assert missing(safeload.check(config())) == []


def test_an_earlier_rank_wins(project: Path) -> None:
    write(project / "team_a.py")
    write(project / "team_b.py")
    safeload.register_module("team_a")
    assert missing(safeload.check(config(), modules=["team_b"])) == []


def test_what_is_found_never_takes_the_place_of_keras_own(project: Path) -> None:
    write(project / "my_layers.py", "class Dense: pass\n")
    safeload.register_module("my_layers")
    report = safeload.check(config("Dense"))
    assert missing(report) == []

    class Dense:
        pass

    assert missing(safeload.check(config("Dense"), custom_objects={"Dense": Dense})) == []


def test_a_module_that_can_t_be_imported_is_reported_as_that(project: Path) -> None:
    write(project / "my_layers.py", "class Scale: pass\n1 / 0\n")
    safeload.register_module("my_layers")
    with pytest.raises(safeload.MissingCustomObjectError, match="can't be imported: ZeroDivisionError") as caught:
        safeload.load_model(config())
    assert any("ZeroDivisionError" in f.message for f in caught.value.findings)


def test_a_module_that_needs_another_package(project: Path) -> None:
    write(project / "my_layers.py", "import no_such_package_here\nclass Scale: pass\n")
    safeload.register_module("my_layers")
    with pytest.raises(safeload.MissingDependencyError) as caught:
        safeload.load_model(config())
    assert caught.value.packages == ("no_such_package_here",)


def test_where_it_seems_to_be_defined(project: Path) -> None:
    write(project / "src" / "models" / "layers.py", "\n\nclass Scale:\n    pass\n")
    finding = next(f for f in safeload.check(config()).errors if f.name == "missing-custom-object")
    assert 'safeload.register_module("models.layers")' in str(finding.hint)
    assert "layers.py:3" in str(finding.hint)


def test_names_that_are_nearly_keras_own(project: Path) -> None:
    finding = next(f for f in safeload.check(config("Conv2d")).errors if f.name == "missing-custom-object")
    assert "did you mean Conv2D?" in str(finding.hint)


def test_the_module_that_the_file_names_is_never_imported(project: Path) -> None:
    write(project / "evil.py", "raise SystemExit('imported')\nclass Scale: pass\n")
    with pytest.raises(safeload.MissingCustomObjectError) as caught:
        safeload.load_model(config(module="evil", registered_name="Scale"))
    assert "evil" not in sys.modules
    assert 'safeload.register_module("evil")' in str(caught.value.hint)


def test_all_missing_ones_at_once_with_their_places(project: Path) -> None:
    layers = [{"class_name": n, "config": {"name": n}} for n in ("A1", "B2", "C3")]
    model = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    with pytest.raises(safeload.MissingCustomObjectError) as caught:
        safeload.load_model(model)
    assert caught.value.missing == ("A1", "B2", "C3")
    assert caught.value.where == "layers[0], layers[1], layers[2]"


PACKAGES = [
    ({"class_name": "Addons>GroupNormalization"}, "tensorflow-addons"),
    ({"class_name": "KerasLayer"}, "tensorflow-hub"),
    ({"class_name": "QDense"}, "qkeras"),
    ({"class_name": "Foo", "module": "keras_cv.layers", "registered_name": "keras_cv>Foo"}, "keras-cv"),
    (
        {"class_name": "TransformerEncoder", "module": "keras_nlp.src.layers", "registered_name": "keras_nlp>T"},
        "keras-nlp",
    ),
]


@pytest.mark.parametrize(("layer", "package"), PACKAGES, ids=[p for _, p in PACKAGES])
def test_packages_that_are_not_installed(layer: dict[str, Any], package: str, project: Path) -> None:
    model = {"class_name": "Sequential", "config": {"name": "m", "layers": [{"config": {"name": "l"}, **layer}]}}
    with pytest.raises(safeload.MissingDependencyError) as caught:
        safeload.load_model(model)
    assert caught.value.packages == (package,)
    assert "python -m pip install" in str(caught.value.hint)
    assert isinstance(caught.value, ImportError)


def test_a_class_that_can_t_take_its_config(keras: Any, project: Path) -> None:
    class Scale(keras.layers.Layer):
        def __init__(self, rate):
            super().__init__()

    with pytest.raises(safeload.CustomObjectMismatchError, match=r"needs rate and does not take") as caught:
        safeload.load_model(config(), custom_objects={"Scale": Scale})
    assert caught.value.name == "Scale"
    assert set(caught.value.expected) == {"name", "factor"}
    assert caught.value.found == ("rate",)

    class Open(keras.layers.Layer):
        def __init__(self, factor=1.0):
            super().__init__()

    with pytest.raises(safeload.CustomObjectMismatchError) as caught:
        safeload.load_model(config(), custom_objects={"Scale": Open})
    assert "**kwargs" in str(caught.value.hint)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_class_that_builds_other_weights(ending: str, keras: Any, project: Path) -> None:
    def scale(shape: tuple[int, ...]) -> type:
        class Scale(keras.layers.Layer):
            def build(self, input_shape: Any) -> None:
                self.factor = self.add_weight(shape=shape, name="factor")

            def call(self, x: Any) -> Any:
                return x * self.factor

        return Scale

    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2), scale((2,))(name="s")]).save(f"m{ending}")
    with pytest.raises(safeload.CustomObjectMismatchError, match="builds other weights") as caught:
        safeload.load_model(f"m{ending}", custom_objects={"Scale": scale((1,))})
    assert caught.value.name == "Scale"
    assert caught.value.expected[0] == "(1,)"
    assert caught.value.found[0].startswith("(2,)")
    safeload.load_model(f"m{ending}", custom_objects={"Scale": scale((2,))})


SCRIPT = """
import multiprocessing, sys
import numpy as np
import tensorflow as tf
import safeload

class Scale(tf.keras.layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
    def call(self, inputs):
        return inputs * self.factor
    def get_config(self):
        return {**super().get_config(), "factor": self.factor}

def predict(path):
    return float(np.asarray(safeload.load_model(path)(np.ones((1, 1), "float32")))[0, 0])

if __name__ == "__main__":
    path = sys.argv[1]
    model = tf.keras.Sequential([tf.keras.Input((1,)), Scale(3.0)])
    model.save(path)
    print(predict(path))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(predict, (path,)))
"""


def test_a_script_and_its_worker_need_no_registration(tmp_path: Path, run_python: Callable[..., str]) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    program = "import subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]], check=True)"
    assert run_python(program, str(script), str(tmp_path / "m.keras")).split() == ["3.0", "3.0"]
