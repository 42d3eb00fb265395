"""Repairs of the boundary `backends`: files of standalone Keras on Theano or CNTK; see `safeload.repairs`.

They are made in the dialect of Keras 2, whichever Keras is installed.
"""

from __future__ import annotations

from safeload.errors import BackendMismatchError
from safeload.findings import Rule, Severity
from safeload.repairs.backends import cntk, theano, unknown
from safeload.repairs.engine import DocumentRepair, LayerRepair

__all__ = ["ROWS"]


def _rule(
    number: int, name: str, sees: str, why: str, example: str, do: str, severity: Severity = Severity.NOTE
) -> Rule:
    doc = f"""\
What it sees: {sees}
Why it matters: {why}
Example: {example}
What to do: {do}
References: Keras 2.2.4, `backend/theano_backend.py`, `backend/cntk_backend.py`.
"""
    return Rule(f"SL{number}", name, severity, doc, BackendMismatchError if severity is Severity.ERROR else None)


_NOTHING = "nothing; the repaired model gives the numbers that it gave where it was written."

_WINDOWS = _rule(
    717,
    "theano-windows",
    "`same` padding with an even kernel or with strides, `full` padding, and `same` pooling of Theano.",
    "Theano puts half of the kernel before the first element, TensorFlow what the stride leaves over.",
    "`MaxPooling2D(2, padding='same')`.",
    _NOTHING + " Layers that pad or crop stand beside the ones of the file.",
)

_CNTK = _rule(
    719,
    "cntk-layers",
    "layers that CNTK computes otherwise than TensorFlow.",
    "CNTK centres kernels and windows on every stride-th element; Keras 2.2.3 to 2.3 on CNTK give out the last of "
    "a recurrent layer's states, which is an LSTM's cell state.",
    "`LSTM` in a file with `backend` `cntk`.",
    _NOTHING
    + " Layers that pad or crop stand beside the ones of the file. Where that can't be had, loading stops with BackendMismatchError.",
)

ROWS: tuple[LayerRepair | DocumentRepair, ...] = (
    DocumentRepair(
        _rule(
            715,
            "backend-unknown",
            "a file of Keras 1 that does not tell its backend, with layers for which that matters.",
            "Theano flips the kernels of convolutions: with the wrong backend every number is wrong, silently.",
            "`Convolution2D` in a file whose weights are called `param_0`.",
            '`load_model(path, saved_backend="theano")`.',
            Severity.ERROR,
        ),
        unknown.ask,
    ),
    LayerRepair(
        _rule(
            716,
            "theano-kernels",
            "kernels of convolutions that Theano wrote.",
            "Theano's convolution flips its kernel, TensorFlow's doesn't.",
            "`Conv2D` in a file with `backend` `theano`.",
            _NOTHING,
        ),
        None,
        theano.flip,
    ),
    LayerRepair(
        _WINDOWS,
        None,
        theano.pool,
    ),
    LayerRepair(
        _rule(
            718,
            "theano-activations",
            "SReLU of Keras 1 on Theano.",
            "Theano's `relu` with a slope and a maximum cuts both sides by the maximum.",
            "`SReLU` with a negative slope.",
            _NOTHING,
        ),
        None,
        theano.srelu,
    ),
    LayerRepair(
        _WINDOWS,
        None,
        theano.pad,
    ),
    LayerRepair(
        _CNTK,
        None,
        cntk.layer,
    ),
    LayerRepair(
        _CNTK,
        None,
        cntk.pad,
    ),
)
