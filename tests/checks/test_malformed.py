"""Real configs with parts replaced by what no Keras writes: a report in any case, never an untyped exception."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import safeload

ODD: tuple[Any, ...] = (
    None, True, -1, 10**30, 1e308, float("nan"), "", "x" * 3000, [], {}, [[]], [None], {"class_name": None},
    {"class_name": "Dense"}, {"class_name": "Dense", "config": None}, {"class_name": [], "config": {}},
    {"items": 3, "class_name": "__tuple__"}, {"class_name": "__numpy__", "config": 3},
    {"class_name": "function", "config": {}}, {"class_name": "__keras_tensor__", "config": {}},
    ["a", 0, 0], ["a", 0, 0, {}], {"a": {"b": [1, 2]}}, 3.5, "relu",
)  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(value, (*path, key))


def spoiled(config: Any, chance: random.Random) -> Any:
    config = copy.deepcopy(config)
    path = chance.choice(list(places(config)))
    parent = config
    for key in path[:-1]:
        parent = parent[key]
    if chance.random() < 0.3:
        del parent[path[-1]]
    else:
        parent[path[-1]] = copy.deepcopy(chance.choice(ODD))
    return config


@pytest.mark.core
@pytest.mark.parametrize("seed", range(3))
def test_reports_for_spoiled_configs(seed: int, fixtures: Path) -> None:
    chance = random.Random(seed)
    paths = [p for p in sorted(fixtures.rglob("*")) if p.suffix in (".h5", ".keras")]
    for path in chance.sample(paths, min(8, len(paths))):
        try:
            config = safeload.inspect(path).architecture
        except safeload.SafeLoadError:
            continue
        if isinstance(config, dict):
            for _ in range(8):
                assert isinstance(safeload.check(spoiled(config, chance)), safeload.Report)


@pytest.mark.core
def test_what_could_not_be_checked_is_not_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    from safeload.checks import calls

    def fails(examination: Any) -> Iterator[Any]:
        raise TypeError("unhashable type: 'dict'")

    monkeypatch.setattr(calls, "check", fails)
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": []}}
    found = [f for f in safeload.check(config).errors if f.raises is safeload.CorruptedModelError]
    assert found and "unhashable" in found[0].message
