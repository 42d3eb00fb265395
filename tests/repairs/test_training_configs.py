"""Optimizer, loss and metric configs of every era, as data."""

from __future__ import annotations

from typing import Any

import pytest

from safeload.document import Writer
from safeload.optimizers import era_of, u_product
from safeload.repairs.training.objectives import repaired_losses, repaired_metrics
from safeload.repairs.training.optimizers import Refused, repaired_optimizer


def node(class_name: str, /, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


@pytest.mark.core
@pytest.mark.parametrize(
    ("stored", "version", "era"),
    [
        (node("Adam", lr=0.1, decay=0.0), (2, 2, 4), "standalone"),
        (node("Adam", name="Adam", learning_rate=0.1, decay=0.0), (2, 2, 4), "v2"),
        (node("Custom>Adam", name="Adam", jit_compile=False, is_legacy_optimizer=False), (2, 11), "keras2"),
        ({"module": "keras.optimizers.legacy", **node("Adam", name="Adam")}, (2, 15), "v2"),
        ("adam", (2, 15), "keras2"),
        (node("Adam", name="adam"), (3, 1), "keras3"),
        (node("LossScaleOptimizer", inner_optimizer=node("Adam", name="Adam")), (2, 4), "v2"),
    ],
)
def test_era(stored: Any, version: tuple[int, ...], era: str) -> None:
    assert era_of(stored, version) == era


@pytest.mark.core
def test_time_decay_is_a_schedule() -> None:
    made, notes = repaired_optimizer(node("SGD", lr=0.1, decay=0.5, momentum=0.9), (2, 2, 4), "keras3")
    rate = made["config"]["learning_rate"]
    assert rate["class_name"] == "InverseTimeDecay"
    assert rate["config"]["decay_rate"] == 0.5 and "decay" not in made["config"] and notes
    kept, _ = repaired_optimizer(node("SGD", lr=0.1, decay=0.5), (2, 2, 4), "keras2")
    assert kept["config"]["decay"] == 0.5 and kept["config"]["learning_rate"] == 0.1


@pytest.mark.core
def test_clipnorm_outside_tensorflow_was_that_of_all_gradients() -> None:
    made, _ = repaired_optimizer(node("Adam", lr=0.1, clipnorm=1.0), (2, 2, 4), "keras3")
    assert made["config"]["global_clipnorm"] == 1.0 and "clipnorm" not in made["config"]
    made, _ = repaired_optimizer(node("Adam", name="Adam", learning_rate=0.1, clipnorm=1.0), (2, 4), "keras3")
    assert made["config"]["clipnorm"] == 1.0


@pytest.mark.core
@pytest.mark.parametrize(
    ("stored", "version", "name"),
    [
        (node("RMSprop", lr=0.1, rho=0.9), (2, 2, 4), "safeload>LegacyRMSprop"),
        (node("RMSprop", name="RMSprop", learning_rate=0.1, momentum=0.5), (2, 4), "RMSprop"),
        (node("Adagrad", lr=0.1), (2, 2, 4), "safeload>LegacyAdagrad"),
        (node("Adagrad", name="Adagrad", learning_rate=0.1, initial_accumulator_value=0.1), (2, 4), "Adagrad"),
        (node("Nadam", name="Nadam", learning_rate=0.1, decay=0.004), (2, 4), "safeload>LegacyNadam"),
        (node("Custom>RMSprop", name="RMSprop", is_legacy_optimizer=False), (2, 12), "RMSprop"),
        (node("Custom>Mine", name="Mine", is_legacy_optimizer=False), (2, 12), "Custom>Mine"),
    ],
)
def test_class_whose_step_is_the_writers(stored: Any, version: tuple[int, ...], name: str) -> None:
    assert repaired_optimizer(stored, version, "keras3")[0]["class_name"] == name


@pytest.mark.core
def test_loss_scale_of_each_era() -> None:
    inner = node("Adam", name="Adam", learning_rate=0.1)
    first = node("LossScaleOptimizer", optimizer=inner, loss_scale=node("DynamicLossScale", initial_loss_scale=8.0))
    made, _ = repaired_optimizer(first, (2, 1), "keras3")
    assert made["config"]["initial_scale"] == 8.0
    assert made["config"]["inner_optimizer"]["module"] == "keras.optimizers"
    fixed = node("LossScaleOptimizer", inner_optimizer=inner, dynamic=False, initial_scale=4.0)
    made, _ = repaired_optimizer(fixed, (2, 4), "keras3")
    assert made["class_name"] == "Adam" and made["config"]["loss_scale_factor"] == 4.0


@pytest.mark.core
def test_no_equal() -> None:
    with pytest.raises(Refused):
        repaired_optimizer(node("Adam", name="adam", gradient_accumulation_steps=4), (3, 1), "keras2")
    with pytest.raises(Refused):
        repaired_optimizer(node("Adam", name="Adam", clipnorm=1.0, clipvalue=1.0), (2, 4), "keras3")
    with pytest.raises(Refused):
        repaired_losses(node("MeanSquaredError", reduction="mean_with_sample_weight"), Writer("3.10.0"), "keras2")


@pytest.mark.core
def test_losses() -> None:
    old = [{"a": "cosine_proximity", "b": node("Huber", reduction="auto", fn="huber", delta=2.0)}]
    assert repaired_losses(old, Writer("2.2.4"), "keras3") == [
        {"a": "cosine_similarity", "b": node("Huber", reduction="sum_over_batch_size", delta=2.0)}
    ]
    first = repaired_losses("cosine_proximity", Writer("1.2.2"), "keras3")
    assert first["registered_name"] == "safeload>mean_cosine_proximity"


@pytest.mark.core
def test_metrics() -> None:
    wrapped = node("MeanMetricWrapper", name="accuracy", dtype="float32", fn="binary_accuracy")
    assert repaired_metrics([[wrapped]], Writer("2.4.0"), "keras3") == [
        [node("BinaryAccuracy", name="accuracy", dtype="float32")]
    ]
    custom = node("MeanMetricWrapper", name="max_err", fn="max_err")
    assert repaired_metrics([custom, "acc"], Writer("2.4.0"), "keras3") == ["max_err", "acc"]
    negative = repaired_metrics("cosine_proximity", Writer("2.2.4", is_tf_keras=False), "keras3")
    assert negative["config"] == "negative_cosine_proximity"
    assert repaired_metrics("cosine_proximity", Writer("2.4.0", is_tf_keras=True), "keras3") == "cosine_similarity"


@pytest.mark.core
def test_product_of_nadam() -> None:
    assert u_product(0, 0.9) == 1.0
    assert u_product(1, 0.9, 0.004) == pytest.approx(0.9 * (1 - 0.5 * 0.96**0.004))
    assert u_product(10_000, 0.9) == 0.0
