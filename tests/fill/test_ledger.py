"""The ledger of a fill."""

from __future__ import annotations

import numpy as np
import pytest

from safeload.errors import WeightsMismatchError


@pytest.mark.core
def test_an_array_of_another_shape_is_told_once() -> None:
    import tensorflow as tf

    from safeload.fill.ledger import Ledger

    model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(2)])
    ledger = Ledger()
    assert not ledger.assign(model.layers[-1].kernel, np.zeros((4, 2), "float32"), "dense/kernel")
    with pytest.raises(WeightsMismatchError) as caught:
        ledger.raise_for_mismatches(model, None)
    kernel, bias = caught.value.mismatches
    assert "expected (3, 2), found (4, 2) at dense/kernel" in kernel
    assert "bias" in bias
    assert "found nothing" in bias
