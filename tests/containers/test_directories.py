"""Directories: what is loaded, links, and what is said about the ones that hold no model."""

from __future__ import annotations

import os
import shutil
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import safeload
from safeload.containers import folder
from safeload.source import open_source

FIXTURES = Path(__file__).parents[1] / "fixtures"
KERAS = FIXTURES / "tf215" / "mlp.keras"
HDF5 = FIXTURES / "tf215" / "mlp.h5"


@pytest.fixture
def unzipped(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    with zipfile.ZipFile(KERAS) as archive:
        archive.extractall(path)
    return path


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    original = next(p.parent for p in sorted(FIXTURES.rglob("saved_model.pb")) if (p.parent / "variables").is_dir())
    return Path(shutil.copytree(original, tmp_path / "saved"))


def test_an_unzipped_archive(unzipped: Path) -> None:
    for path in (unzipped, f"{unzipped}/", str(unzipped) + "//"):
        document = safeload.inspect(path)
        assert document.format == "keras-directory"
        assert document.parameters == safeload.inspect(KERAS).parameters


def test_other_files_beside_are_left_alone(unzipped: Path) -> None:
    (unzipped / "evil.py").write_text("x")
    (unzipped / "link").symlink_to("/etc/passwd")
    os.mkfifo(unzipped / "pipe")
    with open_source(unzipped) as source:
        assert "evil.py" not in source.members
        assert "link" not in source.members


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_links_out_of_the_directory_are_refused(unzipped: Path, tmp_path: Path, name: str) -> None:
    shutil.move(unzipped / name, tmp_path / "elsewhere")
    (unzipped / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(safeload.UnsafeModelError) as caught:
        safeload.inspect(unzipped)
    assert caught.value.where == name


def test_a_folder_of_a_saved_model_that_is_a_link_out(saved: Path, tmp_path: Path) -> None:
    shutil.move(saved / "variables", tmp_path / "elsewhere")
    (saved / "variables").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(safeload.SafeLoadError):
        safeload.inspect(saved)


def test_links_inside_the_directory_are_followed(unzipped: Path) -> None:
    (unzipped / "..data").mkdir()
    shutil.move(unzipped / "config.json", unzipped / "..data")
    (unzipped / "config.json").symlink_to("..data/config.json")
    assert safeload.inspect(unzipped).parameters > 0


def test_a_link_to_the_model_is_the_model(unzipped: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(unzipped, target_is_directory=True)
    (tmp_path / "current.h5").symlink_to(HDF5)
    assert safeload.inspect(tmp_path / "current").parameters > 0
    assert safeload.inspect(tmp_path / "current.h5").parameters > 0


def test_snapshots_of_the_hub_are_links_into_its_store(unzipped: Path, tmp_path: Path) -> None:
    root = tmp_path / "models--owner--name"
    (root / "blobs").mkdir(parents=True)
    snapshot = root / "snapshots" / "0123abc"
    snapshot.mkdir(parents=True)
    for number, file in enumerate(sorted(unzipped.iterdir())):
        shutil.copy(file, root / "blobs" / str(number))
        (snapshot / file.name).symlink_to(f"../../blobs/{number}")
    assert safeload.inspect(snapshot).parameters > 0


def test_loops_of_links_end(saved: Path) -> None:
    (saved / "assets").mkdir(exist_ok=True)
    (saved / "assets" / "loop").symlink_to(saved / "assets", target_is_directory=True)
    (saved / "assets" / "self").symlink_to("self")
    with pytest.raises(safeload.UnsafeModelError):
        safeload.inspect(saved)
    (saved / "assets" / "self").unlink()
    assert safeload.inspect(saved).format == "savedmodel"


def test_a_file_that_is_replaced_after_listing_is_not_read(unzipped: Path, tmp_path: Path) -> None:
    with open_source(unzipped) as source:
        (unzipped / "config.json").unlink()
        (unzipped / "config.json").symlink_to("/etc/passwd")
        with pytest.raises(safeload.ModelAccessError):
            source.members["config.json"].read()


def test_a_folder_that_is_replaced_after_listing_is_not_entered(saved: Path, tmp_path: Path) -> None:
    with open_source(saved) as source:
        name = next(n for n in source.members if n.startswith("variables/"))
        shutil.move(saved / "variables", tmp_path / "elsewhere")
        (saved / "variables").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
        with pytest.raises(safeload.ModelAccessError):
            source.members[name].read()


def test_descriptors_are_few_and_given_back(unzipped: Path) -> None:
    (unzipped / "assets").mkdir(exist_ok=True)
    for number in range(folder.MAX_OPEN_FILES * 2):
        (unzipped / "assets" / f"{number}.txt").write_text(str(number))
    before = len(os.listdir("/proc/self/fd"))
    with open_source(unzipped) as source:
        for number in range(folder.MAX_OPEN_FILES * 2):
            assert source.members[f"assets/{number}.txt"].read() == str(number).encode()
        assert len(os.listdir("/proc/self/fd")) <= before + folder.MAX_OPEN_FILES + 2
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.fixture
def checkpoint(tmp_path: Path) -> Iterator[Path]:
    original = next(p for p in sorted(FIXTURES.rglob("*.index")) if p.parent.name != "variables")
    target = tmp_path / "ckpt"
    target.mkdir()
    for file in original.parent.glob(f"{original.stem}.*"):
        shutil.copy(file, target)
    yield target / original.stem


def test_every_way_to_name_a_checkpoint(checkpoint: Path) -> None:
    shard = next(checkpoint.parent.glob("*.data-*"))
    expected = safeload.inspect(checkpoint).parameters
    assert expected > 0
    for path in (checkpoint, f"{checkpoint}.index", shard, checkpoint.parent):
        document = safeload.inspect(path)
        assert (document.format, document.parameters) == ("checkpoint", expected)
    (checkpoint.parent / "checkpoint").write_text(f'model_checkpoint_path: "{checkpoint.name}"\n')
    for path in (checkpoint.parent, checkpoint.parent / "checkpoint"):
        assert safeload.inspect(path).parameters == expected


def test_a_checkpoint_without_its_data(checkpoint: Path) -> None:
    for shard in checkpoint.parent.glob("*.data-*"):
        shard.unlink()
    with pytest.raises(safeload.CorruptedModelError, match="data is missing"):
        safeload.inspect(checkpoint)


def test_one_model_in_a_directory(tmp_path: Path) -> None:
    shutil.copy(HDF5, tmp_path / "m.h5")
    (tmp_path / "README.md").write_text("x")
    document = safeload.inspect(tmp_path)
    assert document.parameters > 0
    assert [f.name for f in document.findings] == ["model-inside"]
    shutil.copy(KERAS, tmp_path / "n.keras")
    with pytest.raises(safeload.UnsupportedFormatError, match="several models") as caught:
        safeload.inspect(tmp_path)
    assert "m.h5" in str(caught.value.hint)
    assert "n.keras" in str(caught.value.hint)


def test_directories_without_a_model_say_what_lies_there(tmp_path: Path) -> None:
    with pytest.raises(safeload.UnsupportedFormatError, match="is empty") as caught:
        safeload.inspect(tmp_path)
    assert caught.value.detected == "empty-directory"
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(safeload.UnsupportedFormatError, match=r"notes\.txt"):
        safeload.inspect(tmp_path)
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(safeload.UnsupportedFormatError, match="models lie below it") as caught:
        safeload.inspect(tmp_path)
    assert str(tmp_path / "1") in str(caught.value.hint)


def test_what_other_libraries_keep_in_directories(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(safeload.UnsupportedFormatError) as caught:
        safeload.inspect(tmp_path)
    assert caught.value.detected == "pytorch"


def test_a_part_of_a_saved_model(saved: Path) -> None:
    (saved / "saved_model.pb").unlink()
    with pytest.raises(safeload.UnsupportedFormatError, match=r"saved_model\.pb is missing"):
        safeload.inspect(saved)


def test_nothing_hangs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s.h5"))
        for path, detected in ((tmp_path / "pipe.h5", "fifo"), (tmp_path / "s.h5", "socket"), ("/dev/zero", "device")):
            with pytest.raises(safeload.UnsupportedFormatError) as caught:
                safeload.inspect(path)
            assert caught.value.detected == detected


def test_the_file_system_s_root_is_no_model() -> None:
    with pytest.raises(safeload.UnsupportedFormatError):
        safeload.inspect("/")
