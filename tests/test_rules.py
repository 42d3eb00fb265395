"""Every rule of the code: an id of its own, a name of its own, and a page in the one frame."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import safeload
from safeload.findings import Rule

pytestmark = pytest.mark.core

FRAME = ("What it sees:", "Why it matters:", "Example:", "What to do:", "References:")
WITHOUT_TENSORFLOW = (
    "checks",
    "repairs",
    "lambdas",
    "formats",
    "containers",
    "operations",
    "objects",
    "source",
    "malformed",
)


def rules() -> Mapping[int, Rule]:
    """All rules of the modules that work without TensorFlow, and those beside the steps that build."""
    found: dict[int, Rule] = {}
    for module in pkgutil.walk_packages(safeload.__path__, "safeload."):
        if module.name.split(".")[1] in (*WITHOUT_TENSORFLOW, "construction"):
            for value in vars(importlib.import_module(module.name)).values():
                found.update((id(rule), rule) for rule in _in(value))
    return found


def _in(value: Any) -> Iterator[Rule]:
    if isinstance(value, Rule):
        yield value
    elif isinstance(getattr(value, "rule", None), Rule):
        yield value.rule
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _in(item)


RULES = list(rules().values())


def test_there_are_rules() -> None:
    assert len(RULES) > 80


@pytest.mark.parametrize("field", ["id", "name"])
def test_ids_and_names_are_unique(field: str) -> None:
    seen: dict[str, list[str]] = {}
    for rule in RULES:
        seen.setdefault(getattr(rule, field), []).append(f"{rule.id} {rule.name}")
    assert {key: both for key, both in seen.items() if len(both) > 1} == {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_page_of_a_rule(rule: Rule) -> None:
    assert re.fullmatch(r"SL[1-8]\d\d", rule.id)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    places = [rule.doc.find(part) for part in FRAME]
    assert -1 not in places and places == sorted(places)
