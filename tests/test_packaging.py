"""The wheel, in an environment that has nothing else: neither TensorFlow nor NumPy."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "tests" / "fixtures"

PROGRAM = """
import sys
import safeload
quiet = not {"numpy", "logging", "tensorflow", "h5py", "json", "dataclasses"} & set(sys.modules)

import json
from pathlib import Path
found = {}
for path in sys.argv[1:]:
    document = safeload.inspect(path)
    report = safeload.check(path)
    try:
        safeload.load_model(path)
        error = None
    except safeload.SafeLoadError as e:
        error = type(e).__name__, isinstance(e, ImportError), e.hint
    names = [f.name for f in report.errors]
    found[Path(path).name] = [document.parameters, names, error]
print(json.dumps({"quiet": quiet, "version": safeload.__version__, "found": found, "where": safeload.__file__}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    (path,) = folder.glob("safeload-*.whl")
    return path


def test_what_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (archive.read(n).decode() for n in names if n.endswith("METADATA"))
    assert "safeload/py.typed" in names
    assert any(name.endswith("LICENSE") for name in names)
    sources = {p.relative_to(ROOT / "src").as_posix() for p in (ROOT / "src" / "safeload").rglob("*.py")}
    assert sources == {name for name in names if name.endswith(".py")}
    for requirement in ("tensorflow>=2.12", "h5py", "packaging", "importlib-metadata"):
        assert f"Requires-Dist: {requirement}" in metadata


def test_without_tensorflow_it_looks_and_says_what_is_missing(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    site = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    files = [FIXTURES / "tf24" / "mlp.h5", FIXTURES / "k315" / "functional.keras"]
    done = subprocess.run(
        [str(python), "-I", "-c", PROGRAM, *map(str, files)], capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["quiet"], "importing safeload imports nothing heavy"
    assert Path(told["where"]).is_relative_to(tmp_path)
    for parameters, errors, error in told["found"].values():
        assert parameters > 0
        assert "tensorflow-missing" in errors
        assert error == ["MissingDependencyError", True, 'python -m pip install "tensorflow>=2.12"']
