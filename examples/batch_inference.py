"""Inference on many files in a process pool: the model is loaded once in each worker, errors come back as themselves.

python examples/batch_inference.py model.keras inputs-*.npy
"""

import argparse
import concurrent.futures
import multiprocessing
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import safeload

_model = None


def predict(model_path: str, inputs: str) -> str:
    global _model
    if _model is None:
        _model = safeload.load_model(model_path, compile=False)
    outputs = np.asarray(_model(np.load(inputs), training=False))
    target = str(Path(inputs).with_suffix(".out.npy"))
    np.save(target, outputs)
    return target


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("inputs", nargs="+")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    report = safeload.check(arguments.model)  # milliseconds, before any worker starts
    if not report.ok:
        print(report, file=sys.stderr)
        return 1
    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    with concurrent.futures.ProcessPoolExecutor(arguments.workers, mp_context=context) as pool:
        jobs = [pool.submit(predict, arguments.model, path) for path in arguments.inputs]
        for job in concurrent.futures.as_completed(jobs):
            try:
                print(job.result())
            except safeload.SafeLoadError as error:
                print(error, file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
