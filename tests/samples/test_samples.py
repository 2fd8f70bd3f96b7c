"""The samples are what README says: enough calls, trades of trouble, formats and faults, and all of them fit together."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import av
import pytest
import yaml

from qa_monitor.agents.roster import read_roster
from qa_monitor.tables import read_table

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
RECORDINGS = sorted((SAMPLES / "recordings").iterdir())
CALLS = yaml.safe_load((SAMPLES / "dialogues.yaml").read_text(encoding="utf-8"))


def told(call_id: str) -> dict:
    return json.loads((SAMPLES / "reference" / f"{call_id}.json").read_text(encoding="utf-8"))


def test_there_are_enough_of_every_kind() -> None:
    assert len(RECORDINGS) >= 12
    assert sum(file.stat().st_size for file in SAMPLES.rglob("*") if file.is_file()) < 15_000_000
    assert len({call["business"] for call in CALLS}) >= 8
    assert {call["grade"] for call in CALLS} >= {"good", "middling", "terrible"}
    kinds = Counter(("mono" if "mono" in call["format"] else "stereo") for call in CALLS)
    assert min(kinds.values()) >= 3


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.name)
def test_every_recording_has_its_reference(file: Path) -> None:
    (call,) = [call for call in CALLS if call["file"] == file.name]
    reference = told(call["id"])
    with av.open(str(file)) as container:
        seconds = sum(frame.samples for frame in container.decode(audio=0)) / container.streams.audio[0].rate
    assert 40 <= seconds <= 120
    assert seconds == pytest.approx(reference["seconds"], abs=0.3)
    assert [turn["text"] for turn in reference["turns"]]
    assert all(0 <= turn["start_s"] < turn["end_s"] <= seconds + 0.3 for turn in reference["turns"])


def test_formats_are_those_of_the_field() -> None:
    codecs = Counter()
    for file in RECORDINGS:
        with av.open(str(file)) as container:
            codecs[container.streams.audio[0].codec_context.name] += 1
    assert codecs["pcm_mulaw"] >= 3
    assert len(codecs) >= 5


def test_tables_name_the_recordings_and_the_agents() -> None:
    sidecar = read_table(SAMPLES / "通话清单.csv")
    listed = {row.cells["录音文件"] for row in sidecar.rows}
    names = {file.name for file in RECORDINGS}
    assert listed < names
    assert len(names - listed) == 1, "one recording is left out on purpose: it shows up as unmatched"
    agents = {agent.agent_id for agent in read_roster(SAMPLES / "坐席名册.xlsx").agents}
    assert {row.cells["工号"] for row in sidecar.rows} <= agents


def test_transcripts_are_the_same_calls() -> None:
    lines = (SAMPLES / "transcripts.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["id"] for row in rows] == sorted(call["id"] for call in CALLS)
    for row in rows:
        assert [turn["text"] for turn in row["turns"]] == [turn["text"] for turn in told(row["id"])["turns"]]
