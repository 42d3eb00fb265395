"""Fill: the stored arrays into the variables of the model that was built. One module for each layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safeload.document import ModelDocument
from safeload.errors import SafeLoadError, WeightsMismatchError
from safeload.fill.custom import as_custom_mismatch
from safeload.fill.keras_v3 import fill_keras_v3
from safeload.fill.ledger import Ledger, variable_bytes
from safeload.fill.legacy_hdf5 import fill_legacy_hdf5
from safeload.fill.object_graph import fill_object_graph
from safeload.fill.ordered import fill_ordered

__all__ = ["Ledger", "fill"]

_LAYOUTS = {
    "legacy-hdf5": fill_legacy_hdf5,
    "keras-v3": fill_keras_v3,
    "object-graph": fill_object_graph,
    "npz": fill_ordered,
}


def fill(
    model: Any, document: ModelDocument, original: ModelDocument, tell: Callable[..., None] = lambda *args: None
) -> Ledger:
    """Fill the model's variables (not the optimizer's) from the document's weights.

    Args:
        model: The model that `build` made.
        document: The repaired document; its `transforms` are applied to the arrays.
        original: The document as it was read: layouts are named after the writer's classes.
        tell: Told of progress: `tell("fill", bytes done, bytes in all, variable)`.

    Returns:
        Which variables were filled from what.

    Raises:
        CustomObjectMismatchError: The same, and only layers of custom classes are concerned.
        WeightsMismatchError: Number, names or shapes don't agree, or variables would be left unfilled.
    """
    try:
        ledger = Ledger(tell, sum(variable_bytes(v) for v in model.weights if hasattr(v, "shape")))
        if document.weights is None or document.layout is None:
            return ledger
        if document.layout not in _LAYOUTS:
            raise WeightsMismatchError(
                f"weights of the layout {document.layout} can't be put into a model", path=document.path
            )
        _LAYOUTS[document.layout](model, document, original, ledger)
        _finalize(model)
        ledger.raise_for_mismatches(model, document.path)
    except WeightsMismatchError as error:
        raise as_custom_mismatch(error, model) from None
    except ValueError as error:
        if isinstance(error, SafeLoadError) or "not yet been created" not in str(error):
            raise
        raise WeightsMismatchError(  # Keras 2, of a model that was never built
            "the model has no weights yet: the file does not say on which inputs to build it",
            path=document.path,
            hint="build the model in code, call it once, and call its load_weights",
        ) from error
    return ledger


def _finalize(model: Any) -> None:
    """Let layers compute what they derive from their weights.

    Normalization keeps `mean` and `variance` beside the variables that are stored; Keras calls `finalize_state` after
    `load_own_variables`, and so do we for layouts that fill the variables directly.
    """
    for layer in model._flatten_layers(include_self=False):
        if layer.built and hasattr(layer, "finalize_state") and not _knows_bins(layer):
            layer.finalize_state()


def _knows_bins(layer: Any) -> bool:
    """Whether it is a Discretization of Keras 3 that has its bins from its config and no summary to make them of.

    `Discretization.finalize_state` would make no bins of an empty summary (keras 3.0-3.15).
    """
    summary = getattr(layer, "summary", None)
    return getattr(layer, "bin_boundaries", None) is not None and getattr(summary, "size", None) == 0
