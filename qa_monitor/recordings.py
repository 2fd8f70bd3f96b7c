"""Finding recordings in folders, safely, and knowing each by its content.

The walk streams: a million files need no more memory than ten. Only regular files are ever opened; links that lead out
of the folder, pipes, devices and directories in disguise are counted and passed by.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qa_monitor.errors import StillGrowing, Unreadable
from qa_monitor.records import Note, Recording
from qa_monitor.settings import RecordingSettings

AUDIO_ENDINGS = frozenset(
    b"wav wave mp3 mp2 m4a aac amr awb gsm ogg oga opus flac wma g729 g722 g723 g726 vox pcm raw al alaw ul ulaw au snd "
    b"aif aiff aifc mp4 webm mka mkv mov 3gp 3g2 ra caf w64 rf64 adpcm ape m3u8 m3u".split()
)
ARCHIVE_ENDINGS = frozenset(b"zip rar 7z gz tgz tar".split())
HASH_CHUNK = 1 << 20
SKIP_NAMES = {
    "link": "符号链接未跟随",
    "loop": "重复或循环的目录未进入",
    "special": "管道、设备等特殊文件未打开",
    "archive": "压缩包未打开，请先解压",
    "other": "非录音文件未处理",
    "folder": "目录无法进入",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate file as the walk saw it."""

    path: bytes
    name: str
    size_bytes: int
    mtime_ns: int

    def again(self) -> Found:
        """The same file as it is now. Raises Unreadable when it is gone."""
        try:
            info = os.stat(self.path)
        except OSError as error:
            raise Unreadable(f"{error.strerror}", where=self.name, hint="请检查文件是否已被移走") from error
        return Found(self.path, self.name, info.st_size, info.st_mtime_ns)

    def as_recording(self, sha256: str) -> Recording:
        return Recording(sha256, self.path, self.name, self.size_bytes, self.mtime_ns)


@dataclass(slots=True)
class WalkReport:
    """What the walk passed by, and why."""

    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def skip(self, why: str, path: bytes) -> None:
        self.skipped[why] += 1
        self.examples.setdefault(why, display_name(os.path.basename(path)))

    def notes(self) -> list[Note]:
        return [
            Note(f"skipped_{why}", f"{SKIP_NAMES[why]}：{count} 个（如 {self.examples[why]}）", count)
            for why, count in sorted(self.skipped.items())
            if why != "other"
        ]


class Walk:
    """Iterate for every candidate below `roots`, folder by folder in order of name; `report` fills as it goes."""

    def __init__(self, roots: Sequence[Path], settings: RecordingSettings) -> None:
        self.report = WalkReport()
        self._roots = [os.fsencode(root) for root in roots]
        self._follow = settings.follow_symlinks
        self._seen: set[tuple[int, int]] = set()

    def __iter__(self) -> Iterator[Found]:
        for root in self._roots:
            if os.path.isdir(root):
                yield from self._folder(root)
            elif (found := self._candidate(root)) is not None:
                yield found

    def _folder(self, top: bytes) -> Iterator[Found]:
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            try:
                here = os.stat(folder)
                with os.scandir(folder) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
            except OSError:
                self.report.skip("folder", folder)
                continue
            if (here.st_dev, here.st_ino) in self._seen:
                self.report.skip("loop", folder)
                continue
            self._seen.add((here.st_dev, here.st_ino))
            below = []
            for entry in entries:
                if entry.is_symlink() and not self._follow:
                    self.report.skip("link", entry.path)
                elif entry.is_dir():
                    below.append(entry.path)
                elif (found := self._candidate(entry.path)) is not None:
                    yield found
            waiting.extend(reversed(below))

    def _candidate(self, path: bytes) -> Found | None:
        ending = ending_of(path)
        try:
            info = os.stat(path) if self._follow else os.lstat(path)
        except OSError:
            return Found(path, display_name(os.path.basename(path)), 0, 0)  # reported when it is identified
        if not stat.S_ISREG(info.st_mode):
            self.report.skip("special" if ending in AUDIO_ENDINGS else "other", path)
            return None
        if ending not in AUDIO_ENDINGS:
            self.report.skip("archive" if ending in ARCHIVE_ENDINGS else "other", path)
            return None
        return Found(path, display_name(os.path.basename(path)), info.st_size, info.st_mtime_ns)


def ending_of(path: bytes) -> bytes:
    """What follows the last dot of a file's name, lower case; empty when there is no dot."""
    _, dot, ending = os.path.basename(path).rpartition(b".")
    return ending.lower() if dot else b""


def walk(roots: Sequence[Path], settings: RecordingSettings) -> Walk:
    """The candidates below `roots`."""
    return Walk(roots, settings)


def identify(found: Found, settle_s: float = 0.0) -> Recording:
    """Hash a file's content. Raises Unreadable, or StillGrowing when it changed while it was read or lately.

    A file written to within the last `settle_s` seconds is watched until it is that old.
    """
    age_s = time.time() - found.mtime_ns / 1e9
    if 0 <= age_s < settle_s:
        time.sleep(settle_s - age_s)
    try:
        before = os.stat(found.path)
        sha256 = sha256_of(found.path)
        after = os.stat(found.path)
    except OSError as error:
        raise Unreadable(f"{error.strerror}", where=found.name, hint="请检查文件权限，或文件是否已被移走") from error
    states = {(info.st_size, info.st_mtime_ns) for info in (before, after)} | {(found.size_bytes, found.mtime_ns)}
    if len(states) > 1:
        raise StillGrowing("大小或时间还在变化，本次未处理", where=found.name, hint="写完后重新运行同一命令即可")
    return Recording(sha256, found.path, found.name, after.st_size, after.st_mtime_ns)


def open_regular(path: bytes) -> int:
    """A read-only descriptor of a regular file; never blocks on a pipe, never follows a link at the end of the path."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "不是普通文件")
    return descriptor


def sha256_of(path: bytes) -> str:
    digest = hashlib.sha256()
    with os.fdopen(open_regular(path), "rb") as stream:
        while chunk := stream.read(HASH_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def display_name(name: bytes) -> str:
    """A file name as text that is safe to show: best decoding, direction overrides and control characters escaped."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = name.decode("gb18030")
        except UnicodeDecodeError:
            text = name.decode("utf-8", "backslashreplace")
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return f"\\u{ord(character):04x}" if ord(character) > 0xFF else f"\\x{ord(character):02x}"
    return character
