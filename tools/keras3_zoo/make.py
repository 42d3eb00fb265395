"""Make models of Keras 3, layer by layer and argument by argument, with inputs and the outputs of the writing version.

    python make.py FOLDER [--only WORD] [--every N] [--h5-every N]

Runs in any Keras 3 (3.0 to today), on any backend. Each case is a file `NAME.keras` (or `.h5`, `.weights.h5`) with
`NAME.npz` beside it: inputs `in_0` ..., outputs `out_0` ..., for compiled models `before`, `x`, `y` and `after` (the
outputs after one further training step). What the version doesn't have is left out and told.
"""

import argparse
import json
import os
import re
import sys
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

sys.path.insert(0, str(Path(__file__).parent))

import customs
import graphs
import keras
import numpy as np
from keras import (
    Input,
    Model,
    Sequential,
    activations,
    constraints,
    initializers,
    losses,
    metrics,
    ops,
    regularizers,
)

import layers as table

SIZES = {
    "vec": [(6,)],
    "seq": [(7, 4)],
    "img": [(8, 8, 4)],
    "vol": [(5, 5, 5, 2)],
    "wave": [(256,)],
    "two": [(3, 4)] * 2,
}
SIZES.update(twice=[(5, 8)], col=[(1,)], ids=[(4,)], words=[(1,)], text=[(1,)], colpair=[(1,)] * 2)
TYPES = {"col": "int32", "ids": "int32", "colpair": "int32", "words": "string", "text": "string"}
WORDS = np.array([["a"], ["b"], ["c"]])
TEXT = np.array([["One two!"], ["two three"], ["one, two two"]])
RNG = np.random.RandomState(0)


def names():
    """What the expressions of the tables may use."""
    scope = {
        **vars(keras.layers),
        **vars(customs),
        "keras": keras,
        "ops": ops,
        "np": np,
        "Input": Input,
        "Model": Model,
    }
    scope.update(Sequential=Sequential, activations=activations, regularizers=regularizers, constraints=constraints)
    scope.update(initializers=initializers, losses=losses, metrics=metrics, EMBED=RNG.randn(5, 3).astype("float32"))
    return scope


def array(size, dtype, batch=2):
    if dtype == "string":
        return TEXT
    if dtype == "bool":
        return RNG.rand(batch, *size) > 0.4
    if np.issubdtype(np.dtype(dtype), np.integer):
        return RNG.randint(0, 5, (batch, *size)).astype(dtype)
    return RNG.randn(batch, *size).astype(dtype)


def randomize(model):
    """Weights that tell: no zero bias, no zero mean; those that have to be positive stay so."""
    for variable in model.weights:
        if "float" not in str(variable.dtype) or "seed" in variable.path:
            continue
        new = RNG.uniform(-0.8, 0.8, tuple(variable.shape))
        if "variance" in variable.path or "gamma" in variable.path or "stddev" in variable.path:
            new = np.abs(new) + 0.3
        variable.assign(new.astype("float32"))


def flat(value):
    """The arrays of a structure of tensors, dicts by their sorted keys."""
    if isinstance(value, dict):
        return [a for k in sorted(value) for a in flat(value[k])]
    if isinstance(value, (list, tuple)):
        return [a for v in value for a in flat(v)]
    if "bfloat16" in str(value.dtype):
        value = ops.cast(value, "float32")
    return [np.asarray(ops.convert_to_numpy(value))]


class Zoo:
    def __init__(self, folder, options):
        self.folder, self.options, self.count, self.left = Path(folder), options, 0, {}
        self.folder.mkdir(parents=True, exist_ok=True)
        self.rows = []

    def case(self, name, label, make):
        """Make one model, its numbers and its file."""
        self.count += 1
        if self.options.only not in name or self.count % self.options.every:
            return
        keras.backend.clear_session()
        try:
            made = make()
            if made is not None:
                self.save(name, label, *made)
        except Exception as error:
            self.left[name] = f"{label} | {type(error).__name__}: {str(error)[:160]}".replace("\n", " ")

    def save(self, name, label, model, inputs, after=None, formats=("keras",)):
        given = [ops.convert_to_tensor(g) for g in inputs] if len(inputs) > 1 else inputs[0]
        if not isinstance(model, customs.Subclassed) and isinstance(model.input, dict):
            given = keras.tree.pack_sequence_as(model.input, inputs)
        outputs = flat(model(given, training=False))
        arrays = {f"in_{i}": v for i, v in enumerate(inputs)}
        arrays.update({f"out_{i}": v.astype(str) if v.dtype.kind in "OSU" else v for i, v in enumerate(outputs)})
        formats = [*formats, "h5"] if self.options.h5_every and self.count % self.options.h5_every == 0 else formats
        saved = []
        for kind in dict.fromkeys(formats):
            file = f"{name}.{kind}"
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    model.save(str(self.folder / file))
                saved.append(file)
            except Exception as error:
                self.left[file] = f"{label} | save: {type(error).__name__}: {str(error)[:120]}".replace("\n", " ")
        arrays.update(after(model) if after else {})  # a further step changes the model: last
        for file in saved:
            np.savez_compressed(self.folder / f"{file}.npz", **arrays)
            self.rows.append({"file": file, "label": label})

    # ------------------------------------------------------------------ the tables

    def layers(self):
        for line in table.ARGUMENTS.strip().splitlines():
            kind, expressions = line.split(": ", 1)
            for expression in split(expressions):
                self.case(f"layer-{kind}-{self.count:04d}", expression, lambda k=kind, e=expression: self.layer(k, e))
        for activation in table.SINGLE["activations"]:
            self.case(
                f"act-{activation}", activation, lambda a=activation: self.layer("vec", f"Dense(4, activation={a!r})")
            )
        for i, initializer in enumerate(table.SINGLE["initializers"]):
            text = f"Dense(6, kernel_initializer=initializers.{initializer})"
            self.case(f"init-{i:02d}", initializer, lambda t=text: self.layer("vec", t))

    def layer(self, kind, expression):
        expression, *steps = [part.strip() for part in expression.split("|")]
        layer = eval(expression, names())
        size, dtype = SIZES[kind], TYPES.get(kind, "float32")
        inputs = [WORDS if kind == "words" else array(s, dtype) for s in size]
        if "adapt" in steps:
            layer.adapt(np.concatenate([inputs[0]] * 3))
        symbols = [Input(s, dtype=dtype) for s in size]
        if kind == "twice":
            output = layer(symbols[0], symbols[0])
        else:
            output = layer(symbols if len(symbols) > 1 else symbols[0])
        model = Model(symbols if len(symbols) > 1 else symbols[0], output)
        if self.count % 3 == 2 and len(symbols) == 1 and kind != "twice" and "lora" not in steps:
            model = Sequential([symbols[0], layer])
        if type(layer).__name__ not in ("Normalization", "MelSpectrogram", "STFTSpectrogram"):  # state, not weights
            randomize(model)
        for step in steps:
            if step == "lora":
                layer.enable_lora(2)
                randomize(model)
            elif step.startswith("quantize"):
                layer.quantize(step.split()[1])
        return model, inputs

    def operations(self):
        for line in graphs.OPERATIONS.strip().splitlines():
            kind, expressions = line.split(": ", 1)
            for expression in split(expressions):
                self.case(f"op-{kind}-{self.count:04d}", expression, lambda k=kind, e=expression: self.operation(k, e))

    def operation(self, kind, expression):
        scope = names()
        if kind == "nnimg":
            rng = np.random.RandomState(3)
            image = rng.rand(2, 8, 8, 3).astype("float32")
            symbol = Input((8, 8, 3))
            scope.update(
                i=symbol, u=symbol, K=rng.randn(2, 2, 3, 2).astype("float32"), P=rng.randn(1, 1, 6, 4).astype("float32")
            )
            scope.update(KT=rng.randn(2, 2, 4, 3).astype("float32"))
            corners = np.array([[[0, 0], [7, 0], [0, 7], [7, 7]]] * 2, "float32")
            scope.update(PS=corners, PE=corners + 0.5)
            output = eval(f"ops.{expression}", scope)
            return Model(symbol, output), [image]
        given = [RNG.randn(2, 3, 4).astype("float32"), RNG.randint(1, 4, (2, 4)).astype("int32")]
        x, n = Input((3, 4), name="x"), Input((4,), dtype="int32", name="n")
        scope.update(
            x=x, n=n, V=np.array([0.5, -1.0, 2.0, 0.25], "float32"), V_SORTED=np.array([-1.0, 0.0, 0.5], "float32")
        )
        scope.update(
            W=np.linspace(-1, 1, 12).reshape(4, 3).astype("float32"), V2=np.array([[5.0] * 4, [6.0] * 4], "float32")
        )
        scope.update(rfft2=lambda t: ops.rfft(t), stft2=lambda t: ops.stft(t[:, 0], 4, 2, 4))
        if re.search(r"\bS\b", expression):
            scope["S"] = ops.matmul(x, ops.transpose(x, (0, 2, 1))) + np.eye(3, dtype="float32")
        if "x4" in expression:
            scope["x4"] = ops.reshape(ops.concatenate([x] * 4, axis=1), (-1, 4, 3, 4))
        linalg = "ops.linalg." if hasattr(ops, "linalg") else "ops."
        prefix = {"+": "", "linalg": linalg, "random": ""}.get(kind, "ops.")
        output = symbols(eval(prefix + expression, scope))
        used = [s for s, word in ((x, r"\b(x|x4|S)\b"), (n, r"\bn\b")) if re.search(word, expression)]
        data = [g for g, s in zip(given, (x, n), strict=True) if any(s is u for u in used)]
        return Model(used if len(used) > 1 else used[0], output if len(output) > 1 else output[0]), data

    def graphs(self):
        cases = re.split(r"\n(?=\w+: )", graphs.GRAPHS.strip())
        for case in cases:
            name, text = case.split(":", 1)
            self.case(f"graph-{name}", name, lambda t=text: self.graph(t))

    def graph(self, text):
        scope = names()
        lines = [line.strip() for line in text.strip().splitlines()]
        exec("\n".join(lines), scope)
        model = scope["m"]
        randomize(model)
        if "FINISH" in scope:
            scope["FINISH"](model)
        if "SHAPES" in scope:
            inputs = [array(s, "float32") for s in scope["SHAPES"]]
        else:
            inputs = [array(tuple(d or 6 for d in t.shape[1:]), str(t.dtype)) for t in model.inputs]
        return model, inputs, None, ("keras", "h5")

    def training(self):
        for line in graphs.TRAINING.strip().splitlines():
            kind, expressions = line.split(": ", 1)
            for expression in split(expressions):
                self.case(
                    f"train-{kind}-{self.count:04d}", expression, lambda k=kind, e=expression: self.compiled(k, e)
                )

    def compiled(self, kind, expression):
        scope = {
            **names(),
            **vars(keras.optimizers),
            "losses": losses,
            "metrics": metrics,
            "MySchedule": customs.MySchedule,
        }
        x = Input((4,))
        hidden = Dense_(3, "tanh", "hidden")(x)
        a = Dense_(3, "softmax", "a")(hidden)
        model = Model(x, [a, Dense_(3, "softmax", "b")(hidden)] if kind == "compile" else a)
        data = RNG.randn(8, 4).astype("float32")
        target = np.eye(3, dtype="float32")[RNG.randint(0, 3, 8)]
        arguments = {"optimizer": keras.optimizers.Adam(0.01), "loss": "mse"}
        if kind == "compile":
            arguments.update(eval(f"dict({expression})", scope))
        else:
            arguments.update({{"opt": "optimizer", "loss": "loss", "metric": "metrics"}[kind]: eval(expression, scope)})
        model.compile(**arguments)
        randomize(model)
        targets = [target, target] if kind == "compile" else target
        if isinstance(arguments["loss"], dict):
            targets = {"a": target, "b": target} if arguments["loss"].get("b") is not None else {"a": target}
        for _ in range(3):
            model.train_on_batch(data, targets)

        def after(model):
            model.train_on_batch(data, targets)
            return {
                "x": data,
                "y": target,
                "after": np.concatenate([v.ravel() for v in flat(model(data, training=False))]),
            }

        return model, [data], after, ("h5", "keras") if self.count % 2 else ("keras", "h5")


def Dense_(units, activation, name):
    return keras.layers.Dense(units, activation=activation, name=name)


def symbols(value):
    return [v for part in value for v in symbols(part)] if isinstance(value, (list, tuple)) else [value]


def split(text):
    """At `;` outside of quotes and brackets."""
    return [part.strip() for part in re.split(r";(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", text) if part.strip()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--only", default="", help="cases whose name holds this word")
    parser.add_argument("--every", type=int, default=1, help="only each Nth case")
    parser.add_argument("--h5-every", type=int, default=5, help="each Nth layer as .h5 too")
    options = parser.parse_args()
    zoo = Zoo(options.folder, options)
    for step in (zoo.layers, zoo.operations, zoo.graphs, zoo.training):
        step()
    told = zoo.folder / "manifest.json"
    if options.only and told.exists():
        before = json.loads(told.read_text())
        zoo.rows = [r for r in before["rows"] if options.only not in r["file"]] + zoo.rows
        zoo.left = {k: v for k, v in before["left_out"].items() if options.only not in k} | zoo.left
    manifest = {"keras": keras.__version__, "backend": keras.backend.backend(), "rows": zoo.rows, "left_out": zoo.left}
    told.write_text(json.dumps(manifest, indent=1))
    print(f"Keras {keras.__version__}: {len(zoo.rows)} files, {len(zoo.left)} left out")


if __name__ == "__main__":
    main()
