"""A FastAPI service that loads models on request and answers with what is wrong, as data.

    pip install fastapi uvicorn
    MODELS=models/ uvicorn service:app

GET  /models/{name}           what the file is, and whether it loads here (no TensorFlow needed)
POST /models/{name}/predict   {"inputs": [[...]]} -> {"outputs": [[...]]}
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

import safeload

app = FastAPI()

STATUS = {
    safeload.ModelNotFoundError: 404,
    safeload.UnsafeModelError: 403,
    safeload.InsufficientMemoryError: 507,
    safeload.MissingDependencyError: 501,
}
"""HTTP status by class of error; everything else that is wrong with a file is 422."""


class Inputs(BaseModel):
    inputs: list[Any]


def path_of(name: str) -> Path:
    folder = Path(os.environ.get("MODELS", "models")).resolve()
    path = (folder / name).resolve()
    if folder not in path.parents:
        raise safeload.ModelNotFoundError("there is no such model", path=name)
    return path


@lru_cache(maxsize=8)
def model_of(path: Path) -> Any:
    return safeload.load_model(path, compile=False)


@app.exception_handler(safeload.SafeLoadError)
def refused(request: Request, error: safeload.SafeLoadError) -> JSONResponse:
    status = next((code for cls, code in STATUS.items() if isinstance(error, cls)), 422)
    return JSONResponse(error.to_dict(), status_code=status)


@app.get("/models/{name}")
def describe(name: str) -> dict[str, Any]:
    report = safeload.check(path_of(name))
    if report.document is None:
        report.raise_for_errors()
    return {
        "ok": report.ok,
        "summary": report.document.summary(),
        "findings": [finding.to_dict() for finding in report],
    }


@app.post("/models/{name}/predict")
def predict(name: str, body: Inputs) -> dict[str, Any]:
    model = model_of(path_of(name))
    outputs = model(np.asarray(body.inputs, dtype="float32"), training=False)
    return {"outputs": np.asarray(outputs).tolist()}
