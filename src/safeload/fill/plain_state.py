"""State that tf.keras stored as variables and that the built layer keeps as plain values.

Keras 3's Discretization keeps its summary as an array, and lookup layers keep their inverse document frequencies beside
the table; both are no variables there, so that a list of arrays in the file has no variables to go to.
"""

from __future__ import annotations

from typing import Any

from safeload.document import WeightGroup

__all__ = ["give_plain_state"]


def _summary(layer: Any, group: WeightGroup) -> bool:
    if len(group.entries) != 1 or layer.num_bins is None:
        return False
    layer.load_own_variables({"0": group.entries[0].read()})
    layer.finalize_state()
    return True


def _frequencies(layer: Any, group: WeightGroup) -> bool:
    """They come with the vocabulary in the config; the file repeats them, with a place for what is unknown in front."""
    lookup = getattr(layer, "_lookup_layer", layer)
    return len(group.entries) == 1 and getattr(lookup, "input_idf_weights", None) is not None


_STATES = {
    "Discretization": _summary,
    "StringLookup": _frequencies,
    "IntegerLookup": _frequencies,
    "TextVectorization": _frequencies,
}


def give_plain_state(layer: Any, group: WeightGroup) -> bool:
    """Give a layer without variables its state; False where it is no such layer."""
    own = _STATES.get(type(layer).__name__)
    return own is not None and own(layer, group)
