"""Writing a report whole or not at all: into a folder beside the target, then put in its place."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qa_monitor.errors import DiskFull, QaMonitorError, ReportNotWritten

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """A new empty folder beside `target`, removed afterwards; what is to be kept is moved out with `put_in_place`.

    Raises DiskFull or ReportNotWritten for what the file system refuses; the file that was there before stays.
    """
    with refused(target):
        folder = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=target.parent))
    try:
        with refused(target):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def refused(target: Path) -> Iterator[None]:
    """Turns what the file system refuses while `target` is written into our errors."""
    try:
        yield
    except OSError as error:
        raise as_ours(error, target) from error


def as_ours(error: OSError, target: Path) -> QaMonitorError:
    """The error to show for a file system's refusal."""
    kept = "原有文件未改动" if target.exists() else "没有留下不完整的文件"
    if error.errno in NO_SPACE:
        return DiskFull(f"写报告时磁盘空间不足，{kept}", where=str(target), hint="清理磁盘后运行 qa-monitor report")
    reason = "文件正被其他程序（如 Excel）打开，或没有写权限" if isinstance(error, PermissionError) else error.strerror
    return ReportNotWritten(
        f"{reason or error}，{kept}",
        where=str(target),
        hint="关闭打开它的程序或检查目录后，运行 qa-monitor report（成绩单用 scoresheet）重新生成，可加 --out 另存到别处",
    )


def put_in_place(made: Path, target: Path) -> None:
    """Move a finished file or folder over `target`; a folder's old content is removed once the new one stands."""
    if not made.is_dir():
        os.replace(made, target)
        return
    if not target.exists():
        os.replace(made, target)
        return
    old = made.parent / "old"  # inside the staging folder, so it goes when that does
    os.replace(target, old)
    os.replace(made, target)
