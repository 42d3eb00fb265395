"""Shared by all tests: the flavour at hand, the fixture files, and TensorFlow imported once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

FIXTURES = Path(__file__).parent / "fixtures"
SOURCES = Path(__file__).parents[1] / "src"


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of checked-in model files."""
    return FIXTURES


@pytest.fixture(scope="session")
def keras() -> ModuleType:
    """The Keras that `tf.keras` is here."""
    from safeload.runtime import detect, keras_module

    return keras_module(detect())


@pytest.fixture
def run_python(tmp_path: Path) -> Callable[..., str]:
    """Run a program in a fresh interpreter, in an empty directory; its standard output. A failure fails the test."""

    def run(program: str, *arguments: str, **environment: str) -> str:
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(SOURCES), os.environ.get("PYTHONPATH", "")]),
            **environment,
        }
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    return run
