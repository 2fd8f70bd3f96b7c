"""Readers of the public sets (licences in the model card; none of their text is kept in this repository)."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qa_monitor.classifier.encoding import AGENT, CUSTOMER
from qa_monitor.training.examples import Example

NUGGETS = ("CNaN", "CNUG0", "CNUG", "CNUG*", "HNaN", "HNUG", "HNUG*")
WIKI_LEVELS = 5  # politeness 0 (rude) – 4 (polite)


def read_jsonl(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def role_number(role: str) -> int:
    return AGENT if role in ("agent", "helpdesk", "assistant", "system") else CUSTOMER


def read_dch1(file: Path) -> list[Example]:
    """DCH-1: votes of 19 readers on A, S and E (−2…2) and on the nugget type of every turn."""
    examples = []
    for row in read_jsonl(file):
        turns = _turns(row["turns"])
        call = {f"dch_{name}": share([vote + 2 for vote in row[name]], 5) for name in "ASE" if row.get(name)}
        turn: dict[str, tuple[tuple[float, ...] | None, ...]] = {}
        if row.get("nuggets"):
            votes = list(zip(*row["nuggets"], strict=True))
            turn["nugget"] = tuple(
                share([NUGGETS.index(vote) for vote in cast if vote in NUGGETS], len(NUGGETS)) for cast in votes
            )
        examples.append(Example(str(row["id"]), "dch1", turns, call=call, turn=turn))
    return examples


def read_wiki_politeness(file: Path, source: str = "wiki") -> list[Example]:
    """Havaldar et al. 2023: utterance, mean politeness 0–4; read in simplified characters."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    examples = []
    for number, row in enumerate(rows):
        label = row.get("labels")
        call = {"wiki": between(float(label), WIKI_LEVELS)} if label not in (None, "") else {}
        text = simplified(row["Utterance"])
        examples.append(Example(f"{source}-{number}", source, ((CUSTOMER, text),), call=call))
    return examples


def read_uss(file: Path) -> list[Example]:
    """USS/JDDC: satisfaction 0/1/2 of customer turns."""
    examples = []
    for row in read_jsonl(file):
        marks = tuple(
            None if turn.get("sat") is None else share([int(turn["sat"])], 3) if turn["role"] == "user" else None
            for turn in row["turns"]
        )
        examples.append(Example(str(row["id"]), "uss", _turns(row["turns"]), turn={"uss": marks}))
    return examples


def read_unlabelled(shared: Path) -> list[Example]:
    """Dialogues that only serve to get used to the language: shop chats, television, telephone transcripts."""
    found = [
        Example(f"jddc-{n}", "jddc", tuple((role_number(turn["role"]), turn["text"]) for turn in row["turns"]))
        for n, row in enumerate(read_jsonl(shared / "jddc_sample/dialogues.jsonl"))
    ]
    scenes: dict[str, list[tuple[str, str]]] = {}
    for file in sorted((shared / "cped").glob("*.csv")):
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                scenes.setdefault(row["Dialogue_ID"], []).append((row["Speaker"], row["Utterance"]))
    found += [
        Example(f"cped-{scene}", "cped", tuple((int(speaker != said[0][0]), text) for speaker, text in said))
        for scene, said in scenes.items()
    ]
    for n, row in enumerate(json.loads((shared / "mobilecs_examples/example.json").read_text(encoding="utf-8"))):
        turns = [(role, part[f"[SPEAKER {2 - role}]"]) for part in row["content"] for role in (1, 0)]
        found.append(Example(f"mobilecs-{n}", "mobilecs", tuple(turns)))
    return found


def _turns(rows: Sequence[dict[str, Any]]) -> tuple[tuple[int, str], ...]:
    return tuple((role_number(row["role"]), row["text"]) for row in rows)


def share(values: Sequence[int], size: int) -> tuple[float, ...]:
    """Share of each class among votes."""
    counts = Counter(values)
    return tuple(counts[value] / max(1, len(values)) for value in range(size))


def between(value: float, size: int) -> tuple[float, ...]:
    """The distribution over 0 … size−1 on the two neighbours of `value` whose mean is `value`."""
    value = min(size - 1.0, max(0.0, value))
    low = min(int(value), size - 2)
    return tuple(
        (1 - (value - low)) if level == low else (value - low) if level == low + 1 else 0.0 for level in range(size)
    )


def simplified(text: str) -> str:
    from opencc import OpenCC

    global _CONVERTER
    if _CONVERTER is None:
        _CONVERTER = OpenCC("t2s")
    return str(_CONVERTER.convert(text))


_CONVERTER: Any = None
