"""Single operations of a TensorFlow graph as plain data: what `TensorFlowOpLayer` of tf.keras 1.13-2.3 stored.

The layer holds a `NodeDef` as JSON (`json_format.MessageToDict`) or as text, and the values of those inputs that were no
Keras tensors. Which operations are allowed says `checks.graph_op_table`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

__all__ = ["NODE_SIZES", "RANDOM_NODES", "UNBUILDABLE", "attributes"]

RANDOM_NODES = frozenset(
    """
    Multinomial ParameterizedTruncatedNormal RandomGamma RandomPoisson RandomPoissonV2 RandomShuffle
    RandomStandardNormal RandomUniform RandomUniformInt TruncatedNormal
    """.split()
)
"""Operations with a random generator as their only state."""

UNBUILDABLE = frozenset(
    """
    Assign AssignAdd AssignSub Const CountUpTo Placeholder PlaceholderV2 PlaceholderWithDefault StatelessCase StatelessIf
    StatelessWhile SymbolicGradient
    """.split()
)
"""Operations that are pure in a graph, but stand for no call of a layer: on references, or with functions in attributes."""

NODE_SIZES: dict[str, tuple[int, ...]] = {
    "BroadcastTo": (1,),
    "CropAndResize": (3,),
    "Fill": (0,),
    "LinSpace": (2,),
    "MirrorPad": (1,),
    "Multinomial": (1,),
    "OneHot": (1,),
    "Pad": (1,),
    "PadV2": (1,),
    "RandomStandardNormal": (0,),
    "RandomUniform": (0,),
    "RandomUniformInt": (0,),
    "Range": (0, 1),
    "ResizeArea": (1,),
    "ResizeBicubic": (1,),
    "ResizeBilinear": (1,),
    "ResizeNearestNeighbor": (1,),
    "ScatterNd": (2,),
    "Tile": (1,),
    "TruncatedNormal": (0,),
    "UnsortedSegmentMax": (2,),
    "UnsortedSegmentMean": (2,),
    "UnsortedSegmentMin": (2,),
    "UnsortedSegmentSum": (2,),
}
"""The inputs that say how large the result is."""

TYPES = {
    "DT_BFLOAT16": "bfloat16",
    "DT_BOOL": "bool",
    "DT_COMPLEX128": "complex128",
    "DT_COMPLEX64": "complex64",
    "DT_DOUBLE": "float64",
    "DT_FLOAT": "float32",
    "DT_HALF": "float16",
    "DT_INT16": "int16",
    "DT_INT32": "int32",
    "DT_INT64": "int64",
    "DT_INT8": "int8",
    "DT_STRING": "string",
    "DT_UINT16": "uint16",
    "DT_UINT32": "uint32",
    "DT_UINT64": "uint64",
    "DT_UINT8": "uint8",
}


def attributes(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a node in JSON as plain data: types by NumPy's names, 64-bit integers as numbers.

    Names that begin with `_` are hints to the runtime and are left out.

    Raises:
        ValueError: One of them is a function, a tensor or nothing that is known.
    """
    found = {}
    for name, value in stored.items():
        if not name.startswith("_"):
            if not isinstance(value, Mapping):
                raise ValueError(f"the attribute {name!r} is no AttrValue")
            found[name] = _value(name, value)
    return found


def _value(name: str, value: Mapping[str, Any]) -> Any:
    if len(value) != 1:
        raise ValueError(f"the attribute {name!r} has {len(value)} values")
    kind, content = next(iter(value.items()))
    if kind == "list":
        if not isinstance(content, Mapping) or len(content) > 1:
            raise ValueError(f"the attribute {name!r} is no list")
        return [_one(name, k, item) for k, items in content.items() for item in items]
    return _one(name, kind, content)


def _one(name: str, kind: str, content: Any) -> Any:
    try:
        if kind == "type":
            return TYPES[content]
        if kind == "i":
            return int(content)
        if kind == "f":
            return float(content)
        if kind == "b" and isinstance(content, bool):
            return content
        if kind == "s":
            return base64.b64decode(content, validate=True).decode("utf-8")
        if kind == "shape":
            return None if content.get("unknownRank") else [int(d.get("size", 0)) for d in content.get("dim", ())]
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise ValueError(f"the attribute {name!r} is {str(content)[:60]!r}") from error
    raise ValueError(f"the attribute {name!r} is a {kind}")
