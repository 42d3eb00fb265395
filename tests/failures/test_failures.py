"""Real failures of the bare call, by cause: what safeload does with each. See the README beside this file."""

from __future__ import annotations

import base64
import json
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import safeload

FIXTURES = Path(__file__).parents[1] / "fixtures"
HDF5 = FIXTURES / "k315" / "mlp.h5"
KERAS = FIXTURES / "k315" / "mlp.keras"
OLD_CODE = base64.b64encode(b"\xe3" + b"\1\0\0\0" * 5 + b"s\x08\0\0\0" + b"|\0d\1\x14\0S\0" + bytes(20)).decode()


@dataclass(frozen=True)
class Case:
    """A cause of failures.

    Attributes:
        name: In a few words.
        reports: Numbers of the reports that have this cause.
        make: Makes the file in a folder and gives what is passed to safeload.
        raises: The exception; None where it would load.
        told: What the message or the hint has to say.
        options: Further arguments of the call.
    """

    name: str
    reports: str
    make: Callable[[Path], Any]
    raises: type[safeload.SafeLoadError] | None
    told: str = ""
    options: tuple[tuple[str, Any], ...] = ()


def data(content: bytes, name: str = "model.h5") -> Callable[[Path], Any]:
    def make(folder: Path) -> Any:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def copied(source: Path, name: str, within: str = "") -> Callable[[Path], Any]:
    """A copy of a file or folder; what is passed is the folder that it lies in where `within` says so."""

    def make(folder: Path) -> Any:
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
        return folder if within else folder / name

    return make


def trained(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A model whose training config is changed."""
    import h5py

    path = folder / "model.h5"
    shutil.copy(HDF5, path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["training_config"])
        change(config)
        file.attrs["training_config"] = json.dumps(config)
    return path


def weights_only(folder: Path) -> Path:
    import h5py

    with h5py.File(HDF5, "r") as whole, h5py.File(folder / "vgg_weights.h5", "w") as apart:
        for name in whole["model_weights"]:
            whole.copy(whole["model_weights"][name], apart)
        apart.attrs.update(whole["model_weights"].attrs)
        (folder / "model.json").write_text(str(whole.attrs["model_config"]))
    return folder / "vgg_weights.h5"


def empty_hdf5(folder: Path) -> Path:
    import h5py

    with h5py.File(folder / "model.h5", "w"):
        pass
    return folder / "model.h5"


def data_set(folder: Path) -> Path:
    import h5py

    with h5py.File(folder / "train.h5", "w") as file:
        file["train_set_x"] = [1, 2, 3]
    return folder / "train.h5"


def bytes_attributes(folder: Path) -> Path:
    """Attributes as h5py 2 wrote them: fixed-length bytes, not text."""
    import h5py
    import numpy as np

    path = folder / "model.h5"
    shutil.copy(HDF5, path)
    with h5py.File(path, "r+") as file:
        for name in ("keras_version", "backend"):
            file.attrs[name] = np.bytes_(file.attrs[name])
    return path


def of_layer(layer: dict[str, Any]) -> Callable[[Path], Any]:
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": [layer]}}
    return data(json.dumps(config).encode(), "model.json")


def layer(name: str, **config: Any) -> Callable[[Path], Any]:
    return of_layer({"class_name": name, "config": {"name": "l", **config}})


def saved_model(folder: Path) -> Path:
    return Path(shutil.copytree(FIXTURES / "tensorflow" / "tf24_custom_model", folder / "saved"))


def checkpoint(folder: Path) -> Path:
    """A checkpoint under a prefix with characters that mean something to a glob."""
    source = next(p for p in sorted((FIXTURES / "tensorflow").rglob("*.index")) if p.parent.name != "variables")
    for file in source.parent.glob(f"{source.stem}.*"):
        shutil.copy(file, folder / f"run[1]*{file.name.removeprefix(source.stem)}")
    return folder / "run[1]*"


CASES = (
    Case("a Git LFS pointer", "36 31 39", data(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 98\n"),
         safeload.UnsupportedFormatError, "git lfs pull"),
    Case("a web page", "23 24 32 35 38", data(b"<!DOCTYPE html><html><title>Box | Login</title></html>"),
         safeload.UnsupportedFormatError, "web page"),
    Case("a truncated download", "25 26 30 37", data(HDF5.read_bytes()[:20_000]), safeload.CorruptedModelError,
         "20,000 of"),
    Case("a truncated .keras", "371 372", data(KERAS.read_bytes()[:9000], "model.keras"), safeload.CorruptedModelError,
         "truncated"),
    Case("HDF5 under a .keras name", "371 372", copied(HDF5, "model.keras"), None),
    Case("a .keras under an .h5 name", "39", copied(KERAS, "model.h5"), None),
    Case("weights given for a model", "339 340 341 342 344 346 347 357 361", weights_only, safeload.WeightsOnlyError,
         "weights="),
    Case("an empty HDF5 file", "338", empty_hdf5, safeload.UnsupportedFormatError, "empty HDF5"),
    Case("a data set", "338", data_set, safeload.UnsupportedFormatError, "train_set_x"),
    Case("attributes of h5py 2", "257 262 263 264", bytes_attributes, None),
    Case("a path that is not there", "349 350 352 370", lambda f: f / "brain.h5", safeload.ModelNotFoundError,
         "nothing lies in"),
    Case("a name that is nearly right", "349 357", lambda f: copied(HDF5, "Brain.h5")(f).with_name("brian.h5"),
         safeload.ModelNotFoundError, "did you mean"),
    Case("an empty path", "377", lambda f: "", safeload.ModelNotFoundError),
    Case("an invisible character in the path", "201", lambda f: f"\u200b{copied(HDF5, 'm.h5')(f)}",
         safeload.ModelNotFoundError, "invisible"),
    Case("letters outside of ASCII in the path", "206 207", copied(HDF5, "модель.h5"), None),
    Case("an address", "200 202 203", lambda f: "gs://bucket/model.h5", safeload.ModelNotFoundError, "not fetched"),
    Case("a remote file, opened", "199 200 203", lambda f: HDF5.open("rb"), None),
    Case("a TensorFlow Lite model", "354", data(b"\x1c\0\0\0TFL3" + bytes(99)), safeload.UnsupportedFormatError,
         "tf.lite.Interpreter"),
    Case("a pickle", "10 149 366", data(pickle.dumps({"model": 1}), "model.pkl"), safeload.UnsupportedFormatError,
         "pickle"),
    Case("a folder with one .keras in it", "18", copied(KERAS, "model.keras", within="folder"), None),
    Case("a SavedModel", "352 364 369 375 376", saved_model, None),
    Case("a checkpoint", "374", checkpoint, safeload.WeightsOnlyError, "weights="),
    Case("a checkpoint with a glob's characters", "355", checkpoint, safeload.WeightsOnlyError),
    Case("a custom layer", "101 103 114 121 123 126 128 129", layer("TokenAndPositionEmbedding", maxlen=80),
         safeload.MissingCustomObjectError, "register"),
    Case("a custom model", "124 130", data(json.dumps({"class_name": "WideAndDeep", "config": {"units": 3}}).encode(),
         "m.json"), safeload.MissingCustomObjectError, "WideAndDeep"),
    Case("a layer of a package", "107 109", layer("KerasLayer", handle="x"), safeload.MissingDependencyError,
         "tensorflow-hub"),
    Case("a layer of tensorflow-addons", "138 151", layer("Addons>InstanceNormalization"),
         safeload.MissingDependencyError, "tensorflow-addons"),
    Case("a custom loss", "100 106 159", lambda f: trained(f, lambda c: c.update(loss="jaccard_loss")), None),
    Case("a custom metric", "108 111 120 127", lambda f: trained(f, lambda c: c.update(metrics=["iou"])), None),
    Case("a custom optimizer", "158 160 161 167 168 172 177",
         lambda f: trained(f, lambda c: c.update(optimizer_config={"class_name": "RAdam", "config": {}})), None),
    Case("a custom loss that is asked for", "100", lambda f: trained(f, lambda c: c.update(loss="jaccard_loss")),
         safeload.MissingCustomObjectError, "jaccard_loss", (("compile", "strict"),)),
    Case("a Lambda", "211 212 216 219", layer("Lambda", function=[OLD_CODE, None, None], function_type="lambda"),
         safeload.UnsafeModelError, "safe_mode=False"),
    Case("a Lambda of another Python", "231 233 245 249 260 265 269 278",
         layer("Lambda", function=[OLD_CODE, None, None], function_type="lambda"), safeload.VersionMismatchError,
         "Python 3.3-3.7", (("safe_mode", False),)),
    Case("a vocabulary outside of the file", "214", layer("StringLookup", vocabulary="/etc/passwd"),
         safeload.UnsafeModelError, "/etc/passwd"),
    Case("a SavedModel elsewhere", "217",
         of_layer({"class_name": "TFSMLayer", "module": "keras.layers", "config": {"name": "l", "filepath": "/elsewhere"},
                   "registered_name": None}), safeload.UnsafeModelError, "/elsewhere"),
)  # fmt: skip


@pytest.mark.core
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_what_is_said(case: Case, tmp_path: Path, keras: Any) -> None:
    if case.name == "a SavedModel elsewhere" and not hasattr(keras.layers, "TFSMLayer"):
        return  # a layer of Keras 3
    options = dict(case.options)
    filepath = case.make(tmp_path)
    if case.raises is None:
        model = _loaded(filepath)
        getattr(filepath, "close", lambda: None)()
        assert model.safeload_report.ok
        return
    with pytest.raises(case.raises) as caught:
        if "safe_mode" in options or case.name.startswith(("a Lambda", "a vocabulary", "a SavedModel elsewhere")):
            report = safeload.check(
                filepath, safe_mode=options.get("safe_mode", True)
            )  # it is a config without weights
            report.raise_for_errors()
        safeload.load_model(filepath, **options)
    assert case.told in str(caught.value)
    assert caught.value.hint


def _loaded(filepath: Any) -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", safeload.SafeLoadWarning)
        return safeload.load_model(filepath)


def test_numbers_of_reports_are_in_the_collection() -> None:
    numbers = {int(n) for case in CASES for n in case.reports.split()}
    assert len(numbers) == 93
    assert numbers <= set(range(1, 379))
