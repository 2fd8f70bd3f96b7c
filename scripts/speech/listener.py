"""Files through the product's own stages, outside a store."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from qa_monitor.audio.decoder import Decoder
from qa_monitor.dialogue.build import build_dialogue
from qa_monitor.models import ModelRegistry
from qa_monitor.recordings import identify, walk
from qa_monitor.records import AudioInfo, CallFacts, Dialogue, Transcript
from qa_monitor.settings import RecordingSettings, Settings
from qa_monitor.transcript.transcribe import load, transcribe


class Listener:
    """Decodes, transcribes and parts files; counts the seconds each took. A context manager; threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.wall_s = self.audio_s = 0.0
        self._spool = tempfile.TemporaryDirectory()
        self._decoder = Decoder(settings.audio, Path(self._spool.name))
        self.engine = load(settings.transcript, settings.rules_dir, ModelRegistry())

    def hear(self, path: Path) -> tuple[AudioInfo, Transcript, Dialogue]:
        started = time.perf_counter()
        (file,) = walk([path], RecordingSettings())
        with self._decoder.open(identify(file)) as audio:
            text = transcribe(audio, self.engine, self.settings.transcript, self.settings.rules_dir)
            dialogue = build_dialogue(text, audio, CallFacts(), self.settings.dialogue)
            info = audio.info
        self.wall_s += time.perf_counter() - started
        self.audio_s += info.duration_s
        return info, text, dialogue

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._decoder.close()
        self._spool.cleanup()


def cpu_s() -> float:
    """CPU seconds of this process and its ended children."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
