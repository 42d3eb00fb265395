"""Ask the package registry whether every environment that safeload names can be installed, and write docs/environments.md.

    python tools/verify_environments.py                     # all rows, with the `uv` on the path
    python tools/verify_environments.py --uv path/to/uv --only 2.4

Nothing is installed: `uv pip compile` resolves each row's pins for its lowest and its highest Python on Linux, and for its
highest on the other platforms. Packages with native code must come as wheels; the others may be source packages. Exits 1
where a row does not resolve on Linux. It needs the network and is no part of the tests; tests/test_environments.py compares the page
with the rows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from safeload.document import Writer  # noqa: E402
from safeload.environments import Environment, environment_of  # noqa: E402

PAGE = ROOT / "docs" / "environments.md"
PLATFORMS = {
    "Linux": "x86_64-manylinux_2_31",
    "Linux on ARM": "aarch64-manylinux_2_31",
    "macOS on Apple silicon": "aarch64-apple-darwin",
    "macOS on Intel": "x86_64-apple-darwin",
    "Windows": "x86_64-pc-windows-msvc",
}
WHEELS = "tensorflow tensorflow-cpu tensorflow-intel numpy h5py grpcio protobuf scipy ml-dtypes optree".split()
"""Packages with native code: a row that needs to compile one of these is not taken for one that works."""

LOWEST = (3, 6)
"""The oldest Python that uv resolves for."""

WRITERS = (
    *(Writer(keras=f"1.{minor}.0", backend="theano") for minor in (0, 1, 2)),
    *(
        Writer(keras=f"2.{v}", backend=b)
        for v in ("0.8", "1.6", "2.4", "3.1")
        for b in ("tensorflow", "theano", "cntk")
    ),
    *(Writer(keras=v, backend="tensorflow", is_tf_keras=True) for v in ("2.1.6", "2.2.4", "2.3.0")),
    *(Writer(keras=f"2.{minor}.0", backend="tensorflow") for minor in range(4, 16)),
    *(Writer(keras=f"3.{minor}.0", backend="tensorflow") for minor in range(16)),
    *(Writer(tensorflow=v) for v in ("1.15.5", "2.0.4", "2.1.4", "2.2.3", "2.3.4", "2.16.2", "2.21.0")),
)
"""Writers that lead to every row of the table; the releases of each minor version share one."""

HEAD = """\
# Environments

Where a file can't be brought over, the hint names an environment in which it loads as it did where it was written. These
are all of them (`src/safeload/environments.py`), as `tools/verify_environments.py` last found them to resolve on PyPI:
`yes` means that all pins have wheels for that Python there, sources only for packages without native code. `lowest` is on
Linux, and on Python 3.6 where the line begins with 3.5, which no resolver knows any more; the other columns are of the
highest Python.

"""


def rows() -> Iterator[tuple[str, Environment]]:
    """What wrote a file, and the environment for it; each environment once."""
    seen: dict[Environment, list[str]] = {}
    for writer in WRITERS:
        environment = environment_of(writer)
        if environment is not None:
            seen.setdefault(environment, []).append(_named(writer))
    yield from ((", ".join(names), environment) for environment, names in seen.items())


def _named(writer: Writer) -> str:
    if writer.keras is None:
        return f"TensorFlow {writer.tensorflow}"
    backend = f" ({writer.backend})" if writer.backend not in (None, "tensorflow") else ""
    return f"{'tf.keras' if writer.is_tf_keras else 'Keras'} {writer.keras}{backend}"


def resolves(uv: str, environment: Environment, python: tuple[int, int], platform: str) -> str | None:
    """Why an environment can't be had; None where it can."""
    command = [uv, "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate", "--python-platform", platform]
    command += ["--python-version", ".".join(map(str, python))]
    command += [part for name in WHEELS for part in ("--only-binary", name)]
    done = subprocess.run(command, input="\n".join(environment.pins), text=True, capture_output=True)
    return None if done.returncode == 0 else " ".join(done.stderr.split())[:400]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uv", default="uv")
    parser.add_argument("--only", help="rows whose line has this text; the page is not written")
    options = parser.parse_args()
    lines = [
        f"| written by | line | lowest | Linux | {' | '.join(list(PLATFORMS)[1:])} |",
        "|---" * (4 + len(PLATFORMS) - 1) + "|",
    ]
    bad = 0
    for name, environment in rows():
        if options.only and options.only not in environment.line:
            continue
        low, high = environment.pythons
        asked = [(max(low, LOWEST), "Linux"), *((high, platform) for platform in PLATFORMS)]
        answers = []
        for python, platform in asked:
            why = resolves(options.uv, environment, python, PLATFORMS[platform])
            answers.append("yes" if why is None else "no")
            if why is not None and platform == "Linux":
                bad += 1
                print(f"{environment.line}, Python {python}: {why}", file=sys.stderr)
        print(name, *answers, flush=True)
        lines.append(
            f"| {name} | `{environment.line.removeprefix('python -m pip install ')}` | {' | '.join(answers)} |"
        )
    if not options.only:
        PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
