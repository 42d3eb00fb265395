"""What to do about a class or function that was not found: where it is defined, which package has it, what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from safeload.checks.packages import PACKAGES, installed, packages_of
from safeload.objects.catalog import names
from safeload.objects.definitions import Definition, Search, search
from safeload.objects.registry import registered_modules
from safeload.objects.resolution import Resolved
from safeload.objects.uses import ObjectUse

__all__ = ["Suggestions"]

_KERAS = ("", "keras", "tf_keras", "tensorflow", "builtins", "__main__")
_SHOWN = 3
_NEAR = 0.8


@dataclass(frozen=True)
class Suggestions:
    """What one search of the sources found for all that is missing.

    Attributes:
        dialect: Whose names Keras' own are.
        known: Names that the places for custom objects do have.
        found: The definitions.
    """

    dialect: str
    known: Sequence[str] = ()
    found: Search = field(default_factory=Search)

    @classmethod
    def for_missing(cls, missing: Iterable[Resolved], known: Sequence[str], dialect: str) -> Suggestions:
        """Look for everything at once, within one bound of time."""
        wanted = {n for r in missing for n in (r.use.name, r.use.registered_name) if n is not None and n != "<lambda>"}
        known = [name for name in known if not name.startswith("safeload>")]  # ours, registered by an earlier load
        return cls(dialect, known, search(wanted, [p.module for p in PACKAGES]))

    def places(self, use: ObjectUse) -> tuple[str, ...]:
        """Where definitions of that name are, a line each."""
        return tuple(str(d) for d in self._definitions(use))

    def _definitions(self, use: ObjectUse) -> tuple[Definition, ...]:
        found = self.found.definitions
        return found.get((use.registered_name or use.name).rpartition(">")[2]) or found.get(use.name) or ()

    def hint(self, use: ObjectUse) -> str:
        """What to do, in a line or two."""
        places = self._definitions(use)
        if places:
            lines = [f"{place}: {place.remedy}" for place in places[:_SHOWN]]
            more = f" and {len(places) - _SHOWN} more places" if len(places) > _SHOWN else ""
            return "; or ".join(lines) + more
        packages = packages_of(use.name, use.registered_name, use.module)
        home = next((p.module for p in packages if installed(p.module)), (use.module or "").split(".")[0])
        if home not in _KERAS and installed(home):
            said = "it seems to come from" if packages else "the file says that it comes from"
            module = home if packages else use.module
            return f'{said} {use.module or home}, which is installed: safeload.register_module("{module}")'
        name = use.name if use.name.isidentifier() else "..."
        otherwise = f"register the module that defines it, safeload.register_module(...){_looked()}, or pass custom_objects={{{use.name!r}: {name}}}"
        meant = self._meant(use)
        return f"did you mean {meant}? Otherwise {otherwise}" if meant else otherwise

    def _meant(self, use: ObjectUse) -> str | None:
        """What comes near: among what the caller gave or registered, Keras' own of that kind, the user's sources."""
        own = [*names(self.dialect, use.kind), *names(self.dialect, "layer")]
        for candidates, told in ((self.known, ", which was given or registered"), (own, ""), (self.found.seen, "")):
            near = _nearest(use.name, candidates)
            if near is not None:
                return f"{near}{told}"
        return None


def _nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that differs by case, underscores or a letter or two; only names of about that length are compared."""
    plain = name.casefold().replace("_", "")
    by_plain: dict[str, str] = {}
    for candidate in candidates:
        last = candidate.rpartition(">")[2]
        form = last.casefold().replace("_", "")
        if last != name and abs(len(form) - len(plain)) <= 2 and form[:1] == plain[:1]:
            by_plain.setdefault(form, last)
    found = difflib.get_close_matches(plain, list(by_plain), 1, _NEAR)
    return by_plain[found[0]] if found else None


def _looked() -> str:
    known = registered_modules()
    return f" (registered: {', '.join(known)})" if known else ""
