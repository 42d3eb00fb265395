"""Every example runs, as its docstring says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SOURCES = Path(__file__).parents[1] / "src"
MODEL = Path(__file__).parent / "fixtures" / "tf215" / "mlp.h5"


def run(*command: str | Path, cwd: Path, path: str = "") -> str:
    pythonpath = os.pathsep.join(filter(None, [str(SOURCES), path, os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": pythonpath}
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.core
def test_quickstart(tmp_path: Path) -> None:
    out = run(EXAMPLES / "quickstart.py", cwd=tmp_path)
    assert out.count("same numbers: True") == 3
    assert "largest difference to TensorFlow 2.4's own output" in out
    assert "error.missing == ('Gate',)" in out


@pytest.mark.core
def test_training_resumes_with_the_optimizer(tmp_path: Path) -> None:
    script = EXAMPLES / "train_resume.py"
    run(script, tmp_path / "a", "--epochs", "2", cwd=tmp_path)
    resumed = run(script, tmp_path / "a", "--epochs", "4", cwd=tmp_path)
    straight = run(script, tmp_path / "b", "--epochs", "4", cwd=tmp_path)
    assert resumed.splitlines()[0] == "resumed after epoch 2, at step 8"
    assert resumed.splitlines()[1:] == straight.splitlines()[2:]


def test_service_answers_with_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastapi.testclient import TestClient

    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setenv("MODELS", str(tmp_path))
    import service

    (tmp_path / "good.h5").write_bytes(MODEL.read_bytes())
    (tmp_path / "cut.h5").write_bytes(MODEL.read_bytes()[:4000])
    client = TestClient(service.app)
    assert client.get("/models/good.h5").json()["ok"] is True
    with np.load(MODEL.with_suffix(".npz")) as recorded:
        answer = client.post("/models/good.h5/predict", json={"inputs": recorded["in_0"].tolist()})
        np.testing.assert_allclose(answer.json()["outputs"], recorded["out_0"], atol=1e-5)
    missing = client.get("/models/none.h5")
    assert (missing.status_code, missing.json()["code"]) == (404, "model-not-found")
    cut = client.post("/models/cut.h5/predict", json={"inputs": [[0.0] * 5]})
    assert (cut.status_code, cut.json()["code"]) == (422, "corrupted-model")


@pytest.mark.core
def test_batch_inference(tmp_path: Path) -> None:
    with np.load(MODEL.with_suffix(".npz")) as recorded:
        for name in ("a", "b"):
            np.save(tmp_path / f"{name}.npy", recorded["in_0"])
        out = run(EXAMPLES / "batch_inference.py", MODEL, "a.npy", "b.npy", cwd=tmp_path)
        assert sorted(out.split()) == ["a.out.npy", "b.out.npy"]
        np.testing.assert_allclose(np.load(tmp_path / "a.out.npy"), recorded["out_0"], atol=1e-5)


@pytest.mark.core
def test_plugin_is_found_by_its_entry_point(tmp_path: Path) -> None:
    site = tmp_path / "site"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--target",
        str(site),
        str(EXAMPLES / "plugin"),
    ]
    subprocess.run(command, check=True, timeout=300)
    save = """
import sys, tensorflow as tf
from team_layers import Swish1
tf.keras.Sequential([tf.keras.layers.Input((3,)), Swish1(2.0)]).save("m.keras")
"""
    load = """
import safeload, sys
assert "team_layers" not in sys.modules
print(type(safeload.load_model("m.keras").layers[-1]).__module__)
"""
    run("-c", save, cwd=tmp_path, path=str(site))
    assert run("-c", load, cwd=tmp_path, path=str(site)).strip() == "team_layers"
