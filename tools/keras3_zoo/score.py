"""Load the models that `make.py` made and compare the numbers.

    python score.py FOLDER [--only WORD] [--loader safeload|bare] [--out ROWS.json]

Run it where the Keras to be measured is installed. A row is `ok`, `typed` (a SafeLoadError), `wrong` (other numbers),
`error` (any other exception), `step` (right numbers, but one further training step goes elsewhere than the writer's).
"""

import argparse
import collections
import importlib
import json
import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import tensorflow as tf

import safeload

warnings.simplefilter("ignore")


def flat(value):
    if isinstance(value, dict):
        return [a for k in sorted(value) for a in flat(value[k])]
    if isinstance(value, (list, tuple)):
        return [a for v in value for a in flat(v)]
    if isinstance(value, tf.RaggedTensor):
        value = value.to_tensor()
    if getattr(value, "dtype", None) == tf.bfloat16:
        value = tf.cast(value, tf.float32)
    return [np.asarray(value.numpy() if hasattr(value, "numpy") else value)]


def given(model, arrays):
    inputs = [arrays[f"in_{i}"] for i in range(sum(n.startswith("in_") for n in arrays.files))]
    inputs = [tf.constant(x.astype(object)) if x.dtype.kind in "US" else tf.convert_to_tensor(x) for x in inputs]
    structure = getattr(model, "input", None)
    if isinstance(structure, dict):
        return tf.nest.pack_sequence_as(structure, inputs)
    return inputs if len(inputs) > 1 else inputs[0]


def differs(found, expected, low):
    for ours, theirs in zip(found, expected, strict=True):
        if theirs.dtype.kind == "V":  # NumPy stores bfloat16 as two bytes of anything
            theirs = theirs.view(tf.bfloat16.as_numpy_dtype).astype("float32")
        if ours.dtype.kind in "OSU":
            if [t.decode() if isinstance(t, bytes) else str(t) for t in ours.ravel()] != [
                t[2:-1] if t.startswith("b'") else t for t in theirs.ravel().tolist()
            ]:
                return "text"
            continue
        if ours.size != theirs.size:
            return f"shape {ours.shape} for {theirs.shape}"
        ours, theirs = ours.reshape(theirs.shape).astype("complex128"), theirs.astype("complex128")
        if not np.allclose(ours, theirs, atol=low, rtol=low, equal_nan=True):
            return f"off by {np.nanmax(np.abs(ours - theirs)):.3g}"
    return None


def score(path, row, loader):
    arrays = np.load(f"{path}.npz")
    expected = [arrays[f"out_{i}"] for i in range(sum(n.startswith("out_") for n in arrays.files))]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = loader(path)
        found = flat(model(given(model, arrays), training=False))
    except safeload.SafeLoadError as error:
        return "typed", f"{type(error).__name__}: {error}"
    except Exception as error:
        return "error", f"{type(error).__name__}: {error}"
    if len(found) != len(expected):
        return "wrong", f"{len(found)} outputs for {len(expected)}"
    low = 2e-2 if "16" in row["label"] else 1e-4
    told = differs(found, expected, low)
    if told:
        return "wrong", told
    if "after" in arrays.files and getattr(model, "optimizer", None) is not None:
        try:
            y = arrays["y"]
            loss = getattr(model, "loss", None)
            outs = len(model.outputs)
            targets = (
                y
                if outs == 1
                else {k: y for k, v in loss.items() if v is not None}
                if isinstance(loss, dict)
                else [y, y]
            )
            model.train_on_batch(arrays["x"], targets)
            after = np.concatenate([v.ravel() for v in flat(model(tf.constant(arrays["in_0"]), training=False))])
        except Exception as error:
            return "step", f"{type(error).__name__}: {error}"
        if not np.allclose(after, arrays["after"], atol=1e-4, rtol=1e-3):
            return "step", f"off by {np.abs(after - arrays['after']).max():.3g}"
    return "ok", ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--loader", choices=("safeload", "bare"), default="safeload")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    if options.loader == "safeload":
        safeload.register_module("customs")
        loader = safeload.load_model
    else:
        importlib.import_module("customs")
        loader = tf.keras.models.load_model
    rows = json.loads((options.folder / "manifest.json").read_text())["rows"]
    counted, told = collections.Counter(), []
    for row in [r for r in rows if options.only in r["file"]][:: options.every]:
        tf.keras.backend.clear_session()
        status, message = score(options.folder / row["file"], row, loader)
        counted[status] += 1
        told.append({**row, "status": status, "message": message})
        if status != "ok":
            print(status, row["file"], "|", row["label"][:90], "|", message[:230].replace("\n", " "), flush=True)
    print(options.folder.name, dict(counted))
    if options.out:
        options.out.write_text(json.dumps(told))


if __name__ == "__main__":
    main()
