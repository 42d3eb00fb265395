"""Would loading run code from the file, or open something that the file names?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from safeload.checks import Examination
from safeload.errors import UnsafeModelError, VersionMismatchError
from safeload.findings import Finding, Rule, Severity
from safeload.lambdas import bytecodes
from safeload.lambdas.report import read
from safeload.objects.catalog import builtin
from safeload.repairs.lambdas import setting_of

__all__ = ["LAMBDA_BYTECODE", "LAMBDA_OF_ANOTHER_PYTHON", "LAMBDA_RUNS", "OPENS_A_FILE", "TRAINING_BYTECODE", "check"]

LAMBDA_BYTECODE = Rule(
    "SL201",
    "lambda-bytecode",
    Severity.ERROR,
    """\
What it sees: Python bytecode in the config that is more than an expression of known functions: the function of a `Lambda`
layer, its output shape or its mask. What can be read is shown, with what stopped the reading.
Why it matters: whoever wrote the file decides what that code does on your machine.
Example: `Lambda(lambda x: my_function(x))` at `layers[3].function`.
What to do: if you trust the file's author, `safe_mode=False`. Otherwise, rebuild the layer from its source code:
`custom_objects` can't help, because bytecode has no name.
References: CVE-2024-3660, CVE-2025-9905.
""",
    UnsafeModelError,
)

TRAINING_BYTECODE = Rule(
    "SL202",
    "lambda-in-training",
    Severity.WARNING,
    """\
What it sees: Python bytecode in the training config: a lambda as loss or metric.
Why it matters: it is never run; the model is loaded without being compiled.
Example: `model.compile(loss=lambda y, p: ...)`, saved as `.keras`.
What to do: call `model.compile(...)` with the function; `compile=False` silences this.
References: none.
""",
    UnsafeModelError,
)

LAMBDA_RUNS = Rule(
    "SL203",
    "lambda-runs",
    Severity.WARNING,
    """\
What it sees: Python bytecode that will run, because `safe_mode=False` says so.
Why it matters: it can do whatever you can do.
Example: `load_model("model.h5", safe_mode=False)`.
What to do: nothing, if you trust the file's author.
References: none.
""",
)

LAMBDA_OF_ANOTHER_PYTHON = Rule(
    "SL204",
    "lambda-of-another-python",
    Severity.ERROR,
    """\
What it sees: Python bytecode that another Python wrote than the one that runs here.
Why it matters: bytecode changes with every Python: it would crash the interpreter or compute something else.
Example: a Lambda written with Python 3.7, loaded with Python 3.11.
What to do: load the file with the Python that wrote it, or rebuild the layer from its source code.
References: keras #9595, `SystemError: unknown opcode`.
""",
    VersionMismatchError,
)

OPENS_A_FILE = Rule(
    "SL205",
    "opens-a-file",
    Severity.ERROR,
    """\
What it sees: a config that names a file or an address which building the layer would open.
Why it matters: a model file could make you read any other file, or run a SavedModel that lies elsewhere.
Example: `StringLookup` with `vocabulary: "/etc/passwd"`; `TFSMLayer`.
What to do: build the layer in code with the data itself.
References: CVE-2025-12058.
""",
    UnsafeModelError,
)

_OPENERS: tuple[tuple[str | None, str], ...] = (
    # class (None: any), argument that is opened when it is text
    (None, "vocabulary"),
    (None, "vocabulary_file"),
    ("TFSMLayer", "filepath"),
)
_NAMED = frozenset(name for name, _ in _OPENERS if name)


def check(examination: Examination) -> Iterable[Finding]:
    """All bytecode, in any slot of either config, and all that building would open."""
    document, repaired, options = examination.document, examination.repaired, examination.options
    setting = setting_of(document)
    major, minor = (int(n) for n in examination.runtime.python.split(".")[:2])
    python = (major, minor)
    for code in bytecodes(repaired.architecture):
        name = f"the layer {code.layer!r}" if code.layer else "the model"
        of = f" of Python {code.range}" if code.range else ""
        if options.safe_mode:
            reading = read(code, setting)
            shown = f": {reading.source}" if reading.source else ""
            stopped = f"; {reading.stopped}" if reading.stopped else ""
            yield LAMBDA_BYTECODE.finding(
                f"{name} holds Python bytecode{of}{shown}{stopped}",
                where=code.where,
                hint="if you trust the file's author, load it with safe_mode=False"
                + ("" if code.runs_on(python) else f", under Python {code.range}")
                + "; otherwise rebuild the layer from its source code",
                threats=(f"{code.where}: Python bytecode",),
                evidence={
                    "python": code.range,
                    "layer": code.layer,
                    "source": reading.source,
                    "stopped": reading.stopped,
                },
            )
        elif not code.runs_on(python):
            yield LAMBDA_OF_ANOTHER_PYTHON.finding(
                f"{name} holds bytecode of Python {code.range}; Python {examination.runtime.python} runs here",
                where=code.where,
                hint=f"load the file under Python {code.range}, or rebuild the layer from its source code",
                saved_with={"python": code.range},
                running={"python": examination.runtime.python},
                reasons=(f"{code.where}: bytecode of Python {code.range}",),
            )
        else:
            yield LAMBDA_RUNS.finding(f"{name} holds Python bytecode{of}, which will run", where=code.where)
    if options.compile:
        for code in bytecodes(repaired.training, "training"):
            yield TRAINING_BYTECODE.finding(
                "the training config holds Python bytecode: the model will not be compiled", where=code.where
            )
    for where, class_name, argument, value in _opened(repaired.architecture):
        plain = class_name.rpartition(">")[2]
        own = plain in _NAMED or builtin(examination.runtime.dialect, "layer", class_name) is not None
        if not own or plain in examination.scope.custom_objects:
            continue  # what a custom class does with its arguments is the business of whoever passed it
        yield OPENS_A_FILE.finding(
            f"{class_name} would open {value[:100]!r}",
            where=where,
            hint=f"build the layer in code, with the {argument} itself",
            threats=(f"{where}: opens {value[:100]!r}",),
        )


def _opened(config: Any) -> Iterator[tuple[str, str, str, str]]:
    """Place, class, argument and value of everything that a layer's constructor would open."""
    stack: list[tuple[Any, str]] = [(config, "")]
    while stack:
        node, at = stack.pop()
        if isinstance(node, list | tuple):
            stack += [(v, f"{at}[{i}]") for i, v in enumerate(node)]
        elif isinstance(node, Mapping):
            name, inner = node.get("class_name"), node.get("config")
            if isinstance(name, str) and isinstance(inner, Mapping):
                for wanted, argument in _OPENERS:
                    value = inner.get(argument)
                    if isinstance(value, str) and value and wanted in (None, name.rpartition(">")[2]):
                        yield f"{at}.{argument}".lstrip("."), name, argument, value
                stack += [(v, at if k == "config" else f"{at}.{k}") for k, v in node.items() if k != "class_name"]
            else:
                stack += [(v, f"{at}.{k}".lstrip(".")) for k, v in node.items()]
