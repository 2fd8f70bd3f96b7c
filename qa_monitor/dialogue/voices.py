"""Telling two voices apart on one channel: how each stretch sounds, in two groups, or one when they do not part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from qa_monitor.records import Span, Utterance, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000
MIN_STRETCH_S = 0.6
PART_AT_PAUSE_S = 0.25
MIN_SEPARATION = 0.18  # mean silhouette under which there is one voice
UNSURE_BELOW = 0.02  # a stretch whose own silhouette is lower is nobody's
COEFFICIENTS = 20


class Sound(Protocol):
    def read(self, channel: int, start_s: float, end_s: float) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words said in one breath: part of an utterance."""

    utterance: Utterance
    words: tuple[Word, ...]

    @property
    def span(self) -> Span:
        return Span(self.words[0].start_s, max(self.words[-1].end_s, self.words[0].start_s + 0.02))


def stretches(utterance: Utterance) -> list[Stretch]:
    """An utterance cut where a sentence ends or the voice pauses: a speaker rarely changes anywhere else."""
    found: list[Stretch] = []
    held: list[Word] = []
    for index, word in enumerate(utterance.words):
        held.append(word)
        following = utterance.words[index + 1] if index + 1 < len(utterance.words) else None
        stops = word.text.strip()[-1:] in ("。", "？", "！", "?", "!", "，", ",")
        pauses = following is not None and following.start_s - word.end_s > PART_AT_PAUSE_S
        long_enough = word.end_s - held[0].start_s >= MIN_STRETCH_S
        if following is None or ((stops or pauses) and long_enough):
            found.append(Stretch(utterance, tuple(held)))
            held = []
    return found


def speakers(parts: Sequence[Stretch], sound: Sound, channel: int, most: int) -> list[str]:
    """`spk0`, `spk1` … for each stretch, in order of first appearance; `unknown` where it could be either."""
    import numpy as np

    if len(parts) < 2 or most < 2:
        return ["spk0"] * len(parts)
    features = np.stack([_voice(sound.read(channel, part.span.start_s, part.span.end_s)) for part in parts])
    lengths = np.array([part.span.duration_s for part in parts])
    weights = np.clip(lengths, 0.3, 3.0)
    centre = np.average(features, axis=0, weights=weights)
    spread = np.sqrt(np.average((features - centre) ** 2, axis=0, weights=weights)) + 1e-6
    points = (features - centre) / spread
    groups = _two_groups(points, weights)
    silhouettes = _silhouettes(points, groups)
    if float(np.average(silhouettes, weights=weights)) < MIN_SEPARATION:
        return ["spk0"] * len(parts)
    names: dict[int, str] = {}
    for group in groups.tolist():
        names.setdefault(group, f"spk{len(names)}")
    return [
        names[group] if silhouette >= UNSURE_BELOW else "unknown"
        for group, silhouette in zip(groups.tolist(), silhouettes.tolist(), strict=True)
    ]


def _voice(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """What a voice sounds like: means and spreads of cepstra, and its pitch (weighted, for it parts voices best)."""
    import librosa
    import numpy as np

    padded = np.pad(samples, (0, max(0, 2048 - len(samples))))
    cepstra = librosa.feature.mfcc(
        y=padded, sr=RATE, n_mfcc=COEFFICIENTS, n_fft=512, hop_length=160, fmin=100, fmax=3600
    )
    loud = cepstra[0] >= np.median(cepstra[0])
    kept = cepstra[1:, loud] if loud.any() else cepstra[1:]
    pitch = _pitch(padded)
    return np.concatenate([kept.mean(axis=1), 0.5 * kept.std(axis=1), np.full(6, pitch)])


def _pitch(samples: NDArray[np.float32]) -> float:
    """Median pitch in semitones over 55 Hz; 0 where nothing is voiced."""
    import librosa
    import numpy as np

    slow = samples[: len(samples) // 2 * 2].reshape(-1, 2).mean(axis=1)
    hertz = librosa.yin(slow, fmin=70, fmax=420, sr=RATE // 2, frame_length=512, hop_length=160)
    level = librosa.feature.rms(y=slow, frame_length=512, hop_length=160)[0]
    size = min(len(hertz), len(level))
    good = (level[:size] >= np.quantile(level, 0.5)) & (hertz[:size] < 400)
    return float(12 * np.log2(np.median(hertz[:size][good]) / 55)) if good.any() else 0.0


def _two_groups(points: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Two-means from the two ends of the main direction of difference; the same points give the same groups."""
    import numpy as np

    _, _, directions = np.linalg.svd(points * np.sqrt(weights)[:, None], full_matrices=False)
    groups = (points @ directions[0] > 0).astype(np.int64)
    for _ in range(50):
        if groups.min() == groups.max():
            break
        centres = np.stack([np.average(points[groups == g], axis=0, weights=weights[groups == g]) for g in (0, 1)])
        nearest = ((points[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        if (nearest == groups).all():
            break
        groups = np.asarray(nearest, dtype=np.int64)
    return np.asarray(groups, dtype=np.int64)


def _silhouettes(points: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much nearer each point is to its own group than to the other, −1 … 1."""
    import numpy as np

    if groups.min() == groups.max():
        return np.zeros(len(points))
    distances = np.sqrt(np.maximum(0, ((points[:, None] - points[None]) ** 2).sum(axis=2)))
    found = np.zeros(len(points))
    for index, group in enumerate(groups):
        own = groups == group
        inside = distances[index, own].sum() / max(1, own.sum() - 1)
        outside = distances[index, ~own].mean()
        found[index] = (outside - inside) / max(inside, outside, 1e-9) if own.sum() > 1 else 0.0
    return found
