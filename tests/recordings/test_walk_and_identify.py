"""Finding recordings: nothing outside the folder, nothing that is not a file, every name survived (FAULTS 15–22)."""

from __future__ import annotations

import os
import socket
import threading
import time
import tracemalloc
from pathlib import Path

import pytest

from qa_monitor.errors import StillGrowing, Unreadable
from qa_monitor.recordings import Found, display_name, identify, sha256_of, walk
from qa_monitor.settings import RecordingSettings

SETTINGS = RecordingSettings()


def names(root: Path, settings: RecordingSettings = SETTINGS) -> list[str]:
    return [found.name for found in walk([root], settings)]


def test_pipes_sockets_devices_and_folders_in_disguise_are_passed_by_without_blocking(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "folder.wav" / "inside.wav").write_bytes(b"x")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "socket.wav"))
    (tmp_path / "real.wav").write_bytes(b"x")
    started = time.monotonic()
    walker = walk([tmp_path], SETTINGS)
    assert sorted(found.name for found in walker) == ["inside.wav", "real.wav"]
    assert walker.report.skipped["special"] == 2
    assert time.monotonic() - started < 2
    listening.close()


def test_hashing_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "late.wav")  # became a pipe after the walk saw it
    with pytest.raises(Unreadable):
        identify(Found(os.fsencode(tmp_path / "late.wav"), "late.wav", 1, 0))


def test_links_are_counted_and_not_followed_and_loops_end(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.wav").write_bytes(b"s")
    root = tmp_path / "root"
    root.mkdir()
    (root / "own.wav").write_bytes(b"o")
    (root / "file.wav").symlink_to(outside / "secret.wav")
    (root / "dir").symlink_to(outside)
    (root / "loop").symlink_to(root)
    walker = walk([root], SETTINGS)
    assert [found.name for found in walker] == ["own.wav"]
    assert walker.report.skipped["link"] == 3
    followed = names(root, RecordingSettings(follow_symlinks=True))
    assert sorted(followed) == ["file.wav", "own.wav", "secret.wav"]


def test_zip_is_counted_with_a_hint_and_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("a.zip", "notes.txt", "b.wav"):
        (tmp_path / name).write_bytes(b"x")
    walker = walk([tmp_path], SETTINGS)
    assert [found.name for found in walker] == ["b.wav"]
    (note,) = walker.report.notes()
    assert "压缩包未打开" in note.message


@pytest.mark.parametrize(
    "name",
    [
        "with space.wav",
        "😀.wav",
        "引号“'\".wav",
        "-rf.wav",
        "=cmd|calc.wav",
        "..wav",
        "a" * 251 + ".wav",
        "nfd\u0301.wav",
    ],
)
def test_odd_names_work(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"sound")
    (found,) = walk([tmp_path], SETTINGS)
    assert identify(found).sha256 == sha256_of(os.fsencode(tmp_path / name))


def test_names_are_shown_with_controls_and_direction_overrides_escaped() -> None:
    assert display_name("a\nb\u202egnp.wav".encode()) == "a\\x0ab\\u202egnp.wav"


def test_gbk_bytes_as_a_file_name_are_read_and_shown(tmp_path: Path) -> None:
    raw = os.path.join(os.fsencode(tmp_path), "录音一.wav".encode("gbk"))
    with open(raw, "wb") as stream:
        stream.write(b"sound")
    (found,) = walk([tmp_path], SETTINGS)
    assert found.path == raw
    assert found.name == "录音一.wav"
    assert identify(found).size_bytes == 5


def test_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked.wav").write_bytes(b"x")
    (found,) = walk([tmp_path], SETTINGS)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Unreadable, match=r"locked\.wav"):
        identify(found)


def test_vanished_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "gone.wav").write_bytes(b"x")
    (found,) = walk([tmp_path], SETTINGS)
    (tmp_path / "gone.wav").unlink()
    with pytest.raises(Unreadable, match=r"gone\.wav"):
        identify(found)


def test_growing_file_is_left_for_later_and_taken_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "growing.wav"
    path.write_bytes(b"begin")
    (found,) = walk([tmp_path], SETTINGS)
    writer = threading.Timer(0.1, lambda: path.write_bytes(b"begin and more"))
    writer.start()
    with pytest.raises(StillGrowing, match="还在变化"):
        identify(found, settle_s=0.4)
    writer.join()
    (again,) = walk([tmp_path], SETTINGS)
    assert identify(again, settle_s=0.1).size_bytes == 14


def test_same_content_under_two_names_is_one_identity_and_new_content_another(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"one")
    (tmp_path / "b.wav").write_bytes(b"one")
    first, second = (identify(found) for found in walk([tmp_path], SETTINGS))
    assert first.sha256 == second.sha256
    (tmp_path / "a.wav").write_bytes(b"two")
    changed, _ = (identify(found) for found in walk([tmp_path], SETTINGS))
    assert changed.sha256 != first.sha256


def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path) -> None:
    for folder in range(40):
        (tmp_path / f"{folder:02d}").mkdir()
        for file in range(250):
            (tmp_path / f"{folder:02d}" / f"{file}.wav").touch()
    tracemalloc.start()
    counted = sum(1 for _ in walk([tmp_path], SETTINGS))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counted == 10_000
    assert peak < 2_000_000
