"""What the bytecode of a config says, for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safeload.findings import Finding, Rule, Severity
from safeload.lambdas.bytecode import bytecodes
from safeload.lambdas.reading import read_function

__all__ = ["LAMBDA_SOURCE", "readable"]

LAMBDA_SOURCE = Rule(
    "SL210",
    "lambda-source",
    Severity.NOTE,
    """\
What it sees: what Python bytecode in the file says, as source text.
Why it matters: nobody can judge what can't be read.
Example: `lambda x: K.l2_normalize(x, axis=1)`.
What to do: compare it with what you expect.
References: docs/architecture.md, Lambdas.
""",
)


def readable(config: Any, tensorflow: int | None) -> Iterator[Finding]:
    """A note for each place in a config that holds bytecode: its source, or why there is none.

    Args:
        config: Of any dialect.
        tensorflow: 1 or 2: which `tf` it was written for; None where that is not known.
    """
    for code in bytecodes(config):
        given = code.arguments if isinstance(code.arguments, Mapping) else None
        reading = read_function(code.stored, tensorflow=tensorflow, arguments=given)
        said = "; ".join(t for t in (reading.source, reading.stopped) if t)
        name = f"the layer {code.layer!r}" if code.layer else "the model"
        yield LAMBDA_SOURCE.finding(
            f"{name} holds bytecode: {said}",
            where=code.where,
            evidence={"layer": code.layer, "python": code.range, "source": reading.source, "stopped": reading.stopped},
        )
