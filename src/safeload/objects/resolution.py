"""What each name in a config stands for: one of Keras' own, or a custom object from the call's scope."""

from __future__ import annotations

import inspect
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from safeload.document import ModelDocument, Writer
from safeload.errors import MissingCustomObjectError
from safeload.objects.catalog import KINDS, Builtin, builtin, is_alias, is_later_than
from safeload.objects.loading import Static
from safeload.objects.scope import Origin, Scope
from safeload.objects.uses import ObjectUse, uses
from safeload.runtime import Runtime

__all__ = ["Resolution", "Resolved", "Target", "is_own", "resolve"]

_OWN = "safeload>"
"""Registered names of layers that safeload itself brings start with this."""

_PREFERRED = {
    # Where a name is of several kinds, the place in the config decides; elsewhere this order.
    "layer": ("layer", "model", "operation"),
    "object": tuple(k for k in KINDS),
    "function": ("activation", "initializer", "loss", "metric"),
    "loss": ("loss", "metric"),
    "metric": ("metric", "loss"),
    "optimizer": ("optimizer", "schedule"),
    "schedule": ("schedule",),
    "dtype_policy": ("dtype_policy",),
    "activation": ("activation", "layer"),
}

_MODULE_KINDS = {
    "layers": ("layer",),
    "initializers": ("initializer",),
    "regularizers": ("regularizer",),
    "constraints": ("constraint",),
    "activations": ("activation",),
    "losses": ("loss",),
    "metrics": ("metric",),
    "optimizers": ("optimizer", "schedule"),
    "dtype_policies": ("dtype_policy",),
    "ops": ("operation",),
}


@dataclass(frozen=True, slots=True)
class Target:
    """What the emitted tree says: Keras' own module and name, or no module and the key of a custom object.

    `kind` is the kind of Keras' own object (`catalog.KINDS`); None for custom objects.
    """

    module: str | None
    name: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """A use with what was found for it.

    Attributes:
        use: The use.
        target: What to emit; None when it is missing or ambiguous.
        origin: `builtin`, or the name of the place that it comes from; None when it is missing.
        candidates: The places, when it is ambiguous.
    """

    use: ObjectUse
    target: Target | None
    origin: str | None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Own:
    """The place of a layer of safeload's own, which is imported when the model is built."""

    name: str


@dataclass(frozen=True)
class Resolution:
    """What every name in a config stands for.

    Attributes:
        resolved: One for each use, in the order of the config.
        custom_objects: By key: what is handed to Keras.
        known: The names of everything in the places that were looked at.
    """

    resolved: tuple[Resolved, ...] = ()
    custom_objects: Mapping[str, Any] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    _by_place: Mapping[str, Resolved] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_place", {r.use.where: r for r in self.resolved})

    @property
    def missing(self) -> tuple[Resolved, ...]:
        return tuple(r for r in self.resolved if r.target is None and not r.candidates)

    @property
    def ambiguous(self) -> tuple[Resolved, ...]:
        return tuple(r for r in self.resolved if r.candidates)

    def for_training(self) -> Resolution:
        """The part that compiling needs: what is left of a model that is loaded without its layers."""
        return Resolution(tuple(r for r in self.resolved if r.use.training), self.custom_objects, self.known)

    def bind(self) -> Resolution:
        """The same with safeload's own layers in place of their names; imports TensorFlow where there are any."""
        own = {key: _own_object(value.name) for key, value in self.custom_objects.items() if isinstance(value, Own)}
        return Resolution(self.resolved, {**self.custom_objects, **own}, self.known) if own else self

    def custom_text(self, where: str) -> str | None:
        """The key of the custom object that a bare string at a place names; None for every other string."""
        found = self._by_place.get(where)
        return found.target.name if found is not None and found.target is not None and _is_custom_text(found) else None

    def at(self, where: str) -> Resolved | None:
        """What was found for the use at a place; None where there is no use."""
        return self._by_place.get(where)

    def target(self, node: Mapping[str, Any], where: str) -> Target:
        """What the object at a place stands for; see `build.emit.Resolver`.

        Raises:
            MissingCustomObjectError: It was not found.
        """
        found = self._by_place.get(where)
        if found is None or found.target is None:
            name = node["config"] if node.get("class_name") == "function" else node["class_name"]
            raise MissingCustomObjectError(f"{name} is not known here", where=where, missing=(str(name),))
        return found.target


def _is_custom_text(resolved: Resolved) -> bool:
    return resolved.use.is_text and resolved.target is not None and resolved.target.module is None


def resolve(document: ModelDocument, runtime: Runtime, scope: Scope, *, may_import: bool = False) -> Resolution:
    """Resolve every use of a document's architecture and training config.

    Args:
        document: In the runtime's dialect.
        runtime: What is installed.
        scope: Where custom objects may come from.
        may_import: Whether registered modules may be imported for what is missing; `check` never does.
    """
    found = [*uses(document.architecture, kind="layer"), *uses(document.training, where="training", training=True)]
    names = frozenset((u.registered_name or u.name).rpartition(">")[2] for u in found)
    finder = _Finder(runtime.dialect, scope, names, may_import, document.writer)
    resolved = tuple(finder.find(use) for use in found)
    return Resolution(resolved, finder.handed, finder.known())


class _Finder:
    def __init__(self, dialect: str, scope: Scope, names: frozenset[str], may_import: bool, writer: Writer) -> None:
        self.dialect = dialect
        self.writer = writer
        self.scope = scope
        self.handed: dict[str, Any] = dict(scope.custom_objects)
        self._seen: list[Origin] = []
        self._rest = scope.origins(names, may_import=may_import)

    def origins(self) -> Iterator[Origin]:
        """The places in order; a later one is looked up (and imported) only when it is reached."""
        yield from self._seen
        for origin in self._rest:
            self._seen.append(origin)
            yield origin

    def known(self) -> tuple[str, ...]:
        """The names of everything in the places that were looked at so far."""
        return tuple(dict.fromkeys([*self.scope.custom_objects, *(n for o in self._seen for n in o.objects)]))

    def find(self, use: ObjectUse) -> Resolved:
        passed = _lookup(use, self.scope.custom_objects)
        if passed is not None:
            return Resolved(use, Target(None, passed), "custom_objects")
        own = self.builtin(use)
        if own is not None:
            return Resolved(use, own, "builtin")
        if use.registered_name and is_own(use) and use.registered_name.removeprefix(_OWN) in _own_names():
            return self.hand(use, use.registered_name, Own(use.registered_name), "safeload")
        candidates: list[tuple[Origin, str, Any]] = []
        for origin in self.origins():
            if candidates and origin.rank != candidates[0][0].rank:
                break
            key = _lookup(use, origin.objects)
            if key is not None:
                value = origin.objects[key]
                if all(value is not v for _, _, v in candidates):
                    candidates.append((origin, key, value))
        if len(candidates) > 1:
            candidates = _fitting(use, candidates) or candidates
        if not candidates:
            return Resolved(use, None, None)
        if len(candidates) > 1:
            return Resolved(use, None, None, tuple(_place(value) for _, _, value in candidates))
        origin, key, value = candidates[0]
        return self.hand(use, use.registered_name or key, value, origin.name)

    def hand(self, use: ObjectUse, key: str, value: Any, origin: str) -> Resolved:
        if self.handed.get(key, value) != value:
            key = f"{key}@{len(self.handed)}"  # two classes of one name in one file, told apart by their configs
        self.handed[key] = value
        if use.is_text:
            self.handed.setdefault(use.name, value)
        return Resolved(use, Target(None, key), origin)

    def builtin(self, use: ObjectUse) -> Target | None:
        if use.module is not None and use.module.split(".")[0] not in ("keras", "tf_keras", "tensorflow", "builtins"):
            return None
        if (
            use.registered_name
            and ">" in use.registered_name
            and not use.registered_name.startswith(("Keras>", "keras>"))
        ):
            return None
        for kind in self.kinds(use):
            own = builtin(self.dialect, kind, use.name)
            if own is not None:
                writer = self.writer
                named = (writer.keras or "")[:1].isdigit()
                if named and is_later_than(own.kind, use.name, writer.version, writer.is_tf_keras):
                    return None
                return _target(own, use, self.dialect)
            if use.is_function and is_alias(kind, use.name.lower() if kind == "optimizer" else use.name):
                return Target("keras", use.name, kind)
        return None

    def kinds(self, use: ObjectUse) -> Iterable[str]:
        """The kinds to look under: what the place says, then what the stored module's last words say."""
        named: list[str] = []
        for part in (use.module or "").split("."):
            named += _MODULE_KINDS.get(part, ())
        wanted = list(_PREFERRED.get(use.kind, (use.kind,)))
        return dict.fromkeys([*named, *wanted] if use.kind in ("object", "layer") else [*wanted, *named])


def _target(own: Builtin, use: ObjectUse, dialect: str) -> Target:
    if dialect == "keras2":
        if own.kind == "optimizer" and (use.module or "").endswith("legacy"):
            return Target("keras.optimizers.legacy", own.name, own.kind)
        if own.kind == "dtype_policy":
            return Target("keras.mixed_precision", own.name, own.kind)
        if own.name == "Functional":  # Keras 2's Model builds it from its config
            return Target("keras", "Model", own.kind)
    return Target(own.module, own.name, own.kind)


def _lookup(use: ObjectUse, objects: Mapping[str, Any]) -> str | None:
    """The key of a use among named objects: by registered name, by name, by a registered name that ends in it."""
    for key in (use.registered_name, use.name):
        if key is not None and key in objects and _is_object(objects[key]):
            return key
    plain = (use.registered_name or use.name).rsplit(">", 1)[-1]
    for key in (plain, *(k for k in objects if k.endswith(f">{plain}"))):
        if key in objects and _is_object(objects[key]):
            return key
    return None


def _is_object(value: Any) -> bool:
    """Classes and functions, and what a module's text says is one."""
    return inspect.isclass(value) or callable(value) or isinstance(value, Static)


def _fitting(use: ObjectUse, candidates: Sequence[tuple[Origin, str, Any]]) -> list[tuple[Origin, str, Any]]:
    """Those candidates whose constructor takes the stored config; the stored module decides between equals."""
    fitting = [c for c in candidates if takes(c[2], use.config)]
    same_module = [c for c in fitting if use.module is not None and _module_of(c[2]) == use.module]
    return same_module or fitting


def takes(cls: Any, config: Any) -> bool:
    """Whether a class' constructor takes the keys of a stored config, as far as its signature tells."""
    if not inspect.isclass(cls) or not isinstance(config, Mapping):
        return True
    names: set[str] = {"name", "trainable", "dtype", "batch_input_shape", "batch_shape"}
    required: set[str] = set()
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        try:
            parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        except (TypeError, ValueError):
            return True
        names |= {p.name for p in parameters}
        if base is cls:
            required = {p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
        if base.__module__.split(".")[0] in ("keras", "tf_keras", "tensorflow"):
            break
    return required <= set(config) and set(config) <= names


def _place(value: Any) -> str:
    name = value.name if isinstance(value, Static) else getattr(value, "__qualname__", value)
    return f"{_module_of(value)}.{name}"


def _module_of(value: Any) -> str:
    return value.module if isinstance(value, Static) else str(getattr(value, "__module__", "?"))


def is_own(use: ObjectUse) -> bool:
    """Whether it is registered as one of safeload's own, which this safeload need not have yet."""
    return use.registered_name is not None and use.registered_name.startswith(_OWN)


def _own_names() -> Container[str]:
    """The names of safeload's own; the table of them imports no TensorFlow."""
    from safeload.layers import OWN

    return OWN


def _own_object(name: str) -> Any:
    """A layer of safeload's own; imported when it is asked for."""
    from safeload.layers import own_object

    return own_object(name.removeprefix(_OWN))
