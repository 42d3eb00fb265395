"""The rules of this boundary: one frame for all of them, as they differ in what they see alone."""

from __future__ import annotations

from safeload.findings import Rule, Severity

__all__ = ["rule"]


def rule(number: int, name: str, sees: str, example: str, references: str = "keras 3.0") -> Rule:
    """A note of this boundary."""
    doc = f"""\
What it sees: {sees}
Why it matters: Keras 2 refuses what Keras 3 stored, or reads something else from it.
Example: {example}
What to do: nothing; the repaired model gives the numbers of the writer.
References: {references}
"""
    return Rule(f"SL{number}", name, Severity.NOTE, doc)
