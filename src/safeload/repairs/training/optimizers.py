"""Optimizer configs of every era in the form of the Keras that is installed.

The update rules agree between the eras except where a row below says otherwise; they were read in `keras/optimizers.py`
(1.2.2, 2.2.4, 2.3.1), `keras/optimizer_v2/` (TensorFlow 2.1, 2.8), `keras/src/optimizers/` (2.12, 2.15) and Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.optimizers import KERAS2, KERAS3, STANDALONE, V2, class_of, era_of

__all__ = ["Refused", "repaired_optimizer"]


class Refused(Exception):
    """Something of the training config has no equal here; the message names it."""


_OF_ERA = ("is_legacy_optimizer", "jit_compile")
"""Keys that Keras 2.11-2.15 wrote and Keras 3 doesn't take; they don't change what a step does."""

_KERAS3_ALONE = ("loss_scale_factor", "gradient_accumulation_steps")
"""Keys of Keras 3 that change what a step does, and that Keras 2 has not."""

_EPSILON_OUTSIDE = {"rmsprop": "LegacyRMSprop", "adagrad": "LegacyAdagrad"}
"""Up to OptimizerV2 these divide by `sqrt(a) + epsilon`, since Keras 2.11 by `sqrt(a + epsilon)`."""

_NEWER = frozenset({"adamw", "adafactor", "lion"})
"""Classes that Keras 2's reader of configs without a module does not know."""

_NAMES = {
    name.lower(): name
    for name in (
        "SGD RMSprop Adagrad Adadelta Adam AdamW Adamax Nadam Ftrl Lion Lamb Adafactor Muon LossScaleOptimizer".split()
    )
}


def repaired_optimizer(node: Any, version: tuple[int, ...], dialect: str) -> tuple[Any, list[str]]:
    """An optimizer's config for a Keras, and what was changed about it, in words.

    Args:
        node: `{"class_name", "config"}` or a name.
        version: The writing Keras' version.
        dialect: `keras2` or `keras3`.

    Raises:
        Refused: It has no equal.
    """
    if not isinstance(node, Mapping) or not isinstance(node.get("config"), Mapping):
        return node, []
    wrapped = node["config"].get("inner_optimizer") or node["config"].get("optimizer")
    if isinstance(wrapped, Mapping) and class_of(node).startswith("lossscaleoptimizer"):
        return _loss_scale(node, wrapped, version, dialect)
    era, name = era_of(node, version), class_of(node)
    if str(node.get("class_name")) in _ADDONS:
        return _decoupled(node, name, dialect)
    if name not in _NAMES or _is_custom(node):
        return node, []
    if dialect == "keras3":
        return _for_keras3(node, era, name)
    return _for_keras2(node, era, name)


_ADDONS = {"Addons>AdamW": "AdamW", "Addons>SGDW": "SGD"}
"""TensorFlow Addons' optimizers with decoupled weight decay, and the class that has it since Keras 2.11."""


def _decoupled(node: Mapping[str, Any], name: str, dialect: str) -> tuple[Any, list[str]]:
    """TensorFlow Addons took `weight_decay * w` off at each step, Keras takes `learning_rate * weight_decay * w`."""
    config = dict(node["config"])
    rate, decay = config.get("learning_rate"), config.pop("weight_decay", 0.0)
    plain = isinstance(rate, int | float) and rate > 0 and isinstance(decay, int | float)
    if not plain or config.pop("decay", 0.0) or config.pop("exclude_from_weight_decay", None):
        raise Refused(f"the optimizer {node['class_name']} with schedules or exclusions")
    config["weight_decay"] = decay / rate if decay else None
    if dialect == "keras2":
        config |= {"is_legacy_optimizer": False, "jit_compile": False}
    note = f"{name} of TensorFlow Addons is {_ADDONS[str(node['class_name'])]} with weight_decay / learning_rate"
    made = _object(_ADDONS[str(node["class_name"])], config, {"module": ""}, "keras.optimizers")
    return made, [note]


def _is_custom(node: Mapping[str, Any]) -> bool:
    """A class of the user's that has the name of one of Keras'."""
    registered = str(node.get("registered_name") or "")
    name = str(node.get("class_name"))
    owner = (registered if ">" in registered else name).rpartition(">")[0]
    module = str(node.get("module") or "keras").split(".")[0]
    return owner not in ("", "Custom", "Keras", "keras") or module not in ("keras", "tf_keras", "tensorflow")


def _object(name: str, config: Mapping[str, Any], like: Mapping[str, Any], module: str) -> dict[str, Any]:
    """A node in the form of the one that it replaces: with or without a module."""
    if name.startswith("safeload>"):
        return {"module": None, "class_name": name, "config": dict(config), "registered_name": name}
    if "module" in like:
        return {"module": module, "class_name": name, "config": dict(config), "registered_name": None}
    return {"class_name": name, "config": dict(config)}


def _for_keras3(node: Mapping[str, Any], era: str, name: str) -> tuple[Any, list[str]]:
    if era == KERAS3:
        return node, []
    node = {**node, "config": _named(node["config"])}
    config = {k: v for k, v in node["config"].items() if k not in _OF_ERA}
    notes = _renamed(config, era)
    cls = _NAMES[name]
    if era in (STANDALONE, V2):
        if name == "nadam":
            cls = "safeload>LegacyNadam"
            config["schedule_decay"] = config.pop("schedule_decay", config.pop("decay", 0.004))
            config.pop("decay", None)
            notes.append("Nadam with its schedule_decay, as it was up to Keras 2.10")
        elif name in _EPSILON_OUTSIDE and _shows(name, config):
            cls = f"safeload>{_EPSILON_OUTSIDE[name]}"
            notes.append(f"{_NAMES[name]} with epsilon outside the square root, as it was up to Keras 2.10")
        if era == STANDALONE and name == "adagrad":
            config["initial_accumulator_value"] = 0.0
        _decay(config, notes)
    if sum(config.get(k) is not None for k in ("clipnorm", "clipvalue", "global_clipnorm")) > 1:
        raise Refused("an optimizer that clips gradients both by norm and by value")
    return _object(cls, config, node, "keras.optimizers"), notes


def _named(value: Any) -> Any:
    """Schedules without the name None, which Keras 2 wrote and with which Keras 3's fail at their first call."""
    if isinstance(value, list):
        return [_named(v) for v in value]
    if not isinstance(value, Mapping):
        return value
    return {k: _named(v) for k, v in value.items() if not (k == "name" and v is None)}


def _shows(name: str, config: Mapping[str, Any]) -> bool:
    """Whether it matters where epsilon stands.

    OptimizerV2's RMSprop with momentum is an operation that has it inside. An accumulator that starts at 0.01 or more is
    so much larger than epsilon that no float32 shows the difference.
    """
    if name == "rmsprop":
        return not config.get("momentum")
    return float(config.get("initial_accumulator_value", 0.0)) < 0.01 or float(config.get("epsilon") or 1e-7) > 1e-6


def _renamed(config: dict[str, Any], era: str) -> list[str]:
    """`lr`, and what `clipnorm` meant, in place."""
    notes = []
    if "lr" in config:
        config["learning_rate"] = config.pop("lr")
        notes.append("lr is learning_rate")
    if config.get("epsilon", 0) is None:
        config["epsilon"] = 1e-7  # K.epsilon() of every version that writes None
    if era == STANDALONE:
        # A bound of 0 was no bound, and the norm was that of all gradients together (keras 1.2.2-2.3.1, get_gradients).
        for key in ("clipnorm", "clipvalue"):
            if key in config and not (config[key] or 0) > 0:
                del config[key]
        if "clipnorm" in config:
            config["global_clipnorm"] = config.pop("clipnorm")
            notes.append("clipnorm bounded the norm of all gradients together: it is global_clipnorm")
    return notes


def _decay(config: dict[str, Any], notes: list[str]) -> None:
    """Time decay, lr / (1 + decay * iterations), as a schedule, in place."""
    decay = config.pop("decay", 0.0)
    if not decay:
        return
    rate = config.get("learning_rate", 0.001)
    if isinstance(rate, Mapping):
        raise Refused("an optimizer with both a learning rate schedule and decay")
    config["learning_rate"] = {
        "module": "keras.optimizers.schedules",
        "class_name": "InverseTimeDecay",
        "config": {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay, "staircase": False},
        "registered_name": None,
    }
    notes.append(f"decay={decay:g} is an InverseTimeDecay schedule")


def _for_keras2(node: Mapping[str, Any], era: str, name: str) -> tuple[Any, list[str]]:
    config = dict(node["config"])
    if era == KERAS3:
        for key in _KERAS3_ALONE:
            if config.pop(key, None):
                raise Refused(f"an optimizer with {key}")
        config |= {"is_legacy_optimizer": False, "jit_compile": False}
    if era in (KERAS2, KERAS3):
        like = {**node, "module": "keras.optimizers"} if name in _NEWER else node
        return _object(_NAMES[name], {**config, "is_legacy_optimizer": False}, like, "keras.optimizers"), []
    notes = _renamed(config, era)
    if era == STANDALONE:
        config.setdefault("name", _NAMES[name])
        if name == "adagrad":
            config["initial_accumulator_value"] = 0.0
        if name == "adam":
            config.setdefault("amsgrad", False)
    if name == "nadam" and "decay" in config:  # its constructor takes `schedule_decay`, its config says `decay`
        config["schedule_decay"] = config.pop("decay")
    config.pop("is_legacy_optimizer", None)
    return _object(_NAMES[name], config, node, "keras.optimizers.legacy"), notes


def _loss_scale(
    node: Mapping[str, Any], wrapped: Mapping[str, Any], version: tuple[int, ...], dialect: str
) -> tuple[Any, list[str]]:
    """LossScaleOptimizer: of TensorFlow 2.1-2.3, of 2.4 to Keras 2.15 (two classes), and of Keras 3."""
    config = node["config"]
    inner, notes = repaired_optimizer(wrapped, version, dialect)
    fixed, scale, steps = _scale(config)
    if dialect == "keras3":
        if fixed is not None:
            inner = {**inner, "config": {**inner["config"], "loss_scale_factor": fixed}}
            return inner, [*notes, f"a fixed loss scale is loss_scale_factor={fixed:g}"]
        made = {"inner_optimizer": _full(inner), "initial_scale": scale, "dynamic_growth_steps": steps}
        if version[0] >= 3:
            made = {**config, "inner_optimizer": _full(inner)}
        return _object("LossScaleOptimizer", made, node, "keras.optimizers"), notes
    legacy = era_of(wrapped, version) in (STANDALONE, V2)
    made = {"inner_optimizer": inner, "dynamic": fixed is None, "initial_scale": scale if fixed is None else fixed}
    made["dynamic_growth_steps"] = steps if fixed is None else None
    name = "LossScaleOptimizer" if legacy else "LossScaleOptimizerV3"
    return _object(name, made, {}, ""), notes


def _scale(config: Mapping[str, Any]) -> tuple[float | None, float, int]:
    """The fixed scale, or None with the initial one and the number of steps between growths."""
    stored = config.get("loss_scale")
    if isinstance(stored, Mapping):  # TensorFlow 2.1-2.3
        inner = stored.get("config")
        inner = inner if isinstance(inner, Mapping) else {}
        if "loss_scale_value" in inner:
            return float(inner["loss_scale_value"]), 0.0, 0
        return None, float(inner.get("initial_loss_scale", 2.0**15)), int(inner.get("increment_period", 2000))
    if isinstance(stored, int | float):
        return float(stored), 0.0, 0
    initial = float(config.get("initial_scale") or 2.0**15)
    if config.get("dynamic", True) is False:
        return initial, 0.0, 0
    return None, initial, int(config.get("dynamic_growth_steps") or 2000)


def _full(node: Mapping[str, Any]) -> dict[str, Any]:
    """A node with a module, which Keras 3 wants where an object stands inside another one's config."""
    return {"module": "keras.optimizers", "registered_name": None, **node}
