"""Put layers before or behind a layer of a model: in a Sequential beside it, in a graph with the connections moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safeload.repairs.engine import is_object

__all__ = ["Neighbours", "cropped", "padded", "padded_steps", "step_by_step", "surround"]

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What a layer becomes.

    Attributes:
        layer: The layer itself, under its name.
        before: Layers that its input goes through first.
        behind: Layers that its output goes through.
    """

    layer: Node
    before: Sequence[Node] = ()
    behind: Sequence[Node] = ()


def surround(model: Node, decide: Callable[[Node], Neighbours | None]) -> Node | None:
    """The model with neighbours put to the layers for which `decide` gives some; None where there are none.

    Args:
        model: A Sequential or functional model in the form of Keras 2.
        decide: What becomes of a layer; None leaves it as it is.
    """
    config = model.get("config")
    listed = config if isinstance(config, list) else config.get("layers") if isinstance(config, Mapping) else None
    if not isinstance(listed, list):
        return None
    layers: list[Any] = []
    moved: dict[str, str] = {}
    for child in listed:
        found = decide(child) if is_object(child) and isinstance(child["config"], Mapping) else None
        if found is None:
            layers.append(child)
            continue
        chain = [*found.before, found.layer, *found.behind]
        if chain[0] is not found.layer:
            chain = _input_first(chain)
        if "inbound_nodes" in child:
            chain = _connected(chain, child["inbound_nodes"])
        layers += chain
        if found.behind:
            moved[_name(found.layer)] = _name(found.behind[-1])
    if len(layers) == len(listed) and all(a is b for a, b in zip(layers, listed, strict=True)):
        return None
    if isinstance(config, list):
        return {**model, "config": layers}
    assert isinstance(config, Mapping)
    changed = {**config, "layers": layers}
    return {**model, "config": _redirected(changed, moved) if moved else changed}


def _name(layer: Node) -> str:
    return str(layer.get("name") or layer["config"].get("name"))


def _input_first(chain: list[Node]) -> list[Node]:
    """The shape of the model's input stands in the config of its first layer."""
    at = next((i for i, layer in enumerate(chain) if "batch_input_shape" in layer["config"]), None)
    if not at:
        return chain
    shape = {k: v for k, v in chain[at]["config"].items() if k in ("batch_input_shape", "dtype")}
    chain[at] = {**chain[at], "config": {k: v for k, v in chain[at]["config"].items() if k != "batch_input_shape"}}
    chain[0] = {**chain[0], "config": {**chain[0]["config"], **shape}}
    return chain


def _connected(chain: Sequence[Node], calls: Sequence[Any]) -> list[Node]:
    """The layers one behind the other, each called as often as the one in whose place they stand."""
    connected: list[Node] = []
    for layer in chain:
        if connected:
            calls = [[[_name(connected[-1]), i, 0, {}]] for i in range(len(calls))]
        connected.append({**layer, "name": _name(layer), "inbound_nodes": list(calls)})
    return connected


def _redirected(config: Mapping[str, Any], moved: Mapping[str, str]) -> dict[str, Any]:
    """The graph with references to a layer that got another behind it led to that one."""

    def walk(value: Any, of: str | None) -> Any:
        if isinstance(value, Mapping):
            return {k: walk(v, of) for k, v in value.items()}
        if not isinstance(value, list | tuple):
            return value
        if len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int):
            rest = [walk(v, of) for v in value[1:]]
            target = moved.get(value[0])
            return [target if target is not None and _chain_of(of) != value[0] else value[0], *rest]
        return [walk(v, of) for v in value]

    behind = {last: first for first, last in moved.items()}

    def _chain_of(of: str | None) -> str | None:
        return behind.get(of) if of is not None else None

    layers = [
        {**layer, "inbound_nodes": walk(layer["inbound_nodes"], _name(layer))} if "inbound_nodes" in layer else layer
        for layer in config["layers"]
    ]
    ends = {key: walk(config[key], None) for key in ("input_layers", "output_layers") if key in config}
    return {**config, "layers": layers, **ends}


def step_by_step(layer: Node, decide: Callable[[Node], Neighbours | None]) -> Neighbours | None:
    """What `decide` says of a layer; of a TimeDistributed, what it says of the layer in it, for each step."""
    if layer["class_name"] != "TimeDistributed":
        return decide(layer)
    config = layer["config"]
    inner = config.get("layer")
    if not is_object(inner) or not isinstance(inner["config"], Mapping):
        return None
    found = step_by_step(inner, decide)
    if found is None:
        return None

    def each(neighbour: Node) -> Node:
        return _layer("TimeDistributed", f"{config['name']}_{neighbour['config']['name']}", layer=neighbour)

    return Neighbours(
        {**layer, "config": {**config, "layer": found.layer}},
        [each(n) for n in found.before],
        [each(n) for n in found.behind],
    )


def _layer(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": name, "trainable": True, **config}}


def padded(layer: Node, margins: Sequence[Sequence[int]]) -> Neighbours:
    """A convolution as a `valid` one behind explicit zeros."""
    config = layer["config"]
    before = _padding(f"{config['name']}_pad", margins, config.get("data_format"))
    return Neighbours({**layer, "config": {**config, "padding": "valid"}}, before)


def padded_steps(layer: Node, margins: Sequence[Sequence[int]]) -> Neighbours:
    """The same for a convolution of sequences, whose every step is padded."""
    config = layer["config"]
    inner = _padding(f"{config['name']}_pad_step", margins, config.get("data_format"))
    before = [_layer("TimeDistributed", f"{config['name']}_pad", layer=i) for i in inner]
    return Neighbours({**layer, "config": {**config, "padding": "valid"}}, before)


def _padding(name: str, margins: Sequence[Sequence[int]], data_format: Any) -> list[dict[str, Any]]:
    """Layers that put zeros around; the one for sequences knows no data format."""
    listed = [list(m) for m in margins]
    if len(listed) > 1:
        kept = "channels_first" if data_format == "channels_first" else "channels_last"
        return [_layer(f"ZeroPadding{len(listed)}D", name, padding=listed, data_format=kept)]
    padding = _layer("ZeroPadding1D", name, padding=listed[0])
    if data_format != "channels_first":
        return [padding]
    turns = [_layer("Permute", f"{name}_{way}", dims=[2, 1]) for way in ("turn", "return")]
    return [turns[0], padding, turns[1]]


def cropped(layer: Node, more: Sequence[int], crops: Sequence[Sequence[int]]) -> Neighbours:
    """A transposed convolution as a `valid` one with `more` elements at its output's end, of which `crops` are cut."""
    config = layer["config"]
    changed = {**config, "padding": "valid", "output_padding": list(more) if any(more) else None}
    data_format = "channels_first" if config.get("data_format") == "channels_first" else "channels_last"
    cropping = [list(c) for c in crops]
    crop = _layer(f"Cropping{len(crops)}D", f"{config['name']}_crop", cropping=cropping, data_format=data_format)
    return Neighbours({**layer, "config": changed}, behind=[crop])
