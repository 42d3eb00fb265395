"""Run the core of the suite, and a sample of the corpus where it is there, on another TensorFlow.

    python tools/matrix.py 2.15 --python python3.11 --venvs .venvs

Makes a virtual environment for that TensorFlow under `--venvs` (kept for the next run), installs safeload into it without
its dependencies and runs `pytest -m core` there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PINS = {
    "2.12": ["tensorflow-cpu==2.12.*", "numpy<2"],
    "2.15": ["tensorflow-cpu==2.15.*", "numpy<2"],
    "2.18": ["tensorflow-cpu==2.18.*", "keras==3.8.*"],
    "2.21": ["tensorflow-cpu==2.21.*", "keras==3.15.*", "tf-keras==2.21.*"],
}
"""What makes each environment; all of these have wheels for Python 3.11."""

TEST_TOOLS = ["pytest>=8", "hypothesis>=6.100", "pyyaml>=6", "h5py>=3.8", "packaging>=22", "importlib-metadata>=4.6"]

SAMPLE = ["mlp", "cnn", "nested", "transformer", "lstm_gru", "custom_layer"]
"""Cases of the corpus that are scored here; `make corpus` scores all of them."""


def run(*command: str | Path, **extra: str) -> None:
    """Run a command, shown first; its failure is ours."""
    print("+", *command, flush=True)
    subprocess.run([str(c) for c in command], check=True, cwd=ROOT, env={**os.environ, **extra})


def environment(version: str, python: str, venvs: Path) -> Path:
    """The interpreter of the environment with that TensorFlow; made when it isn't there."""
    venv = venvs / f"tf-{version}"
    interpreter = venv / "bin" / "python"
    ready = venv / ".ready"
    if not ready.exists():
        run(python, "-m", "venv", venv)
        pip = (interpreter, "-m", "pip", "install", "-q", "--disable-pip-version-check")
        run(*pip, *PINS[version], *TEST_TOOLS)
        run(*pip, "--no-deps", "-e", ".")
        ready.touch()
    return interpreter


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", choices=sorted(PINS))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--venvs", type=Path, default=Path(".venvs"))
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--scorer", type=Path)
    parser.add_argument("--only-environment", action="store_true", help="make the environment and run nothing in it")
    arguments = parser.parse_args()
    python = environment(arguments.version, arguments.python, ROOT / arguments.venvs)
    if arguments.only_environment:
        return 0
    run(python, "-m", "pytest", "-q", "-m", "core")
    if arguments.corpus and arguments.scorer and arguments.corpus.exists() and not os.environ.get("CI"):
        out = ROOT / arguments.venvs / f"corpus-{arguments.version}.json"
        sample = ("--case", ",".join(SAMPLE), "--loader", "safeload", "--out", out)
        run(python, arguments.scorer, "--root", arguments.corpus, *sample)
    return 0


if __name__ == "__main__":
    sys.exit(main())
