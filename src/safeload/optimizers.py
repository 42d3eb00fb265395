"""What Keras' optimizers of each era keep beside the weights, and how their configs tell the era.

Four families of optimizers have written model files:

- `standalone`: Keras 1 and 2 outside TensorFlow, and tf.keras up to TensorFlow 1.13 (`keras/optimizers.py`).
- `v2`: `OptimizerV2`, tf.keras from TensorFlow 1.14 to 2.10, and `optimizers.legacy` from 2.11 on.
- `keras2`: the rewritten ones of Keras 2.11 to 2.15 and tf_keras (`optimizers.experimental` before).
- `keras3`: Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["KEPT", "Kept", "Slot", "class_of", "era_of", "inner_config", "sorted_by_name", "u_product"]

STANDALONE, V2, KERAS2, KERAS3 = "standalone", "v2", "keras2", "keras3"


@dataclass(frozen=True, slots=True)
class Slot:
    """One array for each variable.

    Attributes:
        name: Its name here, the one of Keras 3's attribute without the underscore.
        v2: Its name in `OptimizerV2.get_slot`.
        attribute: The list of variables in the optimizers of Keras 2.11 on and of Keras 3.
        when: Whether an optimizer of that config has it; None: always. Gets the era and the config.
    """

    name: str
    v2: str
    attribute: str
    when: Callable[[str, Mapping[str, Any]], bool] | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """The state of a class of optimizers.

    Attributes:
        slots: In the order in which `standalone` stores them.
        together: Names of those slots which `keras2` and `keras3` make variable by variable (`m`, `v`, `m`, `v` ...);
            the others follow, slot by slot.
        counts_since: The standalone Keras that stores `iterations` first; before, it is not in the file.
    """

    slots: tuple[Slot, ...]
    together: frozenset[str] = frozenset()
    counts_since: tuple[int, ...] = (0,)


def _amsgrad(era: str, config: Mapping[str, Any]) -> bool:
    return bool(config.get("amsgrad"))


def _momentum(era: str, config: Mapping[str, Any]) -> bool:
    return bool(config.get("momentum"))


def _centered(era: str, config: Mapping[str, Any]) -> bool:
    return bool(config.get("centered"))


def _sgd(era: str, config: Mapping[str, Any]) -> bool:
    # The standalone SGD and that of Keras 2.11-2.15 keep moments even where the momentum is 0.
    return era in (STANDALONE, KERAS2) or bool(config.get("momentum"))


_MOMENTUM = Slot("momentum", "m", "_momentums")
_VELOCITY = Slot("velocity", "v", "_velocities")
_ADAM = Kept(
    (_MOMENTUM, _VELOCITY, Slot("velocity_hat", "vhat", "_velocity_hats", _amsgrad)),
    frozenset({"momentum", "velocity"}),
)

KEPT: dict[str, Kept] = {
    "sgd": Kept((Slot("momentum", "momentum", "momentums", _sgd),)),
    "rmsprop": Kept(
        (
            Slot("velocity", "rms", "_velocities"),
            Slot("momentum", "momentum", "_momentums", _momentum),
            Slot("average_gradient", "mg", "_average_gradients", _centered),
        ),
        counts_since=(2, 3),
    ),
    "adagrad": Kept((Slot("accumulator", "accumulator", "_accumulators"),), counts_since=(2, 3)),
    "adadelta": Kept(
        (
            Slot("accumulated_grad", "accum_grad", "_accumulated_grads"),
            Slot("accumulated_delta_var", "accum_var", "_accumulated_delta_vars"),
        ),
        frozenset({"accumulated_grad", "accumulated_delta_var"}),
        counts_since=(2, 3),
    ),
    "adam": _ADAM,
    "adamw": _ADAM,
    "sgdw": Kept((Slot("momentum", "momentum", "momentums", _sgd),)),
    "adamax": Kept((Slot("momentum", "m", "_m"), Slot("norm", "v", "_u")), frozenset({"momentum", "norm"})),
    "nadam": Kept((_MOMENTUM, _VELOCITY), frozenset({"momentum", "velocity"})),
    "ftrl": Kept(
        (Slot("accumulator", "accumulator", "_accumulators"), Slot("linear", "linear", "_linears")),
        frozenset({"accumulator", "linear"}),
    ),
    "lion": Kept((_MOMENTUM,)),
}
"""By the class' name in lower case, as Keras looks it up."""


def class_of(node: Any) -> str:
    """The optimizer's class in lower case, without its package: `Custom>Adam` -> `adam`; a string is a class too."""
    name = node if isinstance(node, str) else str(node.get("class_name")) if isinstance(node, Mapping) else ""
    return name.rsplit(">", 1)[-1].lower()


def inner_config(node: Any) -> Any:
    """The optimizer that does the work, inside wrappers such as LossScaleOptimizer."""
    for _ in range(8):
        config = node.get("config") if isinstance(node, Mapping) else None
        if not isinstance(config, Mapping):
            break
        inner = config.get("inner_optimizer") or config.get("optimizer")
        if not isinstance(inner, Mapping):
            break
        node = inner
    return node


def era_of(node: Any, version: tuple[int, ...]) -> str:
    """Which family wrote an optimizer's config.

    Args:
        node: `{"class_name", "config"}`, or a name alone (which only `.keras` files have).
        version: The writing Keras' version.
    """
    node = inner_config(node)
    if version[0] >= 3:
        return KERAS3
    if not isinstance(node, Mapping):
        return KERAS2
    config = node.get("config")
    config = config if isinstance(config, Mapping) else {}
    if "legacy" in str(node.get("module") or "") or config.get("is_legacy_optimizer"):
        return V2
    if "is_legacy_optimizer" in config or "jit_compile" in config or str(node.get("class_name")).startswith("Custom>"):
        return KERAS2
    if "use_ema" in config:  # Keras 3's `to_json` and its weights name no version
        return KERAS3
    return V2 if "name" in config else STANDALONE


def sorted_by_name(version: tuple[int, ...]) -> bool:
    """Whether a standalone Keras sorted the trained weights by name before it gave them to the optimizer.

    Keras 1.0.5 to 2.0.5 did so when it compiled a model (`keras/engine/training.py`); all others keep the layers' order.
    On TensorFlow the names have their `:0`, which counts: it sorts behind digits and before letters.
    """
    return (1, 0, 5) <= version < (2, 0, 6)


def u_product(steps: int, beta_1: float, exponent: float = 1.0, times: int = 1) -> float:
    """Nadam's product of momentums after some steps, which most files don't hold (Dozat 2015; 0.96 in every Keras).

    Args:
        steps: Steps that were done.
        beta_1: Of the optimizer.
        exponent: `schedule_decay` (0.004 by default) up to Keras 2.10; 1 from Keras 2.11 on.
        times: How many variables multiply it at each step: 1, but all of them in Keras 2.11-2.15, where the counter
            that should keep the others from it counts while the step is traced: it is `i + 1` for the i-th variable
            in every step, and holds only that one back which equals the number of the step.
    """
    product = 1.0
    for step in range(1, steps + 1):
        held = 1 if step < times else 0
        product *= (beta_1 * (1.0 - 0.5 * 0.96 ** (step * exponent))) ** (times - held)
        if product < 1e-45:
            return 0.0
    return product
