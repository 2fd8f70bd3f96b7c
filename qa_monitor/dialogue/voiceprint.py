"""Voice prints: CAM++ (`models/speaker_embedding`, Apache-2.0) over windows of speech, on onnxruntime."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from qa_monitor.audio.sound import Sound
from qa_monitor.records import Span
from qa_monitor.settings import resource_dir
from qa_monitor.shared import shared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000
SHIFT = 160  # samples between two feature frames: 10 ms
LENGTH = 400  # samples a feature frame sees: 25 ms
TRANSFORM = 512
BANDS = 80
LOWEST_HZ = 20
FRAME_S = 0.02  # the network joins two feature frames to one
WINDOW_FRAMES = 50  # 1 s: shorter prints are blurred, longer ones hold both voices
HOP_FRAMES = 12
LEAST_S = 0.2
CHUNK_S = 12.0  # the network sees this much at once, which bounds its memory


def voice_prints(sound: Sound, channel: int, spans: Iterable[Span]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """(prints : (windows, 192) of length 1, times : (windows, 2) in seconds) over voiced spans."""
    import numpy as np

    prints: list[NDArray[np.float32]] = [np.zeros((0, 192), dtype=np.float32)]
    times: list[NDArray[np.float64]] = [np.zeros((0, 2))]
    for span in _chunks(spans):
        samples = sound.read(channel, span.start_s, span.end_s)
        if len(samples) < LEAST_S * RATE:
            continue
        features = mel_bands(samples)
        starts, ends = _windows((len(features) + 1) // 2)
        inputs = {"features": features - features.mean(axis=0), "starts": starts, "ends": ends}
        prints.append(_session().run(None, inputs)[0])
        times.append(np.asarray(span.start_s + np.stack([starts, ends], axis=1) * FRAME_S, dtype=np.float64))
    return np.concatenate(prints), np.concatenate(times)


def mel_bands(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """samples : (time,) float32, −1..1, 16 kHz, at least 400 → (frames, 80) log energies as Kaldi computes them."""
    import numpy as np

    count = 1 + (len(samples) - LENGTH) // SHIFT
    places = np.arange(LENGTH)[None] + SHIFT * np.arange(count)[:, None]
    frames = samples.astype(np.float64)[places] * 32768
    frames -= frames.mean(axis=1, keepdims=True)
    frames -= 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft(frames * _window(), TRANSFORM)) ** 2
    return np.asarray(np.log(np.maximum(power @ _bands().T, np.finfo(np.float32).eps)), dtype=np.float32)


def _chunks(spans: Iterable[Span]) -> Iterable[Span]:
    for span in spans:
        parts = max(1, round(span.duration_s / CHUNK_S + 0.49))
        step = span.duration_s / parts
        for part in range(parts):
            yield Span(span.start_s + part * step, span.start_s + (part + 1) * step)


def _windows(frames: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and ends of the windows in `frames` network frames; the last ends where the speech ends."""
    import numpy as np

    if frames <= WINDOW_FRAMES:
        return np.array([0]), np.array([frames])
    starts = np.arange(0, frames - WINDOW_FRAMES + 1, HOP_FRAMES)
    if starts[-1] + WINDOW_FRAMES < frames:
        starts = np.append(starts, frames - WINDOW_FRAMES)
    return starts, starts + WINDOW_FRAMES


@shared
def _window() -> NDArray[np.float64]:
    import numpy as np

    return np.asarray((0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LENGTH) / (LENGTH - 1))) ** 0.85)  # Povey's


@shared
def _bands() -> NDArray[np.float64]:
    """(80, 257) triangles, evenly spaced and shaped on the mel scale."""
    import numpy as np

    def mel(hertz: Any) -> Any:
        return 1127 * np.log(1 + hertz / 700)

    edges = np.linspace(mel(LOWEST_HZ), mel(RATE / 2), BANDS + 2)
    points = mel(np.arange(TRANSFORM // 2) * RATE / TRANSFORM)
    rising = (points - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - points) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.pad(triangles, ((0, 0), (0, 1)))  # nothing is taken from the highest frequency itself


@shared
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the pool of workers fills the cores
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # it would keep the most that was ever needed
    model = resource_dir("models") / "speaker_embedding" / "campplus_zh_en.onnx"
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
