"""Which Keras wrote the file, which one runs here, and what that means for this very file."""

from __future__ import annotations

from collections.abc import Iterable

from safeload.checks import Examination
from safeload.errors import MissingDependencyError
from safeload.findings import Finding, Rule, Severity

__all__ = ["NO_TENSORFLOW", "OTHER_KERAS", "check"]

OTHER_KERAS = Rule(
    "SL301",
    "other-keras",
    Severity.NOTE,
    """\
What it sees: the file was written by another Keras than the one installed here.
Why it matters: Keras does not promise that files move between major versions (keras #20081, #18709).
Example: a file of Keras 2.4.0 in Keras 3.15.
What to do: nothing; every repair that was needed is a finding of its own. To load without any, install the writer's
version.
References: keras #19898, #20750.
""",
)

NO_TENSORFLOW = Rule(
    "SL501",
    "tensorflow-missing",
    Severity.ERROR,
    """\
What it sees: TensorFlow, or the Keras that was asked for, is not installed.
Why it matters: a model can be looked at without it, but not built.
Example: `TF_USE_LEGACY_KERAS=1` without tf-keras.
What to do: install what the hint says.
References: none.
""",
    MissingDependencyError,
)


def check(examination: Examination) -> Iterable[Finding]:
    """Note a different writer; an error where there is no Keras to build with."""
    runtime, writer = examination.runtime, examination.document.writer
    if runtime.tensorflow is None:
        yield NO_TENSORFLOW.finding(
            "TensorFlow is not installed", hint='python -m pip install "tensorflow>=2.12"', packages=("tensorflow",)
        )
    elif runtime.keras is None:
        package = "tf-keras" if runtime.flavour == "tf_keras" else "keras"
        minor = ".".join(runtime.tensorflow.split(".")[:2])
        pin = f"{package}=={minor}.*" if package == "tf-keras" else package
        yield NO_TENSORFLOW.finding(
            f"{package} is not installed", hint=f'python -m pip install "{pin}"', packages=(package,)
        )
    if writer.keras and runtime.keras and writer.version[:2] != runtime.keras_version[:2]:
        backend = f" on {writer.backend}" if writer.backend else ""
        yield OTHER_KERAS.finding(
            f"written by Keras {writer.keras}{backend}; Keras {runtime.keras} runs here",
            evidence={"saved_with": writer.to_dict(), "running": runtime.to_dict()},
        )
