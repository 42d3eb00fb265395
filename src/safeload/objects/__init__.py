"""Custom objects: where they may come from, and what each name in a config stands for."""

from __future__ import annotations

from safeload.objects.resolution import Resolution, Resolved, resolve
from safeload.objects.scope import Scope
from safeload.objects.uses import ObjectUse, uses

__all__ = ["ObjectUse", "Resolution", "Resolved", "Scope", "resolve", "uses"]
