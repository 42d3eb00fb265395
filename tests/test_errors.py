"""The exception tree: builtin bases, pickle, copy, plain data."""

from __future__ import annotations

import concurrent.futures
import copy
import json
import multiprocessing
import pickle

import pytest

import safeload
from safeload import errors
from safeload.errors import FUNDAMENTAL_FIRST, SafeLoadError
from safeload.findings import Finding, Report, Rule, Severity

pytestmark = pytest.mark.core

BUILTINS = {
    errors.ModelNotFoundError: (FileNotFoundError, OSError, ValueError),
    errors.ModelAccessError: (OSError,),
    errors.UnsupportedFormatError: (ValueError, OSError),
    errors.CorruptedModelError: (OSError, ValueError),
    errors.WeightsOnlyError: (ValueError, OSError),
    errors.UnsafeModelError: (ValueError,),
    errors.MissingDependencyError: (ImportError, ValueError),
    errors.BackendMismatchError: (ValueError,),
    errors.VersionMismatchError: (TypeError, ValueError),
    errors.AmbiguousCustomObjectError: (TypeError, ValueError),
    errors.MissingCustomObjectError: (TypeError, ValueError),
    errors.CustomObjectMismatchError: (TypeError, ValueError),
    errors.WeightsMismatchError: (ValueError,),
    errors.MissingOpError: (ValueError,),
    errors.InsufficientMemoryError: (MemoryError,),
    errors.ModelBuildError: (TypeError, ValueError),
}


def example(cls: type[SafeLoadError]) -> SafeLoadError:
    fields = {name: ("a", "b") if default == () else default for name, default in cls.FIELDS.items()}
    return cls("something is wrong", path="model.h5", where="layers[3]", hint="do this", **fields)


def test_the_tree_is_whole() -> None:
    assert set(FUNDAMENTAL_FIRST) == set(BUILTINS)
    assert all(hasattr(safeload, cls.__name__) for cls in FUNDAMENTAL_FIRST)
    assert len({cls.code for cls in FUNDAMENTAL_FIRST}) == len(FUNDAMENTAL_FIRST)


@pytest.mark.parametrize("cls", FUNDAMENTAL_FIRST, ids=lambda c: c.__name__)
def test_builtin_bases(cls: type[SafeLoadError]) -> None:
    for builtin in BUILTINS[cls]:
        with pytest.raises(builtin):
            raise example(cls)


@pytest.mark.parametrize("cls", FUNDAMENTAL_FIRST, ids=lambda c: c.__name__)
def test_survives_pickle_and_copy(cls: type[SafeLoadError]) -> None:
    error = example(cls)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is cls
        assert str(twin) == str(error)
        assert twin.to_dict() == error.to_dict()


@pytest.mark.parametrize("cls", FUNDAMENTAL_FIRST, ids=lambda c: c.__name__)
def test_to_dict_is_json(cls: type[SafeLoadError]) -> None:
    error = example(cls)
    data = json.loads(json.dumps(error.to_dict()))
    assert data["error"] == cls.__name__
    assert data["code"] == cls.code
    assert set(cls.FIELDS) <= set(data)


def raise_in_worker() -> None:
    raise errors.MissingCustomObjectError("not found", path="m.h5", missing=("MyLayer",))


def test_survives_a_process_pool() -> None:
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        error = pool.submit(raise_in_worker).exception()
    assert isinstance(error, errors.MissingCustomObjectError)
    assert error.missing == ("MyLayer",)


def test_str_says_what_where_and_what_to_do() -> None:
    text = str(errors.WeightsMismatchError("3 weights, 2 found", path="m.h5", where="layers[1]", hint="look"))
    assert text == "m.h5 at layers[1]: 3 weights, 2 found\n  Hint: look"


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(TypeError, match="no field 'missing'"):
        errors.WeightsMismatchError("x", missing=())


RULE = Rule("SL999", "test", Severity.ERROR, "", errors.MissingCustomObjectError)
OTHER = Rule("SL998", "other", Severity.ERROR, "", errors.CorruptedModelError)
NOTE = Rule("SL997", "note", Severity.NOTE, "")


def test_all_of_a_kind_are_raised_at_once() -> None:
    findings = (
        NOTE.finding("fine"),
        RULE.finding("A is missing", where="layers[1]", missing=("A",), candidates={"A": ("a.py",)}),
        RULE.finding("B is missing", where="layers[2]", missing=("B",), candidates={"B": ("b.py",)}),
    )
    report = Report("m.h5", findings)
    with pytest.raises(errors.MissingCustomObjectError) as caught:
        report.raise_for_errors()
    assert caught.value.missing == ("A", "B")
    assert caught.value.candidates == {"A": ("a.py",), "B": ("b.py",)}
    assert caught.value.where == "layers[1], layers[2]"
    assert [f.rule for f in caught.value.findings] == ["SL999", "SL999", "SL997"]


def test_the_most_fundamental_is_raised_and_all_are_told() -> None:
    report = Report("m.h5", (RULE.finding("A is missing", missing=("A",)), OTHER.finding("truncated")))
    assert isinstance(report.error(), errors.CorruptedModelError)
    assert len(report.error().findings) == 2


def test_findings_of_errors_raise_the_same_error() -> None:
    error = errors.WeightsMismatchError("x", path="m", mismatches=("a", "b"))
    again = Report("m", (Finding.of_error(error),)).error()
    assert type(again) is type(error)
    assert again.mismatches == error.mismatches
