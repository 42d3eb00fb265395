"""Installed packages that may define Keras objects, told from their metadata; nothing is imported."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Likely", "likely"]

_NEEDS = re.compile(rb"^Requires-Dist:[ \t]*(?:tensorflow|tf[-_]keras|keras)\b", re.MULTILINE | re.IGNORECASE)
_HEAD = 32_768
_OWN = frozenset(
    "tensorflow tensorflow_cpu tensorflow_intel tensorflow_macos tf_nightly keras keras_nightly tf_keras tensorboard "
    "tensorflow_estimator tensorflow_datasets safeload".split()
)
"""TensorFlow and Keras themselves, whose names are in the catalog, and what defines no layers."""


@dataclass(frozen=True, slots=True)
class Likely:
    """An installed package: its name for pip, the module that is imported, and the folder or file that it lies in."""

    name: str
    module: str
    place: Path


def likely(modules: frozenset[str]) -> Iterator[Likely]:
    """Packages that need Keras or TensorFlow by their own word, and those of the modules that are installed."""
    for entry in dict.fromkeys(sys.path):
        folder = Path(entry)
        if folder.name not in ("site-packages", "dist-packages"):
            continue
        try:
            infos = sorted(e.name for e in os.scandir(folder) if e.name.endswith(".dist-info"))
        except OSError:
            continue
        for info in infos:
            name = info.split("-")[0]
            if name.lower() in _OWN:
                continue
            tops = list(_tops(folder / info))
            if not modules.intersection(tops) and not _NEEDS.search(_head(folder / info / "METADATA")):
                continue
            for top in tops:
                place = _place(folder, top)
                if place is not None:
                    yield Likely(name.replace("_", "-"), top, place)


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_HEAD)
    except OSError:
        return b""


def _tops(info: Path) -> Iterator[str]:
    """The modules that a package brings: as it says itself, else what its files begin with."""
    told = _head(info / "top_level.txt").decode("utf-8", "replace").split()
    if not told:
        files = _head(info / "RECORD").decode("utf-8", "replace").splitlines()
        told = [line.split(",")[0].split("/")[0].removesuffix(".py") for line in files]
    yield from dict.fromkeys(name for name in told if name.isidentifier() and not name.startswith("_"))


def _place(folder: Path, top: str) -> Path | None:
    for place in (folder / top, folder / f"{top}.py"):
        if place.exists():
            return place
    return _editable(folder, top)


def _editable(folder: Path, top: str) -> Path | None:
    """Where the package lies that was installed for development: setuptools writes a finder with a table of places."""
    pattern = re.compile(rf"""['"]{re.escape(top)}['"]:\s*['"]([^'"]+)['"]""")
    for finder in folder.glob("__editable___*_finder.py"):
        found = pattern.search(_head(finder).decode("utf-8", "replace"))
        if found and Path(found.group(1)).exists():
            return Path(found.group(1))
    return None
