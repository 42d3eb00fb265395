"""Does the file need another backend than TensorFlow?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from safeload.checks import Examination
from safeload.errors import BackendMismatchError
from safeload.findings import Finding, Rule, Severity

__all__ = ["CODE_OF_ANOTHER_BACKEND", "OTHER_BACKEND", "check"]

CODE_OF_ANOTHER_BACKEND = Rule(
    "SL510",
    "code-of-another-backend",
    Severity.ERROR,
    """\
What it sees: a layer that wraps a function or module of another framework.
Why it matters: it computes with JAX or PyTorch; TensorFlow can't run it.
Example: `JaxLayer`, `FlaxLayer`, `TorchModuleWrapper`.
What to do: load it with bare Keras and the writer's backend (`KERAS_BACKEND=jax`), or rebuild that layer.
References: keras `utils/jax_layer.py`, `utils/torch_utils.py`.
""",
    BackendMismatchError,
)

OTHER_BACKEND = Rule(
    "SL511",
    "other-backend",
    Severity.NOTE,
    """\
What it sees: another backend than TensorFlow wrote the file.
Why it matters: numbers agree within rounding for JAX and PyTorch; Theano flips convolution kernels and pads otherwise,
which repairs mend (they are findings of their own).
Example: `backend: theano` in an .h5 of Keras 1 or 2.
What to do: nothing; compare a prediction that you know.
References: keras wiki, "Converting convolution kernels from Theano to TensorFlow".
""",
)

_WRAPPERS = {"JaxLayer": "jax", "FlaxLayer": "jax", "NnxLayer": "jax", "TorchModuleWrapper": "torch"}


def check(examination: Examination) -> Iterable[Finding]:
    """Layers that only another backend can run; a note where another one wrote the file."""
    passed = examination.scope.custom_objects if examination.scope is not None else {}
    for name, layer, where in _wrappers(examination.document.architecture):
        if name in passed:
            continue
        backend = _WRAPPERS[name]
        yield CODE_OF_ANOTHER_BACKEND.finding(
            f"{layer or name} is a {name}: it computes with {backend}",
            where=where,
            hint=f"load it with bare Keras 3 and KERAS_BACKEND={backend}, or rebuild that layer",
            saved_backend=backend,
            candidates=(backend,),
        )
    backend = examination.document.writer.backend or "tensorflow"
    if backend != "tensorflow":
        yield OTHER_BACKEND.finding(f"written on the backend {backend}; TensorFlow runs here")


def _wrappers(config: Any) -> Iterator[tuple[str, str | None, str]]:
    stack: list[tuple[Any, str]] = [(config, "")]
    while stack:
        node, at = stack.pop()
        if isinstance(node, list | tuple):
            stack += [(v, f"{at}[{i}]") for i, v in reversed(list(enumerate(node)))]
        elif isinstance(node, Mapping):
            name, inner = node.get("class_name"), node.get("config")
            plain = name.rpartition(">")[2] if isinstance(name, str) else None
            if plain in _WRAPPERS:
                named = inner.get("name") if isinstance(inner, Mapping) else None
                yield plain, named if isinstance(named, str) else None, at
                continue
            is_object = isinstance(name, str)
            for key, value in reversed(list(node.items())):
                if isinstance(value, Mapping | list | tuple):
                    stack.append((value, at if is_object and key == "config" else f"{at}.{key}".lstrip(".")))
