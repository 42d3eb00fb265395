"""Findings are data: a rule says what can be found, a finding says where it was found, a report holds them all."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from safeload.errors import FUNDAMENTAL_FIRST, SafeLoadError

__all__ = ["Finding", "Report", "Rule", "Severity"]


class Severity(enum.Enum):
    """How bad a finding is: an error stops the load, a warning changes what you get, a note is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that can be found in a model file.

    Each rule is a row beside the code that looks for it; `safeload.rules` collects them. Ids are never reused.

    Args:
        id: Such as `SL203`. SL1xx container and integrity, SL2xx safety, SL3xx versions, SL4xx custom objects,
            SL5xx dependencies, backend and hardware, SL6xx weights and training state, SL7xx and SL8xx repairs.
        name: A kebab-case name, such as `lambda-bytecode`.
        severity: What a finding of this rule is unless it says otherwise.
        doc: Text in the frame: What it sees / Why it matters / Example / What to do / References.
        raises: The exception that `load_model` raises for an error of this rule.
    """

    id: str
    name: str
    severity: Severity
    doc: str
    raises: type[SafeLoadError] | None = None

    def finding(
        self,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        severity: Severity | None = None,
        evidence: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Finding:
        """A finding of this rule. `fields` become the fields of the exception that the rule raises."""
        return Finding(
            rule=self.id,
            name=self.name,
            severity=severity or self.severity,
            message=message,
            where=where,
            hint=hint,
            evidence=dict(evidence or {}),
            raises=self.raises,
            fields=fields,
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, and what to do about it."""

    rule: str
    name: str
    severity: Severity
    message: str
    where: str | None = None
    hint: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    raises: type[SafeLoadError] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_error(cls, error: SafeLoadError) -> Finding:
        """The finding that says what an exception says, for reports on files that can't even be read."""
        return cls(
            rule="SL100",
            name=error.code,
            severity=Severity.ERROR,
            message=error.message,
            where=error.where,
            hint=error.hint,
            raises=type(error),
            fields={name: getattr(error, name) for name in error.FIELDS},
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "name": self.name,
            "severity": self.severity.value,
            "message": self.message,
            "where": self.where,
            "hint": self.hint,
            "evidence": dict(self.evidence),
        }

    def __str__(self) -> str:
        place = f" at {self.where}" if self.where else ""
        hint = f"\n    Hint: {self.hint}" if self.hint else ""
        return f"{self.severity.value}: {self.rule} {self.name}{place}: {self.message}{hint}"


def _merged(findings: Iterable[Finding], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of one exception from the fields of several findings: tuples and mappings add up, the first scalar wins."""
    merged: dict[str, Any] = {}
    for finding in findings:
        for name, value in finding.fields.items():
            if isinstance(defaults[name], tuple):
                merged[name] = tuple(dict.fromkeys((*merged.get(name, ()), *value)))
            elif isinstance(defaults[name], Mapping):
                merged[name] = {**merged.get(name, {}), **value}
            else:
                merged.setdefault(name, value)
    return merged


@dataclass(frozen=True)
class Report:
    """Everything that was found in one file on one machine, errors first.

    Attributes:
        path: The path as the caller gave it.
        findings: Errors, then warnings, then notes.
        document: The `ModelDocument` that was looked at, None when the file could not be read.
        runtime: What is installed here, as plain data.
        repairs: Ids of the repairs that were made or would be made.
    """

    path: str | None
    findings: tuple[Finding, ...] = ()
    document: Any = None
    runtime: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        order = list(Severity)
        ranked = sorted(self.findings, key=lambda f: order.index(f.severity))
        object.__setattr__(self, "findings", tuple(ranked))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity is severity)

    @property
    def errors(self) -> tuple[Finding, ...]:
        return self.of(Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return self.of(Severity.WARNING)

    @property
    def notes(self) -> tuple[Finding, ...]:
        return self.of(Severity.NOTE)

    @property
    def repairs(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.rule.startswith(("SL7", "SL8")))

    @property
    def ok(self) -> bool:
        """Whether `load_model` would return a model."""
        return not self.errors

    def error(self) -> SafeLoadError | None:
        """The exception for the most fundamental error, None when there is none."""
        rank = {cls: i for i, cls in enumerate(FUNDAMENTAL_FIRST)}
        errors = sorted(self.errors, key=lambda f: rank.get(f.raises or SafeLoadError, len(rank)))
        if not errors:
            return None
        first = errors[0]
        cls = first.raises or SafeLoadError
        same = [f for f in errors if f.raises is first.raises]
        message = first.message if len(same) == 1 else "; ".join(dict.fromkeys(f.message for f in same))
        hints = dict.fromkeys(f.hint for f in same if f.hint)
        return cls(
            message,
            path=self.path,
            where=first.where if len(same) == 1 else ", ".join(dict.fromkeys(f.where for f in same if f.where)) or None,
            hint="\n        ".join(hints) or None,
            findings=self.findings,
            **_merged(same, cls.FIELDS),
        )

    def raise_for_errors(self) -> None:
        """Raise the most fundamental error, if there is one, with all findings in it."""
        error = self.error()
        if error is not None:
            raise error

    def to_dict(self) -> dict[str, Any]:
        document = self.document.to_dict() if self.document is not None else None
        return {
            "path": self.path,
            "ok": self.ok,
            "runtime": dict(self.runtime),
            "document": document,
            "findings": [f.to_dict() for f in self.findings],
        }

    def __str__(self) -> str:
        verdict = "loads here" if self.ok else "does not load here"
        lines = [f"{self.path or 'model'}: {verdict}"]
        if self.document is not None:
            lines.append(f"  {self.document.summary()}")
        lines += [f"  {line}" for f in self.findings for line in str(f).splitlines()]
        return "\n".join(lines)
