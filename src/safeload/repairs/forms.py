"""What every file of repairs needs to say about rules and configs, in one wording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from safeload.findings import Rule, Severity

__all__ = [
    "CONVOLUTIONS",
    "RECURRENT_CELLS",
    "RECURRENT_LAYERS",
    "config_of",
    "is_reference",
    "own_function",
    "own_layer",
    "plain",
    "references",
    "rule",
]

RECURRENT_LAYERS = frozenset("SimpleRNN LSTM GRU".split())
RECURRENT_CELLS = frozenset("SimpleRNNCell LSTMCell GRUCell".split())
CONVOLUTIONS = frozenset(
    "Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose SeparableConv1D SeparableConv2D "
    "DepthwiseConv1D DepthwiseConv2D".split()
)


def rule(number: int, name: str, sees: str, matters: str, example: str, references: str, todo: str = "") -> Rule:
    """A rule of a repair that keeps the numbers: a note."""
    doc = f"""\
What it sees: {sees}
Why it matters: {matters}
Example: {example}
What to do: {todo or "nothing; the repaired model gives the same numbers."}
References: {references}
"""
    return Rule(f"SL{number}", name, Severity.NOTE, doc)


def plain(layer: Mapping[str, Any]) -> str:
    """The class of a layer without its package."""
    return str(layer.get("class_name")).rsplit(">", 1)[-1]


def config_of(layer: Mapping[str, Any]) -> dict[str, Any] | None:
    """A copy of the config of one of Keras' own layers; None for another's class, and where the config is no mapping."""
    registered = layer.get("registered_name")
    custom = any(isinstance(n, str) and ">" in n for n in (layer.get("class_name"), registered))
    config = layer.get("config")
    return dict(config) if isinstance(config, Mapping) and not custom else None


def own_function(name: str) -> dict[str, Any]:
    """A function of `safeload.layers` in a config."""
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": f"safeload>{name}"}


def own_layer(
    layer: Mapping[str, Any], name: str, config: Mapping[str, Any], without: Iterable[str] = ()
) -> dict[str, Any]:
    """A node with a layer of `safeload.layers` in place of the one it has."""
    kept = {k: v for k, v in layer.items() if k != "module"}
    inner = {k: v for k, v in config.items() if k not in set(without)}
    return {**kept, "class_name": f"safeload>{name}", "registered_name": f"safeload>{name}", "config": inner}


def is_reference(value: Any) -> bool:
    """Whether it is `[layer, node, tensor]`, with or without kwargs (`tf_utils._is_serialized_node_data`)."""
    return (
        isinstance(value, list | tuple)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and isinstance(value[1], int)
        and not isinstance(value[1], bool)
    )


def references(data: Any) -> Iterator[Sequence[Any]]:
    """The references in the data of an inbound node: those of the first argument, not those in its kwargs."""
    if is_reference(data):
        yield data
    elif isinstance(data, Mapping):
        for item in data.values():
            yield from references(item)
    elif isinstance(data, list | tuple):
        for item in data:
            yield from references(item)
