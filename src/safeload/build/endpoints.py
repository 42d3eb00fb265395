"""Which function of a SavedModel stands for the model, and how its inputs and outputs are laid out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from safeload.document import ModelDocument
from safeload.errors import ModelBuildError, UnsupportedFormatError

__all__ = ["Endpoint", "endpoint_of"]

_SIGNATURES = ("serving_default", "serve", "predict", "default")
"""Names of the signature that stands for the model, the most usual first."""


class Endpoint:
    """A function of a SavedModel as a call of inputs.

    Args:
        functions: By training (False, True), the function and the arguments that follow the inputs.
        structure: The inputs as nested specs: one, a list, or a dict.
        keywords: Whether the inputs are passed by name.
        input_names, output_names: Names of the tensors, in order.
        variables: The variables that the functions use, trainable first.
        concrete: The concrete functions.
    """

    def __init__(
        self,
        functions: Mapping[bool, tuple[Any, Sequence[Any], Mapping[str, Any]]],
        structure: Any,
        *,
        keywords: bool,
        input_names: Sequence[str],
        output_names: Sequence[str],
        variables: Sequence[Any],
        concrete: Sequence[Any],
    ) -> None:
        self.functions = functions
        self.structure = structure
        self.keywords = keywords
        self.input_names = tuple(input_names)
        self.output_names = tuple(output_names)
        self.variables = tuple(variables)
        self.concrete = tuple(concrete)

    def __call__(self, inputs: Any, training: bool | None = None) -> Any:
        """The outputs for inputs: one tensor, a list in order, or a dict by name."""
        import tensorflow as tf

        return tf.autograph.experimental.do_not_convert(self._call)(inputs, training)

    def _call(self, inputs: Any, training: bool | None) -> Any:
        arranged = self._arranged(inputs)
        function, following, named = self.functions.get(bool(training)) or self.functions[False]
        outputs = function(**arranged) if self.keywords else function(arranged, *following, **named)
        if self.keywords and isinstance(outputs, Mapping) and len(outputs) == 1:
            return next(iter(outputs.values()))
        return outputs

    def _arranged(self, inputs: Any) -> Any:
        """The inputs in the structure that the function takes, as tensors of its types."""
        import tensorflow as tf

        specs = tf.nest.flatten(self.structure)
        if isinstance(inputs, Mapping):
            missing = [name for name in self.input_names if name not in inputs]
            if missing:
                raise ValueError(
                    f"the inputs {', '.join(missing)} are missing; the model takes {', '.join(self.input_names)}"
                )
            values = [inputs[name] for name in self.input_names]
        else:
            values = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        if len(values) != len(specs):
            raise ValueError(f"the model takes {len(specs)} inputs ({', '.join(self.input_names)}), not {len(values)}")
        tensors = [_tensor(value, spec) for value, spec in zip(values, specs)]
        return tf.nest.pack_sequence_as(self.structure, tensors)

    def nodes(self) -> Iterator[Any]:
        """The operations that the functions run (`NodeDef`s), those of the functions they call included.

        TensorFlow gives functions new names as it loads them, so the graphs that it has now are walked, not the file's.
        """
        for concrete in self.concrete:
            graph = concrete.graph.as_graph_def()
            library = {function.signature.name: function for function in graph.library.function}
            seen: set[str] = set()
            stack = [graph.node]
            while stack:
                for node in stack.pop():
                    if node.op not in library:
                        yield node
                    called = [f.name for a in node.attr.values() for f in (a.func, *a.list.func)]
                    new = {name for name in (*called, node.op) if name in library} - seen
                    seen |= new
                    stack += [library[name].node_def for name in sorted(new)]


def _tensor(value: Any, spec: Any) -> Any:
    import tensorflow as tf

    if not isinstance(spec, tf.TensorSpec):  # ragged or sparse
        return value
    if hasattr(value, "value") and hasattr(value, "path"):  # a variable of Keras 3
        value = value.value
    tensor = value if tf.is_tensor(value) else tf.convert_to_tensor(value)
    return tensor if tensor.dtype == spec.dtype else tf.cast(tensor, spec.dtype)


def endpoint_of(loaded: Any, document: ModelDocument) -> Endpoint:
    """The function that stands for the model: its own call (Keras), else its serving signature.

    Raises:
        UnsupportedFormatError: It has no function to call.
    """
    found = _of_call(loaded, document) or _of_signature(loaded, document)
    if found is None:
        raise UnsupportedFormatError(
            "the SavedModel holds no function that could be called: it has no signatures",
            path=document.path,
            hint="save it with model.export() or tf.saved_model.save(module, path, signatures=...)",
            detected="savedmodel-without-signatures",
        )
    return found


def _of_call(loaded: Any, document: ModelDocument) -> Endpoint | None:
    """The traced call of a Keras model: inputs and outputs in the writer's structure, and a trace for training."""
    import tensorflow as tf

    kind = document.extras.get("kind")
    function: Any = getattr(loaded, {"keras2": "__call__", "keras-export": "serve"}.get(str(kind), "signatures"), None)
    if not hasattr(function, "concrete_functions"):
        return None
    chosen: dict[bool, tuple[Any, Sequence[Any], Mapping[str, Any]]] = {}
    traces: dict[bool, Any] = {}
    for concrete in function.concrete_functions:
        arguments, named = concrete.structured_input_signature
        if not arguments or any(isinstance(a, tf.TypeSpec) for a in tf.nest.flatten((arguments[1:], named))):
            continue
        training = next((a for a in arguments[1:] if isinstance(a, bool)), bool(named.get("training", False)))
        # The trace whose inputs have the signature's names is the one that Keras made for serving.
        if training not in traces or _named_as(concrete, document) > _named_as(traces[training], document):
            traces[training] = concrete
            chosen[training] = (function, arguments[1:], named)
    if False not in traces:
        return None
    structure = traces[False].structured_input_signature[0][0]
    if True in traces and not _same(structure, traces[True].structured_input_signature[0][0]):
        chosen.pop(True)
    specs = tf.nest.flatten(structure)
    signature = _signature(document)
    names = [
        spec.name or f"input_{i + 1}" if isinstance(spec, tf.TensorSpec) else f"input_{i + 1}"
        for i, spec in enumerate(specs)
    ]
    outputs = tf.nest.flatten(traces[False].structured_outputs)
    stored = list(signature.outputs) if signature is not None else []
    output_names = stored if len(stored) == len(outputs) else [f"output_{i + 1}" for i in range(len(outputs))]
    return Endpoint(
        chosen,
        structure,
        keywords=False,
        input_names=names,
        output_names=output_names,
        variables=_variables(loaded, list(traces.values())),
        concrete=[traces[False]],
    )


def _signature(document: ModelDocument) -> Any:
    signatures = document.extras["signatures"]
    return next((signatures[n] for n in _SIGNATURES if n in signatures), next(iter(signatures.values()), None))


def _same(a: Any, b: Any) -> bool:
    import tensorflow as tf

    left, right = tf.nest.flatten(a), tf.nest.flatten(b)
    return len(left) == len(right) and all(x.is_compatible_with(y) for x, y in zip(left, right))


def _named_as(concrete: Any, document: ModelDocument) -> int:
    import tensorflow as tf

    signature = _signature(document)
    names = set(signature.inputs) if signature is not None else set()
    specs = tf.nest.flatten(concrete.structured_input_signature[0][0])
    return sum(getattr(spec, "name", None) in names for spec in specs)


def _of_signature(loaded: Any, document: ModelDocument) -> Endpoint | None:
    signatures = getattr(loaded, "signatures", None) or {}
    name = next((n for n in _SIGNATURES if n in signatures), next(iter(signatures), None))
    if name is None:
        return None
    function = signatures[name]
    specs = dict(function.structured_input_signature[1])
    if not specs and function.structured_input_signature[0]:
        raise ModelBuildError(f"the signature {name} takes its inputs by position", path=document.path)
    order = sorted(specs, key=lambda n: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", n)])
    keywords = [n for n in getattr(function, "_arg_keywords", None) or () if n in specs]
    if len(keywords) == len(specs):
        order = keywords
    outputs = function.structured_outputs
    output_names = list(outputs) if isinstance(outputs, Mapping) else ["output_0"]
    return Endpoint(
        {False: (function, (), {})},
        {n: specs[n] for n in order},
        keywords=True,
        input_names=order,
        output_names=output_names,
        variables=_variables(loaded, [function]),
        concrete=[function],
    )


def _variables(loaded: Any, functions: Sequence[Any]) -> list[Any]:
    """The variables, trainable first: as the writer lists them, else those that the functions use."""
    listed = [list(getattr(loaded, name, None) or ()) for name in ("trainable_variables", "variables")]
    used = [v for function in functions for v in getattr(function.graph, "variables", ())]
    found: dict[int, Any] = {}
    for variable in (*listed[0], *listed[1], *used):
        if hasattr(variable, "assign"):
            found.setdefault(id(variable), variable)
    return sorted(found.values(), key=lambda v: not v.trainable)
