"""Stages that need no model, for testing the machinery around them; run as a program, a worker that dies on request.

    python simple_stages.py HOME KILL_AT

works on every queued text job with these stages and kills itself (SIGKILL) at its KILL_AT-th checkpoint. Checkpoints
lie before and after each stage's work, inside its commit and after it. Exit status 0 means it was not reached.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from qa_monitor import pipeline, worker
from qa_monitor.pipeline import Stage, Toolbox, Work
from qa_monitor.records import (
    CallFacts,
    CallScore,
    Dialogue,
    Finding,
    Findings,
    ModelScores,
    Recording,
    Turn,
)
from qa_monitor.settings import load_settings
from qa_monitor.store import jobs, results
from qa_monitor.store.store import Store

PROFILE = "simple"


def _dialogue(work: Work) -> Dialogue:
    return Dialogue((Turn(0, "agent", "您好"), Turn(1, "customer", (work.source or b"").decode())))


def _model(_: Work) -> ModelScores:
    return ModelScores(
        "测试", "1", 3.0, (), (), "partial", {"resolved": 0.2, "partial": 0.6, "unresolved": 0.2}, 1, 3.0
    )


def _findings(_: Work) -> Findings:
    return Findings("r1", (Finding("a.b", "1", "名", "服务规范", "minor", "fail", 0.9, "因为"),))


def _score(_: Work) -> CallScore:
    return CallScore("卡", "1", 80.0, (), (), "100 − 20 = 80")


def stages() -> tuple[Stage, ...]:
    def plain(_tools: Toolbox, _facts: CallFacts) -> Any:
        return None

    return (
        Stage("dialogue", "1", (), Dialogue, plain, _dialogue),
        Stage("model", "1", ("dialogue",), ModelScores, plain, _model),
        Stage("findings", "1", ("dialogue",), Findings, plain, _findings),
        Stage("score", "1", ("model", "findings"), CallScore, plain, _score),
    )


def install() -> None:
    """Make these the stages of text dialogues in this process."""
    pipeline.STAGES["text"] = stages()  # type: ignore[index]


def target(sha256: str) -> str:
    return pipeline.keys_for("text", sha256, CallFacts(), Toolbox(load_settings(Path("."))))[-1][1].settings_hash


def enqueue(store: Store, number: int) -> list[str]:
    """Queue `number` little dialogues; their hashes."""
    names = [f"{index:064x}" for index in range(1, number + 1)]
    with store.write() as connection:
        for name in names:
            recording = Recording(name, f"/d/{name}".encode(), name, 10, 1)
            results.register(connection, recording, "text", CallFacts(call_id=name), b"text of " + name.encode())
            jobs.enqueue(connection, name, target(name), PROFILE, CallFacts(call_id=name))
    return names


def make_worker(store: Store, home: Path, stopping: threading.Event) -> worker.Worker:
    return worker.Worker(store, Toolbox(load_settings(home)), "text", PROFILE, stopping)


class Checkpoints:
    """Counts checkpoints and kills this process at the chosen one."""

    def __init__(self, kill_at: int) -> None:
        self.left = kill_at

    def reached(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function: Any) -> Any:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.reached()
            value = function(*args, **kwargs)
            self.reached()
            return value

        return wrapped


def main(home: Path, kill_at: int) -> None:
    install()
    points = Checkpoints(kill_at)
    results.save = points.around(results.save)
    jobs.hold = points.around(jobs.hold)
    jobs.lease_next = points.around(jobs.lease_next)
    pipeline.STAGES["text"] = tuple(  # type: ignore[index]
        Stage(s.name, s.version, s.requires, s.produces, s.settings, points.around(s.run)) for s in stages()
    )
    store = Store.open(load_settings(home).store_url)
    no_more = threading.Event()
    no_more.set()
    for _ in make_worker(store, home, threading.Event()).run(no_more):
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
