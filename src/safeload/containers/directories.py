"""What a directory holds: a SavedModel, an unzipped Keras archive, a checkpoint, or one model among other files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from safeload.containers.folder import Folder, listing
from safeload.containers.found import KERAS_WEIGHTS, Found, is_keras_member, is_saved_model_member
from safeload.containers.kinds import MODEL_INSIDE, kind_of
from safeload.containers.strangers import unsupported
from safeload.containers.zips import of_zip
from safeload.errors import CorruptedModelError, SafeLoadError, UnsupportedFormatError

__all__ = ["of_checkpoint", "of_directory"]

_MAX_LOOKED_AT = 200
_MAX_NAMED = 5
_STRANGERS = {
    # file in it: (detected, what it is, hint)
    "saved_model.pbtxt": ("savedmodel-pbtxt", "a SavedModel as text", "convert it: only saved_model.pb is read"),
    "pytorch_model.bin": ("pytorch", "a PyTorch model", "load it with transformers or torch"),
    "model.safetensors": ("safetensors", "a Hugging Face model without Keras in it", "load it with transformers"),
    "tf_model.h5": ("transformers", "a model of transformers", "transformers.TFAutoModel.from_pretrained(path)"),
    "Manifest.json": ("coreml", "a Core ML package", "run it with coremltools"),
    "preprocessor.json": ("keras-hub", "a preset of KerasHub", "keras_hub.models.Task.from_preset(path)"),
    "task.json": ("keras-hub", "a preset of KerasHub", "keras_hub.models.Task.from_preset(path)"),
}


def of_directory(path: str) -> Found:
    """What a directory holds.

    Raises:
        UnsupportedFormatError: No model, or several; says what lies there.
        ModelAccessError: It can't be read.
        UnsafeModelError: Files of the model are links that lead out of it.
    """
    top = listing(path, lambda name: "/" not in name)
    names = {*top.files, *top.refused}
    if "saved_model.pb" in names:
        return _members("savedmodel", path, is_saved_model_member)
    if "config.json" in names and (names & {*KERAS_WEIGHTS, "metadata.json"}):
        return _members("keras-directory", path, is_keras_member)
    indices = [n for n in names if n.endswith(".index") and _has_shards(n.removesuffix(".index"), names)]
    if indices or "checkpoint" in names:
        return _members("checkpoint", path, lambda n: n == "checkpoint" or n.endswith(".index") or ".data-" in n)
    return _one_inside(path, top)


def _has_shards(prefix: str, names: set[str]) -> bool:
    return any(n.startswith(f"{prefix}.data-") for n in names)


def _members(format: str, path: str, known: Callable[[str], bool]) -> Found:
    folder = listing(path, known)
    if not folder.complete:
        raise unsupported(None, "the directory has more files than any model", "give the model's own directory", path)
    members = folder.members([*folder.files, *(n for n in folder.refused if known(n) or known(f"{n}/"))])
    return Found(format, sum(m.size for m in members.values()), None, members, closing=(folder.close,))


def of_checkpoint(prefix: str) -> Found:
    """The checkpoint whose files are called `prefix.index` and `prefix.data-0000i-of-0000n`.

    Raises:
        CorruptedModelError: Its shards are missing.
    """
    folder, name = os.path.split(prefix)
    found = _members("checkpoint", folder or ".", lambda n: n == f"{name}.index" or n.startswith(f"{name}.data-"))
    if len(found.members) < 2:
        raise CorruptedModelError(
            "the checkpoint's data is missing: only its index lies there",
            path=prefix,
            hint=f"put {name}.data-00000-of-0000N beside it, or download it again",
            damage=(f"{name}.data-*",),
        )
    return found


def _one_inside(path: str, top: Folder) -> Found:
    models = {n: kind for n in list(top.files)[:_MAX_LOOKED_AT] if (kind := _kind(top, n)) is not None}
    whole = [n for n in models if not n.endswith((".weights.h5", ".npz"))]
    if len(whole) == 1:
        name = whole[0]
        data = top.member(name)
        place = str(Path(path, name))
        note = MODEL_INSIDE.finding(f"the directory is no model itself; {name} in it is loaded", where=name)
        found = of_zip(data, place) if models[name] == "zip" else Found(models[name], data.size, data)
        return replace(found, findings=(note, *found.findings), closing=(*found.closing, top.close))
    top.close()
    raise _none_or_several(path, top, whole)


def _kind(folder: Folder, name: str) -> str | None:
    try:
        kind = kind_of(folder.member(name))
    except SafeLoadError:
        return None
    return kind if kind in ("hdf5", "zip") and not name.startswith(".") else None


def _none_or_several(path: str, top: Folder, models: list[str]) -> UnsupportedFormatError:
    below = _models_below(path, top.folders)
    if models or below:
        found = [str(Path(path, name)) for name in (*models, *below)]
        shown = ", ".join(found[:_MAX_NAMED]) + (f" and {len(found) - _MAX_NAMED} more" if len(found) > 5 else "")
        where = "several models" if len(models) > 1 else "no model itself; models lie below it"
        return unsupported("directory", f"the directory holds {where}", f"load one of them: {shown}", path)
    for name, (detected, what, hint) in _STRANGERS.items():
        if name in top.files:
            return unsupported(detected, f"this is {what}", hint, path)
    if {"variables", "assets"} & set(top.folders) or "keras_metadata.pb" in top.files:
        return unsupported(
            "directory", "saved_model.pb is missing: what lies there is a part of a SavedModel",
            "copy the whole directory, saved_model.pb included", path,
        )  # fmt: skip
    names = [*top.files, *(f"{n}/" for n in top.folders), *top.refused]
    shown = ", ".join(names[:_MAX_NAMED]) + (f" and {len(names) - _MAX_NAMED} more" if len(names) > 5 else "")
    return unsupported(
        "empty-directory" if not names else "directory",
        f"the directory holds no model ({shown})" if names else "the directory is empty",
        "a SavedModel directory has saved_model.pb in it; a .keras or .h5 model is a file",
        path,
    )


def _models_below(path: str, folders: tuple[str, ...]) -> list[str]:
    """Folders of this one that are models, or hold model files by name."""
    found = []
    for folder in folders[:_MAX_LOOKED_AT]:
        try:
            names = os.listdir(Path(path, folder))[:1000]
        except OSError:
            continue
        if "saved_model.pb" in names or ("config.json" in names and set(KERAS_WEIGHTS) & set(names)):
            found.append(folder)
        found += [f"{folder}/{n}" for n in sorted(names) if n.endswith((".keras", ".h5", ".hdf5"))]
    return found
