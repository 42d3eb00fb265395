"""Which packages do the custom objects come from, and are these installed?"""

from __future__ import annotations

from collections.abc import Iterable

from safeload.checks import Examination
from safeload.checks.packages import Package, install_line, installed, packages_of
from safeload.errors import MissingDependencyError
from safeload.findings import Finding, Rule, Severity

__all__ = ["MISSING_PACKAGE", "check"]

MISSING_PACKAGE = Rule(
    "SL502",
    "package-missing",
    Severity.ERROR,
    """\
What it sees: a layer, loss or other object of a package that is not installed.
Why it matters: its class is in that package, so the model can't be built without it.
Example: `Addons>WeightNormalization` without tensorflow-addons.
What to do: install what the hint says, then `safeload.register_module("the_package")`.
References: the packages' own documentation.
""",
    MissingDependencyError,
)


def check(examination: Examination) -> Iterable[Finding]:
    """An error for each package that is missing; training parts leave the model uncompiled and are warnings elsewhere."""
    strict, runtime = examination.options.compile == "strict", examination.runtime
    wanted: dict[tuple[str, ...], tuple[tuple[Package, ...], list[str], list[str]]] = {}
    for resolved in examination.resolution.missing if examination.resolution else ():
        use = resolved.use
        if use.training and not strict:
            continue
        packages = packages_of(use.name, use.registered_name, use.module)
        if packages:
            _, names, places = wanted.setdefault(tuple(p.module for p in packages), (packages, [], []))
            names.append(use.registered_name or use.name)
            places.append(use.where)
    for packages, names, places in wanted.values():
        if any(installed(p.module) for p in packages):
            continue  # `custom_objects` says to register it
        shown = ", ".join(dict.fromkeys(names))
        lines = [install_line(p, runtime.tensorflow, runtime.flavour) for p in packages]
        yield MISSING_PACKAGE.finding(
            f"{shown}: of the package {' or '.join(p.shown for p in packages)}, which is not installed",
            where=places[0],
            hint="; or ".join(lines),
            packages=tuple(p.pip for p in packages),
            evidence={"places": places},
        )
