"""The canary: what an attack would do if it worked is watched while a file is checked and loaded."""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ACTS = frozenset(
    """
    os.system os.exec os.posix_spawn os.spawn os.startfile subprocess.Popen pty.spawn socket.connect socket.bind
    socket.getaddrinfo urllib.Request ftplib.connect os.remove os.rename os.rmdir os.mkdir os.link os.symlink os.chmod
    os.putenv os.unsetenv shutil.rmtree shutil.copyfile shutil.move shutil.unpack_archive pickle.find_class ctypes.dlopen
    webbrowser.open
    """.split()
)
"""Audit events that no load of a model file has a reason for."""


class Canary:
    """Watches Python's audit events, and the marks that an attack leaves.

    Attributes:
        folder: Of the attack: what lies here and is not put here by the test, the attack made.
        secret: A file that nothing may open.
        mark: A file that an attack makes when it works.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secret = folder / "secret.txt"
        self.secret.write_text("alpha\nbeta\n")
        self.mark = folder / "it-worked"
        self.acts: list[str] = []

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in ACTS:
            self.acts.append(f"{event}{arguments!r}"[:200])
        elif event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path, mode = os.fsdecode(arguments[0]), arguments[1] or ""
            writes = any(c in str(mode) for c in "wax+") or bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR))
            if path == str(self.secret) or (writes and path.startswith(str(self.folder))):
                self.acts.append(f"open {path} {mode}")
        elif event == "import" and str(arguments[0]).startswith("hostile_module"):
            self.acts.append(f"import {arguments[0]}")

    def silent(self) -> bool:
        """Whether nothing happened."""
        assert not self.acts, self.acts
        assert not self.mark.exists()
        return True


_watching: list[Canary] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for canary in _watching:
        canary.see(event, arguments)


sys.addaudithook(_hook)  # a hook can't be taken away; it looks at nothing while nobody watches


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    """A canary in a folder of its own, which is the working directory; `hostile_module` can be imported from it."""
    made = Canary(tmp_path)
    (tmp_path / "hostile_module.py").write_text(
        f"open({str(made.mark)!r}, 'w').close()\ndef run(*a, **k): return a[0]\n"
    )
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield made
    sys.modules.pop("hostile_module", None)


class watched:
    """Watch with a canary for the duration of a `with` block, and compare the process' state before and after."""

    def __init__(self, canary: Canary, keras: ModuleType) -> None:
        self.canary, self.keras = canary, keras

    def __enter__(self) -> None:
        self.before = state(self.keras)
        _watching.append(self.canary)

    def __exit__(self, *_: object) -> None:
        _watching.remove(self.canary)
        assert state(self.keras) == self.before
        assert self.canary.silent()


def state(keras: ModuleType) -> dict[str, Any]:
    """What a load must leave as it was."""
    policy = keras.config.dtype_policy() if hasattr(keras, "config") else keras.mixed_precision.global_policy()
    arrays = np.random.get_state()
    return {
        "floatx": keras.backend.floatx(),
        "epsilon": keras.backend.epsilon(),
        "image": keras.backend.image_data_format(),
        "policy": policy.name,
        "python": random.getstate(),
        "numpy": (arrays[0], arrays[1].tobytes(), *arrays[2:]),
        "environment": dict(os.environ),
        "directory": os.getcwd(),
        "path": list(sys.path),
        "temporary": sorted(os.listdir(tempfile.gettempdir())),
        "registered": sorted(keras.utils.get_custom_objects()),
        "recursion": sys.getrecursionlimit(),
        "hostile": "hostile_module" in sys.modules,
    }
