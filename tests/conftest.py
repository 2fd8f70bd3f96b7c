"""What all tests share. No test may open a connection to anywhere but this machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connect to an address that is not local fails the test that made it."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of labelled dialogues and real speech, which is not part of the repository; skips without it."""
    folder = Path(os.environ.get("QA_MONITOR_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("no shared data beside the repository (set QA_MONITOR_SHARED)")
    return folder


@pytest.fixture(scope="session")
def speech_model() -> None:
    """Skips, by name, where the speech model is not on this machine."""
    from qa_monitor.errors import QaMonitorError
    from qa_monitor.models import ModelRegistry

    try:
        ModelRegistry().path("whisper-base")
    except QaMonitorError:
        pytest.skip("the speech model whisper-base is not here (qa-monitor models pull)")
