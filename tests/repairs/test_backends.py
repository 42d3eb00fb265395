"""Files of the Theano and CNTK backends give the numbers that they gave where they were written, or are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import safeload
from repairs.stored_numbers import difference

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
