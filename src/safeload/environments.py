"""Environments that had a Keras: which TensorFlow brought it, on which Pythons, and the line that installs it.

Sources: the `REQUIRED_PACKAGES` and wheels of each TensorFlow on PyPI, Keras' own `setup.py` and `pyproject.toml`.
`tools/verify_environments.py` asks the registry whether each row resolves to wheels on its lowest and its highest Python,
for each platform; docs/environments.md holds its last answers.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass

from safeload.document import Writer

__all__ = ["Environment", "environment_of", "environment_with", "install_hint"]


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment in which a file of some Keras loads as it did where it was written.

    Attributes:
        pins: What pip installs, with versions.
        pythons: The lowest and the highest Python that has wheels for it.
        settings: Environment variables that it needs.
    """

    pins: tuple[str, ...]
    pythons: tuple[tuple[int, int], tuple[int, int]]
    settings: tuple[str, ...] = ()

    @property
    def python(self) -> str:
        low, high = (".".join(map(str, v)) for v in self.pythons)
        return low if low == high else f"{low}-{high}"

    @property
    def line(self) -> str:
        """The command, with the Pythons that can run it as a comment."""
        pins = " ".join(f'"{pin}"' for pin in self.pins)
        settings = "".join(f", {s}" for s in self.settings)
        return f"python -m pip install {pins}  # Python {self.python}{settings}"


_TF_PYTHONS = {
    # TensorFlow: lowest and highest Python with wheels
    "1.4": ((3, 5), (3, 6)), "1.15": ((3, 5), (3, 7)), "2.0": ((3, 5), (3, 7)), "2.1": ((3, 5), (3, 7)),
    "2.2": ((3, 5), (3, 8)), "2.3": ((3, 5), (3, 8)), "2.4": ((3, 6), (3, 8)), "2.5": ((3, 6), (3, 9)),
    "2.6": ((3, 6), (3, 9)), "2.7": ((3, 7), (3, 9)), "2.8": ((3, 7), (3, 10)), "2.9": ((3, 7), (3, 10)),
    "2.10": ((3, 7), (3, 10)), "2.11": ((3, 7), (3, 10)), "2.12": ((3, 8), (3, 11)), "2.13": ((3, 8), (3, 11)),
    "2.14": ((3, 9), (3, 11)), "2.15": ((3, 9), (3, 11)), "2.16": ((3, 9), (3, 12)), "2.17": ((3, 9), (3, 12)),
    "2.18": ((3, 9), (3, 12)), "2.19": ((3, 9), (3, 12)), "2.20": ((3, 9), (3, 13)), "2.21": ((3, 10), (3, 13)),
}  # fmt: skip

_KERAS3_TF = (
    # from this Keras 3 on, the TensorFlow of its time
    ((3, 0), "2.16"), ((3, 4), "2.17"), ((3, 6), "2.18"), ((3, 9), "2.19"), ((3, 11), "2.20"), ((3, 13), "2.21"),
)  # fmt: skip

_KERAS3_PYTHON = (((3, 0), (3, 9)), ((3, 11), (3, 10)), ((3, 13), (3, 11)))
"""From this Keras 3 on, the lowest Python."""

_INSIDE = {(2, 2): "1.15", (2, 3): "2.2"}
"""Keras inside TensorFlow before 2.4: `2.1.6-tf` to `2.2.4-tf` are 1.9 to 2.1; later ones have TensorFlow's number."""

_ARM_SINCE = (2, 13)
"""The first TensorFlow whose wheels cover ARM on Linux and macOS under its own name."""

_INTEL_MAC_UNTIL = (2, 16)
"""The last TensorFlow that has wheels for macOS on Intel."""


def environment_of(writer: Writer) -> Environment | None:
    """The environment that had the Keras which wrote a file; None when the file doesn't say which it was."""
    version = writer.version
    if writer.keras is None or version[0] not in (1, 2, 3):
        return _of_tensorflow(writer.tensorflow) if writer.tensorflow else None
    minor = (version[0], version[1] if len(version) > 1 else 0)
    if version[0] == 3:
        tensorflow = next(tf for since, tf in reversed(_KERAS3_TF) if minor >= since)
        lowest = next(py for since, py in reversed(_KERAS3_PYTHON) if minor >= since)
        low, high = _TF_PYTHONS[tensorflow]
        return Environment((f"tensorflow=={tensorflow}.*", f"keras=={writer.keras}"), (max(low, lowest), high))
    if version[0] == 2 and (writer.is_tf_keras or minor >= (2, 4)):
        known = writer.tensorflow and ".".join(writer.tensorflow.split(".")[:2])
        name = known if known in _TF_PYTHONS else _INSIDE.get(minor, f"2.{minor[1]}")
        return _of_tensorflow("1.15" if minor < (2, 2) else str(name))
    return _standalone(writer, minor)


def _of_tensorflow(version: str) -> Environment | None:
    name = ".".join(version.split(".")[:2])
    pythons = _TF_PYTHONS.get(name)
    if pythons is None:
        return None
    return Environment((f"tensorflow=={name}.*", *_beside(name)), pythons)


def environment_with(tensorflow: str, *packages: str) -> Environment:
    """An environment of a TensorFlow (`2.14`) and packages that work with it."""
    return Environment((f"tensorflow=={tensorflow}.*", *packages, *_beside(tensorflow)), _TF_PYTHONS[tensorflow])


def _beside(name: str) -> tuple[str, ...]:
    """What a TensorFlow takes and doesn't pin, because it came later and broke it."""
    number = _number(name)
    h5py = ("h5py<3",) if number < (2, 2) else ()  # later ones pin it themselves, then take 3
    protobuf = ("protobuf<3.21",) if number < (2, 9) else ()
    numpy: tuple[str, ...]
    if number < (2, 4):  # symbolic tensors became errors in np.prod: every LSTM (tensorflow #47691)
        numpy = ("numpy<1.20",)
    elif number < (2, 12):  # np.object and np.bool went
        numpy = ("numpy<1.24",)
    else:  # 2.14 alone has no upper bound
        numpy = ("numpy<2",) if number == (2, 14) else ()
    return (*h5py, *numpy, *protobuf)


def _number(name: str) -> tuple[int, ...]:
    return tuple(int(n) for n in name.split("."))


def _standalone(writer: Writer, minor: tuple[int, int]) -> Environment:
    """Keras as a package of its own, before 2.4."""
    keras = f"keras=={writer.keras}"
    if writer.backend == "theano" or minor < (2, 0):
        # Python 3.7 is the last one for which Theano's NumPy has wheels; Keras 1 asks for Theano itself.
        pins = (keras, "theano==1.0.5", "numpy<1.17", "h5py<3")
        settings = () if writer.backend == "theano" and minor < (1, 1) else ("KERAS_BACKEND=theano",)
        return Environment(pins, ((3, 5), (3, 7)), settings)
    if writer.backend == "cntk":
        return Environment((keras, "cntk==2.7", "h5py<3"), ((3, 5), (3, 6)), ("KERAS_BACKEND=cntk",))
    tensorflow = "1.4" if minor < (2, 1) else "1.15"
    low, high = _TF_PYTHONS[tensorflow]
    return Environment((keras, f"tensorflow=={tensorflow}.*", *_beside(tensorflow)), (low, high))


def install_hint(writer: Writer) -> str | None:
    """What to do to load a file where its own Keras runs, in one line; None when nothing exact can be said."""
    environment = environment_of(writer)
    if environment is None:
        return None
    return f"load the file in an environment of its own: {environment.line}{_no_wheel(environment)}"


def _no_wheel(environment: Environment) -> str:
    """A remark where this machine has no wheels for it."""
    container = "use a container with --platform linux/amd64"
    pin = next((p for p in environment.pins if p.startswith("tensorflow==")), None)
    if pin is None:  # Theano's NumPy and CNTK are of a time before ARM
        arm = platform.machine().lower() in ("arm64", "aarch64")
        cntk = any(p.startswith("cntk") for p in environment.pins) and sys.platform == "darwin"
        return f"; it has no wheels for this machine: {container}" if arm or cntk else ""
    number = _number(pin.removeprefix("tensorflow==").removesuffix(".*"))
    if platform.machine().lower() in ("arm64", "aarch64"):
        if number >= _ARM_SINCE:
            return ""
        if sys.platform == "darwin" and number >= (2, 5):
            return "; on Apple silicon, tensorflow-macos instead of tensorflow"
        return f"; it has no wheels for ARM: {container}"
    if sys.platform == "darwin" and number > _INTEL_MAC_UNTIL:
        return f"; it has no wheels for macOS on Intel: {container}"
    return ""
