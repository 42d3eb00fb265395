"""Objects in places where none of their kind belongs, calls without tensors, and budgets: judged on data alone."""

from __future__ import annotations

from typing import Any

import pytest

import safeload
from safeload.checks.budget_table import PARAMETERS


def layer(name: str, /, **config: Any) -> dict[str, Any]:
    return {"class_name": name, "config": {"name": name.lower(), **config}}


def sequential(*layers: Any) -> dict[str, Any]:
    entry = layer("InputLayer", batch_input_shape=[None, 4])
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [entry, *layers]}}


def rules(config: Any) -> set[str]:
    return {f.rule for f in safeload.check(config).errors} - {"SL111"}  # there are no weights with these


OUT_OF_PLACE = {
    "a layer as an initializer": layer("Dense", units=1, kernel_initializer=layer("Dropout", rate=0.5)),
    "an initializer as an activation": layer("Dense", units=1, activation={"class_name": "Zeros", "config": {}}),
    "an optimizer as a layer": {"class_name": "SGD", "config": {"name": "s", "learning_rate": 0.1}},
    "a layer where numbers belong": layer("Dense", units=layer("Dropout", rate=0.5)),
    "a layer among a Lambda's arguments": layer("Lambda", function="f", arguments={"x": layer("Dropout", rate=0.5)}),
    "an object without a config": layer("Dense", units=1, kernel_initializer={"class_name": "Zeros"}),
    "a class whose name is a list": layer("Dense", units=1, kernel_initializer={"class_name": ["Zeros"], "config": {}}),
    "an object in a build config": {**layer("Dense", units=1), "build_config": {"input_shape": layer("Zeros")}},
    "an array of objects": layer("Dense", units={"class_name": "__numpy__", "config": {"value": [1], "dtype": "object"}}),
    "a spec of another module": layer(
        "Dense", units={"class_name": "__typespec__", "config": [], "spec_name": "Popen", "module": "subprocess",
                        "registered_name": None}
    ),
    "a policy with an endless expression": layer(
        "Dense", units=1, dtype={"class_name": "DTypePolicyMap", "config": {"policy_map": {"(a+)+$": "float32"}}}
    ),
}  # fmt: skip


@pytest.mark.core
@pytest.mark.parametrize("bad", OUT_OF_PLACE.values(), ids=OUT_OF_PLACE)
def test_objects_out_of_place(bad: dict[str, Any]) -> None:
    assert rules(sequential(bad)) & {"SL206", "SL401", "SL730"}, safeload.check(sequential(bad))


HONEST = {
    "a layer as an activation": layer("Dense", units=1, activation=layer("LeakyReLU")),
    "an initializer": layer("Dense", units=1, kernel_initializer={"class_name": "Zeros", "config": {}}),
    "a schedule-like number": layer("Dropout", rate=0.25),
    "an inline vocabulary": layer("StringLookup", vocabulary=["/etc/passwd", "http://a"]),
    "a wrapper": layer("TimeDistributed", layer=layer("Dense", units=1)),
}


@pytest.mark.core
@pytest.mark.parametrize("good", HONEST.values(), ids=HONEST)
def test_objects_in_place(good: dict[str, Any]) -> None:
    assert not rules(sequential(good))


def graph(node: Any) -> dict[str, Any]:
    entry = {**layer("InputLayer", batch_input_shape=[None, 4]), "name": "inputlayer", "inbound_nodes": []}
    dense = {**layer("Dense", units=2), "name": "dense", "inbound_nodes": [node]}
    inner = {"name": "f", "layers": [entry, dense], "input_layers": [["inputlayer", 0, 0]],
             "output_layers": [["dense", 0, 0]]}  # fmt: skip
    return {"class_name": "Functional", "config": inner}


@pytest.mark.core
def test_calls() -> None:
    assert not rules(graph([["inputlayer", 0, 0, {}]]))
    assert not rules(graph([["inputlayer", 0, 0, {"mask": None, "scale": 2.0, "mode": "same"}]]))
    assert "SL207" in rules(graph([["_CONSTANT_VALUE", -1, [1.0], {}]]))
    assert "SL206" in rules(graph([["inputlayer", 0, 0, {"mode": "x" * 5000}]]))
    assert "SL206" in rules(graph([["inputlayer", 0, 0, {"f": layer("Dense", units=1)}]]))


BOMBS = {
    "units": layer("Dense", units=10**10),
    "a table": layer("Embedding", input_dim=10**6, output_dim=10**6),
    "a kernel": layer("Conv2D", filters=1, kernel_size=[10**5, 10**5]),
    "a recurrent kernel": layer("LSTM", units=10**6),
    "repeats": layer("RepeatVector", n=10**12),
    "padding": layer("ZeroPadding2D", padding=[[10**9, 0], [0, 0]]),
    "an image": layer("Resizing", height=10**6, width=10**6),
    "a shape": layer("Reshape", target_shape=[10**5, 10**5]),
    "words outside the vocabulary": layer("StringLookup", vocabulary=["a"], num_oov_indices=10**9),
    "a float": layer("Dense", units=1e30),
    "many at once": {"class_name": "Sequential", "config": {"name": "t", "layers": [
        {"class_name": "Dense", "config": {"name": f"d{i}", "units": 2 * 10**8}} for i in range(3)]}},
}  # fmt: skip


@pytest.mark.core
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_bombs(bomb: dict[str, Any]) -> None:
    report = safeload.check(sequential(bomb))
    assert "SL208" in {f.rule for f in report.errors}
    assert any(f.raises is safeload.InsufficientMemoryError for f in report.errors)


@pytest.mark.core
def test_a_graph_that_calls_itself_for_ever() -> None:
    model = graph([["inputlayer", 0, 0, {}]])
    for depth in range(40):
        name = f"m{depth}"
        inner = {**model, "name": name, "inbound_nodes": [[["inputlayer", 0, 0, {}]], [[name, 1, 0, {}]]]}
        inner["config"] = {**model["config"], "name": name}
        entry = model["config"]["layers"][0]
        model = {"class_name": "Functional", "config": {
            "name": "f", "layers": [entry, inner], "input_layers": [["inputlayer", 0, 0]],
            "output_layers": [[name, 2, 0]]}}  # fmt: skip
    assert "SL208" in rules(model)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("Dense", {"units": 5}, (None, 3)),
        ("Embedding", {"input_dim": 7, "output_dim": 3}, (None, 2)),
        ("Conv1D", {"filters": 3, "kernel_size": 2}, (None, 5, 2)),
        ("Conv2D", {"filters": 4, "kernel_size": 2, "groups": 2}, (None, 5, 5, 2)),
        ("Conv2DTranspose", {"filters": 3, "kernel_size": (2, 3)}, (None, 5, 5, 1)),
        ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2}, (None, 5, 5, 1)),
        ("SeparableConv2D", {"filters": 3, "kernel_size": 3}, (None, 5, 5, 1)),
        ("SimpleRNN", {"units": 4}, (None, 5, 1)),
        ("GRU", {"units": 4}, (None, 5, 1)),
        ("LSTM", {"units": 4, "use_bias": False}, (None, 5, 1)),
        ("ConvLSTM2D", {"filters": 2, "kernel_size": 3}, (None, 2, 5, 5, 1)),
        ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 6}, (None, 3)),
    ],
)
def test_estimates_are_lower_bounds(keras: Any, name: str, arguments: dict[str, Any], shape: tuple[Any, ...]) -> None:
    """An estimate above what Keras makes would refuse honest files."""
    made = getattr(keras.layers, name)(**arguments)
    made.build(shape)
    assert 1 < PARAMETERS[name](made.get_config()) <= made.count_params()
