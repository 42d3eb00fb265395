"""Files of Keras 3.3 to 3.15 in the Keras at hand: the writer's numbers, or an error that names what is missing."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import safeload

FOLDER = Path(__file__).parent / "keras3_files"
FILES = sorted(p for p in FOLDER.iterdir() if p.suffix in (".h5", ".keras") and p.name.startswith("k3"))


@pytest.mark.core
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_the_writers_numbers(path: Path, keras: ModuleType) -> None:
    if path.name.startswith("k315-sn.") and not hasattr(keras.layers, "SpectralNormalization"):
        with pytest.raises(safeload.VersionMismatchError, match="SpectralNormalization"):
            safeload.load_model(path, compile=False)
        return
    compare(path)


def compare(path: Path) -> None:
    import tensorflow as tf

    with np.load(f"{path}.npz") as arrays:
        inputs = [arrays[f"in_{i}"] for i in range(sum(n.startswith("in_") for n in arrays.files))]
        expected = [arrays[f"out_{i}"] for i in range(sum(n.startswith("out_") for n in arrays.files))]
    inputs = [tf.constant(x.astype(object)) if x.dtype.kind in "US" else tf.convert_to_tensor(x) for x in inputs]
    model = safeload.load_model(path, compile=False)
    found = tf.nest.flatten(model(inputs if len(inputs) > 1 else inputs[0], training=False))
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(ours), theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.core
@pytest.mark.parametrize(("name", "word"), [("int8", "quantiz"), ("ln_rms", "rms_scaling")])
def test_what_keras_2_lacks_is_refused(name: str, word: str) -> None:
    from safeload.runtime import detect

    path = FOLDER / f"refused-{name}.keras"
    runtime = detect()
    if runtime.dialect == "keras3" and (name == "ln_rms" or runtime.keras_version >= (3, 15)):
        assert safeload.check(path).ok
        return
    with pytest.raises(safeload.VersionMismatchError, match=word):
        safeload.load_model(path)


@pytest.mark.core
@pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`")  # Keras of itself
@pytest.mark.parametrize(("name", "word"), [("k30-ln_rms", "rms_scaling"), ("k315-r_shear", "RandomShear")])
def test_what_keras_3_alone_has(name: str, word: str, keras: ModuleType) -> None:
    from safeload.runtime import detect

    path = FOLDER / f"only3-{name}.keras"
    if detect().dialect == "keras2":
        with pytest.raises(safeload.VersionMismatchError, match=word):
            safeload.load_model(path)
    elif hasattr(keras.layers, "RandomShear"):
        compare(path)
