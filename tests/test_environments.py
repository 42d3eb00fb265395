"""Environments that hints name: right for the writer, right for the machine, and those that the page says were resolved."""

from __future__ import annotations

import platform
import runpy
import sys
from pathlib import Path

import pytest

from safeload.document import Writer
from safeload.environments import environment_of, install_hint

pytestmark = pytest.mark.core

ROOT = Path(__file__).parents[1]
TOOL = runpy.run_path(str(ROOT / "tools" / "verify_environments.py"))


def test_the_line_of_the_seed() -> None:
    environment = environment_of(Writer(keras="2.4.0", backend="tensorflow"))
    assert environment is not None
    assert environment.pins == ("tensorflow==2.4.*", "numpy<1.24", "protobuf<3.21")
    assert environment.line.endswith("# Python 3.6-3.8")


@pytest.mark.parametrize(
    ("writer", "pins"),
    [
        (Writer(keras="2.2.4", backend="theano"), ("keras==2.2.4", "theano==1.0.5", "numpy<1.17", "h5py<3")),
        (
            Writer(keras="2.2.4", backend="tensorflow", is_tf_keras=True),
            ("tensorflow==1.15.*", "h5py<3", "numpy<1.20", "protobuf<3.21"),
        ),
        (Writer(keras="2.14.0"), ("tensorflow==2.14.*", "numpy<2")),
        (Writer(keras="3.8.0"), ("tensorflow==2.18.*", "keras==3.8.0")),
    ],
)
def test_pins_keep_out_what_came_later_and_broke_it(writer: Writer, pins: tuple[str, ...]) -> None:
    environment = environment_of(writer)
    assert environment is not None and environment.pins == pins


def test_no_environment_where_the_file_doesn_t_say() -> None:
    assert environment_of(Writer()) is None and install_hint(Writer()) is None


@pytest.mark.parametrize(
    ("machine", "system", "keras", "told"),
    [
        ("x86_64", "linux", "2.4.0", ""),
        ("aarch64", "linux", "2.4.0", "no wheels for ARM"),
        ("arm64", "darwin", "2.10.0", "tensorflow-macos"),
        ("arm64", "darwin", "2.13.0", ""),
        ("x86_64", "darwin", "3.8.0", "no wheels for macOS on Intel"),
        ("x86_64", "darwin", "2.4.0", ""),
    ],
)
def test_the_remark_of_a_platform(
    machine: str, system: str, keras: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(sys, "platform", system)
    hint = str(install_hint(Writer(keras=keras, backend="tensorflow")))
    assert (told in hint) if told else hint.endswith(("3.8", "3.11"))


def test_the_page_has_every_row_and_each_resolves_on_linux() -> None:
    page = (ROOT / "docs" / "environments.md").read_text(encoding="utf-8")
    rows = list(TOOL["rows"]())
    assert len(rows) > 40
    for name, environment in rows:
        line = environment.line.removeprefix("python -m pip install ")
        assert f"| {name} | `{line}` | yes | yes |" in page, "run python tools/verify_environments.py"
