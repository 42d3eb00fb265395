"""Build: the model that a document describes, without its values. The first step that imports TensorFlow."""

from __future__ import annotations

from safeload.build.compiling import compile_model
from safeload.build.model import build

__all__ = ["build", "compile_model"]
