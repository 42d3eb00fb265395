"""docs/exceptions.md says what real calls say, and its remedies work."""

from __future__ import annotations

import pickle
import runpy
from pathlib import Path
from typing import Any

import pytest

import safeload
from safeload import errors

# Keras 3 saves through NumPy 2's old protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TOOL = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "make_exceptions_page.py"))
SCENARIOS = TOOL["SCENARIOS"]


@pytest.fixture(autouse=True)
def _keras3(keras: Any) -> None:
    """Files are written by the Keras at hand, and the page is about Keras 3."""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_the_exception_is_raised_with_a_hint(scenario: Any) -> None:
    error, _ = TOOL["raised"](scenario)
    assert type(error).__name__ == scenario.name
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.to_dict() == error.to_dict()


@pytest.mark.filterwarnings("ignore::safeload.SafeLoadWarning")
@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if s.remedy], ids=lambda s: s.name)
def test_the_remedy_works(scenario: Any) -> None:
    with TOOL["prepared"](scenario):
        assert scenario.remedy() is not None


def test_every_exception_has_its_scenario() -> None:
    assert [s.name for s in SCENARIOS] == [c.__name__ for c in errors.FUNDAMENTAL_FIRST]
    assert all(hasattr(safeload, s.name) for s in SCENARIOS)


def test_the_page_is_up_to_date() -> None:
    page = Path(__file__).parents[1] / "docs" / "exceptions.md"
    assert page.read_text(encoding="utf-8") == TOOL["page"](), "run python tools/make_exceptions_page.py"
