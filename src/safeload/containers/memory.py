"""How much memory this process may use."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["available_memory", "total_memory"]

_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def total_memory() -> int | None:
    """Bytes of the machine, or of the container that we run in; None where that can't be told."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows
        return None
    limits = [n for n, _ in _cgroups()]
    return min([total, *limits]) if total > 0 else None


def available_memory() -> int | None:
    """Bytes that can still be had without swapping; None where that can't be told."""
    free = None
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        free = total_memory()  # macOS: what is free can't be told without a call into the system
    left = [limit - used for limit, used in _cgroups()]
    return min([free, *left]) if free is not None else None


def _cgroups() -> list[tuple[int, int]]:
    found = []
    for limit, used in _CGROUPS:
        try:
            numbers = Path(limit).read_text(encoding="ascii").strip(), Path(used).read_text(encoding="ascii").strip()
            found.append((int(numbers[0]), int(numbers[1])))
        except (OSError, ValueError):  # `max`: no limit
            continue
    return found
