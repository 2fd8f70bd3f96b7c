"""Running the real command in a process of its own, as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
# Loaded by every Python process of the command, workers and decoder included: no address but this machine's answers.
NO_NETWORK = """
import os, socket
real = socket.socket.connect
def connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        with open(os.environ["CONNECT_LOG"], "a") as log:
            log.write(f"{address}\\n")
        raise OSError(101, "network blocked by the test")
    return real(self, address)
socket.socket.connect = connect
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def environment(tmp_path: Path, home: Path) -> dict[str, str]:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NO_NETWORK)
    return {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "site"),
        "CONNECT_LOG": str(tmp_path / "connects"),
        "QA_MONITOR_HOME": str(home),
        "PYTHONWARNINGS": "default",
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """`run("audit", folder)`; asserts afterwards that nothing tried to reach the network."""

    def call(*arguments: object, **changed: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "qa_monitor", *map(str, arguments)],
            env={**environment, **changed},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=170,
        )
        assert not (tmp_path / "connects").exists(), "the command tried to reach the network"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return call


def dialogue(call_id: str, *lines: str, **facts: str) -> dict[str, Any]:
    """`坐席：…` and `客户：…` lines as one dialogue object."""
    roles = {"坐席": "agent", "客户": "customer"}
    turns = [{"role": roles[line[:2]], "text": line[3:]} for line in lines]
    return {"id": call_id, **facts, "turns": turns}


GOOD = (
    "坐席：您好，国家电网，零零七一号为您服务，请问有什么可以帮您？",
    "客户：我家停电了，电话是幺三八零零零零幺二三四",
    "坐席：给您添麻烦了，我马上帮您登记，抢修师傅四十五分钟之内到，您看可以吗？",
    "客户：可以，谢谢",
    "坐席：请问您还有其他需要帮助的吗？",
    "客户：没有了",
    "坐席：感谢您的来电，再见",
)
BAD = (
    "坐席：喂，说",
    "客户：我们村口电线掉下来了，在冒火花",
    "坐席：急什么，户号报一下",
    "客户：我哪知道户号，你什么态度，我要投诉",
    "坐席：有本事你去投诉，我挂了",
)


def write_dialogues(path: Path, *dialogues: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in dialogues), encoding="utf-8")
    return path
