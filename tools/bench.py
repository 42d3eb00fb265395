"""Measure safeload.load_model beside the bare call: the same files, in turn, each load in a fresh process.

    python tools/bench.py                    # the whole table; some minutes on a quiet machine
    python tools/bench.py --quick            # MobileNetV2 alone; exit 1 where safeload is slower than the bare call
    python tools/bench.py --models S,M -n 7 --json bench.json

Every figure is a median over the runs; ratios are taken pair by pair, then their median. `wall` and `cpu` are the seconds of
the first call in a process that has TensorFlow imported; `peak` is the memory that the call needed at its worst. In
the same runs every variable, optimizer slot, the config and the compiled state of both models are compared.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench_models import MODELS, make

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
LIMITS = {"import safeload": 0.020, "check() of 1 GB": 0.100}
"""CPU seconds that these may take."""


def memory(key: str) -> float:
    """MB of this process, from /proc; 0 where there is none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{key}:")), 0.0)


def digest(model: Any) -> dict[str, Any]:
    """Everything of a model that two loaders must agree on."""
    import numpy as np

    def rows(variables: Any) -> list[list[Any]]:
        return [
            [v.path, str(v.dtype), list(v.shape), hashlib.sha256(np.ascontiguousarray(v.numpy()).tobytes()).hexdigest()]
            for v in variables
            if "seed" not in v.path  # an unseeded generator is drawn anew by every load
        ]

    optimizer = getattr(model, "optimizer", None)
    return {
        "variables": rows(model.variables),
        "optimizer": rows(optimizer.variables) if optimizer is not None else None,
        "optimizer config": optimizer.get_config() if optimizer is not None else None,
        "config": model.get_config(),
        "trainable": [v.path for v in model.trainable_variables],
    }


def worker(loader: str, path: str, out: str) -> None:
    """Load once, measured; what was measured goes to a file."""
    sys.setrecursionlimit(100_000)
    import keras
    import tensorflow as tf

    import safeload

    tf.Variable(0.0).assign(1.0)  # the start of TensorFlow's runtime belongs to no loader
    load = {"bare": keras.models.load_model, "safeload": safeload.load_model}[loader]
    keras.utils.set_random_seed(7)
    before = memory("VmRSS")
    cpu, wall = time.process_time(), time.perf_counter()
    model = load(path)
    measured = {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "peak": max(memory("VmHWM") - before, 0.0),
    }
    found = json.dumps(digest(model), sort_keys=True, default=str)
    measured["digest"] = hashlib.sha256(found.encode()).hexdigest()
    Path(out).write_text(json.dumps(measured), encoding="utf-8")


def run(loader: str, path: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out.json")
        command = [sys.executable, __file__, "--worker", loader, str(path), str(out)]
        subprocess.run(command, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        measured: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return measured


def compare(path: Path, runs: int) -> dict[str, Any]:
    """Both loaders on one file, in turn."""
    pairs = [(run("bare", path), run("safeload", path)) for _ in range(runs)]
    row: dict[str, Any] = {"equal": len({r["digest"] for pair in pairs for r in pair}) == 1}
    for key in ("wall", "cpu", "peak"):
        row[key] = [statistics.median(pair[i][key] for pair in pairs) for i in (0, 1)]
        row[f"{key} ratio"] = statistics.median(b[key] / a[key] if a[key] else float("nan") for a, b in pairs)
    return row


def costs(folder: Path, runs: int = 5) -> dict[str, float]:
    """CPU seconds that the import and the pre-flight of a large file take, in fresh processes."""
    large = folder / "large.h5"
    if not large.exists():
        import h5py
        import numpy as np

        folder.mkdir(parents=True, exist_ok=True)
        with h5py.File(large, "w") as file:
            layers = [f"dense_{i}" for i in range(16)]
            file.attrs["layer_names"] = [name.encode() for name in layers]
            file.attrs["keras_version"] = "2.15.0"
            for name in layers:
                group = file.create_group(name)
                group.attrs["weight_names"] = [f"{name}/kernel:0".encode()]
                group.create_dataset(f"{name}/kernel:0", data=np.zeros((4096, 4096), "float32"))
    programs = {
        "import safeload": "import time; t = time.process_time(); import safeload; print(time.process_time() - t)",
        "check() of 1 GB": "import time, sys, safeload; safeload.check; t = time.process_time(); safeload.check(sys.argv[1]); "
        "print(time.process_time() - t); assert 'tensorflow' not in sys.modules",
    }
    found = {}
    for name, program in programs.items():
        seconds = []
        for _ in range(runs):
            command = [sys.executable, "-c", program, str(large)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)
            seconds.append(float(done.stdout))
        found[name] = statistics.median(seconds)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("-n", type=int, default=5, help="pairs of runs for each model")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench", help="where the models are kept")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    names = ["M"] if arguments.quick else arguments.models.split(",")
    rows: dict[str, Any] = {"costs": costs(arguments.folder)}
    failed = False
    for name, seconds in rows["costs"].items():
        print(f"{name:24} {seconds * 1000:8.1f} ms (at most {LIMITS[name] * 1000:.0f})")
        failed |= seconds > LIMITS[name] and not arguments.quick
    for name in names:
        subprocess.run(
            [sys.executable, ROOT / "tools" / "bench_models.py", arguments.folder, name],
            check=True,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        row = rows[name] = compare(make(arguments.folder, name), arguments.n)
        figures = "  ".join(
            f"{key} {row[key][0]:8.2f} -> {row[key][1]:8.2f} (x {row[f'{key} ratio']:.2f})"
            for key in ("wall", "cpu", "peak")
        )
        print(f"{name:5} {MODELS[name][0]:44} {figures}  {'equal' if row['equal'] else 'DIFFERS'}", flush=True)
        failed |= not row["equal"] or row["wall ratio"] > 1.05
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(*sys.argv[2:5])
    else:
        sys.exit(main())
