"""What was perhaps meant: names like the one that was not found, and models that lie in a directory."""

from __future__ import annotations

import difflib
import os
import unicodedata
from pathlib import Path

__all__ = ["hint_for", "similar"]

_MAX_NAMES = 2000
_ENDINGS = (".keras", ".h5", ".hdf5", ".weights.h5", ".json", ".index")


def similar(path: str) -> tuple[str, ...]:
    """Paths of the same folder whose names are like the given one, the likeliest first."""
    given = Path(path)
    names = _names(given.parent)
    wanted = given.name.casefold()
    stem = _stem(wanted)
    near = [n for n in names if _stem(n.casefold()) == stem]
    folded = {n.casefold(): n for n in reversed(names)}
    near += [folded[n] for n in difflib.get_close_matches(wanted, list(folded), 3, 0.75)]
    return tuple(str(given.parent / n) for n in dict.fromkeys(near))[:3]


def _stem(name: str) -> str:
    ending = next((e for e in sorted(_ENDINGS, key=len, reverse=True) if name.endswith(e)), "")
    return name.removesuffix(ending)


def _names(folder: Path) -> list[str]:
    names: list[str] = []
    try:
        with os.scandir(folder) as scan:
            for entry in scan:
                names.append(entry.name)
                if len(names) >= _MAX_NAMES:
                    break
    except OSError:
        return []
    return sorted(names)


def hint_for(path: str) -> str:
    """What to do about a path where nothing lies."""
    given = Path(path)
    hints = []
    visible = "".join(c for c in path if unicodedata.category(c) not in ("Cf", "Cc")).strip()
    if visible != path and os.path.exists(visible):
        return f"the path has invisible characters or blanks in it; without them it is there: {visible}"
    near = similar(path)
    if near:
        hints.append(f"did you mean {' or '.join(near)}?")
    if path.startswith("~"):
        hints.append(f"~ is not expanded: pass {os.path.expanduser(path)}")
    elif "://" in path:
        hints.append("URLs are not fetched: download the file first, or open it with fsspec and pass the file object")
    elif not given.is_absolute():
        hints.append(f"the path is relative to the working directory, {Path.cwd()}")
    if not near:
        missing = next((p for p in (*reversed(given.parents),) if str(p) not in (".", "") and not p.exists()), None)
        if missing is not None:
            hints.append(f"the folder {missing} does not exist")
    return "; ".join(hints).replace("?; ", "? ") or f"nothing lies in {given.parent} under that name"
