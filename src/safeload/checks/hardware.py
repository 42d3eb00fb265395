"""Does the model fit into this machine, and does it ask for a device by name?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from safeload.checks import Examination
from safeload.containers.memory import available_memory, total_memory
from safeload.document import ModelDocument, WeightEntry, WeightGroup
from safeload.errors import InsufficientMemoryError
from safeload.findings import Finding, Rule, Severity
from safeload.trees import mappings

__all__ = ["MIXED_PRECISION", "TOO_LARGE", "check", "needed_memory"]

TOO_LARGE = Rule(
    "SL520",
    "too-large",
    Severity.ERROR,
    """\
What it sees: weights and optimizer state that are larger than the memory of this machine or container.
Why it matters: the system would kill the process, without a message.
Example: 30 GB of weights in a container with 16 GB.
What to do: `compile=False` leaves the optimizer's state out; otherwise, a larger machine.
References: none.
""",
    InsufficientMemoryError,
)

MIXED_PRECISION = Rule(
    "SL521",
    "half-precision",
    Severity.NOTE,
    """\
What it sees: layers that compute in float16.
Why it matters: made for GPUs; on a CPU it is slow, and some operations have no float16 kernel.
Example: the policy `mixed_float16`.
What to do: nothing on a GPU; on a CPU, `keras.config.set_dtype_policy("float32")` and rebuild.
References: tensorflow.org/guide/mixed_precision.
""",
)

_BYTES = {"bfloat16": 2, "float16": 2, "float64": 8, "int64": 8, "uint64": 8, "int8": 1, "uint8": 1, "bool": 1}


def check(examination: Examination) -> Iterable[Finding]:
    """An error where the weights alone don't fit; a note on half precision."""
    with_optimizer = bool(examination.options.compile)
    needed = needed_memory(examination.repaired, with_optimizer=with_optimizer)
    total, free = total_memory(), available_memory()
    if total is not None and free is not None and needed > min(total, max(free, total // 2)):
        without = needed_memory(examination.repaired, with_optimizer=False)
        less = f"compile=False needs {without:,} bytes; " if without < needed else ""
        yield TOO_LARGE.finding(
            f"the weights{' and the optimizer' if without < needed else ''} need {needed:,} bytes; "
            f"{free:,} of {total:,} are free",
            hint=f"{less}use a machine with more memory",
            needed=needed,
            available=free,
        )
    policies = sorted(set(_policies(examination.document.architecture)))
    if any("float16" in p and "bfloat16" not in p for p in policies):
        yield MIXED_PRECISION.finding(f"layers compute in {', '.join(policies)}", evidence={"policies": policies})


def needed_memory(document: ModelDocument, *, with_optimizer: bool) -> int:
    """Bytes of the variables, as they are in the memory."""
    total = _bytes(document.weights)
    return total + (_bytes(document.optimizer_weights) if with_optimizer else 0)


def _bytes(tree: WeightGroup | None) -> int:
    return sum(_size(entry) for entry in tree.walk()) if tree is not None else 0


def _size(entry: WeightEntry) -> int:
    return entry.size * _BYTES.get(entry.dtype, 4)


def _policies(config: Any) -> Iterator[str]:
    for node in mappings(config):
        policy = node.get("dtype")
        name = policy.get("config") if isinstance(policy, Mapping) else policy
        name = name.get("name") if isinstance(name, Mapping) else name
        if isinstance(name, str) and "float16" in name:
            yield name
