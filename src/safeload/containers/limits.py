"""What no honest model exceeds. Past one of these a container is refused before anything is allocated for it."""

from __future__ import annotations

__all__ = [
    "ALWAYS_CHECKED",
    "HONEST_RATIO",
    "MAX_DEPTH",
    "MAX_FILES",
    "MAX_INFLATED",
    "MAX_MEMBERS",
    "MAX_NAME",
    "MAX_OPEN_FILES",
    "UNSUSPICIOUS",
]

MAX_MEMBERS = 100_000
"""Entries of a zip. A model with a vocabulary file for each of its layers has some hundreds."""

MAX_NAME = 1024
"""Bytes of an entry's name."""

MAX_INFLATED = 1 << 34
"""Bytes of all compressed members that we would read, expanded: they are held in memory, unlike stored ones."""

UNSUSPICIOUS = 1 << 24
"""Compressed members up to this size may have any ratio: text and zeros compress well."""

HONEST_RATIO = 200
"""By what factor a larger member may expand. Trained weights shrink by a tenth; deflate's own limit is 1032."""

ALWAYS_CHECKED = 1 << 22
"""Members up to this size have their CRC compared when they are read; larger ones with `integrity="full"`."""

MAX_FILES = 100_000
"""Files and folders of a directory."""

MAX_DEPTH = 32
"""Folders inside folders."""

MAX_OPEN_FILES = 64
"""Descriptors of a directory's files that are open at once."""
