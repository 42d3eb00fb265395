"""What has changed inside Keras 2, and from its last version to Keras 3: the writer's numbers in the Keras at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import safeload
from safeload.document import ModelDocument, WeightEntry, WeightGroup, Writer
from safeload.errors import VersionMismatchError
from safeload.repairs import repair
from safeload.runtime import Runtime, detect

FILES = sorted(p for p in (Path(__file__).parent / "drift_files").iterdir() if p.suffix in (".h5", ".keras"))
KERAS3 = Runtime("keras3", "3.15.1", "2.21.0", "3.11.7")
KERAS2 = Runtime("keras2", "2.15.0", "2.15.1", "3.11.7")

pytestmark = [  # what Keras 3 says of masks that end, and while it saves
    pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning"),
]


def recorded(path: Path) -> tuple[Any, list[Any]]:
    """The inputs as the model takes them, and the writer's outputs."""
    import tensorflow as tf

    with np.load(f"{path}.npz") as arrays:
        stored = [arrays[f"in_{i}"] for i in range(sum(n.startswith("in_") for n in arrays.files))]
        outputs = [arrays[f"out_{i}"] for i in range(sum(n.startswith("out_") for n in arrays.files))]
        names = [str(n) for n in arrays["names"]] if "names" in arrays.files else []
    inputs = [tf.constant(x.astype(object)) if x.dtype.kind in "US" else tf.convert_to_tensor(x) for x in stored]
    if names:
        return dict(zip(names, inputs, strict=True)), outputs
    return (inputs if len(inputs) > 1 else inputs[0]), outputs


def flat(outputs: Any) -> list[Any]:
    if isinstance(outputs, dict):
        return [a for name in sorted(outputs) for a in flat(outputs[name])]
    if isinstance(outputs, list | tuple):
        return [a for item in outputs for a in flat(item)]
    return [np.asarray(outputs)]


@pytest.mark.core
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_the_writers_numbers(path: Path) -> None:
    inputs, expected = recorded(path)
    model = safeload.load_model(path, compile=False)
    found = flat(model(inputs, training=False))
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours.astype("float64"), theirs.astype("float64"), atol=1e-4, rtol=1e-4)


@pytest.mark.core
@pytest.mark.parametrize("case", ["tf24-rnd_crop.h5", "tf24-mask_add_mixed_lstm.h5", "tf24-mha_embed.h5"])
def test_what_was_repaired_can_be_saved_again(case: str, tmp_path: Path) -> None:
    path = Path(__file__).parent / "drift_files" / case
    inputs, expected = recorded(path)
    model = safeload.load_model(path, compile=False)
    again = tmp_path / "again.keras"
    model.save(again)
    found = flat(safeload.load_model(again, compile=False)(inputs, training=False))
    np.testing.assert_allclose(found[0], expected[0], atol=1e-4, rtol=1e-4)


@pytest.mark.core
def test_random_layers_train(keras: Any) -> None:
    from safeload.layers import own_object

    images = np.arange(2 * 8 * 9 * 3, dtype="float32").reshape(2, 8, 9, 3)
    crop = own_object("RandomCrop")(4, 5, seed=1)(images, training=True)
    corner = int(np.asarray(crop)[0, 0, 0, 0])
    top, left = corner // 27, corner % 27 // 3
    np.testing.assert_array_equal(np.asarray(crop), images[:, top : top + 4, left : left + 5])
    high = own_object("RandomHeight")((0.5, 0.5))(images, training=True)
    assert tuple(high.shape) == (2, 12, 9, 3)
    wide = own_object("RandomWidth")((-0.5, -0.5))(images, training=True)
    assert tuple(wide.shape) == (2, 8, 4, 3)


def sequential(version: str, *layers: dict[str, Any]) -> ModelDocument:
    config = {"name": "model", "layers": list(layers)}
    architecture = {"class_name": "Sequential", "config": config}
    return ModelDocument(None, "hdf5", 0, Writer(version), "keras2", architecture)


def layer(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": class_name.lower(), **config}}


def repaired(document: ModelDocument, runtime: Runtime, index: int = -1) -> Any:
    result = repair(document, runtime).architecture
    assert result is not None
    return result["config"]["layers"][index]


@pytest.mark.core
@pytest.mark.parametrize("runtime", [KERAS3, KERAS2], ids=["keras3", "keras2"])
def test_bins_move_by_the_smallest_step(runtime: Runtime) -> None:
    config = repaired(sequential("2.4.0", layer("Discretization", bins=[-1.0, 0.0, 1.0, float("inf")])), runtime)[
        "config"
    ]
    assert "bins" not in config
    for moved, bound in zip(config["bin_boundaries"], (-1.0, 0.0, 1.0), strict=True):
        assert np.float32(moved) > bound
        assert np.float32(moved) - np.float32(bound) < 2e-7


@pytest.mark.core
@pytest.mark.parametrize("version", ["2.4.0", "2.5.0"])
def test_an_unused_salt_is_dropped_and_a_salt_kept(version: str) -> None:
    default = [0xDECAFCAFFE, 0xDECAFCAFFE]
    for salt, kept in ((default, None), ([9, 99], [9, 99])):
        config = repaired(sequential(version, layer("Hashing", num_bins=7, salt=salt, dtype="float32")), KERAS2)[
            "config"
        ]
        assert config["salt"] == kept
        assert config["dtype"] == "int64"


@pytest.mark.core
@pytest.mark.parametrize(("version", "first"), [("2.6.0", True), ("2.7.0", None)])
def test_when_random_crop_resized_first(version: str, first: bool | None) -> None:
    node = repaired(sequential(version, layer("RandomCrop", height=4, width=5)), KERAS3)
    assert node["class_name"] == "safeload>RandomCrop"
    assert node["config"].get("resize_first") == first


@pytest.mark.core
def test_masks_matter_only_where_there_are_some() -> None:
    attention = layer("MultiHeadAttention", num_heads=2, key_dim=3, query_shape=None, key_shape=None, value_shape=None)
    for zero, name in ((True, "safeload>MultiHeadAttention"), (False, "MultiHeadAttention")):
        document = sequential("2.9.0", layer("Embedding", mask_zero=zero), attention)
        assert repaired(document, KERAS2)["class_name"] == name
    document = sequential("2.10.0", layer("Embedding", mask_zero=True), attention)
    assert repaired(document, KERAS2)["class_name"] == "MultiHeadAttention"


@pytest.mark.core
def test_what_has_no_equal_is_refused() -> None:
    for node in (
        layer("CategoryEncoding", max_tokens=8, output_mode="tf-idf"),
        layer("CategoryEncoding", max_tokens=None, output_mode="binary"),
        layer("Discretization", bins=["a"]),
        layer("StringLookup", vocabulary=["a", "b"], invert=True),
        layer("IntegerLookup", vocabulary=[1, 2], invert=True),
    ):
        with pytest.raises(VersionMismatchError):
            repair(sequential("2.4.0", node), KERAS3)
    with pytest.raises(VersionMismatchError, match="causal"):
        repair(sequential("2.8.0", layer("Attention", causal=True)), KERAS3)


@pytest.mark.core
def test_repairs_are_pure() -> None:
    document = sequential("2.4.0", layer("CategoryEncoding", max_tokens=8, output_mode="binary"))
    before = json.dumps(document.architecture)
    config = repaired(document, KERAS3)["config"]
    assert config["num_tokens"] == 8
    assert config["output_mode"] == "multi_hot"
    assert json.dumps(document.architecture) == before
    assert detect().flavour is not None


@pytest.mark.core
def test_arguments_that_an_older_keras2_lacks_are_dropped_or_refused() -> None:
    node = layer("InputLayer", batch_input_shape=[None, 3], optional=False)
    assert "optional" not in repaired(sequential("2.21.0", node), KERAS2)["config"]
    newer = Runtime("tf_keras", "2.21.0", "2.21.0", "3.11.7")
    assert "optional" in repaired(sequential("2.21.0", node), newer)["config"]
    for changed in (layer("InputLayer", optional=True), layer("Softmax", robust_masking=True)):
        with pytest.raises(VersionMismatchError, match="=True"):
            repair(sequential("2.21.0", changed), KERAS2)


@pytest.mark.core
def test_an_inverse_lookup_counts_as_later_ones_do_from_2_5_on() -> None:
    node = layer("StringLookup", vocabulary=["a", "b"], invert=True)
    assert repaired(sequential("2.5.0", node), KERAS3)["config"]["invert"] is True


def test_attention_in_a_custom_layer_is_told_where_masks_are_made() -> None:
    """Keras' names of the weights tell it: the block's config does not."""
    stored = tuple(
        WeightEntry(f"block/attention/{name}/kernel:0", (2, 1, 2), "float32", lambda: None, "")
        for name in ("query", "key", "value", "attention_output")
    )
    weights = WeightGroup("", groups=(WeightGroup("block", entries=stored),))

    def told(version: str, mask: bool) -> bool:
        embedding = layer("Embedding", input_dim=4, output_dim=2, mask_zero=mask)
        document = sequential(version, embedding, {"class_name": "Block", "config": {"name": "block"}})
        document = document.evolve(layout="legacy-hdf5", weights=weights)
        return "SL780" in {f.rule for f in repair(document, KERAS3).findings}

    assert told("2.9.0", True)
    assert not told("2.9.0", False)
    assert not told("2.10.0", True)


@pytest.mark.parametrize("name", ["CategoryCrossing", "NumericColumn"])
def test_what_keras_has_no_longer_is_told_as_that(name: str, tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "crossing.h5"
    first = layer("InputLayer", batch_input_shape=[None, 3], dtype="float32", sparse=False)
    architecture = {"class_name": "Sequential", "config": {"name": "m", "layers": [first, layer(name)]}}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(architecture)
        file.attrs["keras_version"] = "2.4.0"
        file.attrs["backend"] = "tensorflow"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = []
        group.attrs["keras_version"] = "2.4.0"
    with pytest.raises(VersionMismatchError, match=f"{name} is a layer that Keras has no longer"):
        safeload.load_model(path)
