"""Names of members: which ones lead outside of their container, or mean one thing here and another thing elsewhere."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from safeload.containers.limits import MAX_NAME
from safeload.errors import SafeLoadError

__all__ = ["check_names", "fault_of"]


def fault_of(name: str) -> str | None:
    """What is wrong with a member's name, for a message; None where nothing is."""
    parts = name.removesuffix("/").split("/")
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME:
        return "a name that is too long"
    if not name or any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in name):
        return "a name with control characters"
    if name.startswith("/") or name[1:2] == ":":
        return "an absolute path"
    if "\\" in name:
        return "a path with backslashes, which leads elsewhere on another system"
    if ".." in parts:
        return "a path that leads outside of it"
    if "." in parts or "" in parts:
        return "a path that can be written in two ways"
    return None


def check_names(names: Sequence[str], unsafe: Callable[[str, str | None], SafeLoadError]) -> None:
    """Refuse names that lead outside, and names that are one file on some systems and two on others.

    Raises:
        SafeLoadError: What `unsafe(message, name)` makes.
    """
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        fault = fault_of(name)
        if fault is not None:
            raise unsafe(fault, name[:200])
        key = unicodedata.normalize("NFC", name.removesuffix("/")).casefold()
        if key in seen:
            other = seen[key]
            what = "two entries of one name" if other == name else "two entries whose names differ in case alone"
            raise unsafe(f"{what} ({other[:80]})", name[:200])
        seen[key] = name
        if not name.endswith("/"):
            for at, character in enumerate(key):
                if character == "/":
                    folders.setdefault(key[:at], name)
    for key, name in folders.items():
        if key in seen and not seen[key].endswith("/"):
            raise unsafe("an entry that is a file and a folder", name[:200])
