"""Masks that the writing version lost and the running one hands on.

Keras 3 writes down with which mask each layer was called, and null where there was none. Which layers hand a mask on
has changed: up to Keras 3.3 merging layers lost it, for example. Read by a later version, `"mask": null` is no word
against the mask that arrives, and the numbers change silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, LayerRepair, Repaired, is_object
from safeload.repairs.tensors import Place, replaced, tensors

__all__ = ["ROWS"]

LOST_MASK = Rule(
    "SL773",
    "lost-mask",
    Severity.NOTE,
    """\
What it sees: a layer that was called without a mask, behind an Embedding or Masking layer that makes one.
Why it matters: between versions it has changed which layers hand masks on; where the running Keras hands on what the
writing one lost, recurrent layers skip steps that they did not skip before.
Example: Masking, LSTM, Add, GRU, written by Keras 3.3: the GRU saw no mask there and sees one in Keras 3.15.
What to do: nothing; the mask is kept from the layer, as it was where the model was written.
References: keras 3.4, `base_merge.Merge.compute_mask`.
""",
)

_OWN = "safeload>NoMask"


def _makes_mask(layer: Mapping[str, Any]) -> bool:
    """Whether a layer, or one inside it, makes a mask of its own."""
    stack: list[Any] = [layer]
    while stack:
        node = stack.pop()
        if isinstance(node, Mapping):
            config = node.get("config")
            if node.get("class_name") == "Masking" or (isinstance(config, Mapping) and config.get("mask_zero") is True):
                return True
            stack += [v for v in node.values() if isinstance(v, Mapping | list)]
        elif isinstance(node, list):
            stack += node
    return False


def _ends_mask(layer: Mapping[str, Any]) -> bool:
    """Whether no version hands a mask on through the layer."""
    name, config = str(layer.get("class_name")), layer.get("config")
    if name in ("Flatten", "Reshape") or name.startswith("Global"):
        return True
    recurrent = isinstance(config, Mapping) and config.get("return_sequences") is False
    return recurrent and not (isinstance(config, Mapping) and config.get("return_state"))


def _masked(layers: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The layers whose outputs might carry a mask in some version."""
    found = {name for name, layer in layers.items() if _makes_mask(layer)}
    grown = True
    while grown:
        grown = False
        for name, layer in layers.items():
            if name in found or _ends_mask(layer):
                continue
            sources = {h[0] for node in layer.get("inbound_nodes") or () for h in tensors(node.get("args"))}
            if sources & found:
                found.add(name)
                grown = True
    return found


def _keep_off(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list) or "output_layers" not in config:
        return None
    if context.runtime.dialect == "keras3" and context.writer.version[:2] == context.runtime.keras_version[:2]:
        return None
    layers = {str(c.get("name")): c for c in config["layers"] if is_object(c)}
    if any(not isinstance(n, Mapping) for c in layers.values() for n in c.get("inbound_nodes") or ()):
        return None
    masked = _masked(layers)
    if not masked:
        return None
    added: list[Mapping[str, Any]] = []
    kept_off: list[str] = []

    def unmasked(tensor: Mapping[str, Any], place: Place, name: str) -> Any:
        if place[0] not in masked:
            return tensor
        own = f"{name}_no_mask_{len(added)}"
        inner = {"name": own, "trainable": False, "dtype": tensor["config"].get("dtype", "float32")}
        node = {"args": [tensor], "kwargs": {}}
        head = {"class_name": _OWN, "registered_name": _OWN, "module": None}
        added.append({**head, "config": inner, "name": own, "inbound_nodes": [node]})
        return {**tensor, "config": {**tensor["config"], "keras_history": [own, 0, 0]}}

    changed = []
    for child in config["layers"]:
        nodes = child.get("inbound_nodes") if is_object(child) else None
        if nodes and any(_without_mask(node, masked) for node in nodes):
            name = str(child.get("name"))
            kept_off.append(name)
            nodes = [
                {**node, "args": replaced(node.get("args"), partial(unmasked, name=name))}
                if _without_mask(node, masked)
                else node
                for node in nodes
            ]
            child = {**child, "inbound_nodes": nodes}
        changed.append(child)
    if not added:
        return None
    note = f"{', '.join(kept_off)} had no mask where the model was written, and get none here"
    return Repaired({**layer, "config": {**config, "layers": [*changed, *added]}}, note)


def _without_mask(node: Mapping[str, Any], masked: set[str]) -> bool:
    kwargs = node.get("kwargs")
    if not isinstance(kwargs, Mapping) or "mask" not in kwargs or kwargs["mask"] is not None:
        return False
    return any(h[0] in masked for h in tensors(node.get("args")))


ROWS = (LayerRepair(LOST_MASK, None, _keep_off),)
