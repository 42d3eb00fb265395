"""Lambdas: where a config holds Python bytecode, and what can be told of it without running or unmarshalling it."""

from __future__ import annotations

from safeload.lambdas.bytecode import Bytecode, bytecodes, python_of
from safeload.lambdas.program import render, validate
from safeload.lambdas.reading import Reading, read_function

__all__ = ["Bytecode", "Reading", "bytecodes", "python_of", "read_function", "render", "validate"]
