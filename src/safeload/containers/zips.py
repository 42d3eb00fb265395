"""What a zip holds: a Keras v3 archive, a NumPy archive, or one model among other files."""

from __future__ import annotations

from dataclasses import replace

from safeload.bytesource import ByteRange
from safeload.containers.archive import Entry, read_directory
from safeload.containers.found import KERAS_WEIGHTS, Found, is_keras_member, is_saved_model_member
from safeload.containers.kinds import MODEL_INSIDE, kind_of
from safeload.containers.members import check_sizes, member, verifier
from safeload.containers.memory import available_memory
from safeload.containers.strangers import of_archive, unsupported
from safeload.errors import SafeLoadError, UnsupportedFormatError

__all__ = ["of_zip"]

_MAX_LOOKED_AT = 200
_MAX_NAMED = 5
_LOADABLE = ("hdf5", "zip")


def of_zip(run: ByteRange, path: str | None, *, inside: bool = False) -> Found:
    """What an archive holds.

    Args:
        run: Its bytes.
        path: For messages.
        inside: Whether it lies in an archive itself; then no further one is looked into.

    Raises:
        UnsupportedFormatError: It holds no Keras model, or several; says what it is.
        CorruptedModelError: It is truncated or damaged.
        UnsafeModelError: No honest writer makes such an archive.
    """
    entries = {e.name: e for e in read_directory(run, path)}
    if "config.json" in entries and (_weights(entries, "") or "metadata.json" in entries or not _roots(entries)):
        return _found("keras", run, path, {n: e for n, e in entries.items() if is_keras_member(n)})
    if entries and all(name.endswith(".npy") for name in entries):
        return _found("npz", run, path, entries)
    stranger = of_archive(tuple(entries))
    roots = _roots(entries)
    if stranger is not None and not roots:
        detected, what, hint = stranger
        raise unsupported(detected, f"this is {what}", hint, path)
    return _one_inside(run, path, entries, roots, inside)


def _found(format: str, run: ByteRange, path: str | None, entries: dict[str, Entry], prefix: str = "") -> Found:
    check_sizes(entries.values(), path, available_memory())
    return Found(
        format,
        run.size,
        run,
        {name.removeprefix(prefix): member(run, entry, path) for name, entry in entries.items()},
        verifiers={name: verifier(run, entry, path) for name, entry in entries.items()},
    )


def _weights(entries: dict[str, Entry], prefix: str) -> bool:
    return any(f"{prefix}{name}" in entries for name in KERAS_WEIGHTS)


def _roots(entries: dict[str, Entry]) -> dict[str, str]:
    """Folders in the archive that are models, with their formats."""
    found = {}
    for name in entries:
        folder = name.rpartition("/")[0]
        prefix = f"{folder}/" if folder else ""
        if name == f"{prefix}saved_model.pb":
            found[prefix] = "savedmodel"
        elif prefix and name == f"{prefix}config.json" and _weights(entries, prefix):
            found.setdefault(prefix, "keras")
    return {p: f for p, f in found.items() if not p.startswith("__MACOSX/")}


def _one_inside(
    run: ByteRange, path: str | None, entries: dict[str, Entry], roots: dict[str, str], inside: bool
) -> Found:
    files = _model_files(run, path, entries, roots)
    models = [*(root or "saved_model.pb" for root in roots), *files]
    if len(models) != 1 or (inside and files):
        raise _none_or_several(path, models, entries)
    note = MODEL_INSIDE.finding(f"the archive is no model itself; {models[0]} in it is loaded", where=models[0])
    if roots:
        prefix, format = next(iter(roots.items()))
        known = is_saved_model_member if format == "savedmodel" else is_keras_member
        chosen = {n: e for n, e in entries.items() if n.startswith(prefix) and known(n.removeprefix(prefix))}
        found = replace(_found(format, run, path, chosen, prefix), findings=(note,))
        return found if format == "keras" else replace(found, data=None)
    name, kind = next(iter(files.items()))
    check_sizes([entries[name]], path, available_memory())
    data = member(run, entries[name], path)
    verify = {name: verifier(run, entries[name], path)}
    found = of_zip(data, path, inside=True) if kind == "zip" else Found(kind, data.size, data)
    return replace(
        found, findings=(note, *found.findings), verifiers={**verify, **found.verifiers}, closing=(run.close,)
    )


def _model_files(run: ByteRange, path: str | None, entries: dict[str, Entry], roots: dict[str, str]) -> dict[str, str]:
    """Members that are model files by their first bytes, outside of the folders that are models themselves."""
    found = {}
    looked_at = 0
    for name, entry in entries.items():
        base = name.rpartition("/")[2]
        if name.startswith(("__MACOSX/", *(r for r in roots if r))) or base.startswith("._") or "" in roots:
            continue
        if base.endswith(".weights.h5") or looked_at >= _MAX_LOOKED_AT:
            continue
        looked_at += 1
        kind = _kind(run, entry, path)
        if kind in _LOADABLE:
            found[name] = kind
    return found


def _kind(run: ByteRange, entry: Entry, path: str | None) -> str | None:
    if not entry.deflated:
        return kind_of(run.slice(entry.start, entry.stored, entry.name))
    if not entry.name.lower().endswith((".h5", ".hdf5", ".keras", ".zip", ".h5py")):
        return None  # expanding every member to look at it would cost more than it tells
    try:
        check_sizes([entry], path, available_memory())
        return kind_of(member(run, entry, path))
    except SafeLoadError:
        return None


def _none_or_several(path: str | None, models: list[str], entries: dict[str, Entry]) -> UnsupportedFormatError:
    if models:
        shown = ", ".join(models[:_MAX_NAMED]) + (f" and {len(models) - _MAX_NAMED} more" if len(models) > 5 else "")
        message = (
            f"the archive holds {len(models)} models: {shown}" if len(models) > 1 else f"the archive nests {shown}"
        )
        return unsupported("zip-of-models", message, "unzip it and load one of them", path)
    names = ", ".join(list(entries)[:_MAX_NAMED]) + (" ..." if len(entries) > _MAX_NAMED else "")
    return unsupported(
        "zip",
        f"this is a zip archive without a Keras model in it ({names or 'it is empty'})",
        "a Keras archive has config.json and model.weights.h5 at its top; check what was zipped",
        path,
    )
