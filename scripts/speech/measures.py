"""Figures of one call against its reference: words, who said them, when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa_monitor.records import Dialogue, Turn
from speech.text import comparable, errors

STEP_S = 0.01
ROLES = ("agent", "customer")


def by_speaker(turns: Sequence[Turn]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for turn in turns:
        texts[turn.speaker] = texts.get(turn.speaker, "") + comparable(turn.text)
    return texts


def cp_errors(reference: Mapping[str, str], heard: Mapping[str, str]) -> tuple[int, int]:
    """Errors of the concatenated texts of each speaker under the best assignment of speakers (cpCER)."""
    names, speakers = list(reference), list(heard)
    size = max(len(names), len(speakers))
    truths = [reference[name] for name in names] + [""] * (size - len(names))
    texts = [heard[speaker] for speaker in speakers] + [""] * (size - len(speakers))
    if size > 6:
        raise ValueError(f"{size} speakers: too many to try every assignment")
    wrong = min(
        sum(errors(truth, texts[place])[0] for truth, place in zip(truths, order, strict=True))
        for order in permutations(range(size))
    )
    return wrong, sum(map(len, truths))


def role_errors(reference: Mapping[str, str], turns: Sequence[Turn]) -> tuple[int, int]:
    """Errors of each role's text; what nobody's role is given counts as missing."""
    wrong = total = 0
    for role in ROLES:
        said = "".join(comparable(turn.text) for turn in turns if turn.role == role)
        missed, count = errors(reference.get(role, ""), said)
        wrong, total = wrong + missed, total + count
    return wrong, total


def role_words(told: Sequence[Mapping[str, Any]], turns: Sequence[Turn]) -> dict[str, tuple[int, int]]:
    """(right, all) words by whether one or both speak at that moment in the reference.

    Where both speak, a word counts when it stands in the text of just one of them.
    """
    counts = {"apart": [0, 0], "overlapped": [0, 0]}
    for turn in turns:
        for word in turn.words:
            middle_s = (word.start_s + word.end_s) / 2
            there = [one for one in told if one["start_s"] <= middle_s <= one["end_s"]]
            if not there:
                continue
            kind = "apart" if len({one["role"] for one in there}) == 1 else "overlapped"
            text = comparable(word.text)
            fits = {one["role"] for one in there if kind == "apart" or (text and text in comparable(one["text"]))}
            if len(fits) == 1:
                counts[kind][0] += turn.role in fits
                counts[kind][1] += 1
    return {kind: (right, total) for kind, (right, total) in counts.items()}


def diarization(told: Sequence[Mapping[str, Any]], dialogue: Dialogue, seconds: float) -> dict[str, float]:
    """Seconds of reference speech, and of them missed, falsely added, and given to the wrong speaker."""
    frames = round(seconds / STEP_S) + 1
    truth = _activity(((one["role"], one["start_s"], one["end_s"]) for one in told), frames)
    spans = (
        (turn.speaker, word.start_s, word.end_s) for turn in dialogue.turns for word in _joined(turn) if turn.words
    )
    found = _activity(spans, frames)
    names, speakers = list(truth), list(found)
    speech = sum(truth[name] for name in names)
    heard = sum((found[speaker] for speaker in speakers), np.zeros(frames))
    best = 0.0
    for order in permutations(range(max(len(names), len(speakers))), len(names)):
        pairs = [(name, speakers[place]) for name, place in zip(names, order, strict=True) if place < len(speakers)]
        best = max(best, sum(float(np.minimum(truth[a], found[b]).sum()) for a, b in pairs))
    return {
        "speech": float(speech.sum()) * STEP_S,
        "miss": float(np.maximum(0, speech - heard).sum()) * STEP_S,
        "false_alarm": float(np.maximum(0, heard - speech).sum()) * STEP_S,
        "confusion": (float(np.minimum(speech, heard).sum()) - best) * STEP_S,
    }


def turn_starts(told: Sequence[Mapping[str, Any]], turns: Sequence[Turn]) -> list[float]:
    """|heard − told| in seconds for every reference turn whose beginning was recognised: first word of a run."""
    found = []
    for one in told:
        words = [
            word.start_s
            for turn in turns
            if turn.role == one["role"]
            for word in turn.words
            if one["start_s"] - 1 <= word.start_s <= one["end_s"]
        ]
        before = [
            word.end_s
            for other in told
            if other is not one and other["role"] == one["role"]
            for word in _within(turns, other)
        ]
        own = [start for start in words if not any(abs(start - end) < STEP_S for end in before)]
        if own:
            found.append(abs(min(own) - one["start_s"]))
    return found


def _within(turns: Sequence[Turn], one: Mapping[str, Any]) -> list[Any]:
    return [
        word
        for turn in turns
        if turn.role == one["role"]
        for word in turn.words
        if one["start_s"] <= (word.start_s + word.end_s) / 2 <= one["end_s"]
    ]


def _joined(turn: Turn) -> list[Any]:
    """A turn's words with pauses under 0.3 s closed, as speech is counted."""
    from dataclasses import replace

    joined: list[Any] = []
    for word in turn.words:
        if joined and word.start_s - joined[-1].end_s < 0.3:
            joined[-1] = replace(joined[-1], end_s=max(joined[-1].end_s, word.end_s))
        else:
            joined.append(word)
    return joined


def _activity(spans: Any, frames: int) -> dict[str, NDArray[np.float64]]:
    active: dict[str, NDArray[np.float64]] = {}
    for name, start_s, end_s in spans:
        row = active.setdefault(name, np.zeros(frames))
        row[round(start_s / STEP_S) : max(round(start_s / STEP_S) + 1, round(end_s / STEP_S))] = 1
    return active
