"""JSON texts inside model files."""

from __future__ import annotations

import json
from typing import Any

from safeload.errors import CorruptedModelError

__all__ = ["parse_json"]


def parse_json(text: str | bytes, *, path: str | None, where: str) -> Any:
    """The value of a JSON text.

    Raises:
        CorruptedModelError: It is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorruptedModelError(f"{where} is no JSON: {error}", path=path, where=where, damage=(where,)) from error
