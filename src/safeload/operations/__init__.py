"""What a model may compute by name: reviewed tables of pure operations, as data.

Names from a file are looked up here and nowhere else. What the tables name is called by `safeload.layers`; the tables
themselves import no TensorFlow, so that repairs and checks can use them.
"""

from __future__ import annotations

from safeload.operations.functions import Function, function, functions
from safeload.operations.sizes import MAX_ELEMENTS, elements

__all__ = ["MAX_ELEMENTS", "Function", "elements", "function", "functions"]
