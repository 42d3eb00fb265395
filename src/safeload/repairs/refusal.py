"""The error of a repair that can't be had: one wording for all of them."""

from __future__ import annotations

from safeload.environments import install_hint
from safeload.errors import VersionMismatchError
from safeload.repairs.engine import Context

__all__ = ["refusal"]


def refusal(
    context: Context, reason: str, *, hint: str | None = None, where: str | None = None
) -> VersionMismatchError:
    """The error to raise where something of the file has no equal here.

    Args:
        context: Where the repair stands.
        reason: What of the file does not go, in a sentence that names it.
        hint: What the user can do; by default, to load it where it was written.
        where: The place, where it is not the context's.
    """
    writer, runtime = context.writer, context.runtime
    written = f"Keras {writer.keras}" if writer.keras else "the Keras that wrote it"
    return VersionMismatchError(
        f"{reason}; Keras {runtime.keras} has no equal to it",
        path=context.document.path,
        where=where or context.where or None,
        hint=hint or install_hint(writer) or f"load the file with {written}",
        saved_with={k: str(v) for k, v in writer.to_dict().items()},
        running={k: str(v) for k, v in runtime.to_dict().items() if v is not None},
        reasons=(reason,),
    )
