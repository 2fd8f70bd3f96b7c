"""The main path: real sound through the real model, in real processes, with bad files among the good."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import soundfile
from conftest import REPOSITORY, Run

RECORDINGS = REPOSITORY / "samples" / "recordings"
TERRIBLE = "0085_20261103_102947_C1002.wav"


def rows(text: str) -> dict[str, dict]:
    return {row["id"]: row for row in map(json.loads, text.splitlines())}


@pytest.mark.usefixtures("speech_model")
def test_folder_with_a_call_and_everything_that_goes_wrong(run: Run, tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "录音 2026"
    folder.mkdir()
    shutil.copy(RECORDINGS / TERRIBLE, folder / TERRIBLE)
    shutil.copy(RECORDINGS / TERRIBLE, folder / "同一通.wav")
    rate = 8000
    clock = np.arange(12 * rate) / rate
    soundfile.write(folder / "0001_20261101_080000_silence.wav", np.zeros((len(clock), 2)), rate)
    soundfile.write(
        folder / "0001_20261101_080100_ringback.wav", 0.2 * np.sin(2 * np.pi * 450 * clock) * (clock % 5 < 1), rate
    )
    soundfile.write(
        folder / "0001_20261101_080200_noise.wav", np.random.default_rng(0).normal(0, 0.05, len(clock)), rate
    )
    soundfile.write(folder / "0001_20261101_080300_blip.wav", 0.3 * np.sin(clock[:1600]), rate)
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("不是录音" * 100)
    (folder / "random.mp3").write_bytes(np.random.default_rng(0).bytes(20_000))
    shutil.copy(REPOSITORY / "samples" / "坐席名册.xlsx", folder)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.iterdir()}

    done = run("audit", folder, "--json")

    assert done.returncode == 1, done.stderr
    found = rows(done.stdout)
    call = found["C1002"]
    assert call["veto"] == ["safety.advice"]
    assert call["score"] == 0
    assert call["agent_id"] == "0085"
    fails = {finding["rule_id"] for finding in call["findings"] if finding["verdict"] == "fail"}
    assert {"safety.advice", "attitude.forbidden_expression", "hangup.first"} <= fails
    for quiet in ("silence", "ringback", "noise", "blip"):
        assert found[quiet]["score"] is None
        assert found[quiet]["not_scored"]
        assert not [finding for finding in found[quiet]["findings"] if finding["verdict"] == "fail"]
    assert {row["error"]["code"] for row in found.values() if "error" in row} == {"empty_file", "not_audio"}
    assert len(found) == 8  # two names of one call are one call

    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.iterdir()} == before
    assert list((home / "spool").iterdir()) == []
    store = sqlite3.connect(home / "store.db")
    (names,) = store.execute("SELECT count(*) FROM sightings WHERE name IN (?, ?)", (TERRIBLE, "同一通.wav")).fetchone()
    assert names == 2
    shown = run("show", "同一通.wav").stdout
    assert "赵强" in shown
    assert "有本事" in shown

    book = openpyxl.load_workbook(home / "reports" / "质检成绩表.xlsx")
    assert not [cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.data_type == "f"]
    assert "C1002" in {str(cell.value) for sheet in book for line in sheet.iter_rows() for cell in line}
    assert "C1002" in (home / "reports" / "质检报告.html").read_text(encoding="utf-8")

    again = run("audit", folder, "--no-report")
    assert again.returncode == 1
    assert "本次新处理 0 通" in again.stdout


@pytest.mark.usefixtures("speech_model")
def test_limit_and_retry(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a.wav", "b.wav"):
        (tmp_path / "a" / name).write_bytes(b"not sound " + name.encode() * 100)
    assert "未能处理 1 个" in run("audit", tmp_path / "a", "--limit", 1, "--no-report").stdout
    assert "未能处理 2 个" in run("audit", tmp_path / "a", "--no-report").stdout
    status = run("status").stdout
    assert "失败 2" in status
    assert "不是音频" in status
    assert "已放回队列 1 个" in run("retry", "a.wav").stdout
    assert "待处理 1" in run("status").stdout


def test_missing_model_stops_before_the_first_file_and_fetches_nothing(run: Run, tmp_path: Path) -> None:
    done = run("audit", RECORDINGS, QA_MONITOR_MODELS=str(tmp_path / "none"))
    assert done.returncode == 2
    assert "qa-monitor models pull whisper-base" in done.stderr


@pytest.mark.usefixtures("speech_model")
def test_spoiled_model_stops_before_the_first_file(run: Run, tmp_path: Path) -> None:
    from qa_monitor.models import ModelRegistry

    shutil.copytree(ModelRegistry().path("whisper-base"), tmp_path / "models" / "whisper-base")
    weights = tmp_path / "models" / "whisper-base" / "model.bin"
    content = bytearray(weights.read_bytes())
    content[1000] ^= 0xFF
    weights.write_bytes(content)
    done = run("audit", RECORDINGS, QA_MONITOR_MODELS=str(tmp_path / "models"))
    assert done.returncode == 2
    assert "模型校验不符" in done.stderr


@pytest.mark.usefixtures("speech_model")
def test_gpu_that_is_not_there_is_said(run: Run) -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("this machine has a GPU")
    done = run("audit", RECORDINGS, "--device", "cuda")
    assert done.returncode == 2
    assert "没有可用的 GPU" in done.stderr or "GPU" in done.stderr


@pytest.mark.usefixtures("speech_model")
def test_doctor_finds_everything_well_and_names_what_is_not(run: Run, tmp_path: Path) -> None:
    assert "一切正常" in run("doctor").stdout
    done = run("doctor", QA_MONITOR_MODELS=str(tmp_path / "none"))
    assert done.returncode == 2
    assert "models pull" in done.stdout
