"""The optimizer's state in an object graph, as an HDF5 file of the same version would list it.

Three families (their classes' sources name the attributes):

- OptimizerV2 (tf.keras 1.13 to 2.10, `optimizers.legacy` later): the number of steps under `iter`, single values under
  their names (`momentum_cache` of Nadam), and slots that the graph lists with the variable and the slot's name. An
  entry is called `<variable>/<slot>:0`: the graph knows what a slot belongs to, whatever its own variable is called.
- Keras 2.11 to 2.15: all of it under `_variables`, in the order in which `build` made it; entries keep their names
  (`Adam/m/dense/kernel:0`).
- Keras 3 in a `tf.train.Checkpoint`: the same, with the counter and the learning rate first.

What a wrapper (LossScaleOptimizer) keeps itself follows: `dynamic_scale` and `step_counter`, as Keras 3 calls them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from safeload.document import WeightEntry, WeightGroup
from safeload.formats.tensorflow.object_graph import GraphNode, ObjectGraph

__all__ = ["OPTIMIZERS", "is_optimizer", "optimizer_weights"]

OPTIMIZERS = ("optimizer", "_optimizer")
"""Under which attribute a model has its optimizer (Keras 2 and 3)."""

_INNER = ("base_optimizer", "_optimizer", "inner_optimizer", "awg_optimizer", "lh_base_optimizer")
"""Under which attribute a wrapper has the optimizer that does the work: Keras 2.2-2.15, Keras 3, TensorFlow Addons."""

_STEPS = ("iter", "_iterations")
_SINGLE = {"momentum_cache": "momentum_cache"}
_SCALES = {
    "current_loss_scale": "dynamic_scale",
    "dynamic_scale": "dynamic_scale",
    "good_steps": "step_counter",
    "step_counter": "step_counter",
}
"""The two values of a loss scale by attribute (Keras 2's `_DynamicLossScaleState`, Keras 3's wrapper)."""

_MAX_WRAPPERS = 8
_LAYER = re.compile(r"layer-(\d+)")


def optimizer_weights(graph: ObjectGraph) -> WeightGroup | None:
    """The optimizer's variables; None where there are none."""
    node = _optimizer(graph)
    wrappers: list[GraphNode] = []
    while node is not None and len(wrappers) < _MAX_WRAPPERS:
        inner = next((n for name in _INNER if (n := graph.child(node, name)) is not None), None)
        # A wrapper of Keras 2.2-2.10 passes for its optimizer: it lists the same slots, and has it as a child.
        if inner is None or not is_optimizer(inner):
            break
        wrappers.append(node)
        node = inner
    if node is None:
        return None
    entries = [*_state(graph, node), *(entry for wrapper in wrappers for entry in _scale(graph, wrapper))]
    return WeightGroup("optimizer", tuple(entries)) if entries else None


def _optimizer(graph: ObjectGraph) -> GraphNode | None:
    """The model's; in a `tf.train.Checkpoint` of several objects the one that is an optimizer, under any name."""
    found = next((n for name in OPTIMIZERS if (n := graph.child(graph.root, name)) is not None), None)
    if found is not None:
        return found
    others = [graph.nodes[number] for number in dict.fromkeys(graph.root.children.values())]
    optimizers = [node for node in others if is_optimizer(node)]
    return optimizers[0] if len(optimizers) == 1 else None


def is_optimizer(node: GraphNode) -> bool:
    """Whether an object is an optimizer, by what it has."""
    return bool(node.slots) or any(name in node.children for name in (*_STEPS, "_variables", "base_optimizer"))


def _state(graph: ObjectGraph, node: GraphNode) -> Iterable[WeightEntry]:
    listed = graph.items(graph.child(node, "_variables"))
    steps = next((n for name in _STEPS if (n := graph.child(node, name)) is not None and n.value is not None), None)
    if steps is not None and steps.value is not None:
        yield replace(steps.value, name=f"{steps.name or 'iter'}:0")
    if listed:
        for i, held in enumerate(listed):
            if held is not steps and held.value is not None:
                yield replace(held.value, name=f"{held.name or i}:0")
        return
    for attribute, name in _SINGLE.items():
        single = graph.child(node, attribute)
        if single is not None and single.value is not None:
            yield replace(single.value, name=f"{name}:0")
    names = list(dict.fromkeys(slot.name for slot in node.slots))
    rank = {number: i for i, number in enumerate(_variables_in_order(graph))}
    for slot in sorted(node.slots, key=lambda s: (names.index(s.name), rank.get(s.variable, len(rank)))):
        value, of = graph.nodes[slot.slot].value, graph.nodes[slot.variable].name
        if value is not None:
            name = f"{of.split(':')[0]}/{slot.name}" if of else graph.nodes[slot.slot].name
            yield replace(value, name=f"{name}:0")


def _scale(graph: ObjectGraph, wrapper: GraphNode) -> Iterable[WeightEntry]:
    """What a loss scale keeps: the scale, and for how many steps all gradients were finite."""
    for holder in (graph.child(wrapper, "loss_scale"), wrapper):
        for attribute, name in _SCALES.items() if holder is not None else ():
            held = graph.child(holder, attribute) if holder is not None else None
            if held is not None and held.value is not None:
                yield replace(held.value, name=f"{name}:0")


def _variables_in_order(graph: ObjectGraph) -> list[int]:
    """The model's variables as `trainable_weights` had them: a SavedModel lists them, else layer by layer."""
    listed = graph.items(graph.child(graph.root, "trainable_variables"))
    if listed:
        return [node.id for node in listed]
    order: dict[int, None] = {}
    stack = [graph.root.id]
    seen = set()
    while stack:
        number = stack.pop()
        if number in seen:
            continue
        seen.add(number)
        node = graph.nodes[number]
        if node.value is not None:
            order[number] = None
        layers = sorted((int(m.group(1)), c) for n, c in node.children.items() if (m := _LAYER.fullmatch(n)))
        others = [c for n, c in node.children.items() if not n.startswith("layer")]
        stack.extend(reversed([c for _, c in layers] + others))
    return list(order)
