"""Where a missing class or function is defined, told from sources that are read as text."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import safeload
from safeload.objects.definitions import search

pytestmark = pytest.mark.core


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project that is the working directory and on the path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def hint(name: str, **more: Any) -> str:
    """What is said about a layer of that name."""
    layer = {"class_name": name, "config": {"name": "x"}, **more}
    model = {"class_name": "Sequential", "config": {"name": "m", "layers": [layer]}}
    found = [f for f in safeload.check(model).errors if f.name == "missing-custom-object"]
    assert len(found) == 1
    return str(found[0].hint)


def test_the_sentence_of_the_issue(project: Path) -> None:
    write(project / "train.py", "raise SystemExit('imported')\n" + "\n" * 10 + "class MyCustomActivation:\n    pass\n")
    assert hint("MyCustomActivation") == (
        'MyCustomActivation is defined in train.py:12: safeload.register_module("train")'
    )
    assert "train" not in sys.modules


def test_the_remedy_makes_the_load_work(project: Path, keras: Any) -> None:
    text = f"import {keras.__name__} as k\nclass Twice(k.layers.Layer):\n    def call(self, x):\n        return 2 * x\n"
    write(project / "twice_layers.py", text)
    model = {"class_name": "Sequential", "config": {"name": "m", "layers": [{"class_name": "Twice", "config": {}}]}}
    with pytest.raises(safeload.MissingCustomObjectError) as caught:
        safeload.load_model(model)
    assert caught.value.candidates == {"Twice": ("Twice is defined in twice_layers.py:2",)}
    line = str(caught.value.hint).partition(": ")[2]
    try:
        exec(line, {"safeload": safeload})
        assert [f.name for f in safeload.check(model).errors] == ["architecture-only"]
    finally:
        safeload.unregister_module("twice_layers")
        sys.modules.pop("twice_layers", None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("if True:\n    class Odd:\n        pass\n", "defined in m.py:2"),
        ("try:\n    import none_such\nexcept ImportError:\n    def Odd(x):\n        return x\n", "defined in m.py:4"),
        ("Odd = lambda x: x\n", "defined in m.py:1"),
        ("def odd_of(rate):\n    def Odd(x):\n        return x * rate\n    return Odd\n", "custom_objects={'Odd': odd_of(...)}"),
        ("@register_keras_serializable('mine', name='Odd')\nclass Other:\n    pass\n", "defined in m.py:2"),
    ],
    ids=["conditional", "fallback", "assigned", "closure", "registered under another name"],
)  # fmt: skip
def test_how_a_name_may_be_defined(text: str, told: str, project: Path) -> None:
    write(project / "m.py", text)
    assert told in hint("Odd")


def test_methods_and_mentions_are_no_definitions(project: Path) -> None:
    write(project / "m.py", "from elsewhere import Odd\nclass A:\n    def Odd(self):\n        pass\nprint('Odd')\n")
    assert "defined" not in hint("Odd")


def test_a_notebook_s_cell(project: Path) -> None:
    cells = [{"cell_type": "markdown", "source": "class Odd:"}, {"cell_type": "code", "source": ["%pip install x\n", "class Odd:\n", "    pass"]}]  # fmt: skip
    write(project / "train.ipynb", json.dumps({"cells": cells}))
    assert "cell 2 of train.ipynb: run that cell" in hint("Odd")


def test_a_source_folder_that_is_not_on_the_path(project: Path) -> None:
    write(project / "src" / "models" / "layers.py", "class Odd: pass\n")
    assert hint("Odd").endswith("safeload.register_module(\"models.layers\"), with 'src' on sys.path")


def test_several_definitions_are_all_told(project: Path) -> None:
    write(project / "a.py", "class Odd: pass\n")
    write(project / "sub" / "b.py", "class Odd: pass\n")
    assert 'register_module("a"); or' in hint("Odd") and 'register_module("sub.b")' in hint("Odd")


def test_what_lies_nearer_is_told_alone(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project / "m.py", "class Odd: pass\n")
    far = tmp_path_factory.mktemp("far")
    write(far / "other.py", "class Odd: pass\nclass OddToo: pass\n")
    monkeypatch.syspath_prepend(str(far))
    assert hint("Odd") == 'Odd is defined in m.py:1: safeload.register_module("m")'
    assert 'register_module("other")' in hint("OddToo")


@pytest.fixture
def distribution(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that needs Keras by its own word."""
    site = tmp_path_factory.mktemp("env") / "site-packages"
    write(site / "odd_layers-1.0.dist-info" / "METADATA", "Name: odd-layers\nRequires-Dist: tensorflow>=2.4\n")
    write(site / "odd_layers-1.0.dist-info" / "RECORD", "odd_layers/__init__.py,,\nodd_layers/core.py,,\n")
    write(site / "odd_layers" / "core.py", "raise SystemExit('imported')\nclass OddPooling:\n    pass\n")
    write(site / "plain-1.0.dist-info" / "METADATA", "Name: plain\nRequires-Dist: requests\n")
    write(site / "plain-1.0.dist-info" / "RECORD", "plain.py,,\n")
    write(site / "plain.py", "class OddPlain: pass\n")
    monkeypatch.syspath_prepend(str(site))
    return site


def test_an_installed_package_that_works_with_keras(distribution: Path, project: Path) -> None:
    assert hint("OddPooling") == (
        "OddPooling is defined in the installed package odd-layers, odd_layers/core.py:2: "
        'safeload.register_module("odd_layers")'
    )
    assert "odd_layers" not in sys.modules
    assert "defined" not in hint("OddPlain")


def test_a_package_that_was_installed_for_development(distribution: Path, project: Path, tmp_path: Path) -> None:
    place = write(tmp_path / "elsewhere" / "dev_odd" / "__init__.py", "class OddDev: pass\n").parent
    write(distribution / "dev_odd-1.0.dist-info" / "METADATA", "Name: dev-odd\nRequires-Dist: keras\n")
    write(distribution / "dev_odd-1.0.dist-info" / "top_level.txt", "dev_odd\n")
    write(distribution / "__editable___dev_odd_1_0_finder.py", f"MAPPING = {{'dev_odd': {str(place)!r}}}\n")
    (project / "empty").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project / "empty")
        patch.setattr(sys, "path", [str(distribution)])
        found = search(["OddDev"]).definitions["OddDev"]
    assert [d.module for d in found] == ["dev_odd"]


def test_what_was_meant(project: Path) -> None:
    write(project / "m.py", "class WeightedPool: pass\n")
    assert "did you mean WeightedPool?" in hint("WeightedPol")
    assert "did you mean BatchNormalization?" in hint("BatchNormalisation")
    with pytest.raises(safeload.MissingCustomObjectError, match=r"did you mean my_pool, which was given"):
        safeload.load_model(
            {"class_name": "Sequential", "config": {"name": "m", "layers": [{"class_name": "MyPool", "config": {}}]}},
            custom_objects={"my_pool": lambda x: x},
        )


def test_the_search_is_bounded(project: Path) -> None:
    """Two hundred megabytes of sources, of which a part is looked through."""
    text = "# " + "x" * 76 + "\n"
    for i in range(200):
        write(project / f"d{i % 20}" / f"m{i}.py", text * 12_000)
    started = time.thread_time()
    search(["Odd"])
    assert time.thread_time() - started < 0.4


def test_a_working_directory_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert search(["Odd"]).definitions == {}
    assert "register the module that defines it" in hint("Odd")


def test_training_parts_get_their_hint_as_well(project: Path, fixtures: Path) -> None:
    import h5py

    write(project / "losses.py", "def focal(y, p):\n    return y - p\n")
    (project / "m.h5").write_bytes((fixtures / "tf215" / "mlp.h5").read_bytes())
    with h5py.File(project / "m.h5", "r+") as file:
        training = json.loads(file.attrs["training_config"])
        training["loss"] = "focal"
        file.attrs["training_config"] = json.dumps(training)
    (warning,) = [f for f in safeload.check("m.h5").warnings if f.name == "missing-for-training"]
    assert 'focal is defined in losses.py:1: safeload.register_module("losses")' in str(warning.hint)
    with pytest.warns(safeload.SafeLoadWarning, match=r"losses\.py:1"):
        safeload.load_model("m.h5")
