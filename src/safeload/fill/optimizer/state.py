"""What a file holds of an optimizer's state, told apart by era: plain data, nothing is read yet.

The orders in which the eras store it are in docs/formats.md, "Optimizer state".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from safeload.document import ModelDocument, WeightEntry, WeightGroup
from safeload.optimizers import KEPT, KERAS2, KERAS3, STANDALONE, V2, Kept, class_of, era_of, inner_config

__all__ = ["State", "never_stored", "read_state"]

_WRAPPED = ("inner_optimizer", "_optimizer", "base_optimizer")
"""Groups in which a LossScaleOptimizer stores the optimizer that does the work (Keras 2.12 and later, Keras 3)."""

_SCALARS = {
    "momentum_cache": "u_product",
    "m_schedule": "u_product",
    "dynamic_scale": "dynamic_scale",
    "step_counter": "step_counter",
}
_STEPS = frozenset({"iter", "iteration", "iterations", "step"})


@dataclass(frozen=True)
class State:
    """An optimizer's stored state.

    Attributes:
        era: Which family of optimizers wrote it; see `safeload.optimizers`.
        cls: The optimizer's class in lower case.
        config: Its config as the file has it.
        iterations: The number of steps; None where the era doesn't store it.
        learning_rate: Its value, where it is stored as a variable (Keras 3).
        scalars: Other single values by our name: `u_product`, `dynamic_scale`, `step_counter`.
        slots: By the slot's name, an entry for each variable that the writer trained. By the writer's name where the
            optimizer's class is not known here.
        names: The writer's names of those variables, where the entries carry them.
        rest: Every entry after `iterations` and `learning_rate` in the writer's order, where the class is not known.
    """

    era: str
    cls: str
    config: Mapping[str, Any]
    iterations: WeightEntry | None = None
    learning_rate: WeightEntry | None = None
    scalars: Mapping[str, WeightEntry] = field(default_factory=dict)
    slots: Mapping[str, tuple[WeightEntry, ...]] = field(default_factory=dict)
    names: tuple[str, ...] | None = None
    rest: tuple[WeightEntry, ...] = ()


def read_state(original: ModelDocument, trained: int) -> State | None:
    """The stored state; None where the file holds none.

    Args:
        original: The document as it was read.
        trained: How many arrays the writer trained.

    Raises:
        ValueError: The number of stored arrays is none that the optimizer could have; the message says so.
    """
    stored = original.optimizer_weights
    if stored is None:
        return None
    node = (original.training or {}).get("optimizer")
    outer, group = _unwrapped(stored)
    entries, scalars = _split(_own(group))
    scalars = {**_scale_of(outer, group), **scalars}
    if not entries and not scalars:
        return None
    inner = inner_config(node)
    config = inner.get("config") if isinstance(inner, Mapping) else {}
    config = config if isinstance(config, Mapping) else {}
    era, cls = era_of(node, original.writer.version), class_of(inner)
    if any(_last(e.name) == "iter" for e in entries):
        era = V2
    base = State(era, cls, config, scalars=scalars)
    if era == V2:
        return _by_name(base, entries)
    kept = KEPT.get(cls)
    if era == STANDALONE:
        return _standalone(base, entries, kept, original.writer.version, trained)
    return _numbered(base, entries, kept, trained)


def never_stored(original: ModelDocument) -> bool:
    """Whether the writer stores no state of such an optimizer in such a file, trained or not.

    `saving_lib` of Keras 2.12 to 2.15 stores what has `save_own_variables`, and OptimizerV2 has none.
    """
    node = (original.training or {}).get("optimizer")
    version = original.writer.version
    return bool(node) and original.layout == "keras-v3" and version[0] < 3 and era_of(node, version) == V2


def _unwrapped(group: WeightGroup) -> tuple[WeightGroup | None, WeightGroup]:
    """The group of the outermost wrapper, if there is one, and that of the optimizer that does the work."""
    outer = None
    for _ in range(8):
        inner = next((g for name in _WRAPPED if (g := group.group(name)) is not None), None)
        if inner is None or not _own(inner):
            break
        outer, group = outer or group, inner
    return outer, group


def _own(group: WeightGroup) -> tuple[WeightEntry, ...]:
    return (group.group("vars") or group).entries


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1].split(":")[0]


def _split(entries: Sequence[WeightEntry]) -> tuple[list[WeightEntry], dict[str, WeightEntry]]:
    """The entries without those named single values that stand among them."""
    named = {_SCALARS[_last(e.name)]: e for e in entries if _last(e.name) in _SCALARS and e.shape == ()}
    taken = {id(e) for e in named.values()}
    return [e for e in entries if id(e) not in taken], named


def _scale_of(outer: WeightGroup | None, inner: WeightGroup) -> dict[str, WeightEntry]:
    """Keras 3's LossScaleOptimizer stores a counter and a rate that it does not use, its step counter and its scale
    before all that its inner optimizer has.
    """
    if outer is None:
        return {}
    own = _own(outer)[: len(_own(outer)) - len(_own(inner))]
    if len(own) >= 2 and all(entry.shape == () for entry in own):
        return {"step_counter": own[-2], "dynamic_scale": own[-1]}
    return {}


def _by_name(base: State, entries: Sequence[WeightEntry]) -> State:
    """OptimizerV2: `<scope>/<variable>/<slot>`; slot by slot over the variables that had a gradient."""
    slots: dict[str, dict[str, WeightEntry]] = {}
    steps = None
    for entry in entries:
        variable, _, slot = entry.name.rpartition("/")
        slot = slot.split(":")[0]
        if slot in _STEPS and entry.shape == ():
            steps = steps or entry
        else:
            key, held = variable, slots.setdefault(slot, {})
            while key in held:  # two variables of one name: the order tells them apart
                key += "'"
            held[key] = entry
    kept = KEPT.get(base.cls)
    known = {s.v2: s.name for s in kept.slots} if kept else {}
    names = tuple(next(iter(slots.values()))) if slots else ()
    if any(tuple(held) != names for held in slots.values()):
        raise ValueError("the slots belong to different variables")
    found = {known.get(slot, slot): tuple(held.values()) for slot, held in slots.items()}
    return State(base.era, base.cls, base.config, steps, None, base.scalars, found, names)


def _standalone(
    base: State, entries: list[WeightEntry], kept: Kept | None, version: tuple[int, ...], trained: int
) -> State:
    """Keras 1 and 2: the counter (by class and version), then slot by slot over the model's trainable weights."""
    if kept is None:
        raise ValueError(f"nothing is known of the order in which {base.cls} stores its state")
    steps = None
    if entries and _counts(entries, kept, version):
        steps, entries = entries[0], entries[1:]
    if trained == 0 or len(entries) % trained:
        raise ValueError(f"it holds {len(entries)} arrays for {trained} trained weights")
    lists = [tuple(entries[i : i + trained]) for i in range(0, len(entries), trained)]
    wanted = [s for s in kept.slots if s.when is None or s.when(STANDALONE, base.config)]
    if len(lists) < len(wanted):
        raise ValueError(f"it holds {len(lists)} of {len(wanted)} slots")
    # Adam without amsgrad stores a placeholder of one element for each third slot (Keras 2.1.4 on).
    found = {slot.name: run for slot, run in zip(wanted, lists, strict=False)}
    return State(base.era, base.cls, base.config, steps, None, base.scalars, found)


def _counts(entries: Sequence[WeightEntry], kept: Kept, version: tuple[int, ...]) -> bool:
    """Whether the first entry is the number of steps: by its name; Theano's names (`param_0`) don't tell."""
    if entries[0].shape != ():
        return False
    if any(_last(e.name) in _STEPS for e in entries):
        return _last(entries[0].name) in _STEPS
    return version == (0,) or version >= kept.counts_since


def _numbered(base: State, entries: list[WeightEntry], kept: Kept | None, trained: int) -> State:
    """Keras 2.11 on and Keras 3: counter, learning rate (Keras 3, unless a schedule), then as `build` made them."""
    if not entries:
        return base
    steps, rest = entries[0], entries[1:]
    rate = None
    scheduled = isinstance(base.config.get("learning_rate"), Mapping)
    if base.era == KERAS3 and not scheduled and rest and rest[0].shape == ():
        rate, rest = rest[0], rest[1:]
    if kept is None:
        return State(base.era, base.cls, base.config, steps, rate, base.scalars, rest=tuple(rest))
    blocks: list[tuple[str, ...]] = []
    if base.config.get("use_ema"):
        blocks.append(("average",))
    if base.config.get("gradient_accumulation_steps"):
        blocks.append(("accumulated_gradient",))
    slots = [s for s in kept.slots if s.when is None or s.when(base.era, base.config)]
    together = tuple(s.name for s in slots if s.name in kept.together)
    blocks += [together] if together else []
    blocks += [(s.name,) for s in slots if s.name not in kept.together]
    if base.era == KERAS2 and base.cls == "sgd" and not rest:
        blocks = []
    wanted = sum(len(block) for block in blocks) * trained
    if wanted != len(rest):
        raise ValueError(f"it holds {len(rest)} arrays where {wanted} are wanted for {trained} trained weights")
    found: dict[str, tuple[WeightEntry, ...]] = {}
    for block in blocks:
        run, rest = rest[: len(block) * trained], rest[len(block) * trained :]
        for i, name in enumerate(block):
            found[name] = tuple(run[i :: len(block)])
    return State(base.era, base.cls, base.config, steps, rate, base.scalars, found)
