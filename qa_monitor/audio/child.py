"""The decoder's process: reads one request a line, decodes under its limits, answers one line. Knows nothing else.

    python -m qa_monitor.audio.child MEMORY_MB

Requests and answers are JSON; errors travel as (class name, what, where, hint).
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import resource
import signal
import sys
from pathlib import Path

from qa_monitor import errors
from qa_monitor.audio.decode import decode
from qa_monitor.errors import DiskFull, OutOfMemory, QaMonitorError
from qa_monitor.records import Recording, dump
from qa_monitor.settings import AudioSettings

ADDRESS_SPACE_SLACK_MB = 3072  # what the interpreter and its libraries map without using


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit = (int(sys.argv[1]) + ADDRESS_SPACE_SLACK_MB) << 20
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Answers go over the original stdout; anything a library prints goes to stderr.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(_answer(json.loads(line))) + "\n")
        answers.flush()


def _answer(request: dict[str, str | int | dict[str, object]]) -> dict[str, object]:
    settings = AudioSettings.model_validate(request["settings"])
    recording = Recording(
        sha256=str(request["sha256"]),
        path=base64.b64decode(str(request["path"])),
        name=str(request["name"]),
        size_bytes=int(str(request["size_bytes"])),
        mtime_ns=int(str(request["mtime_ns"])),
    )
    try:
        return {"info": dump(decode(recording, settings, Path(str(request["spool"])))).decode()}
    except QaMonitorError as error:
        return _error(error)
    except MemoryError:
        return _error(
            OutOfMemory("解码这个文件超出内存上限", where=recording.name, hint="可调高配置 audio.decode_memory_mb")
        )
    except OSError as error:
        return _error(
            DiskFull(f"解码时写临时文件失败（{error.strerror}）", where=str(request["spool"]), hint="请清理磁盘")
        )


def _error(error: QaMonitorError) -> dict[str, object]:
    return {"error": [type(error).__name__, error.what, error.where, error.hint]}


def rebuild(parts: list[str]) -> QaMonitorError:
    """The error that a child's answer stands for."""
    kind = getattr(errors, parts[0])
    error: QaMonitorError = kind(parts[1], where=parts[2], hint=parts[3])
    return error


if __name__ == "__main__":
    main()
