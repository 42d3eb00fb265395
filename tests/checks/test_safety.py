"""Bytecode and openers: found in any slot of any dialect, refused before anything is built."""

from __future__ import annotations

import base64
import marshal
from pathlib import Path
from typing import Any

import pytest

import safeload
from safeload.lambdas import bytecodes, python_of
from safeload.runtime import detect

CODE = base64.b64encode(marshal.dumps((lambda x: x * id(2)).__code__)).decode()

KERAS2 = {
    "name": "double",
    "function": [CODE, None, None],
    "function_type": "lambda",
    "module": "__main__",
    "output_shape": None,
    "output_shape_type": "raw",
}
KERAS3 = {
    "name": "double",
    "function": {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}},
}


def sequential(*layers: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}


def layer(name: str, config: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"class_name": name, "config": config, **more}


CONFIGS = {
    "Keras 2": sequential(layer("Lambda", KERAS2)),
    "Keras 3": sequential(layer("Lambda", KERAS3, module="keras.layers", registered_name=None)),
    "in a wrapper": sequential(layer("TimeDistributed", {"name": "t", "layer": layer("Lambda", KERAS2)})),
    "in a nested model": sequential(sequential(layer("Lambda", KERAS2))),
    "under a registered name": sequential(layer("Custom>Lambda", KERAS2)),
    "as an output shape": sequential(
        layer("Lambda", {**KERAS2, "function": "f", "function_type": "function", "output_shape": [CODE, None, None],
                         "output_shape_type": "lambda"})
    ),
    "as a mask": sequential(
        layer("Lambda", {**KERAS2, "function": "f", "function_type": "function", "mask": [CODE, None, None],
                         "mask_type": "lambda"})
    ),
    "as an activation": sequential(layer("Dense", {"name": "d", "units": 1, "activation": KERAS3["function"]})),
    "as an argument": sequential(layer("Lambda", {"name": "l", "arguments": {"f": KERAS3["function"]}})),
    "Keras 1": {"class_name": "Sequential", "config": [layer("Lambda", KERAS2)]},
}  # fmt: skip


@pytest.mark.core
@pytest.mark.parametrize("slot", CONFIGS)
def test_bytecode_in_any_slot(slot: str) -> None:
    config = CONFIGS[slot]
    report = safeload.check(config)
    error = report.error()
    if slot == "as an output shape" and detect().dialect == "keras2":
        # SL804 takes the shape from tracing and drops the bytecode, so that the function's name alone is left to judge.
        assert isinstance(error, safeload.MissingCustomObjectError)
        assert error.missing == ("f",)
        return
    assert isinstance(error, safeload.UnsafeModelError) or any(f.name == "lambda-bytecode" for f in report)
    assert any(f.rule == "SL201" for f in report.errors)
    with pytest.raises(safeload.SafeLoadError):
        safeload.load_model(config)


@pytest.mark.core
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_the_last_gate_before_keras(config: dict[str, Any]) -> None:
    """Even if no check ran: what is emitted for Keras holds no bytecode."""
    from safeload.build.emit import emit

    class Anything:
        def target(self, node: Any, where: str) -> Any:
            return type("Target", (), {"module": "keras.layers", "name": node["class_name"]})

        def custom_text(self, where: str) -> None:
            return None

    for plain in (True, False):
        with pytest.raises(safeload.UnsafeModelError):
            emit(config, Anything(), plain=plain)


def test_every_lambda_at_once() -> None:
    config = sequential(*(layer("Lambda", {**KERAS2, "name": f"l{i}"}) for i in range(3)))
    error = safeload.check(config).error()
    assert isinstance(error, safeload.UnsafeModelError)
    assert len(error.threats) == 3
    assert "layers[0].function" in str(error.where)
    assert "safe_mode=False" in str(error.hint)


def test_safe_mode_off_allows_bytecode_and_nothing_else() -> None:
    config = sequential(layer("Lambda", KERAS2))
    found = safeload.check(config, safe_mode=False)
    assert not any(f.rule == "SL201" for f in found)
    assert any(f.name == "lambda-runs" for f in found.warnings)
    opener = sequential(layer("StringLookup", {"name": "s", "vocabulary": "/etc/passwd"}))
    for safe_mode in (True, False):
        error = safeload.check(opener, safe_mode=safe_mode)
        assert any(f.name == "opens-a-file" for f in error.errors)


OLD = {
    # Heads of marshalled code objects: type, numbers, the code's own type and length, opcodes.
    "2.7": b"c" + b"\1\0\0\0" * 4 + b"s\x08\0\0\0" + b"|\0\0d\1\0\x14S" + bytes(20),
    "3.3-3.7": b"\xe3" + b"\1\0\0\0" * 5 + b"s\x08\0\0\0" + b"|\0d\1\x14\0S\0" + bytes(20),
    "3.8-3.10": b"\xe3" + b"\1\0\0\0" * 6 + b"s\x08\0\0\0" + b"|\0d\1\x14\0S\0" + bytes(20),
    "3.11 or later": b"\xe3" + b"\1\0\0\0" * 5 + b"\xf3\x08\0\0\0" + b"\x97\0|\0d\1z\5" + bytes(20),
}


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("expected", OLD)
def test_which_python_wrote_it(expected: str, text: bool) -> None:
    code = OLD[expected].decode("latin-1") if text else base64.b64encode(OLD[expected]).decode()
    found = next(bytecodes(sequential(layer("Lambda", {**KERAS2, "function": [code, None, None]}))))
    assert found.range == expected


def test_this_python_wrote_its_own() -> None:
    import sys

    found = next(bytecodes(CONFIGS["Keras 2"]))
    assert found.runs_on(sys.version_info[:2])
    assert python_of("no code") is None
    assert python_of(None) is None


def test_bytecode_of_another_python_never_runs(tmp_path: Path) -> None:
    code = base64.b64encode(OLD["2.7"]).decode()
    config = sequential(layer("Lambda", {**KERAS2, "function": [code, None, None]}))
    error = safeload.check(config, safe_mode=False)
    assert any(f.name == "lambda-of-another-python" for f in error.errors)
    with pytest.raises(safeload.SafeLoadError):
        safeload.load_model(config, safe_mode=False)
