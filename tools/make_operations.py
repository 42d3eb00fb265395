"""Make src/safeload/operations/signatures.json: parameters and public names of the functions in the reviewed table.

Run it with each TensorFlow whose signatures are to be known, the newest last; a run adds to the file:

    TF_USE_LEGACY_KERAS=1 PYTHONPATH=src python tools/make_operations.py

Works with Python 3.8 (TensorFlow 2.4), so it takes the table from its file and not from the package.
"""

import ast
import inspect
import json
import os
import re
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PACKAGE = Path(__file__).parents[1] / "src" / "safeload" / "operations"
TARGET = PACKAGE / "signatures.json"
SKIPPED = {"raw_ops", "estimator", "contrib", "compiler", "python", "core", "tools"}


def table() -> set:
    """The ids in `functions.PURE`."""
    tree = ast.parse((PACKAGE / "functions.py").read_text(encoding="utf-8"))
    for node in tree.body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if any(getattr(t, "id", None) == "PURE" for t in targets):
            spaces = ast.literal_eval(node.value)
            return {f"{space}.{name}".lstrip(".") for space, names in spaces.items() for name in names.split()}
    raise LookupError("no PURE in functions.py")


def parameters(function) -> list:
    from tensorflow.python.util import tf_inspect

    spec = tf_inspect.getfullargspec(function)
    defaults = dict(zip(reversed(spec.args), reversed(spec.defaults or ()), strict=False))
    found = []
    for name in spec.args:
        if name == "name":
            continue
        found.append(f"{name}={literal(defaults[name])}" if name in defaults else name)
    if spec.varargs:
        found.append("*" + spec.varargs)
    found += [f"{n}={literal(d)}" for n, d in (spec.kwonlydefaults or {}).items() if n != "name"]
    return found


def literal(value) -> str:
    if hasattr(value, "as_datatype_enum"):
        return repr(value.name)
    if value == float("inf"):
        return "1e999"
    return repr(value) if isinstance(value, (bool, int, float, str, type(None), tuple, list)) else "..."


def public(tensorflow) -> dict:
    """Every public function by its name below `tf`; all names of it where it has several."""
    found, seen = {}, set()

    def visit(prefix, module, root):
        if (id(module), root) in seen or prefix.count(".") > 5:
            return
        seen.add((id(module), root))
        for name in sorted(dir(module)):
            if (name.startswith("_") and name != "__operators__") or name in SKIPPED:
                continue
            try:
                value = getattr(module, name)
            except Exception:  # lazy modules whose package is missing
                continue
            if inspect.ismodule(value):
                if re.match(r"(tensorflow|keras|tf_keras)", value.__name__) and name not in ("compat", "v1", "v2"):
                    visit(prefix + name + ".", value, root)
            elif callable(value) and not isinstance(value, type):
                found.setdefault(prefix + name, value)

    visit("", tensorflow, "v2")
    visit("compat.v1.", tensorflow.compat.v1, "v1")
    return found


def main() -> None:
    import tensorflow as tf
    from tensorflow.python.util import tf_export

    known = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    wanted = table()
    for name, function in public(tf).items():
        symbol = tf_export.get_canonical_name_for_symbol(function, add_prefix_to_v1_names=True)
        symbol = symbol or tf_export.get_canonical_name_for_symbol(
            function, api_name="keras", add_prefix_to_v1_names=True
        )
        if symbol not in wanted and name in wanted:
            symbol = name
        if symbol not in wanted:
            continue
        row = known.setdefault(symbol, {"parameters": [], "names": []})
        if not row["parameters"] or name == symbol:
            row["parameters"] = parameters(function)
        row["names"] = sorted({*row["names"], name} - {symbol})
    rows = ",\n".join(
        f" {json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(known.items()) if name in wanted
    )
    TARGET.write_text("{\n" + rows + "\n}\n", encoding="utf-8")
    print(tf.__version__, len(known), "missing:", sorted(wanted - set(known)))


if __name__ == "__main__":
    main()
