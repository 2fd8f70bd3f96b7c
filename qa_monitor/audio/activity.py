"""Voice activity: Silero's network (shipped with faster-whisper) over a stream, a block at a time."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from qa_monitor.records import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000
FRAME = 512  # samples the network looks at: 32 ms
CONTEXT = 64  # samples of the frame before, which it also wants
START_AT = 0.5
GO_ON_ABOVE = 0.35
MIN_SPEECH_S = 0.2
MIN_SILENCE_S = 0.4
PAD_S = 0.12
# A channel's own voice is not so much softer than both the other channel and itself at other times: that is the other
# side heard through. It may come a few frames later than there.
UNDER_OTHER_DB = 25.0
UNDER_OWN_DB = 20.0
OWN_LEVEL = 0.98  # quantile over voiced frames: a side may speak little
LATER = 4


class VoiceActivity:
    """Feed samples as they come; `spans` gives the voiced stretches. Memory: 8 bytes every 32 ms."""

    def __init__(self) -> None:
        import numpy as np

        self._session = _session()
        self._h = np.zeros((1, 1, 128), dtype=np.float32)
        self._c = np.zeros((1, 1, 128), dtype=np.float32)
        self._context = np.zeros(CONTEXT, dtype=np.float32)
        self._left = np.zeros(0, dtype=np.float32)
        self._probabilities: list[NDArray[np.float32]] = []
        self._levels_db: list[NDArray[np.float32]] = []

    def feed(self, samples: NDArray[np.float32]) -> None:
        """samples : (time,) float32, −1..1, 16 000 Hz, following on from the last."""
        import numpy as np

        held = np.concatenate([self._left, samples])
        whole = len(held) // FRAME * FRAME
        self._left = held[whole:]
        if whole:
            self._run(held[:whole])

    def _run(self, held: NDArray[np.float32]) -> None:
        import numpy as np

        frames = held.reshape(-1, FRAME)
        before = np.vstack([self._context[None], frames[:-1, -CONTEXT:]])
        self._context = frames[-1, -CONTEXT:].copy()
        inputs = {"input": np.hstack([before, frames]).astype(np.float32), "h": self._h, "c": self._c}
        out, self._h, self._c = self._session.run(None, inputs)
        self._probabilities.append(np.asarray(out, dtype=np.float32).reshape(-1))
        self._levels_db.append(10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-10))

    def spans(self, duration_s: float) -> tuple[Span, ...]:
        """Voiced stretches, padded a little, joined where the pause is short, inside 0..duration."""
        return _spans(self._frames()[0], duration_s)

    def spans_beside(self, other: VoiceActivity, duration_s: float) -> tuple[tuple[Span, ...], float]:
        """The same without stretches in which only the other channel is heard through; how many seconds that took."""
        import numpy as np

        probabilities, levels_db = self._frames()
        through = _heard_through(probabilities, levels_db, other._frames()[1])
        own = _spans(np.where(through, 0.0, probabilities), duration_s)
        if not through.any():
            return own, 0.0
        return own, _seconds(_spans(probabilities, duration_s)) - _seconds(own)

    def _frames(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probability of a voice and level of every frame, the last one filled up with silence."""
        import numpy as np

        if len(self._left):
            self._run(np.concatenate([self._left, np.zeros(FRAME - len(self._left), dtype=np.float32)]))
            self._left = np.zeros(0, dtype=np.float32)
        nothing = np.zeros(0, dtype=np.float32)
        return np.concatenate([nothing, *self._probabilities]), np.concatenate([nothing, *self._levels_db])


def _spans(probabilities: NDArray[np.float32], duration_s: float) -> tuple[Span, ...]:
    joined = _join(_hysteresis(probabilities), MIN_SILENCE_S)
    long_enough = [(start, end) for start, end in joined if end - start >= MIN_SPEECH_S]
    padded = [(max(0.0, start - PAD_S), min(duration_s, end + PAD_S)) for start, end in long_enough]
    return tuple(Span(round(start, 3), round(end, 3)) for start, end in _join(padded, 0.0) if end > start)


def _seconds(spans: tuple[Span, ...]) -> float:
    return sum(span.duration_s for span in spans)


def _heard_through(
    probabilities: NDArray[np.float32], own_db: NDArray[np.float32], other_db: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """The frames in which the other channel drowns this one, and this one's own voice is not heard."""
    import numpy as np

    voiced = own_db[probabilities >= START_AT]
    if not len(voiced):
        return np.zeros(len(own_db), dtype=np.bool_)
    padded = np.pad(other_db, (LATER, 0), constant_values=-100.0)[: len(own_db) + LATER]
    loudest_db = np.lib.stride_tricks.sliding_window_view(padded, LATER + 1).max(axis=1)
    under_other = own_db < loudest_db - UNDER_OTHER_DB
    return np.asarray(under_other & (own_db < np.quantile(voiced, OWN_LEVEL) - UNDER_OWN_DB))


def _hysteresis(probabilities: NDArray[np.float32]) -> list[tuple[float, float]]:
    """Speech begins above one threshold and goes on above a lower one."""
    step = FRAME / RATE
    spans = []
    start: float | None = None
    for index, probability in enumerate(probabilities.tolist()):
        if start is None and probability >= START_AT:
            start = index * step
        elif start is not None and probability < GO_ON_ABOVE:
            spans.append((start, index * step))
            start = None
    if start is not None:
        spans.append((start, len(probabilities) * step))
    return spans


def _join(spans: list[tuple[float, float]], gap_s: float) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start, end in spans:
        if joined and start - joined[-1][1] <= gap_s:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    model = next(
        item for item in files("faster_whisper").joinpath("assets").iterdir() if item.name.startswith("silero_vad")
    )
    return onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"], sess_options=options)
