#!/usr/bin/env python3
"""What one command costs: a folder of recordings through `qa-monitor audit`, and text dialogues through `audit-text`.

    python bench/bench_audit.py [FOLDER]     default samples/recordings

Prints wall time against the length of the recordings, the peak memory of the whole process tree (sampled every 50 ms),
the time of a second run that has nothing to do, and the time of 500 text dialogues made from the reference texts of the
samples. Every run starts from an empty store. Needs the speech model.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import av
import psutil

ROOT = Path(__file__).resolve().parent.parent
TEXTS = 500


class PeakMemory(threading.Thread):
    """Highest sum of resident memory over a process and all that it started; shared pages are counted once each."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.process, self.peak_bytes, self.members = process, 0, 0

    def run(self) -> None:
        while self.process.is_running():
            total = count = 0
            try:
                for member in [self.process, *self.process.children(recursive=True)]:
                    total += member.memory_info().rss
                    count += 1
            except psutil.Error:
                continue  # one of them has just ended
            if total > self.peak_bytes:
                self.peak_bytes, self.members = total, count
            time.sleep(0.05)


def run(arguments: list[str], home: Path) -> tuple[float, PeakMemory]:
    started = time.perf_counter()
    command = [sys.executable, "-m", "qa_monitor", *arguments]
    process = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    memory = PeakMemory(psutil.Process(process.pid))
    memory.start()
    _, told = process.communicate()
    if process.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{told}")
    return time.perf_counter() - started, memory


def text_dialogues(path: Path) -> int:
    references = sorted((ROOT / "samples" / "reference").glob("*.json"))
    calls = [json.loads(file.read_text(encoding="utf-8"))["turns"] for file in references]
    with path.open("w", encoding="utf-8") as out:
        for index in range(TEXTS):
            turns = [{"role": turn["role"], "text": turn["text"]} for turn in calls[index % len(calls)]]
            turns[-1]["text"] += f"（第{index}通）"  # the same words twice would be one call
            out.write(json.dumps({"id": f"t{index}", "turns": turns}, ensure_ascii=False) + "\n")
    return sum(len(call) for call in calls) * TEXTS // len(calls)


def seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        return sum(frame.samples for frame in container.decode(audio=0)) / container.streams.audio[0].rate


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "samples" / "recordings").resolve()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        wall_s, memory = run(["audit", str(folder)], home)
        again_s, _ = run(["audit", str(folder)], home)
    audio_s = sum(map(seconds, folder.iterdir()))
    print(f"recordings: {audio_s:.0f} s of audio in {wall_s:.1f} s, {audio_s / wall_s:.1f} x real time")
    print(f"peak memory of the process tree: {memory.peak_bytes / 1e6:.0f} MB in {memory.members} processes")
    print(f"second run, nothing new: {again_s:.1f} s")
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        turns = text_dialogues(home / "dialogues.jsonl")
        wall_s, memory = run(["audit-text", "dialogues.jsonl", "--out", "results.jsonl"], home)
    print(f"text: {TEXTS} dialogues, {turns} turns in {wall_s:.1f} s; peak memory {memory.peak_bytes / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
