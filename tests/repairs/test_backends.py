"""Files of the Theano and CNTK backends give the numbers that they gave where they were written, or are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import safeload
from repairs.stored_numbers import difference
from safeload.document import ModelDocument, Writer
from safeload.repairs import repair
from safeload.runtime import Runtime

KERAS3 = Runtime("keras3", "3.15.1", "2.21.0", "3.11.7")

FILES = Path(__file__).parent.parent / "fixtures" / "backends"
REFUSED = ("cntk_dw_same_2_1", "cntk_clstm_same_3_1")
NAMES = sorted(f.stem for f in FILES.glob("*.h5") if f.stem not in REFUSED)


@pytest.mark.core
@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_the_writers(name: str) -> None:
    model = safeload.load_model(FILES / f"{name}.h5", compile=False)
    assert difference(model, FILES / f"{name}.npz") < 1e-4


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_equal_is_refused(name: str) -> None:
    with pytest.raises(safeload.BackendMismatchError) as caught:
        safeload.load_model(FILES / f"{name}.h5", compile=False)
    assert caught.value.saved_backend == "cntk"


def test_the_caller_can_say_the_backend() -> None:
    """`saved_backend` goes before what the file says: as TensorFlow's, the kernels are not flipped."""
    name = "theano_conv2d_same_2x2_2x2"
    model = safeload.load_model(FILES / f"{name}.h5", compile=False, saved_backend="tensorflow")
    assert difference(model, FILES / f"{name}.npz") > 1e-2


def upsampling(backend: str | None, keras: str, **config: Any) -> ModelDocument:
    node = {"class_name": "UpSampling2D", "config": {"name": "up", "data_format": "channels_last", **config}}
    writer = Writer(keras, backend=backend, is_tf_keras=keras.endswith("-tf"))
    architecture = {"class_name": "Sequential", "config": {"name": "s", "layers": [node]}}
    return ModelDocument(None, "hdf5", 0, writer, "keras2", architecture)


@pytest.mark.parametrize(("backend", "size"), [("cntk", [2, 2]), ("theano", [3, 3]), ("theano", [2, 4])])
def test_an_interpolation_that_the_backend_never_had_is_refused(backend: str, size: list[int]) -> None:
    with pytest.raises(safeload.BackendMismatchError):
        repair(upsampling(backend, "2.2.4", size=size, interpolation="bilinear"), KERAS3)


def test_an_interpolation_that_was_not_stored_is_told() -> None:
    """TensorFlow 1.13 and 1.14 leave `interpolation` out; 1.15, which writes the same version of Keras, does not."""

    def rules(document: ModelDocument) -> list[str]:
        return [f.rule for f in repair(document, KERAS3).findings]

    assert "SL742" in rules(upsampling("tensorflow", "2.2.4-tf", size=[2, 2]))
    assert "SL742" not in rules(upsampling("tensorflow", "2.2.4-tf", size=[2, 2], interpolation="nearest"))
    assert "SL742" not in rules(upsampling("tensorflow", "2.1.6-tf", size=[2, 2]))
