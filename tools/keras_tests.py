"""Run the installed Keras' own saving tests with its load_model routed through safeload.

    python tools/keras_tests.py            # both ways; exit 1 when safeload fails a test that bare Keras passes
    python tools/keras_tests.py -k zip     # further arguments go to pytest

The keras wheel ships its tests. They run twice, as they are and under `safeload.install()`; tests that bare Keras
itself fails here count for neither. Differences that are meant are listed in DIFFERENCES, each with its reason.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1] / "src"

FILES = (
    "src/saving/saving_api_test.py",
    "src/saving/saving_lib_test.py",
    "src/legacy/saving/legacy_h5_format_test.py",
)

PLUGIN = """
import pytest

@pytest.fixture(autouse=True, scope="session")
def _through_safeload():
    import safeload
    with safeload.patch():
        yield
"""

DIFFERENCES: dict[str, str] = {
    "LoadModelTests::test_load_keras_not_zip": "the file isn't there: ModelNotFoundError says so in other words",
    "LoadModelTests::test_load_unsupported_format": "the file isn't there, whatever its name ends in",
    "SavingAPITest::test_saving_api_errors": "the file isn't there: ModelNotFoundError says so in other words",
}
"""Test -> why safeload differs, on purpose."""


def run(arguments: list[str], *, patched: bool) -> dict[str, str]:
    """The outcome of every test: `passed`, `failed` or `skipped`."""
    spec = importlib.util.find_spec("keras")
    if spec is None or spec.origin is None:
        raise SystemExit("keras is not installed")
    root = Path(spec.origin).parent
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        Path(folder, "through_safeload.py").write_text(PLUGIN, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            "--rootdir",
            folder,
        ]
        command += ["--junitxml", str(report), *(["-p", "through_safeload"] if patched else [])]
        command += [*arguments, *(str(root / f) for f in FILES if (root / f).exists())]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([folder, str(SOURCES)])}
        subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False)
        outcomes = {}
        for case in ElementTree.parse(report).iter("testcase"):
            kinds = {child.tag for child in case}
            outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
            message = next((c.get("message", "") for c in case if c.tag in ("failure", "error")), "")
            name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
            outcomes[name] = outcome if not message else f"{outcome}: {' '.join(message.split())[:300]}"
        return outcomes


def main() -> int:
    bare, routed = (run(sys.argv[1:], patched=patched) for patched in (False, True))
    passed = [name for name, outcome in bare.items() if outcome == "passed"]
    broken = {name: routed.get(name, "not run") for name in passed if routed.get(name) != "passed"}
    for name, outcome in broken.items():
        print(f"{'differs' if name in DIFFERENCES else 'FAILS'}  {name}\n         {DIFFERENCES.get(name, outcome)}")
    unexpected = set(broken) - set(DIFFERENCES)
    print(f"{len(passed)} tests pass with bare Keras, {len(passed) - len(broken)} of them through safeload")
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
