"""How each turn was spoken: speed, loudness and pitch against the speaker's own median."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from qa_monitor.audio.sound import Sound
from qa_monitor.dialogue.pitch import frames_of, pitch_hz
from qa_monitor.records import Span, Turn, TurnProsody

RATE = 16_000
HOP = 256
FRAME = 512
LOWEST_HZ, HIGHEST_HZ = 70, 420
MIN_VOICED_S = 0.4
MAX_LISTENED_S = 12.0  # of a turn: its beginning tells enough, and long turns should not cost more
_HAN = re.compile(r"[㐀-䶿一-鿿]|\d")


def measure(
    turns: Sequence[Turn], channel_of: Mapping[str, int], voiced: Mapping[str, Sequence[Span]], sound: Sound
) -> tuple[TurnProsody, ...]:
    """One TurnProsody a turn with times; None where a turn is too short or not voiced."""
    import numpy as np

    raw: dict[int, tuple[float, float, float] | None] = {}
    for turn in turns:
        raw[turn.index] = _sound_of(turn, channel_of, sound)
    middles: dict[str, tuple[float, float]] = {}
    for speaker in {turn.speaker for turn in turns}:
        own = [values for turn in turns if turn.speaker == speaker and (values := raw[turn.index])]
        if own:
            pitched = [pitch for _, pitch, _ in own if not np.isnan(pitch)]
            middles[speaker] = (
                float(np.median([loud for loud, _, _ in own])),
                float(np.median(pitched)) if pitched else 0.0,
            )
    return tuple(
        _turn_prosody(turn, turns, raw[turn.index], middles, voiced) for turn in turns if turn.start_s is not None
    )


def _turn_prosody(
    turn: Turn,
    turns: Sequence[Turn],
    values: tuple[float, float, float] | None,
    middles: Mapping[str, tuple[float, float]],
    voiced: Mapping[str, Sequence[Span]],
) -> TurnProsody:
    import math

    spoken_s = _voiced_s(turn, voiced.get(turn.speaker, ()))
    characters = len(_HAN.findall(turn.text))
    rate = round(characters / spoken_s * 60, 1) if spoken_s >= MIN_VOICED_S and characters >= 2 else None
    loudness = pitch = spread = None
    if values is not None and turn.speaker in middles:
        loudness = round(values[0] - middles[turn.speaker][0], 1)
        if not math.isnan(values[1]):
            pitch, spread = round(values[1] - middles[turn.speaker][1], 1), round(values[2], 1)
    return TurnProsody(turn.index, rate, loudness, pitch, spread, _delay(turn, turns))


def _sound_of(turn: Turn, channel_of: Mapping[str, int], sound: Sound) -> tuple[float, float, float] | None:
    """(loudness dB, median pitch and 5–95 % range in semitones) of a turn's voiced frames."""
    import numpy as np

    if turn.start_s is None or turn.end_s is None or turn.end_s - turn.start_s < MIN_VOICED_S:
        return None
    end_s = min(turn.end_s, turn.start_s + MAX_LISTENED_S)
    samples = sound.read(channel_of.get(turn.speaker, 0), turn.start_s, end_s)
    slow = samples[: len(samples) // 2 * 2].reshape(-1, 2).mean(axis=1)  # 8 kHz is enough for pitch
    if len(slow) < FRAME * 2:
        return None
    frames = frames_of(slow, FRAME, HOP)
    level = np.sqrt(np.mean(frames**2, axis=1))
    loud = level >= max(1e-4, float(np.quantile(level, 0.5)))
    if not loud.any():
        return None
    loudness = float(20 * np.log10(np.sqrt(np.mean(level[loud] ** 2))))
    hertz = pitch_hz(frames[loud], RATE // 2, LOWEST_HZ, HIGHEST_HZ)
    kept = hertz[hertz < HIGHEST_HZ - 20]  # at the very top it is noise
    if len(kept) < 5:
        return loudness, float("nan"), float("nan")
    semitones = 12 * np.log2(kept / 55)
    low, middle, high = np.quantile(semitones, [0.05, 0.5, 0.95])
    return loudness, float(middle), float(high - low)


def _voiced_s(turn: Turn, spans: Sequence[Span]) -> float:
    if turn.start_s is None or turn.end_s is None:
        return 0.0
    shares = [min(turn.end_s, span.end_s) - max(turn.start_s, span.start_s) for span in spans]
    return sum(share for share in shares if share > 0) or max(0.0, turn.end_s - turn.start_s)


def _delay(turn: Turn, turns: Sequence[Turn]) -> float | None:
    """Seconds from the end of the turn before, when that was the other speaker's."""
    before = turns[turn.index - 1] if turn.index else None
    if before is None or before.speaker == turn.speaker or before.end_s is None or turn.start_s is None:
        return None
    return round(turn.start_s - before.end_s, 2)
