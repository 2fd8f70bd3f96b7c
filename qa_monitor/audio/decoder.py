"""Decoding outside this process: a child that may crash, hang or eat its memory without harm to the batch."""

from __future__ import annotations

import base64
import json
import os
import selectors
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from qa_monitor.audio.activity import RATE
from qa_monitor.audio.child import rebuild
from qa_monitor.errors import DecoderCrashed, Unreadable
from qa_monitor.records import AudioInfo, Recording, load
from qa_monitor.settings import AudioSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_BYTES = 4


class Audio:
    """Decoded sound, on disk: `info` describes it, `read` gives a slice. Use as a context manager."""

    def __init__(self, info: AudioInfo, spool: Path) -> None:
        self.info = info
        self._paths = [spool.with_name(f"{spool.name}.{channel.index}.f32") for channel in info.channels]

    def read(self, channel: int, start_s: float, end_s: float) -> NDArray[np.float32]:
        """samples : (time,) float32, −1..1, 16 000 Hz, of the `channel`-th entry of `info.channels`; cut at the ends."""
        import numpy as np

        start = max(0, round(start_s * RATE))
        count = max(0, round(end_s * RATE) - start)
        return np.fromfile(self._paths[channel], dtype=np.float32, count=count, offset=start * SAMPLE_BYTES)

    def close(self) -> None:
        for path in self._paths:
            path.unlink(missing_ok=True)

    def __enter__(self) -> Audio:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Decoder:
    """Owns the child process, starts it when first needed and replaces it when it dies. Threads take turns."""

    def __init__(self, settings: AudioSettings, spool_dir: Path) -> None:
        self._settings = settings
        self._spool_dir = spool_dir
        self._child: subprocess.Popen[str] | None = None
        self._busy = threading.Lock()
        spool_dir.mkdir(parents=True, exist_ok=True)
        self._sweep()

    def open(self, recording: Recording) -> Audio:
        """Decode. Raises the RecordingError that describes what is wrong; DecoderCrashed after two tries."""
        with self._busy:
            return self._open(recording)

    def _open(self, recording: Recording) -> Audio:
        reason = ""
        for _ in range(2):
            spool = self._spool_dir / f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
            try:
                return self._decode(recording, spool)
            except _ChildFailed as failure:
                reason = str(failure)
                self._stop_child()
                for leftover in self._spool_dir.glob(f"{spool.name}.*"):
                    leftover.unlink(missing_ok=True)
        raise DecoderCrashed(
            f"解码进程{reason}（已重试一次）", where=recording.name, hint="文件可能已损坏；其余录音不受影响"
        )

    def close(self) -> None:
        self._stop_child()

    def _decode(self, recording: Recording, spool: Path) -> Audio:
        if not os.path.exists(recording.path):
            raise Unreadable("文件已被移走或删除", where=recording.name, hint="放回原处后重新运行同一命令即可")
        answer = self._ask(
            {
                "path": base64.b64encode(os.path.abspath(recording.path)).decode(),
                "sha256": recording.sha256,
                "name": recording.name,
                "size_bytes": recording.size_bytes,
                "mtime_ns": recording.mtime_ns,
                "spool": str(spool.resolve()),
                "settings": self._settings.model_dump(),
            }
        )
        if "error" in answer:
            raise rebuild(answer["error"])
        return Audio(load(AudioInfo, answer["info"]), spool)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        child = self._running_child()
        stdin, stdout = _pipes(child)
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
        except OSError as error:
            raise _ChildFailed("意外退出") from error
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(self._settings.decode_timeout_s):
                raise _ChildFailed(f"超过 {self._settings.decode_timeout_s:g} 秒没有结果")
        line = stdout.readline()
        if not line:
            raise _ChildFailed(f"意外退出（{child.wait()}）")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _running_child(self) -> subprocess.Popen[str]:
        if self._child is None or self._child.poll() is not None:
            command = [sys.executable, "-m", "qa_monitor.audio.child", str(self._settings.decode_memory_mb)]
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
        return self._child

    def _stop_child(self) -> None:
        if self._child is None:
            return
        self._child.kill()
        self._child.wait()
        for pipe in _pipes(self._child):
            pipe.close()
        self._child = None

    def _sweep(self) -> None:
        """Remove decoded sound left behind by processes that are gone."""
        import psutil

        for leftover in self._spool_dir.glob("*.f32"):
            owner = leftover.name.split("-")[0]
            if owner.isdigit() and not psutil.pid_exists(int(owner)):
                leftover.unlink(missing_ok=True)


class _ChildFailed(Exception):
    """The child died or did not answer in time."""


def _pipes(child: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert child.stdin is not None
    assert child.stdout is not None
    return child.stdin, child.stdout
