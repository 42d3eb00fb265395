"""Make `tests/lambdas/codes.json.xz`: functions as each Python marshals them, and what they give there.

    python tools/make_lambda_codes.py PYTHON2.7 PYTHON3.6 ... PYTHON3.13

Each PYTHON has a TensorFlow of its time, and a Keras where that is a package of its own. The functions are those of
`tests/lambdas/expressions.txt` and `functions.txt`; each is compiled, marshalled and run there on the inputs of `INPUTS`, in
a graph where that TensorFlow has graphs. So the tests need no Python but their own. What can't be run there (a function that
came later) has no values.
"""

from __future__ import annotations

import json
import lzma
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "tests" / "lambdas"

INPUTS = {
    "vector": [[2, 6]],
    "two": [[2, 4], [2, 4]],
    "sequence": [[2, 4, 3]],
    "sequences": [[2, 4, 3], [2, 4, 3]],
    "triplet": [[2, 4], [2, 4], [2, 4]],
    "image": [[2, 4, 4, 4]],
    "ids": [[2, 5]],
    "ctc": [[2, 6, 5], [2, 3], [2, 1], [2, 1]],
}
"""Shapes. Values are drawn from a fixed seed, see `RUN`."""

RUN = r"""
from __future__ import print_function
import base64, json, math, marshal, os, sys, warnings
warnings.simplefilter("ignore")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np

asked = json.loads(sys.stdin.read())
import pkgutil
if pkgutil.find_loader("tf_keras") if sys.version_info < (3, 4) else __import__("importlib.util").util.find_spec("tf_keras"):
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
import tensorflow as tf
first = not hasattr(tf, "function") or tf.__version__.startswith("1.")
try:
    import tf_keras as keras
except ImportError:
    if first:
        import keras
    else:
        keras = tf.keras
K = keras.backend
try:
    from keras import applications
except Exception:
    pass

def draw(kind, shapes):
    r = np.random.RandomState(7)
    if kind == "ids":
        return [r.randint(0, 6, size=shapes[0]).astype("int32")]
    if kind == "ctc":
        p = np.exp(r.normal(size=shapes[0]))
        return [(p / p.sum(-1, keepdims=True)).astype("float32"), np.array([[1, 2, 1], [3, 0, 0]], "float32"),
                np.array([[5], [4]], "int64"), np.array([[3], [1]], "int64")]
    scale = 100.0 if kind == "image" else 1.0
    return [(r.normal(size=s) * scale).astype("float32") for s in shapes]

def flat(value):
    return [v for item in value for v in flat(item)] if isinstance(value, (list, tuple)) else [value]

def run(function, arrays):
    if not first:
        found = function([tf.constant(a) for a in arrays] if len(arrays) > 1 else tf.constant(arrays[0]))
        return [np.asarray(v) for v in flat(found)]
    inputs = [keras.layers.Input(batch_shape=a.shape, dtype=str(a.dtype)) for a in arrays]
    found = flat(function(inputs if len(inputs) > 1 else inputs[0]))
    session = K.get_session()
    session.run(tf.global_variables_initializer())
    feed = dict(zip(inputs, arrays))
    feed[K.learning_phase()] = 0
    return [np.asarray(session.run(v, feed)) for v in found]

def plain(value):
    return {"class_name": "__tuple__", "items": [plain(v) for v in value]} if isinstance(value, tuple) else value

found = {}
for case in asked["cases"]:
    if "3" in case["needs"] and sys.version_info < (3,):
        continue
    if ("tf1" in case["needs"] and not first) or ("tf2" in case["needs"] and first):
        continue
    names = {"tf": tf, "K": K, "np": np, "math": math, "keras": keras}
    try:
        exec(case["text"], names)
    except SyntaxError:
        continue
    function = names["f"]
    row = found[case["name"]] = {
        "input": case["input"],
        "code": base64.b64encode(marshal.dumps(function.__code__)).decode("ascii"),
        "defaults": None if function.__defaults__ is None else [plain(v) for v in function.__defaults__],
        "closure": None if function.__closure__ is None else [plain(c.cell_contents) for c in function.__closure__],
    }
    try:
        values = run(function, draw(case["input"], asked["inputs"][case["input"]]))
        if any(v.dtype.kind not in "biufc" for v in values):
            raise TypeError("no numbers")
        row["values"] = [
            {"shape": v.shape, "dtype": str(v.dtype), "data": base64.b64encode(np.ascontiguousarray(v).tobytes()).decode("ascii")}
            for v in values
        ]
    except Exception as error:
        row["error"] = (type(error).__name__ + ": " + str(error))[:100]
inputs = {kind: [{"shape": a.shape, "dtype": str(a.dtype), "data": a.ravel().tolist()} for a in draw(kind, shapes)]
          for kind, shapes in asked["inputs"].items()}
print("@@" + json.dumps(inputs))
print("@@" + json.dumps({"%d.%d" % sys.version_info[:2]: {"tensorflow": tf.__version__, "keras": getattr(keras, "__version__", None), "functions": found}}))
"""


def cases() -> list[dict[str, Any]]:
    """The functions of both files: name, text that defines `f`, input and needs."""
    found = []
    for line in (FOLDER / "expressions.txt").read_text(encoding="utf-8").splitlines():
        text, _, only = line.partition("  # ")
        if text.startswith("lambda"):
            kind = "two" if text.startswith("lambda a") else "sequence"
            found.append({"name": text, "text": f"f = {text}", "input": kind, "needs": only.split()})
    for number, block in enumerate((FOLDER / "functions.txt").read_text(encoding="utf-8").split("\n\n")[1:]):
        head, _, text = block.strip().partition("\n")
        kind, *needs = head.removeprefix("#: ").split()
        found.append({"name": f"{number:03} {text.strip()}", "text": text + "\n", "input": kind, "needs": needs})
    return found


def main(pythons: list[str]) -> None:
    asked = json.dumps({"cases": cases(), "inputs": INPUTS})
    codes: dict[str, Any] = {}
    for python in pythons:
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
        done = subprocess.run([python, "-c", RUN], input=asked, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise SystemExit(f"{python}: {done.stderr[-2000:]}")
        drawn, last = (json.loads(part) for part in done.stdout.split("@@")[-2:])
        (FOLDER / "inputs.json").write_text(json.dumps(drawn, indent=0).replace("\n", " ") + "\n", encoding="utf-8")
        codes.update(last)
        version = list(codes)[-1]
        rows = codes[version]["functions"]
        print(
            version,
            codes[version]["tensorflow"],
            len(rows),
            "functions,",
            sum("values" in r for r in rows.values()),
            "run",
        )
        if "-v" in sys.argv:
            print(*(f"    {name[:90]!r}: {r['error']}" for name, r in rows.items() if "error" in r), sep="\n")
    data = json.dumps(codes, sort_keys=True, indent=0).encode()
    (FOLDER / "codes.json.xz").write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main([a for a in sys.argv[1:] if not a.startswith("-")])
