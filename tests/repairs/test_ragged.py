"""Ragged inputs in Keras 3: kept where what they go into takes them, refused elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from safeload.document import ModelDocument, Writer
from safeload.errors import VersionMismatchError
from safeload.repairs import repair
from safeload.runtime import Runtime

KERAS3 = Runtime("keras3", "3.15.1", "2.21.0", "3.11.7")
KERAS38 = Runtime("keras3", "3.8.0", "2.18.0", "3.11.7")


def document(*layers: dict[str, Any]) -> ModelDocument:
    first = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, None], "ragged": True, "name": "words"}}
    nodes: list[dict[str, Any]] = [{**first, "name": "words", "inbound_nodes": []}]
    for layer in layers:
        before = nodes[-1]["name"]
        nodes.append({**layer, "name": layer["config"]["name"], "inbound_nodes": [[[before, 0, 0, {}]]]})
    nodes.reverse()  # the order in the file says nothing
    config = {
        "name": "model",
        "layers": nodes,
        "input_layers": [["words", 0, 0]],
        "output_layers": [[nodes[0]["name"], 0, 0]],
    }
    return ModelDocument(None, "hdf5", 0, Writer("2.15.0"), "keras2", {"class_name": "Functional", "config": config})


def layer(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": class_name.lower(), **config}}


EMBEDDING = layer("Embedding", input_dim=10, output_dim=4)


@pytest.mark.core
def test_a_ragged_input_stays_ragged_where_keras_takes_it() -> None:
    done = repair(document(EMBEDDING, layer("Dropout", rate=0.5), layer("GlobalAveragePooling1D")), KERAS3)
    assert done.architecture is not None
    assert done.architecture["config"]["layers"][-1]["config"]["ragged"] is True


@pytest.mark.core
def test_a_keras_without_ragged_inputs_refuses_them() -> None:
    with pytest.raises(VersionMismatchError, match="ragged=True"):
        repair(document(EMBEDDING, layer("GlobalAveragePooling1D")), KERAS38)


@pytest.mark.core
@pytest.mark.parametrize("class_name", ["LSTM", "Dense", "Bidirectional"])
def test_layers_that_raise_on_ragged_tensors_are_refused(class_name: str) -> None:
    with pytest.raises(VersionMismatchError, match="called on a ragged tensor"):
        repair(document(EMBEDDING, layer(class_name, units=3)), KERAS3)
    repair(document(EMBEDDING, layer("GlobalAveragePooling1D"), layer(class_name, units=3)), KERAS3)
