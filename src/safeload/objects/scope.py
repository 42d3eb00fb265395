"""Where custom objects may come from, in the order in which they are looked for."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from safeload.objects.loading import modules_of
from safeload.objects.registry import registered

__all__ = ["Origin", "Scope", "keras_registry"]


@dataclass(frozen=True)
class Origin:
    """One place that may hold custom objects: its objects by name.

    Attributes:
        name: For messages: `custom_objects`, `module my_layers` ...
        objects: By name; registered names (`package>Name`) and plain ones.
        rank: The source it belongs to. Two origins of one rank that both have a name are ambiguous.
    """

    name: str
    objects: Mapping[str, Any]
    rank: int


@dataclass(frozen=True)
class Scope:
    """Where the custom objects of one call may come from.

    Attributes:
        custom_objects: What the caller passed; the only ones that may take the place of Keras' own.
        modules: Modules for this call, or their names.
        caller: The namespace of the module that called, and `__main__`'s.
    """

    custom_objects: Mapping[str, Any] = field(default_factory=dict)
    modules: tuple[ModuleType | str, ...] = ()
    caller: tuple[ModuleType, ...] = ()

    @classmethod
    def of_call(cls, custom_objects: Mapping[str, Any] | None, modules: Sequence[Any] = ()) -> Scope:
        """The scope of a call of the public API: the calling module is the first one outside safeload.

        Raises:
            TypeError: `custom_objects` is no mapping of names.
        """
        given = dict(custom_objects or {})
        if not all(isinstance(name, str) for name in given):
            raise TypeError("custom_objects must map names (str) to classes and functions")
        return cls(given, tuple([modules] if isinstance(modules, str | ModuleType) else modules), tuple(_callers()))

    def origins(self, names: frozenset[str], *, may_import: bool) -> Iterator[Origin]:
        """The places in order, each only when it is asked for.

        Args:
            names: What is looked for: of a package, only modules whose text has one of them are imported.
            may_import: Import registered names; otherwise their source is read as text, and gives `Static` objects.

        Raises:
            MissingCustomObjectError: A registered module can't be imported; its exception is the cause.
            MissingDependencyError: Because a package that it imports is not installed.
        """
        registry = keras_registry()
        if registry:
            yield Origin("Keras' registry", registry, 1)
        for rank, source, modules in (
            (2, "modules=", self.modules),
            (3, "registered module", registered()),
            (4, "entry point", _entry_points()),
            (5, "configured module", _configured()),
            (6, "calling module", self.caller),
        ):
            for module in modules:
                for name, found in modules_of(module, source, names, may_import=may_import):
                    objects = _objects(found) if isinstance(found, ModuleType) else found
                    yield Origin(f"{source} {name}", objects, rank)


def _callers() -> Iterator[ModuleType]:
    frame = sys._getframe(1)
    seen: set[str] = set()
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.split(".")[0] != "safeload":
            module = sys.modules.get(name)
            if module is not None and name not in seen:
                seen.add(name)
                yield module
            break
        if frame.f_back is None:
            break
        frame = frame.f_back
    main = sys.modules.get("__main__")
    if main is not None and "__main__" not in seen:
        yield main


def keras_registry() -> Mapping[str, Any]:
    """What is registered with Keras or in an active scope, if Keras is imported already; it is not imported for this."""
    for name in ("keras.saving", "tf_keras.saving", "keras.src.saving.object_registration", "keras.utils"):
        module = sys.modules.get(name)
        if module is None or not hasattr(module, "get_custom_objects"):
            continue
        found = dict(module.get_custom_objects())
        state = sys.modules.get(f"{name.split('.')[0]}.src.backend.common.global_state")
        if state is not None:
            found.update(state.get_global_attribute("custom_objects_scope_dict", {}) or {})
        return found
    return {}


@functools.lru_cache(maxsize=1)
def _entry_points() -> tuple[str, ...]:
    """Modules that installed packages declare under `safeload.modules`."""
    from importlib import metadata

    return tuple(
        dict.fromkeys(e.value.partition(":")[0].strip() for e in metadata.entry_points(group="safeload.modules"))
    )


def _configured() -> tuple[str, ...]:
    """`SAFELOAD_MODULES`, and `[tool.safeload] modules` of the pyproject.toml above the working directory."""
    found = [m.strip() for m in os.environ.get("SAFELOAD_MODULES", "").replace(os.pathsep, ",").split(",") if m.strip()]
    try:
        here = Path.cwd()
    except OSError:
        return tuple(found)
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            found += _modules_of(file)
            break
    return tuple(found)


def _modules_of(file: Path) -> list[str]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    tool = table.get("tool", {}).get("safeload", {}) if isinstance(table.get("tool"), dict) else {}
    modules = tool.get("modules", []) if isinstance(tool, dict) else []
    return [m for m in modules if isinstance(m, str)]


def _objects(module: ModuleType) -> dict[str, Any]:
    """The classes and functions of a module that a file may name.

    Its own (defined in its package), and classes of Keras objects that it imported. Functions that it imported from
    elsewhere are not: a file must not be able to pick `os.system` because the script has `from os import system`.
    """
    root = module.__name__.split(".")[0]
    found: dict[str, Any] = {}
    for name, value in list(vars(module).items()):
        if name.startswith("__") or (not isinstance(value, type | FunctionType) and not _is_wrapped(value)):
            continue
        home = str(getattr(value, "__module__", "")).split(".")[0]
        if (
            home == root
            or _same_project(value, module)
            or (isinstance(value, type) and _is_keras_class(value) and home not in _KERAS)
        ):
            found[name] = value
            registered_name = getattr(value, "_api_export_path", None)
            if isinstance(registered_name, str):
                found.setdefault(registered_name, value)
    return found


_KERAS = ("keras", "tf_keras", "tensorflow")


def _same_project(value: Any, module: ModuleType) -> bool:
    """Whether something that a script imported lies in the script's own folder: `from losses import focal`."""
    own = getattr(module, "__file__", None)
    home = getattr(sys.modules.get(str(getattr(value, "__module__", ""))), "__file__", None)
    if own is None or home is None or "site-packages" in home:
        return False
    return Path(home).resolve().is_relative_to(Path(own).resolve().parent)


def _is_keras_class(value: type) -> bool:
    return hasattr(value, "from_config") and any(c.__module__.split(".")[0] in _KERAS for c in value.__mro__)


def _is_wrapped(value: Any) -> bool:
    """A `tf.function` around a function."""
    return isinstance(getattr(value, "python_function", None), FunctionType)
