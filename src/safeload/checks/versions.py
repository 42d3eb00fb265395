"""Which Keras wrote the file, which one runs here, and what that means for this very file."""

from __future__ import annotations

from collections.abc import Iterable

from safeload.checks import Examination
from safeload.environments import environment_of, install_hint
from safeload.errors import MissingDependencyError, VersionMismatchError
from safeload.findings import Finding, Rule, Severity

__all__ = ["NEWER_KERAS", "NO_TENSORFLOW", "OTHER_KERAS", "UNKNOWN_KERAS", "check"]

OTHER_KERAS = Rule(
    "SL301",
    "other-keras",
    Severity.NOTE,
    """\
What it sees: the file was written by another Keras than the one installed here.
Why it matters: Keras does not promise that files move between major versions (keras #20081, #18709).
Example: a file of Keras 2.4.0 in Keras 3.15.
What to do: nothing; every repair that was needed is a finding of its own. To load without any, install the writer's
version: the finding's evidence has the line that does.
References: keras #19898, #20750.
""",
)

NEWER_KERAS = Rule(
    "SL302",
    "newer-keras",
    Severity.WARNING,
    """\
What it sees: the file was written by a newer Keras of the same major version than the one installed here.
Why it matters: Keras reads older files, not newer ones: a layer or an argument may be unknown here.
Example: a file of Keras 3.15 in Keras 3.8.
What to do: if something doesn't load, upgrade: the hint has the line.
References: keras #20750.
""",
)

UNKNOWN_KERAS = Rule(
    "SL303",
    "unknown-keras",
    Severity.ERROR,
    """\
What it sees: a file of a Keras whose major version safeload doesn't know.
Why it matters: what its config means can't be said, so a model built from it could be a wrong one.
Example: a file of Keras 4.
What to do: upgrade safeload and Keras.
References: none.
""",
    VersionMismatchError,
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

_KNOWN = (1, 2, 3)


def check(examination: Examination) -> Iterable[Finding]:
    """Note a different writer; an error where there is no Keras to build with, or none that is known."""
    yield from _installed(examination)
    runtime, writer = examination.runtime, examination.document.writer
    if writer.keras is None or runtime.keras is None:
        return
    saved = {k: str(v) for k, v in writer.to_dict().items()}
    running = {k: str(v) for k, v in runtime.to_dict().items() if v is not None}
    if writer.version[0] not in (*_KNOWN, 0):
        yield UNKNOWN_KERAS.finding(
            f"written by Keras {writer.keras}, which safeload doesn't know",
            hint="python -m pip install --upgrade safeload keras tensorflow",
            saved_with=saved,
            running=running,
            reasons=(f"Keras {writer.keras}",),
        )
        return
    if writer.version[:2] == runtime.keras_version[:2]:
        return
    backend = f" on {writer.backend}" if writer.backend else ""
    environment = environment_of(writer)
    evidence = {"saved_with": saved, "running": running, "environment": environment.line if environment else None}
    if writer.version[0] == runtime.keras_version[0] and writer.version[:2] > runtime.keras_version[:2]:
        yield NEWER_KERAS.finding(
            f"written by Keras {writer.keras}{backend}, newer than Keras {runtime.keras} that runs here",
            hint=install_hint(writer),
            evidence=evidence,
        )
        return
    yield OTHER_KERAS.finding(
        f"written by Keras {writer.keras}{backend}; Keras {runtime.keras} runs here", evidence=evidence
    )


def _installed(examination: Examination) -> Iterable[Finding]:
    runtime = examination.runtime
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
