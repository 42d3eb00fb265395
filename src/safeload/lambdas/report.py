"""What the bytecode of a config says, for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from safeload.findings import Finding, Rule, Severity
from safeload.lambdas.bytecode import Bytecode, bytecodes
from safeload.lambdas.reading import Reading, read_function
from safeload.lambdas.roles import Role, role_of
from safeload.lambdas.setting import Setting

__all__ = ["LAMBDA_SOURCE", "read", "readable"]

LAMBDA_SOURCE = Rule(
    "SL210",
    "lambda-source",
    Severity.NOTE,
    """\
What it sees: what Python bytecode in the file says, as source text.
Why it matters: nobody can judge what can't be read.
Example: `lambda x: K.l2_normalize(x, axis=1)`.
What to do: compare it with what you expect.
References: docs/lambdas.md.
""",
)


def readable(config: Any, setting: Setting, where: str = "") -> Iterator[Finding]:
    """A note for each place in a config that holds bytecode: its source, or why there is none.

    Args:
        config: Of any dialect.
        setting: Where it was written.
        where: The place of the config in the document.
    """
    for code in bytecodes(config, where):
        reading = read(code, setting)
        said = "; ".join(t for t in (reading.source, reading.stopped) if t)
        name = f"the layer {code.layer!r}" if code.layer else "the model"
        yield LAMBDA_SOURCE.finding(
            f"{name} holds bytecode: {said}",
            where=code.where,
            evidence={"layer": code.layer, "python": code.range, "source": reading.source, "stopped": reading.stopped},
        )


def read(code: Bytecode, setting: Setting) -> Reading:
    """Read the bytecode at a place, for what Keras calls it with there."""
    return read_function(
        code.stored,
        setting=replace(setting, inputs=code.inputs),
        arguments=code.arguments if isinstance(code.arguments, Mapping) and code.slot == "function" else None,
        role=role_of(code.slot) or Role(),
    )
