"""Lambdas: where a config holds Python bytecode, and what can be told of it without running or unmarshalling it."""

from __future__ import annotations

from safeload.lambdas.bytecode import Bytecode, bytecodes, python_of

__all__ = ["Bytecode", "bytecodes", "python_of"]
