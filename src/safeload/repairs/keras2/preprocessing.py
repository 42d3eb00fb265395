"""Preprocessing layers of TensorFlow 2.2-2.6 (`experimental.preprocessing`) in the form of Keras 2.15.

The numbers have to be those of the writer, so what a layer computed differently is expressed with what it computes now.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

from safeload.findings import Rule, Severity
from safeload.repairs.engine import Context, LayerRepair, Repaired
from safeload.repairs.forms import config_of
from safeload.repairs.refusal import refusal

__all__ = ["ROWS"]

DEFAULT_SALT = 0xDECAFCAFFE
"""What Hashing of TensorFlow 2.3-2.5 stored as its salt when it had none (`preprocessing/hashing.py`)."""

CROPS_FIRST = (2, 7)
"""From here on RandomCrop crops to the aspect ratio and resizes then; before, it resized first."""

RENAMED = {
    # Names of arguments in 2.3 and 2.4; 2.15 takes them with a warning, Keras 3 does not.
    "IntegerLookup": {"max_values": "max_tokens", "mask_value": "mask_token", "oov_value": "oov_token"},
    "CategoryEncoding": {"max_tokens": "num_tokens"},
}
MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
ENCODERS = frozenset({"CategoryEncoding", "StringLookup", "IntegerLookup", "TextVectorization"})


def _with(layer: Mapping[str, Any], changes: Mapping[str, Any], gone: tuple[str, ...] = ()) -> dict[str, Any]:
    kept = {k: v for k, v in layer["config"].items() if k not in gone}
    return {**layer, "config": {**kept, **changes}}


def _rename(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Arguments and output modes under their later names."""
    config = layer.get("config")
    if not isinstance(config, Mapping):
        return None
    names = RENAMED.get(str(layer["class_name"]), {})
    changed = {names.get(k, k): v for k, v in config.items()}
    if isinstance(changed.get("output_mode"), str):
        changed["output_mode"] = MODES.get(changed["output_mode"], changed["output_mode"])
    if layer["class_name"] == "CategoryEncoding":
        if changed.get("output_mode") == "tf_idf":
            raise refusal(context, "CategoryEncoding counts by inverse document frequency")
        if changed.get("num_tokens") is None:
            raise refusal(context, "CategoryEncoding learned its number of tokens, which the config does not hold")
    if changed == config:
        return None
    return Repaired({**layer, "config": changed}, "arguments under their later names")


SMALLEST = 2.0**-126
"""The least positive normal number of single precision; TensorFlow takes those below it for zero."""


def _after(value: float) -> float:
    """The next number of single precision above a boundary."""
    if -SMALLEST < value < SMALLEST:
        return SMALLEST
    bits = struct.unpack("<i", struct.pack("<f", value))[0]
    return float(struct.unpack("<f", struct.pack("<i", bits + (1 if value > 0 else -1)))[0])


def _bins(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """`bins` of 2.3 and 2.4, whose intervals are closed on the right (`boosted_trees_bucketize`).

    Later ones are closed on the left, so each boundary moves up by one unit of the single precision it is compared in.
    """
    config = layer.get("config")
    if not isinstance(config, Mapping) or "bins" not in config:
        return None
    bins = config["bins"]
    if isinstance(bins, int) and not isinstance(bins, bool):
        return Repaired(_with(layer, {"num_bins": bins}, ("bins",)), "bins is num_bins now")
    if not isinstance(bins, list) or not all(isinstance(b, int | float) for b in bins):
        raise refusal(context, "the boundaries of Discretization are no list of numbers")
    finite = [float(b) for b in bins if math.isfinite(b)]
    if context.writer.version < (2, 5):
        finite = [_after(b) for b in finite]
    changed = _with(layer, {"bin_boundaries": finite, "dtype": "int64"}, ("bins",))
    return Repaired(changed, "bins closed on the right became bin_boundaries")


def _salt(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    config = layer.get("config")
    if not isinstance(config, Mapping):
        return None
    changes: dict[str, Any] = {}
    if config.get("salt") == [DEFAULT_SALT, DEFAULT_SALT]:
        changes["salt"] = None
    if config.get("output_mode", "int") == "int" and config.get("dtype") not in ("int32", "int64"):
        changes["dtype"] = "int64"
    if not changes:
        return None
    note = "the salt that was stored without being used was dropped" if "salt" in changes else None
    return Repaired(_with(layer, changes), note)


def _numbers(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Numbers of NumPy, which `.keras` files of 2.12 hold as objects (`serialization_lib`), as plain numbers."""
    config = layer.get("config")
    if not isinstance(config, Mapping):
        return None
    changed = {k: _number(v) for k, v in config.items()}
    return Repaired({**layer, "config": changed}) if changed != config else None


def _number(value: Any) -> Any:
    if (
        isinstance(value, Mapping)
        and value.get("class_name") == "__numpy__"
        and isinstance(value.get("config"), Mapping)
    ):
        number = value["config"].get("value")
        return number if isinstance(number, bool | int | float) else value
    return value


def _inverse(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    """Up to 2.4 an inverted lookup counts its words without a place for the unknown one, which later ones have.

    `_set_inverse_vocabulary` of 2.4 puts the first word behind the mask, at 1; 2.15 puts it behind the unknown word, at 2,
    and refuses any other number of unknown words. Read as it stands, each index would give the word before its own.
    """
    config = config_of(layer)
    if config is not None and config.get("invert"):
        raise refusal(
            context,
            f"the {layer['class_name']} {config.get('name')!r} has invert=True and counts its words as TensorFlow 2.4 did, "
            "without a place for the unknown one",
        )
    return None


def _random_crop(layer: Mapping[str, Any], context: Context) -> Repaired | None:
    if not isinstance(layer.get("config"), Mapping):
        return None
    changed = _with(layer, {"resize_first": True})
    return Repaired({**changed, "class_name": "safeload>RandomCrop", "registered_name": "safeload>RandomCrop"},
                    "RandomCrop that resizes before it crops, when it does not train")  # fmt: skip


ROWS = (
    LayerRepair(
        Rule(
            "SL754",
            "numpy-numbers",
            Severity.NOTE,
            """\
What it sees: arguments that are numbers of NumPy, stored as objects.
Why it matters: a layer that is made from its config alone gets a dict instead of a number.
Example: `ReLU(6.0)` in a `.keras` file of TensorFlow 2.12.
What to do: nothing; they become plain numbers.
References: keras 2.12, `saving/serialization_lib.py`.
""",
        ),
        None,
        _numbers,
    ),
    LayerRepair(
        Rule(
            "SL755",
            "first-preprocessing",
            Severity.NOTE,
            """\
What it sees: arguments of preprocessing layers by the names that they had in TensorFlow 2.3-2.5.
Why it matters: Keras 3 refuses them.
Example: `CategoryEncoding(max_tokens=8, output_mode="binary")`.
What to do: nothing; the numbers are the same.
References: tf.keras 2.4, `layers/preprocessing`.
""",
        ),
        ENCODERS,
        _rename,
    ),
    LayerRepair(
        Rule(
            "SL756",
            "discretization-bins",
            Severity.NOTE,
            """\
What it sees: a Discretization layer of TensorFlow 2.3 or 2.4, with `bins`.
Why it matters: its intervals included their right end; later versions include the left one, so that a value on a
boundary falls into another bin.
Example: `Discretization(bins=[0., 1., 2.])` puts 1.0 into bin 1; later versions into bin 2.
What to do: nothing; the boundaries are moved by the smallest step there is.
References: tf.keras 2.4, `layers/preprocessing/discretization.py`.
""",
        ),
        frozenset({"Discretization"}),
        _bins,
    ),
    LayerRepair(
        Rule(
            "SL757",
            "hashing-salt",
            Severity.NOTE,
            """\
What it sees: a Hashing layer of TensorFlow 2.3-2.5 with the salt that those versions stored when there was none.
Why it matters: read as it is stored, it hashes with another function, and every bin differs; tf.keras' own reload does.
Example: `Hashing(num_bins=7)`.
What to do: nothing; the salt is dropped.
References: tf.keras 2.4, `layers/preprocessing/hashing.py`.
""",
        ),
        frozenset({"Hashing"}),
        _salt,
        until=(3,),
    ),
    LayerRepair(
        Rule(
            "SL781",
            "inverse-lookup",
            Severity.NOTE,
            """\
What it sees: StringLookup or IntegerLookup with `invert=True` of TensorFlow 2.3 or 2.4.
Why it matters: index 1 was the first word there, and is the unknown word since 2.5: other words, silently.
Example: `StringLookup(vocabulary=["a", "b"], invert=True)`.
What to do: load the file where it was written, and make the layer anew from `get_vocabulary()`.
References: tf.keras 2.4 and 2.5, `layers/preprocessing/index_lookup.py`.
""",
        ),
        frozenset({"StringLookup", "IntegerLookup"}),
        _inverse,
        since=(2,),
        until=(2, 5),
    ),
    LayerRepair(
        Rule(
            "SL758",
            "random-crop-order",
            Severity.NOTE,
            """\
What it sees: RandomCrop of TensorFlow 2.2-2.6.
Why it matters: outside of training it resized the image first and cropped then; since 2.7 it is the other way round.
Example: `RandomCrop(4, 5)` on images of 8 x 9.
What to do: nothing; a layer of safeload does what it did.
References: tf.keras 2.4 and keras 2.7, `layers/preprocessing/image_preprocessing.py`.
""",
        ),
        frozenset({"RandomCrop"}),
        _random_crop,
        since=(2,),
        until=CROPS_FIRST,
    ),
)
