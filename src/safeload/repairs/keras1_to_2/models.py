"""Models of Keras 1: a Sequential is a bare list without a name, and may begin with a Merge of whole models.

`Sequential.get_config` and `flattened_layers` in `keras/models.py`, `Container.get_config` in `keras/engine/topology.py`
of Keras 1.2.2. A Sequential that begins with a Merge is a graph, and becomes a functional model; the weights of its
branches lie in the file layer by layer, as they do for a functional model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from safeload.document import ModelDocument
from safeload.repairs.engine import Context, is_object
from safeload.repairs.refusal import refusal

__all__ = ["rewrite"]

Node = dict[str, Any]
Reference = list[Any]


def rewrite(document: ModelDocument, context: Context) -> tuple[ModelDocument, str | None] | None:
    """The document with every Sequential as `{"name", "layers"}` with its input, or as a functional model."""
    architecture = document.architecture
    if not isinstance(architecture, Mapping):
        return None
    groups = [g.name for g in document.weights.groups] if document.weights else []
    if document.layout != "legacy-hdf5":
        groups = []
    changed = _Rewriter(context).model(architecture, _name_of_model(architecture), groups)
    if changed == architecture:
        return None
    return document.evolve(architecture=changed), "the Sequential's list of layers became a config with names"


def _name_of_model(architecture: Mapping[str, Any]) -> str:
    config = architecture.get("config")
    name = config.get("name") if isinstance(config, Mapping) else None
    return str(architecture.get("name") or name or "sequential_1")


def _is_sequential(layer: Mapping[str, Any]) -> bool:
    return layer.get("class_name") == "Sequential" and isinstance(layer.get("config"), list)


def _is_graph(layer: Mapping[str, Any]) -> bool:
    config = layer.get("config")
    return isinstance(config, Mapping) and isinstance(config.get("layers"), list) and "output_layers" in config


def name_of(layer: Mapping[str, Any]) -> str | None:
    """The name of a layer, where it has one (a Sequential inside a Sequential has none)."""
    config = layer.get("config")
    name = layer.get("name") or (config.get("name") if isinstance(config, Mapping) else None)
    return str(name) if name is not None else None


def _normal(layer: Any) -> Any:
    """A layer of Keras 0.3 to 1.0, whose class stood under `name` and whose name under `custom_name`."""
    if isinstance(layer, Mapping) and "class_name" not in layer and isinstance(layer.get("name"), str):
        config = {k: v for k, v in layer.items() if k not in ("name", "custom_name")}
        if layer.get("custom_name"):
            config["name"] = layer["custom_name"]
        return {"class_name": layer["name"], "config": config}
    return layer


class _Rewriter:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.counter = 0

    def model(self, layer: Mapping[str, Any], name: str, groups: Sequence[str] = ()) -> Mapping[str, Any]:
        """A model with everything inside it rewritten; other layers with the models that they wrap."""
        config = layer.get("config")
        if _is_sequential(layer):
            assert isinstance(config, list)
            return self.sequential(layer, [_normal(item) for item in config], name, groups)
        if not isinstance(config, Mapping):
            return layer
        changed = dict(config)
        if _is_graph(layer):
            changed["layers"] = [
                self.model(child, name_of(child) or "", ()) if is_object(child) else child for child in config["layers"]
            ]
            return {**layer, "class_name": "Model", "config": changed}
        if is_object(config.get("layer")):  # a wrapper
            inner = config["layer"]
            changed["layer"] = self.model(inner, name_of(inner) or self.fresh("sequential"))
        return {**layer, "config": changed}

    def fresh(self, prefix: str) -> str:
        self.counter += 1
        return f"{prefix}_{self.counter}_nested"

    def named(self, layers: Sequence[Mapping[str, Any]], groups: Sequence[str]) -> list[tuple[str, Mapping[str, Any]]]:
        """The layers of a Sequential with names; a nested Sequential's name is known by its group of weights."""
        unnamed = [i for i, layer in enumerate(layers) if name_of(layer) is None]
        names = [name_of(layer) for layer in layers]
        if unnamed and len(groups) == len(layers):
            names = [n or g for n, g in zip(names, groups, strict=True)]
        return [(n or self.fresh("sequential"), layer) for n, layer in zip(names, layers, strict=True)]

    def sequential(
        self, layer: Mapping[str, Any], layers: Sequence[Any], name: str, groups: Sequence[str]
    ) -> Mapping[str, Any]:
        if not layers or not all(is_object(child) for child in layers):
            raise refusal(self.context, f"the Sequential model {name!r} holds something that is no layer")
        merged = layers[0]["class_name"] == "Merge" and isinstance(layers[0]["config"].get("layers"), list)
        known = [n for child in layers if (n := name_of(child)) is not None]
        outer = {k: v for k, v in layer.items() if k not in ("class_name", "config")}
        if merged or len(set(known)) != len(known):
            if groups == () and merged and "inbound_nodes" in layer:
                raise refusal(
                    self.context, f"the model {name!r}, which begins with a Merge, is a layer of another model"
                )
            return {**outer, "class_name": "Model", "config": _Graph(self).config(layers, name, groups)}
        children = []
        for child_name, child in self.named(layers, groups):
            inner = self.model(child, child_name)
            children.append({**inner, "name": child_name} if name_of(inner) is None else inner)
        given = input_of(children[0])
        if given is not None and children[0]["class_name"] != "InputLayer":
            children[0] = _without_input(children[0])
            children.insert(0, _input_layer(f"{name_of(children[0])}_input", *given))
        return {**outer, "class_name": "Sequential", "config": {"name": name, "layers": children}}


def input_of(layer: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """Shape and dtype of the input that a model's first layer declares."""
    config = layer.get("config")
    if not isinstance(config, Mapping):
        return None
    if isinstance(config.get("layers"), list):
        inner = next((child for child in config["layers"] if is_object(child)), None)
        return input_of(inner) if inner is not None else None
    if "batch_input_shape" not in config:
        return None
    return config["batch_input_shape"], config.get("input_dtype") or config.get("dtype") or "float32"


def _without_input(layer: Mapping[str, Any]) -> dict[str, Any]:
    config = layer["config"]
    if "layers" in config:
        return dict(layer)
    return {**layer, "config": {k: v for k, v in config.items() if k not in ("batch_input_shape", "input_dtype")}}


def _input_layer(name: str, shape: Any, dtype: Any) -> Node:
    config = {"batch_input_shape": shape, "input_dtype": dtype, "sparse": False, "name": name}
    return {"class_name": "InputLayer", "config": config}


class _Graph:
    """The functional form of a Sequential that begins with a Merge, or has a layer more than once."""

    def __init__(self, rewriter: _Rewriter) -> None:
        self.rewriter = rewriter
        self.layers: dict[str, Node] = {}
        self.inputs: list[Reference] = []

    def config(self, layers: Sequence[Any], name: str, groups: Sequence[str]) -> dict[str, Any]:
        names = groups[-len(layers) + 1 :] if len(groups) >= len(layers) > 1 else ()
        output = self.chain(layers, names)
        return {
            "name": name,
            "layers": list(self.layers.values()),
            "input_layers": self.inputs,
            "output_layers": [output],
        }

    def chain(self, layers: Sequence[Any], groups: Sequence[str] = ()) -> Reference:
        """The layers one after the other; where the last one's output is."""
        first = _normal(layers[0])
        if first["class_name"] == "Merge" and isinstance(first["config"].get("layers"), list):
            sources = [self.branch(_normal(child)) for child in first["config"]["layers"]]
            config = {k: v for k, v in first["config"].items() if k != "layers"}
            at = self.call({"class_name": "Merge", "config": config}, name_of(first) or "merge", sources)
        else:
            at = self.branch(first)
        for i, layer in enumerate(layers[1:]):
            layer = _normal(layer)
            fallback = groups[i] if i < len(groups) else None
            name = name_of(layer) or fallback or self.rewriter.fresh("sequential")
            at = self.call(self.rewriter.model(layer, name), name, [at])
        return at

    def branch(self, layer: Mapping[str, Any]) -> Reference:
        """A model or layer that stands at the beginning, with its own input."""
        if _is_sequential(layer):
            return self.chain(layer["config"])
        if _is_graph(layer):
            config = layer["config"]
            for child in config["layers"]:
                name = name_of(child) or ""
                self.layers.setdefault(name, {**self.rewriter.model(child, name), "name": name})
            self.inputs += [r for r in config["input_layers"] if r not in self.inputs]
            if len(config["output_layers"]) != 1:
                raise refusal(self.rewriter.context, "a model with several outputs is merged")
            return list(config["output_layers"][0])
        name = name_of(layer) or self.rewriter.fresh("layer")
        given = input_of(layer)
        if given is None:
            raise refusal(
                self.rewriter.context, f"the layer {name!r} begins a model and does not say its input's shape"
            )
        source = f"{name}_input"
        if source not in self.layers:
            self.layers[source] = {**_input_layer(source, *given), "name": source, "inbound_nodes": []}
            self.inputs.append([source, 0, 0])
        return self.call(_without_input(self.rewriter.model(layer, name)), name, [[source, 0, 0]])

    def call(self, layer: Mapping[str, Any], name: str, sources: list[Reference]) -> Reference:
        """One more call of a layer; models are called on their own input first, so their calls count from 1."""
        node = self.layers.setdefault(name, {**layer, "name": name, "inbound_nodes": []})
        if isinstance(layer.get("config"), Mapping) and "layers" not in layer["config"]:
            node["config"] = {"name": name, **node["config"]}
        built_before = 1 if isinstance(node["config"], Mapping) and "layers" in node["config"] else 0
        if sources not in node["inbound_nodes"]:
            node["inbound_nodes"] = [*node["inbound_nodes"], sources]
        return [name, node["inbound_nodes"].index(sources) + built_before, 0]
