"""Data in a form that no Keras writes, met where code goes through it.

Repairs and checks read what a file says where they need it, and don't look at each value's type first. What Python raises
there is the file's fault unless it is a bug of ours; either way the file is refused, with the place in our code.
"""

from __future__ import annotations

import logging
import traceback

from safeload.errors import CorruptedModelError

__all__ = ["DATA_ERRORS", "malformed"]

DATA_ERRORS = (ArithmeticError, AttributeError, LookupError, RecursionError, StopIteration, TypeError, ValueError)
"""What Python raises for a value that isn't of the type or in the range that code expects."""

log = logging.getLogger("safeload")


def malformed(error: Exception, step: str, path: str | None = None) -> CorruptedModelError:
    """The typed error for what was raised while a step went through the data of a file."""
    log.debug("%s: %s failed", path, step, exc_info=error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else step
    made = CorruptedModelError(
        f"the config is in a form that no Keras writes: {type(error).__name__}: {str(error)[:200]} ({step}: {place})",
        path=path,
        hint="if Keras wrote the file as it is, this is a bug of safeload: please report it with the file's config",
    )
    made.__cause__ = error
    return made
