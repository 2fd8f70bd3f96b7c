"""One file to 16 kHz float32 channels on disk, streaming, with everything odd about it noted.

Runs inside the decoder's child process: FFmpeg may crash here without harm. Memory does not grow with the length.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from qa_monitor.audio.activity import RATE, VoiceActivity
from qa_monitor.audio.container import EXPECTED, FORMATS, RAW_ENDINGS, RiffHeader, looks_like_text, read_riff
from qa_monitor.audio.levels import SAME_ABOVE, SILENT_DBFS, Levels, Relation
from qa_monitor.errors import EmptyFile, Incomplete, NoSound, NotAudio, RawAudio, TooLong, TooManyChannels, Unreadable
from qa_monitor.recordings import ending_of, open_regular, sha256_of
from qa_monitor.records import AudioInfo, ChannelInfo, ChannelLayout, Note, Recording, Span
from qa_monitor.settings import AudioSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_S = 20.0
GAP_S = 0.25  # a jump in the file's own clock longer than this is lost sound
LEAST_HEARD_THROUGH_S = 0.5
MISSING_SHARE = 0.02


@dataclass(slots=True)
class _Decoded:
    """What the loop over packets found."""

    codec: str = ""
    container: str = ""
    rate: int = 0
    channels: int = 0
    samples: int = 0  # at 16 kHz
    bad_packets: int = 0
    lost_s: float = 0.0
    claimed_s: float | None = None


def decode(recording: Recording, settings: AudioSettings, spool: Path) -> AudioInfo:
    """Decode `recording` into `spool`.0.f32, `spool`.1.f32 (one file a channel kept) and describe it.

    Raises a RecordingError naming what is wrong.
    """
    if recording.size_bytes == 0:
        raise EmptyFile("文件为 0 字节", where=recording.name, hint="请检查录音系统是否正常写入")
    try:
        descriptor = open_regular(recording.path)
    except OSError as error:
        raise Unreadable(f"{error.strerror}", where=recording.name, hint="请检查文件权限") from error
    with os.fdopen(descriptor, "rb") as stream:
        if sha256_of(recording.path) != recording.sha256:
            raise Unreadable("内容在处理期间被改动", where=recording.name, hint="写完后重新运行同一命令即可")
        head = stream.read(4096)
        if looks_like_text(head):
            raise NotAudio(
                "内容是文字（可能是播放列表、日志或表格）", where=recording.name, hint="请放入真正的录音文件"
            )
        riff = read_riff(stream, recording.size_bytes)
        if riff is not None and riff.present_bytes == 0:
            raise NoSound("只有文件头，没有声音数据", where=recording.name, hint="请检查录音系统；这通电话可能没有录上")
        sink = _Sink(spool)
        try:
            found = _decode_stream(stream, recording, settings, sink)
            return _describe(found, sink, riff, recording, settings)
        except Exception:
            sink.discard()
            raise


class _Sink:
    """Receives blocks of (channel, time) and writes, measures and listens to each channel as it goes."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self.paths: list[Path] = []
        self.levels: list[Levels] = []
        self.activity: list[VoiceActivity] = []
        self.relation = Relation()
        self._listeners = ThreadPoolExecutor(2, thread_name_prefix="voice")  # a channel each: most of decoding's time
        self._files: list[IO[bytes]] = []
        self._held: list[NDArray[Any]] = []  # a packet each: what can be done to many at once waits for `flush`
        self._held_samples = 0

    def open(self, channels: int) -> None:
        self.paths = [self._spool.with_name(f"{self._spool.name}.{index}.f32") for index in range(channels)]
        self._files = [path.open("wb") for path in self.paths]
        self.levels = [Levels() for _ in range(channels)]
        self.activity = [VoiceActivity() for _ in range(channels)]

    def write(self, block: NDArray[Any]) -> None:
        self._held.append(block)
        self._held_samples += block.shape[1]
        if self._held_samples >= BLOCK_S * RATE:
            self.flush()

    def silence(self, samples: int) -> None:
        """Keep the clock true over sound that could not be decoded."""
        import numpy as np

        while samples > 0:
            part = min(samples, int(BLOCK_S * RATE))
            self.write(np.zeros((len(self.paths), part), dtype=np.float32))
            samples -= part

    def flush(self) -> None:
        import numpy as np

        if not self._held:
            return
        block = np.concatenate(self._held, axis=1).astype(np.float32, copy=False)
        block = np.clip(np.nan_to_num(block, copy=False), -1.0, 1.0)
        self._held, self._held_samples = [], 0
        for index, samples in enumerate(block):
            self._files[index].write(samples.tobytes())
            self.levels[index].feed(samples)
        list(self._listeners.map(VoiceActivity.feed, self.activity, block))
        if len(block) == 2:
            self.relation.feed(block[0], block[1])

    def close(self) -> None:
        self.flush()
        self._listeners.shutdown()
        for file in self._files:
            file.close()

    def discard(self) -> None:
        self._listeners.shutdown()
        for file in self._files:
            file.close()
        for path in self.paths:
            path.unlink(missing_ok=True)


def _decode_stream(stream: IO[bytes], recording: Recording, settings: AudioSettings, sink: _Sink) -> _Decoded:
    import av
    import av.container
    from av.error import FFmpegError

    raw = _is_raw(recording)
    if raw and not settings.raw_codec:
        raise RawAudio(
            "没有文件头，无法知道编码和采样率", where=recording.name,
            hint='请在配置 [audio] 中写明 raw_codec（如 "pcm_s16le"）、raw_rate、raw_channels',
        )  # fmt: skip
    try:
        if raw:
            options = {
                "ar": str(settings.raw_rate),
                "sample_rate": str(settings.raw_rate),
                "ac": str(settings.raw_channels),
            }
            container = av.open(stream, format=_raw_format(settings.raw_codec), options=options)
        else:
            container = av.open(stream, options={"format_whitelist": FORMATS, "protocol_whitelist": ""})
    except (FFmpegError, ValueError, OSError) as error:
        raise NotAudio(
            f"不能作为音频打开（{_reason(error)}）", where=recording.name, hint="请确认文件是录音且未损坏"
        ) from error
    with container:
        if not container.streams.audio:
            raise NotAudio("里面没有音频", where=recording.name, hint="请确认文件是录音")
        assert isinstance(container, av.container.InputContainer)
        audio = container.streams.audio[0]
        context = audio.codec_context
        found = _Decoded(context.name, container.format.name.split(",")[0], context.rate or 0, context.channels or 0)
        if container.duration:
            found.claimed_s = container.duration / 1e6
        if found.claimed_s and found.claimed_s > settings.max_hours * 3600:
            raise _too_long(found.claimed_s, recording, settings)
        if found.channels > 2:
            raise TooManyChannels(
                f"有 {found.channels} 个声道", where=recording.name, hint="请导出为单声道或双声道（坐席、客户各一声道）"
            )
        _read_packets(container, audio, found, sink, recording, settings)
    sink.close()
    if not found.samples:
        raise NoSound("没有解出任何声音", where=recording.name, hint="文件可能已损坏；请检查录音系统")
    return found


def _read_packets(
    container: Any, audio: Any, found: _Decoded, sink: _Sink, recording: Recording, settings: AudioSettings
) -> None:
    """Every packet that decodes; those that do not are counted, and the clock stays that of the file."""
    from av.audio.resampler import AudioResampler
    from av.error import EOFError as AvEOFError
    from av.error import FFmpegError

    resampler: AudioResampler | None = None
    first_s: float | None = None
    packets = container.demux(audio)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, AvEOFError):
            break
        except FFmpegError:
            found.bad_packets += 1
            break
        try:
            frames = packet.decode()
        except FFmpegError:
            found.bad_packets += 1
            continue
        for frame in frames:
            channels = len(frame.layout.channels)
            if resampler is None:
                found.rate, found.channels = frame.sample_rate, channels
                resampler = AudioResampler(format="fltp", layout="mono" if channels == 1 else "stereo", rate=RATE)
                sink.open(min(2, channels))
            if frame.time is not None:
                first_s = frame.time if first_s is None else first_s
                ahead_s = frame.time - first_s - found.samples / RATE
                if ahead_s > GAP_S and found.bad_packets:
                    sink.silence(int(ahead_s * RATE))
                    found.samples += int(ahead_s * RATE)
                    found.lost_s += ahead_s
            _write(resampler.resample(frame), found, sink)
            if found.samples > settings.max_hours * 3600 * RATE:
                raise _too_long(found.samples / RATE, recording, settings)
    if resampler is not None:
        _write(resampler.resample(None), found, sink)


def _write(frames: list[Any], found: _Decoded, sink: _Sink) -> None:
    for frame in frames:
        block = frame.to_ndarray()
        sink.write(block)
        found.samples += block.shape[1]


def _describe(
    found: _Decoded, sink: _Sink, riff: RiffHeader | None, recording: Recording, settings: AudioSettings
) -> AudioInfo:
    duration_s = found.samples / RATE
    claimed_s = riff.claimed_s if riff is not None else found.claimed_s
    notes = _notes(found, riff, duration_s, claimed_s, recording)
    if claimed_s and duration_s < claimed_s * settings.min_complete_share:
        raise Incomplete(
            f"应有 {claimed_s:.1f} 秒，只有 {duration_s:.1f} 秒", where=recording.name,
            hint=f"不足 {settings.min_complete_share:.0%}，不评分；请重新导出，或调低 audio.min_complete_share",
        )  # fmt: skip
    voiced, through_s = _voiced(sink.activity, duration_s)
    channels = [
        ChannelInfo(
            index=index,
            level_dbfs=round(levels.level_dbfs, 1),
            snr_db=None if levels.snr_db is None else round(levels.snr_db, 1),
            clipped_share=round(levels.clipped_share, 5),
            voiced=spans,
        )
        for index, (levels, spans) in enumerate(zip(sink.levels, voiced, strict=True))
    ]
    if through_s >= LEAST_HEARD_THROUGH_S:
        notes.append(Note("heard_through", f"{through_s:.1f} 秒是另一声道串过来的声音，不转写"))
    layout, inverted, kept = _layout(channels, sink.relation.correlation)
    for index, path in enumerate(sink.paths):
        if index not in kept:
            path.unlink(missing_ok=True)
    if layout == "dual_mono":
        notes.append(Note("dual_mono", "两个声道是同一声音" + ("（反相）" if inverted else "") + "，按单声道处理"))
    elif layout == "one_silent":
        notes.append(Note("one_silent", f"{'右' if kept[0] == 0 else '左'}声道没有声音，只用另一声道"))
    return AudioInfo(
        duration_s=round(duration_s, 3),
        claimed_s=None if claimed_s is None else round(claimed_s, 3),
        source_rate=found.rate,
        source_channels=found.channels,
        codec=found.codec,
        container=found.container,
        layout=layout,
        inverted=inverted,
        channels=tuple(channels[index] for index in kept),
        notes=tuple(notes),
    )


def _voiced(activity: list[VoiceActivity], duration_s: float) -> tuple[list[tuple[Span, ...]], float]:
    """Voiced spans of every channel; seconds left out of them because only the other channel is heard through."""
    if len(activity) == 1:
        return [activity[0].spans(duration_s)], 0.0
    left, right = activity
    found = [left.spans_beside(right, duration_s), right.spans_beside(left, duration_s)]
    return [spans for spans, _ in found], sum(through_s for _, through_s in found)


def _layout(channels: list[ChannelInfo], correlation: float) -> tuple[ChannelLayout, bool, list[int]]:
    """(layout, inverted, indices of the channels worth keeping)."""
    if len(channels) == 1:
        return "mono", False, [0]
    loudest = max(range(2), key=lambda index: channels[index].level_dbfs)
    if channels[1 - loudest].level_dbfs <= SILENT_DBFS and not channels[1 - loudest].voiced:
        return "one_silent", False, [loudest]
    if abs(correlation) >= SAME_ABOVE:
        return "dual_mono", correlation < 0, [loudest]
    return "stereo", False, [0, 1]


def _notes(
    found: _Decoded, riff: RiffHeader | None, duration_s: float, claimed_s: float | None, recording: Recording
) -> list[Note]:
    notes = []
    if riff is not None and riff.size_is_junk:
        notes.append(Note("header_size", f"文件头没有写明长度（录音程序可能中途退出），按实际 {duration_s:.1f} 秒处理"))
    elif claimed_s and duration_s < claimed_s * (1 - MISSING_SHARE) - 0.1:
        notes.append(Note("truncated", f"录音不完整：{duration_s:.1f}/{claimed_s:.1f} 秒"))
    if found.bad_packets:
        lost = f"，丢失约 {found.lost_s:.1f} 秒" if found.lost_s else ""
        notes.append(Note("damaged", f"{found.bad_packets} 个数据块损坏{lost}，其余照常", found.bad_packets))
    ending = ending_of(recording.path)
    expected = EXPECTED.get(ending)
    if expected and found.container not in expected:
        notes.append(Note("wrong_ending", f"扩展名是 {ending.decode()}，实际是 {found.container}，已照实际格式处理"))
    return notes


def _is_raw(recording: Recording) -> bool:
    return ending_of(recording.path) in RAW_ENDINGS


def _raw_format(codec: str) -> str:
    """FFmpeg's name of the raw format that carries a codec."""
    return {"pcm_s16le": "s16le", "pcm_s16be": "s16be", "pcm_alaw": "alaw", "pcm_mulaw": "mulaw", "pcm_u8": "u8"}.get(
        codec, codec
    )


def _too_long(seconds: float, recording: Recording, settings: AudioSettings) -> TooLong:
    return TooLong(
        f"长 {seconds / 3600:.1f} 小时，超过上限 {settings.max_hours:g} 小时", where=recording.name,
        hint="请切分录音，或调高配置 audio.max_hours",
    )  # fmt: skip


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).split(";")[0][:100]
