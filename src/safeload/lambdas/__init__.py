"""Lambdas: where a config holds Python bytecode, and what can be told of it without running or unmarshalling it."""

from __future__ import annotations

from safeload.lambdas.bytecode import Bytecode, bytecodes, inputs_of, is_dump, python_of
from safeload.lambdas.program import render, validate
from safeload.lambdas.reading import Reading, name_of, read_function
from safeload.lambdas.roles import Role, role_of
from safeload.lambdas.setting import Setting

__all__ = [
    "Bytecode",
    "Reading",
    "Role",
    "Setting",
    "bytecodes",
    "inputs_of",
    "is_dump",
    "name_of",
    "python_of",
    "read_function",
    "render",
    "role_of",
    "validate",
]
