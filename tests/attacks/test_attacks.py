"""Each way in is refused, by check and by load_model, and the canary that watches stays silent."""

from __future__ import annotations

from types import ModuleType

import pytest
from hostile import hdf5, layer, sequential
from ways_in import ATTACKS, keras2_lambda

import safeload
from conftest import Canary, watched


@pytest.mark.core
@pytest.mark.parametrize("name", ATTACKS)
def test_refused(name: str, canary: Canary, keras: ModuleType) -> None:
    path = str(ATTACKS[name](canary))
    with watched(canary, keras):
        report = safeload.check(path)
        with pytest.raises(safeload.SafeLoadError) as caught:
            safeload.load_model(path)
    assert type(caught.value) is not safeload.SafeLoadError
    assert report.errors or isinstance(caught.value, safeload.InsufficientMemoryError | safeload.ModelBuildError)


@pytest.mark.core
@pytest.mark.parametrize("name", [n for n in ATTACKS if "lambda_" not in n])
def test_safe_mode_off_opens_nothing_else(name: str, canary: Canary, keras: ModuleType) -> None:
    path = str(ATTACKS[name](canary))
    with watched(canary, keras), pytest.raises(safeload.SafeLoadError):
        safeload.load_model(path, safe_mode=False)


@pytest.mark.core
def test_the_canary_sings(canary: Canary, keras: ModuleType) -> None:
    """What is refused by default does leave a mark where it is allowed: the watch works."""
    path = str(hdf5(canary.folder / "model.h5", sequential(keras2_lambda(canary))))
    safeload.load_model(path, safe_mode=False)(__import__("numpy").ones((1, 4), "float32"))
    assert canary.mark.exists()
    with pytest.raises(AssertionError), watched(canary, keras):
        canary.secret.read_text()
    canary.acts.clear()
    canary.mark.unlink()


@pytest.mark.core
def test_a_load_leaves_the_process_as_it_was(canary: Canary, keras: ModuleType) -> None:
    config = sequential(layer("Dropout", rate=0.5), layer("GaussianNoise", stddev=0.1))
    path = str(hdf5(canary.folder / "model.h5", config))
    keras.utils.set_random_seed(3)
    with watched(canary, keras):
        safeload.load_model(path)
