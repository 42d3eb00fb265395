"""Names that Keras took up after a file was written."""

from __future__ import annotations

from pathlib import Path

import pytest

import safeload
from safeload.objects.catalog import is_later_than

FILES = Path(__file__).parents[1] / "failures" / "files"


@pytest.mark.core
def test_a_custom_attention_of_keras_1_is_not_the_attention_of_today() -> None:
    with pytest.raises(safeload.MissingCustomObjectError) as caught:
        safeload.load_model(FILES / "k11_attention.h5")
    assert caught.value.missing == ("Attention",)


@pytest.mark.parametrize(
    ("name", "version", "is_tf_keras", "later"),
    [
        ("Attention", (2, 2, 4), False, True),
        ("Attention", (2, 2, 4), True, False),  # tf.keras 1.15 has it
        ("Attention", (2, 4, 0), False, False),
        ("Attention", (0,), None, False),
        ("Dense", (1, 2, 2), False, False),
    ],
)
def test_only_what_is_certain(name: str, version: tuple[int, ...], is_tf_keras: bool | None, later: bool) -> None:
    assert is_later_than("layer", name, version, is_tf_keras) is later
