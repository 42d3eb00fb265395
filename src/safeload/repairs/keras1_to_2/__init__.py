"""Repairs of the boundary `keras1_to_2`: configs and weights of Keras 0.3 to 1.2; see `safeload.repairs`."""

from __future__ import annotations

from safeload.findings import Rule, Severity
from safeload.repairs.engine import DocumentRepair, LayerRepair
from safeload.repairs.keras1_to_2 import layers, merges, models, ordering

__all__ = ["ROWS"]


def _rule(number: int, name: str, sees: str, why: str, example: str) -> Rule:
    doc = f"""\
What it sees: {sees}
Why it matters: {why}
Example: {example}
What to do: nothing; the repaired model gives the same numbers.
References: Keras 2.0, `legacy/interfaces.py` and `preprocess_weights_for_loading`.
"""
    return Rule(f"SL{number}", name, Severity.NOTE, doc)


ROWS: tuple[LayerRepair | DocumentRepair, ...] = (
    DocumentRepair(
        _rule(
            700,
            "keras1-backend",
            "a file of Keras 1, which does not store its backend, and the names of its weights.",
            "Theano flips the kernels of convolutions; the names say whether they are Theano's.",
            "`convolution2d_1_W` is Theano's, `convolution2d_1_W:0` TensorFlow's.",
        ),
        ordering.backend,
    ),
    DocumentRepair(
        _rule(
            701,
            "keras1-ordering",
            "layers of Keras 1 that depend on the dimension ordering and don't store it.",
            "they took it from a file in the home directory of whoever wrote the model.",
            "`UpSampling2D` in a model whose convolutions have `dim_ordering` `th`.",
        ),
        ordering.fill_ordering,
    ),
    DocumentRepair(
        _rule(
            703,
            "keras1-models",
            "a Sequential as a bare list of layers, perhaps with a Merge of models as its first.",
            "later Keras wants a config with names, and has no Merge.",
            "`Sequential` of `Merge([left, right])` and `Dense`.",
        ),
        models.rewrite,
    ),
    LayerRepair(
        _rule(
            704,
            "keras1-merge",
            "a Merge layer, or the layer that `merge(...)` made.",
            "Keras 2 has a layer for each of its modes.",
            "`merge([a, b], mode='concat')`.",
        ),
        frozenset({"Merge"}),
        merges.merge,
    ),
    LayerRepair(
        _rule(
            702,
            "keras1-layers",
            "layers and arguments of Keras 1, and weights in its layout.",
            "Keras 2 renamed most of them, moved the axes of kernels, and dropped some layers.",
            "`Convolution2D(nb_filter=8, nb_row=3, nb_col=3, border_mode='same')`; an LSTM with twelve arrays.",
        ),
        None,
        layers.convert,
    ),
    LayerRepair(
        _rule(
            705,
            "keras1-initializers",
            "initializers by the names of Keras 1.",
            "their scales have changed under the same names.",
            "`init='uniform'`.",
        ),
        None,
        layers.initializers,
    ),
)
