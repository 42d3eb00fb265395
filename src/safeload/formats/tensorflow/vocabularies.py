"""The vocabularies of lookup layers, from a SavedModel's tables into the layers' configs.

Where they lie (keras/layers/preprocessing/index_lookup.py of each version): in the config, when the layer was made with
them; else in a mutable table, whose keys and values are in the bundle (2.1-2.4, `_table`); else in a static table, whose
initializer takes them from constants of the graph (2.5-2.15, `lookup_table`), or from an asset file. No initializer
runs for it: the constants are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from safeload.bytesource import ByteRange
from safeload.formats.tensorflow.layers import inner_layer, walk_layers
from safeload.formats.tensorflow.object_graph import GraphNode, ObjectGraph
from safeload.formats.tensorflow.tensors import values
from safeload.naming import writer_class

if TYPE_CHECKING:
    from safeload.formats.tensorflow.saved_graphs import SavedGraphs

__all__ = ["Tables", "with_vocabularies"]

_LOOKUPS = frozenset({"StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup"})
_INITIALIZERS = ("InitializeTableV2", "LookupTableImportV2", "InitializeTable", "LookupTableImport")
_FILE_INITIALIZERS = ("InitializeTableFromTextFileV2", "InitializeTableFromTextFile")


class Tables:
    """The tables of a SavedModel.

    Args:
        graph: Its objects.
        graphs: Its graphs; parsed only when a static table is there.
        objects: The stored object graph, for what functions capture.
        files: Asset files, by their number in the meta graph.
    """

    def __init__(
        self,
        graph: ObjectGraph,
        graphs: SavedGraphs,
        objects: Mapping[str, Any],
        files: Sequence[ByteRange | None],
    ) -> None:
        self.graph = graph
        self.graphs = graphs
        self.objects = objects
        self.files = files

    def pairs(self, table: GraphNode) -> list[tuple[Any, Any]] | None:
        """Keys and values of a table; None where they can't be told without running it."""
        keys = next((v for k, v in table.state.items() if k.endswith("-keys")), None)
        held = next((v for k, v in table.state.items() if k.endswith("-values")), None)
        if keys is not None and held is not None:
            return list(zip(keys.read().tolist(), held.read().tolist(), strict=False))
        function = self.graph.child(table, "_initialize")
        for name in function.functions if function is not None else ():
            found = self._initialised(name)
            if found is not None:
                return found
        return None

    def _initialised(self, name: str) -> list[tuple[Any, Any]] | None:
        function = self.graphs.graphs.get(name)
        if function is None:
            return None
        captured = self.graphs.captures.get(name, ())
        # An initialize function takes captures alone; they come in the order of the arguments.
        arguments = dict(zip(function.inputs[len(function.inputs) - len(captured) :], captured, strict=False))
        inside = {node.name: node for node in function.nodes}

        def constant(tensor: str) -> list[Any] | None:
            label = tensor.split(":")[0]
            node = inside.get(label)
            if node is not None and node.op == "Const":
                return self._constant(node.raw.get("value"))
            if label in arguments:
                return self._object(arguments[label])
            return None

        for node in function.nodes:
            if node.op in _INITIALIZERS and len(node.inputs) >= 3:
                keys, held = constant(node.inputs[1]), constant(node.inputs[2])
                if keys is not None and held is not None:
                    return list(zip(keys, held, strict=False))
            if node.op in _FILE_INITIALIZERS and len(node.inputs) >= 2:
                label = node.inputs[1].split(":")[0]
                lines = self._lines(arguments.get(label, -1))
                if lines is not None:
                    return list(zip(lines, range(len(lines)), strict=True))
        return None

    def _object(self, number: int) -> list[Any] | None:
        nodes = self.objects.get("nodes", ())
        stored = nodes[number] if 0 <= number < len(nodes) else {}
        operation = (stored.get("constant") or {}).get("operation")
        if operation is None:
            return None
        node = next((n for n in self.graphs.graphs[""].nodes if n.name == operation), None)
        return self._constant(node.raw.get("value")) if node is not None and node.op == "Const" else None

    def _constant(self, attribute: Any) -> list[Any] | None:
        from safeload.formats.tensorflow.protos import ATTR_VALUE
        from safeload.formats.tensorflow.wire import parse

        if attribute is None:
            return None
        tensor = parse(attribute, ATTR_VALUE, path=self.graphs.path, where="value").get("tensor")
        return values(tensor, self.graphs.path, "a table's initial values") if tensor is not None else None

    def _lines(self, number: int) -> list[bytes] | None:
        nodes = self.objects.get("nodes", ())
        stored = nodes[number] if 0 <= number < len(nodes) else {}
        if "asset" not in stored:
            return None
        index = stored["asset"].get("asset_file_def_index", 0)
        file = self.files[index] if 0 <= index < len(self.files) else None
        return file.read().splitlines() if file is not None else None


def with_vocabularies(
    architecture: Mapping[str, Any], tables: Tables, *, without_oov: bool = False
) -> Mapping[str, Any] | None:
    """The architecture with each lookup layer's vocabulary in its config; None where a table can't be read so.

    A lookup layer without its vocabulary would call everything unknown: wrong numbers, so nothing is built then.

    Args:
        architecture: The model's config.
        tables: Its tables.
        without_oov: It was written by Keras 2.4 or before, whose inverted lookups count the words from the mask on, with
            no place for the unknown one (`_set_inverse_vocabulary`); later ones have one, and can't be told not to.
    """
    changed: dict[int, dict[str, Any]] = {}
    for layer, node in walk_layers(tables.graph, tables.graph.root, architecture):
        if writer_class(layer) in _LOOKUPS and isinstance(layer.get("config"), Mapping):
            if without_oov and layer["config"].get("invert") and not _has_special(layer["config"]):
                return None
            if isinstance(layer["config"].get("vocabulary"), list):
                continue
            found = _vocabulary(layer["config"], node, tables)
            if found is None:
                return None
            changed[id(layer)] = {**layer["config"], **found}
    return _replaced(architecture, changed) if changed else architecture


def _has_special(config: Mapping[str, Any]) -> bool:
    """Whether a stored vocabulary begins with the mask and the unknown word, as later versions count them."""
    vocabulary = config.get("vocabulary")
    mask, unknown = config.get("mask_token", config.get("mask_value")), config.get("oov_token", config.get("oov_value"))
    special = [unknown] if mask is None else [mask, unknown]
    return isinstance(vocabulary, list) and vocabulary[: len(special)] == special


def _vocabulary(config: Mapping[str, Any], node: GraphNode, tables: Tables) -> dict[str, Any] | None:
    lookup = (
        inner_layer(tables.graph, node, "lookup_layer") or inner_layer(tables.graph, node, "index_lookup_layer") or node
    )
    settings = {**config, **((lookup.metadata or {}).get("config") or {})}
    table = inner_layer(tables.graph, lookup, "lookup_table") or inner_layer(tables.graph, lookup, "table")
    pairs = tables.pairs(table) if table is not None else None
    if pairs is None:
        return None
    if settings.get("invert") and pairs and isinstance(pairs[0][0], int):
        pairs = [(token, index) for index, token in pairs]
    special = {_text(settings.get(key)) for key in ("mask_token", "oov_token", "mask_value", "oov_value")} - {None}
    tokens = [_text(token) for token, _ in sorted(pairs, key=lambda pair: pair[1])]
    vocabulary = [token for token in tokens if token not in special]
    found: dict[str, Any] = {"vocabulary": vocabulary}
    weights = lookup_weights(tables.graph, lookup)
    if weights is not None and settings.get("output_mode") in ("tf_idf", "tf-idf"):
        start = int(settings.get("num_oov_indices", 1) or 0)
        found["idf_weights"] = weights.value.read().ravel().tolist()[start : start + len(vocabulary)]
    return found


def lookup_weights(graph: ObjectGraph, lookup: GraphNode) -> Any:
    """The variable of the inverse document frequencies, if the layer has one."""
    node = inner_layer(graph, lookup, "idf_weights") or inner_layer(graph, lookup, "tf_idf_weights")
    return node if node is not None and node.value is not None else None


def _text(token: Any) -> Any:
    return token.decode("utf-8", "replace") if isinstance(token, bytes) else token


def _replaced(node: Any, changed: Mapping[int, dict[str, Any]]) -> Any:
    if isinstance(node, list):
        return [_replaced(v, changed) for v in node]
    if isinstance(node, Mapping):
        fields = {k: _replaced(v, changed) for k, v in node.items()}
        return {**fields, "config": changed[id(node)]} if id(node) in changed else fields
    return node
