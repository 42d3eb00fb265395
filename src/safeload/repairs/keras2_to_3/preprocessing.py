"""Preprocessing layers of Keras 2.15 that Keras 3 has not, or computes differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.masking import layers_below

__all__ = ["ROWS"]

RESIZES = frozenset({"bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5"})
"""What Keras 3 resizes with; Keras 2 also took `gaussian` and `mitchellcubic` (`image_utils.get_interpolation`)."""

FLOATS = frozenset({"float32", "float16", "float64", "bfloat16"})


def _own(layer: Mapping[str, Any], name: str, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    name = f"safeload>{name}"
    return {**layer, "class_name": name, "registered_name": name, "config": {**(config or layer["config"])}}


def _inputs(node: Any) -> Iterator[Mapping[str, Any]]:
    return (layer["config"] for layer in layers_below(node) if layer["class_name"] == "InputLayer")


def takes_integers(architecture: Any) -> bool:
    """Whether an input of a model holds integers (images of `uint8`)."""
    return any(config.get("dtype") not in (None, *FLOATS, "string", "bool") for config in _inputs(architecture))


def _resizing(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping):
        return None
    if str(config.get("interpolation", "bilinear")).lower() not in RESIZES:
        return Repaired(_own(layer, "Resizing"), f"Resizing by {config['interpolation']}")
    if takes_integers(context.document.architecture):
        return Repaired(_own(layer, "Resizing"), "Resizing that gives floats for integers")
    return None


def _floats(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if not isinstance(layer.get("config"), Mapping) or not takes_integers(context.document.architecture):
        return None
    return Repaired(_own(layer, str(layer["class_name"])), f"{layer['class_name']} that gives floats for integers")


def _random_crop(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if not isinstance(layer.get("config"), Mapping) or str(layer["class_name"]).startswith("safeload>"):
        return None
    return Repaired(_own(layer, "RandomCrop"), "RandomCrop that also crops when it does not train")


def _random_size(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if not isinstance(layer.get("config"), Mapping):
        return None
    return Repaired(_own(layer, str(layer["class_name"])), f"{layer['class_name']}, which Keras 3 has not")


ROWS = (
    LayerRepair(
        Rule(
            "SL762",
            "resizing-kinds",
            Severity.NOTE,
            """\
What it sees: Resizing by `gaussian` or `mitchellcubic`, or in a model that takes integers.
Why it matters: Keras 3 does not know the two, and rounds resized integers where Keras 2 gave floats.
Example: `Resizing(224, 224)` on images of `uint8`.
What to do: nothing; a layer of safeload computes what Keras 2 did.
References: keras 2.15 and 3.15, `layers/preprocessing/.../resizing.py`.
""",
        ),
        frozenset({"Resizing"}),
        _resizing,
    ),
    LayerRepair(
        Rule(
            "SL763",
            "random-crop",
            Severity.NOTE,
            """\
What it sees: RandomCrop of Keras 2.
Why it matters: outside of training Keras 2 crops to the middle and resizes; Keras 3 hands the image on as it is, so that
every later shape differs.
Example: `RandomCrop(224, 224)`.
What to do: nothing; a layer of safeload does what Keras 2 did.
References: keras 2.15 and 3.15, `RandomCrop`.
""",
        ),
        frozenset({"RandomCrop"}),
        _random_crop,
    ),
    LayerRepair(
        Rule(
            "SL764",
            "random-size",
            Severity.NOTE,
            """\
What it sees: RandomHeight or RandomWidth.
Why it matters: Keras 3 has no such layers.
Example: `RandomHeight(0.2)`.
What to do: nothing; layers of safeload take their place.
References: keras 2.15, `layers/preprocessing/image_preprocessing.py`.
""",
        ),
        frozenset({"RandomHeight", "RandomWidth"}),
        _random_size,
    ),
    LayerRepair(
        Rule(
            "SL768",
            "random-floats",
            Severity.NOTE,
            """\
What it sees: RandomContrast or RandomBrightness in a model that takes integers.
Why it matters: Keras 2 gave floats for them; Keras 3 gives integers, which the layers behind refuse.
Example: `RandomContrast(0.1)` on images of `uint8`.
What to do: nothing; layers of safeload give floats.
References: keras 2.15 and 3.15, `random_contrast.py`.
""",
        ),
        frozenset({"RandomContrast", "RandomBrightness"}),
        _floats,
    ),
)
