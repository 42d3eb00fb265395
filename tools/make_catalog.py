"""Make src/safeload/objects/catalog.json: the names that Keras itself brings, with the arguments that they take.

    python tools/make_catalog.py            # adds what the Keras of this environment has
    TF_USE_LEGACY_KERAS=1 python tools/make_catalog.py

Run it once in each environment that is supported (TensorFlow 2.12, 2.15, 2.18, 2.21, and 2.21 with tf_keras); each run
adds to the table of its dialect. An entry is `[path, arguments, versions, some]`: where the object lives below the
package, all arguments that its constructor (or the function) took in any version (null where it takes any), the versions
that were seen to have it, and by argument the versions that take it, for those that not all of them do. The result is
reviewed by eye: nothing that reads, writes, fetches or changes settings belongs into it.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any

CATALOG = Path(__file__).resolve().parents[1] / "src" / "safeload" / "objects" / "catalog.json"

NAMESPACES = {
    "layer": ("layers", "layers.experimental", "layers.experimental.preprocessing"),
    "model": ("", "models"),
    "initializer": ("initializers",),
    "regularizer": ("regularizers",),
    "constraint": ("constraints",),
    "activation": ("activations",),
    "loss": ("losses",),
    "metric": ("metrics",),
    "optimizer": ("optimizers", "optimizers.legacy", "optimizers.experimental"),
    "schedule": ("optimizers.schedules",),
    "dtype_policy": ("dtype_policies", "mixed_precision", ""),
    "quantization": ("quantizers",),
    "random": ("random",),
}
"""Where each kind is looked for, below `keras`, the first place first."""

MODELS = ("Model", "Sequential", "Functional")
POLICIES = (
    "DTypePolicy",
    "FloatDTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "DTypePolicyMap",
    "Policy",
)
GENERATORS = ("SeedGenerator",)
NEVER = {
    "get",
    "serialize",
    "deserialize",
    "load_model",
    "save_model",
    "clone_model",
    "model_from_json",
    "Input",
    "TorchModuleWrapper",
    "TFSMLayer",
    "JaxLayer",
    "FlaxLayer",
    "Lambda",
    "set_global_policy",
    "global_policy",
    "experimental_functional",
}
"""Functions that are no part of a model, and layers that wrap something from outside. `Lambda` has rules of its own."""


def public(module: Any) -> dict[str, Any]:
    return {n: o for n, o in vars(module).items() if not n.startswith("_") and n not in NEVER and callable(o)}


def belongs(kind: str, name: str, value: Any) -> bool:
    if kind == "model":
        return name in MODELS
    if kind == "dtype_policy":
        return name in POLICIES
    if kind == "random":
        return name in GENERATORS
    if kind in ("layer", "optimizer", "schedule", "quantization"):
        return inspect.isclass(value) and hasattr(value, "from_config")
    return not inspect.ismodule(value)


def arguments(value: Any) -> list[str] | None:
    """Names of the arguments; None where anything is taken."""
    found: list[str] = []
    try:
        chain = [c.__init__ for c in value.__mro__ if "__init__" in vars(c)] if inspect.isclass(value) else [value]
        for function in chain:
            parameters = inspect.signature(function).parameters
            found += [
                n for n, p in parameters.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and n != "self"
            ]
            if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
                break
    except (TypeError, ValueError):
        return None
    return sorted(set(found) - {"__class__"})


def merged(row: list[Any] | None, path: str, taken: list[str] | None, version: str) -> list[Any]:
    """The entry of an object with what one more version takes."""
    path, known, versions, some = row or (path, [], [], {})
    everywhere = sorted({*versions, version}, key=lambda v: [int(n) for n in v.split(".")])
    if taken is None or known is None:
        return [path, None, everywhere, {}]
    takers = {argument: set(some.get(argument, versions)) - {version} for argument in known}
    for argument in taken:
        takers.setdefault(argument, set()).add(version)
    takers = {argument: found for argument, found in takers.items() if found}
    partial = {a: [v for v in everywhere if v in found] for a, found in takers.items() if len(found) < len(everywhere)}
    return [path, sorted(takers), everywhere, partial]


def main() -> None:
    from safeload.runtime import detect, keras_module

    runtime = detect()
    keras = keras_module(runtime)
    import tensorflow as tf

    table = json.loads(CATALOG.read_text(encoding="utf-8")) if CATALOG.exists() else {}
    dialect = table.setdefault(runtime.dialect, {})
    version = ".".join((runtime.keras or "").split(".")[:2])
    for kind, places in NAMESPACES.items():
        rows = dialect.setdefault(kind, {})
        for place in places:
            module: Any = tf.keras if runtime.flavour == "keras2" else keras  # the public names alone
            for part in filter(None, place.split(".")):
                module = getattr(module, part, None)
            for name, value in public(module).items() if module is not None else ():
                if belongs(kind, name, value):
                    path = f"{place}.{name}".lstrip(".")
                    rows[name] = merged(rows.get(name), path, arguments(value), version)
    if runtime.dialect == "keras2":
        v1 = tf.compat.v1.keras.layers
        for name in ("CuDNNLSTM", "CuDNNGRU"):
            if hasattr(v1, name):
                row = dialect["layer"].get(name)
                dialect["layer"][name] = merged(row, f"compat.v1:{name}", arguments(getattr(v1, name)), version)
    else:
        operations = dialect.setdefault("operation", {})
        import importlib

        operation = importlib.import_module("keras.src.ops.operation").Operation
        for home in ("core", "einops", "image", "linalg", "math", "nn", "numpy"):
            try:
                module = importlib.import_module(f"keras.src.ops.{home}")
            except ImportError:
                continue
            for name, value in public(module).items():
                if inspect.isclass(value) and issubclass(value, operation) and value.__module__ == module.__name__:
                    path = f"src.ops.{home}.{name}"
                    operations[name] = merged(operations.get(name), path, arguments(value), version)
    text = json.dumps(table, sort_keys=True, separators=(",", ":")).replace('}],"', '}],\n"').replace('},"', '},\n"')
    CATALOG.write_text(text + "\n", encoding="utf-8")
    print({k: len(v) for k, v in dialect.items()}, version, file=sys.stderr)


if __name__ == "__main__":
    main()
