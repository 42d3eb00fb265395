"""The list of differences to Keras' own tests is the one that the docs argue."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_each_difference_is_argued_in_the_docs() -> None:
    spec = importlib.util.spec_from_file_location("keras_tests", ROOT / "tools" / "keras_tests.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    page = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
    assert tool.DIFFERENCES
    assert not [name for name in tool.DIFFERENCES if f"`{name}`" not in page]
