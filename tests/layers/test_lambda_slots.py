"""Lambdas in every slot that Keras has for a function, and those of the caller in the place of the file's."""

from __future__ import annotations

import base64
import io
import json
import marshal
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import safeload
from safeload.lambdas import bytecodes

pytestmark = [
    pytest.mark.core,
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning"),
]
X = np.linspace(-1, 1, 12, dtype="float32").reshape(1, 3, 4)


def dump(function: Any) -> list[Any]:
    return [base64.b64encode(marshal.dumps(function.__code__)).decode(), None, None]


def legacy(function: Any, **more: Any) -> dict[str, Any]:
    return {"function": dump(function), "function_type": "lambda", "output_shape": None, **more}


def sequential(*layers: dict[str, Any], shape: tuple[int | None, ...] = (3, 4), **beside: Any) -> dict[str, Any]:
    first = {
        "class_name": "InputLayer",
        "config": {"name": "input", "batch_input_shape": [None, *shape], "dtype": "float32"},
    }
    config = {"name": "s", "layers": [first, *layers]}
    return {"class_name": "Sequential", "config": config, "keras_version": "2.4.0", "backend": "tensorflow", **beside}


def layer(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": class_name.lower(), **config}}


def load(config: dict[str, Any], custom_objects: Any = None, **weights: list[np.ndarray]) -> Any:
    """Load it from an HDF5 file with the weights of some layers."""
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5.attrs["model_config"] = json.dumps(config)
        h5.attrs["keras_version"], h5.attrs["backend"] = "2.4.0", "tensorflow"
        group = h5.create_group("model_weights")
        group.attrs["keras_version"], group.attrs["backend"] = "2.4.0", "tensorflow"
        names = [layer["config"]["name"] for layer in config["config"]["layers"]]
        group.attrs["layer_names"] = [n.encode() for n in names]
        for name in names:
            arrays = {f"{name}/{i}:0": a for i, a in enumerate(weights.get(name, []))}
            inner = group.create_group(name)
            inner.attrs["weight_names"] = [n.encode() for n in arrays]
            for key, value in arrays.items():
                inner[key] = value
    file.seek(0)
    return safeload.load_model(file, custom_objects)


def computed(model: Any, x: Any = X) -> np.ndarray:
    return np.asarray(model(x))


@pytest.mark.parametrize("form", ["bare", "object"])
def test_an_activation(tmp_path: Path, form: str) -> None:
    """Keras 2.13 on keeps of the object what is under `config`; saved again, it is plain data."""
    from safeload.runtime import detect, keras_module

    function: Any = {"value": dump(lambda x: x * tf.nn.sigmoid(x))}  # noqa: F821
    if form == "object":
        function = {"class_name": "__lambda__", "config": function}
    model = load(sequential(layer("Activation", activation=function)))
    np.testing.assert_allclose(computed(model), X / (1 + np.exp(-X)), rtol=1e-5)
    for name in ("again.h5", "again.keras"):
        path = str(tmp_path / name)
        model.save(path)
        assert not list(bytecodes(safeload.inspect(path).architecture))
        loaders = [safeload.load_model]
        if detect().dialect == "keras3":  # Keras 2 takes no object as activation from a file
            loaders.append(keras_module(detect()).models.load_model)
        for again in loaders:
            np.testing.assert_allclose(computed(again(path)), computed(model), rtol=1e-6)


def test_an_initializer_and_a_regularizer(tmp_path: Path) -> None:
    def coded(function: Any) -> dict[str, Any]:
        return {"class_name": "__lambda__", "config": {"value": dump(function)}}

    dense = layer(
        "Dense",
        units=2,
        kernel_initializer=coded(lambda shape, dtype=None: tf.ones(shape, dtype) * 0.5),  # noqa: F821
        kernel_regularizer=coded(lambda w: 0.1 * tf.reduce_sum(w)),  # noqa: F821
    )
    report = safeload.check(sequential(dense))
    assert "kernel_initializer: lambda shape, dtype: tf.ones(shape, dtype) * 0.5" in str(
        [f.message for f in report if f.rule == "SL801"]
    )
    model = load(sequential(dense), dense=[np.ones((4, 2), "float32"), np.zeros(2, "float32")])
    np.testing.assert_allclose(float(sum(model.losses)), 0.8, rtol=1e-6)
    drawn = model.layers[-1].kernel_initializer((2, 3), dtype="float32")
    np.testing.assert_array_equal(np.asarray(drawn), np.full((2, 3), 0.5))


def test_a_loss_and_a_metric(tmp_path: Path) -> None:
    from safeload.runtime import detect, keras_module

    keras = keras_module(detect())
    if detect().keras_version < (2, 13):
        return  # it stored names alone
    globals()["tf"] = __import__("tensorflow")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(
        "sgd",
        loss=lambda y, p: tf.reduce_mean(tf.abs(y - p)),  # noqa: F821
        metrics=[lambda y, p: tf.reduce_max(p)],  # noqa: F821
    )
    model.train_on_batch(np.ones((2, 4)), np.zeros((2, 1)))
    path = str(tmp_path / "trained.keras")
    with pytest.warns(UserWarning, match="lambda"):
        model.save(path)
    assert not safeload.check(path).errors
    shown = {f.where: f.evidence["source"] for f in safeload.inspect(path).findings if f.rule == "SL210"}
    assert "lambda y, p: tf.math.reduce_max(p)" in shown.values()
    again = safeload.load_model(path, compile="strict")
    one, two = (m.evaluate(np.ones((2, 4)), np.zeros((2, 1)), verbose=0) for m in (model, again))
    np.testing.assert_allclose(one, two, rtol=1e-6)


def test_wrappers(tmp_path: Path) -> None:
    inner = layer("Lambda", **legacy(lambda x: x[:, :2] * 2.0))
    model = load(sequential(layer("TimeDistributed", layer=inner)))
    np.testing.assert_allclose(computed(model), X[..., :2] * 2)
    path = str(tmp_path / "again.keras")
    model.save(path)
    np.testing.assert_allclose(computed(safeload.load_model(path)), computed(model))


@pytest.mark.parametrize("key", ["lambda", "scaled"])
def test_a_function_of_the_callers_comes_first(key: str) -> None:
    """Under the name of the layer, or of the function; whether the file's can be read or not."""

    def scaled(x: Any) -> Any:
        return unknown(x)  # noqa: F821

    file = sequential(layer("Lambda", **legacy(scaled, output_shape=dump(lambda s: s), output_shape_type="lambda")))
    with pytest.raises(safeload.UnsafeModelError, match="it calls unknown"):
        load(file)
    model = load(file, {key: lambda x: x * 7})
    np.testing.assert_allclose(computed(model), X * 7, rtol=1e-6)
    simple = sequential(layer("Lambda", **legacy(lambda x: x)))
    np.testing.assert_allclose(computed(load(simple, {"lambda": lambda x: x - 1})), X - 1, rtol=1e-6)


def named(x: Any) -> Any:
    return x * 3 - 1


def test_a_named_function_is_found_by_its_name() -> None:
    """As Keras 3 and 1 store it; found here in the module that calls."""
    file = sequential(layer("Lambda", function="named", function_type="function", module="elsewhere"))
    np.testing.assert_allclose(computed(load(file)), X * 3 - 1, rtol=1e-6)


def test_a_function_of_another_module_is_not_taken() -> None:
    """Keras 2 looks into whichever module the file names."""
    file = sequential(layer("Lambda", function="getcwd", function_type="function", module="os"))
    with pytest.raises(safeload.MissingCustomObjectError, match="getcwd"):
        load(file)


def test_a_lost_name_is_told_with_its_layers() -> None:
    file = sequential(layer("Dense", units=2, activation="<lambda>"), layer("Activation", activation="<lambda>"))
    with pytest.raises(safeload.MissingCustomObjectError) as caught:
        load(file)
    error = caught.value
    assert "only the name was stored" in str(error)
    assert "'dense'" in str(error)
    assert "'activation'" in str(error)
    assert 'custom_objects={"<lambda>"' in str(error)
    given = {"<lambda>": lambda x: x * 0}
    assert not computed(load(sequential(layer("Activation", activation="<lambda>")), given)).any()


def test_masks_and_shapes() -> None:
    """`mask` is computed as it was; `output_shape` completes what tracing leaves open."""
    file = sequential(
        layer("Masking", mask_value=0.0),
        layer(
            "Lambda",
            **legacy(
                lambda x, mask: x * 2 if mask is None else x * 5,
                mask=dump(lambda x, m: m),
                mask_type="lambda",
                output_shape=dump(lambda s: (s[0], s[1], s[2])),
                output_shape_type="lambda",
            ),
        ),
        layer("LSTM", units=1, recurrent_activation="sigmoid"),
        shape=(None, 4),
    )
    model = load(file, lstm=[np.ones(s, "float32") for s in ((4, 4), (1, 4), (4,))])
    x = X.copy()
    x[:, 2] = 0
    np.testing.assert_allclose(np.asarray(model.layers[-2](x, mask=np.ones((1, 3), bool))), x * 5)
    np.testing.assert_allclose(np.asarray(model.layers[-2](x)), x * 2)
    np.testing.assert_allclose(computed(model, x), computed(model, x[:, :2]), rtol=1e-5)


def test_an_open_shape_is_completed() -> None:
    function = legacy(
        lambda x: tf.reshape(x, tf.concat([tf.shape(x)[:1], [12]], 0)),  # noqa: F821
        output_shape=dump(lambda s: (s[0], s[1] * s[2])),
        output_shape_type="lambda",
    )
    weights = [np.ones((12, 1), "float32"), np.zeros(1, "float32")]
    model = load(sequential(layer("Lambda", **function), layer("Dense", units=1)), dense=weights)
    assert model.layers[-1].kernel.shape == (12, 1)


def test_training_is_told() -> None:
    file = sequential(layer("Lambda", **legacy(lambda x, training=None: x * 2 if training else x)))
    model = load(file)
    np.testing.assert_allclose(np.asarray(model(X, training=False)), X)
    np.testing.assert_allclose(np.asarray(model(X, training=True)), X * 2)
    noise = sequential(layer("Lambda", **legacy(lambda x: K.in_train_phase(x + 1, x))))  # noqa: F821
    np.testing.assert_allclose(computed(load(noise)), X)


def sampling(args: Any) -> Any:
    z_mean, z_log_sigma = args
    epsilon = K.random_normal(shape=(K.shape(z_mean)[0], K.int_shape(z_mean)[1]), mean=0.0, stddev=1.0)  # noqa: F821
    return z_mean + K.exp(z_log_sigma) * epsilon  # noqa: F821


def test_a_variational_autoencoder_draws_at_each_call() -> None:
    """Also when it predicts: random numbers are not dropout."""
    inputs = [
        {
            "class_name": "InputLayer",
            "name": n,
            "config": {"name": n, "batch_input_shape": [None, 2]},
            "inbound_nodes": [],
        }
        for n in ("mean", "sigma")
    ]
    drawn = {
        "class_name": "Lambda",
        "name": "z",
        "config": {"name": "z", **legacy(sampling)},
        "inbound_nodes": [[["mean", 0, 0, {}], ["sigma", 0, 0, {}]]],
    }
    config = {
        "name": "m",
        "layers": [*inputs, drawn],
        "input_layers": [["mean", 0, 0], ["sigma", 0, 0]],
        "output_layers": [["z", 0, 0]],
    }
    model = load({"class_name": "Model", "config": config, "keras_version": "2.4.0"})
    given = [np.full((4000, 2), 3.0, "float32"), np.full((4000, 2), np.log(0.5), "float32")]
    one, two = (model.predict(given, verbose=0) for _ in range(2))
    assert not np.allclose(one, two)
    for found in (one, two):
        np.testing.assert_allclose([found.mean(), found.std()], [3.0, 0.5], atol=0.05)
        assert len(np.unique(found)) > 7900


def test_inspect_imports_no_tensorflow(run_python: Any, tmp_path: Path) -> None:
    code = sequential(layer("Lambda", **legacy(lambda x: K.l2_normalize(x, axis=1))))  # noqa: F821
    (tmp_path / "model.json").write_text(json.dumps(code), encoding="utf-8")
    program = (
        "import json, sys, safeload\n"
        "found = safeload.inspect(json.load(open('model.json'))).findings\n"
        "print([f.evidence['source'] for f in found if f.rule == 'SL210'])\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    assert "lambda x: K.l2_normalize(x, axis=1)" in run_python(program)
