"""Names of safeload's own in a file: those that are there, and those that only a newer safeload has."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import safeload
from safeload.layers import OWN, own_object


@pytest.fixture
def saved(tmp_path: Path, keras: ModuleType) -> Callable[[str], Path]:
    """A model with one of our layers, under whatever name."""

    def write(name: str) -> Path:
        original, path = tmp_path / "original.keras", tmp_path / "model.keras"
        keras.Sequential([keras.layers.Input((4,)), own_object("ThresholdedReLU")(theta=0.5)]).save(original)
        with zipfile.ZipFile(original) as source, zipfile.ZipFile(path, "w") as target:
            for member in source.namelist():
                content = source.read(member)
                if member == "config.json":
                    content = content.replace(b"safeload>ThresholdedReLU", name.encode())
                    content = content.replace(b'"ThresholdedReLU"', f'"{name.rpartition(">")[2]}"'.encode())
                target.writestr(member, content)
        return path

    return write


@pytest.mark.core
def test_a_layer_of_ours_is_found(saved: Callable[[str], Path], keras: ModuleType) -> None:
    model = safeload.load_model(saved("safeload>ThresholdedReLU"), compile=False)
    assert type(model.layers[-1]).__name__ == "ThresholdedReLU"


@pytest.mark.core
@pytest.mark.parametrize("name", ["safeload>FromTheFuture", "safeload>", "safeload>ops", "safeload>OWN"])
def test_a_layer_of_a_newer_safeload_is_a_typed_error(name: str, saved: Callable[[str], Path]) -> None:
    path = saved(name)
    with pytest.raises(safeload.VersionMismatchError, match="upgrade safeload") as caught:
        safeload.load_model(path, compile=False)
    assert name in caught.value.reasons
    assert "SL406" in {finding.rule for finding in safeload.check(path)}


@pytest.mark.core
def test_every_name_of_the_table_is_there(keras: ModuleType) -> None:
    for name in OWN:
        assert own_object(name).__name__ == name
    with pytest.raises(safeload.VersionMismatchError, match="newer"):
        own_object("FromTheFuture")
