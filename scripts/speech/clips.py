"""Folders of clips (`manifest.jsonl`: id, audio, text, speaker) and calls spliced from them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speech.telephone import over_telephone, write_mu_law

RATE = 16_000
LEVEL = 0.08
VOICED_FRAMES = 10  # of 10 ms, as any syllable has: the noise of some clips has shorter peaks as loud


@dataclass(frozen=True)
class Clip:
    id: str
    path: Path
    text: str
    speaker: str

    def samples(self) -> NDArray[np.float64]:
        """(time,) −1..1 at 16 kHz."""
        import librosa

        return np.asarray(librosa.load(self.path, sr=RATE)[0], dtype=np.float64)


def read_clips(folder: Path) -> list[Clip]:
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    return [Clip(row["id"], folder / row["audio"], row["text"], row.get("speaker", "")) for row in rows]


def splice(agent: list[Clip], customer: list[Clip], path: Path, *, mono: bool, seed: int) -> None:
    """A call of alternating clips over a telephone line as a WAV at `path`, and its reference beside it (.json).

    Pauses between turns are 0.3 s short of to 2 s; one in ten is a hold; the customer is up to 8 dB louder or softer.
    """
    rng = np.random.default_rng(seed)
    gains = (1.0, 10 ** (rng.uniform(-8, 8) / 20))
    at_s, turns, sounds = 1.0, [], []
    for pair in zip(agent, customer, strict=False):
        for channel, clip in enumerate(pair):
            sound = _trimmed(clip.samples())
            sounds.append((channel, round(at_s * RATE), sound * (LEVEL / _level(sound)) * gains[channel]))
            end_s = at_s + len(sound) / RATE
            role = ("agent", "customer")[channel]
            turns.append({"role": role, "text": clip.text, "start_s": round(at_s, 3), "end_s": round(end_s, 3)})
            at_s = end_s + max(0.0 if mono else -0.3, float(rng.normal(0.5, 0.4)))
            if rng.random() < 0.1:
                at_s += float(rng.uniform(2, 6))
    lines = [np.zeros(round((at_s + 1) * RATE)) for _ in range(2)]
    for channel, start, sound in sounds:
        lines[channel][start : start + len(sound)] += sound
    if mono:
        lines = [lines[0] + lines[1]]
    write_mu_law(path, [over_telephone(line, seed * 2 + index) for index, line in enumerate(lines)])
    told = {"file": path.name, "seconds": round(len(lines[0]) / RATE, 2), "turns": turns}
    path.with_suffix(".json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def _trimmed(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without the silence at both ends, so that the reference times are those of the voice."""
    frames = sound[: len(sound) // 160 * 160].reshape(-1, 160)
    level_db = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    loud = level_db > level_db.max() - 20
    voiced = np.flatnonzero(np.convolve(loud, np.ones(VOICED_FRAMES), "valid") == VOICED_FRAMES)
    return sound[max(0, voiced[0] * 160 - 320) : (voiced[-1] + VOICED_FRAMES - 1) * 160 + 1600]


def _level(sound: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(sound**2))) + 1e-9
