"""Bad and odd audio, each with its own message; good audio in every telephone codec (FAULTS 1–5, 7–12, 14, 18, 24)."""

from __future__ import annotations

import struct
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from qa_monitor.audio import child, decode
from qa_monitor.audio.decoder import Audio, Decoder
from qa_monitor.errors import (
    DecoderCrashed,
    EmptyFile,
    Incomplete,
    NoSound,
    NotAudio,
    RawAudio,
    TooLong,
    TooManyChannels,
    Unreadable,
)
from qa_monitor.recordings import identify, walk
from qa_monitor.records import Recording
from qa_monitor.settings import AudioSettings, RecordingSettings

RATE = 8000


def tone(seconds: float, hertz: float = 300.0, rate: int = RATE) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decoder]:
    made = Decoder(AudioSettings(), tmp_path_factory.mktemp("spool"))
    yield made
    made.close()


def recording(path: Path) -> Recording:
    (found,) = walk([path], RecordingSettings())
    return identify(found)


def opened(decoder: Decoder, path: Path) -> Audio:
    return decoder.open(recording(path))


# --- bad ---------------------------------------------------------------------------------------------------------------


def test_empty_file(decoder: Decoder, tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    with pytest.raises(EmptyFile, match="0 字节"):
        opened(decoder, tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.wav", b"this is a text file, not sound\n" * 50),
        ("gbk.wav", "这是一份文字记录，不是录音。".encode("gbk") * 50),
        ("random.mp3", np.random.default_rng(1).bytes(40_000)),
        ("sheet.wav", b"PK\x03\x04" + bytes(5000)),
        ("list.m3u8", b"#EXTM3U\nhttp://example.invalid/a.mp3\n"),
    ],
)
def test_what_is_not_audio_says_so(decoder: Decoder, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NotAudio, match=name.split(".")[0]):
        opened(decoder, tmp_path / name)


def test_a_play_list_in_disguise_opens_no_other_file(decoder: Decoder, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "other.wav", tone(3), RATE)
    for name, content in (
        ("concat.wav", f"ffconcat version 1.0\nfile '{tmp_path}/other.wav'\n"),
        ("hls.wav", f"#EXTM3U\n#EXTINF:3,\n{tmp_path}/other.wav\n#EXT-X-ENDLIST\n"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(NotAudio):
            opened(decoder, tmp_path / name)
        # Even where the first look is fooled, FFmpeg is not let near a format that opens files.
        with (tmp_path / name).open("rb") as stream, pytest.raises(NotAudio):
            decode._decode_stream(stream, recording(tmp_path / name), AudioSettings(), decode._Sink(tmp_path / "s"))


def test_header_only(decoder: Decoder, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
    with pytest.raises(NoSound, match="只有文件头"):
        opened(decoder, tmp_path / "a.wav")


def test_mostly_missing_is_refused_and_partly_missing_is_noted(decoder: Decoder, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "whole.wav", tone(8), RATE)
    whole = (tmp_path / "whole.wav").read_bytes()
    (tmp_path / "quarter.wav").write_bytes(whole[: len(whole) // 4])
    with pytest.raises(Incomplete, match=r"应有 8\.0 秒，只有 2\.0 秒"):
        opened(decoder, tmp_path / "quarter.wav")
    (tmp_path / "most.wav").write_bytes(whole[: len(whole) * 3 // 4])
    with opened(decoder, tmp_path / "most.wav") as audio:
        (note,) = [note for note in audio.info.notes if note.code == "truncated"]
        assert "6.0/8.0 秒" in note.message


def test_recorder_that_crashed_before_writing_the_size(decoder: Decoder, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(4), RATE)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    (tmp_path / "a.wav").write_bytes(content)
    with opened(decoder, tmp_path / "a.wav") as audio:
        assert audio.info.duration_s == pytest.approx(4, abs=0.05)
        assert [note.code for note in audio.info.notes] == ["header_size"]


def test_hole_in_an_mp3_keeps_the_clock(decoder: Decoder, tmp_path: Path) -> None:
    marks = np.concatenate([tone(4), np.zeros(4 * RATE), tone(4, 1000)])
    soundfile.write(tmp_path / "a.mp3", marks, RATE, format="MP3")
    content = bytearray((tmp_path / "a.mp3").read_bytes())
    third = len(content) // 3
    content[third + 2000 : third + 4000] = b"\x55" * 2000
    (tmp_path / "a.mp3").write_bytes(content)
    with opened(decoder, tmp_path / "a.mp3") as audio:
        late = audio.read(0, audio.info.duration_s - 2, audio.info.duration_s)
        spectrum = np.abs(np.fft.rfft(late))
        assert np.argmax(spectrum) * 16000 / len(late) == pytest.approx(1000, abs=20)
        assert audio.info.duration_s > 10


def test_raw_audio_needs_a_declared_codec(tmp_path: Path) -> None:
    (tmp_path / "a.pcm").write_bytes((tone(3) * 32767).astype("<i2").tobytes())
    plain = Decoder(AudioSettings(), tmp_path / "s1")
    with pytest.raises(RawAudio, match="raw_codec"):
        opened(plain, tmp_path / "a.pcm")
    plain.close()
    told = Decoder(AudioSettings(raw_codec="pcm_s16le", raw_rate=RATE), tmp_path / "s2")
    with opened(told, tmp_path / "a.pcm") as audio:
        assert audio.info.duration_s == pytest.approx(3, abs=0.05)
    told.close()


def test_too_many_channels_and_too_long(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "four.wav", np.stack([tone(2)] * 4, 1), RATE)
    soundfile.write(tmp_path / "long.wav", tone(10), RATE)
    strict = Decoder(AudioSettings(max_hours=5 / 3600), tmp_path / "spool")
    with pytest.raises(TooManyChannels, match="4 个声道"):
        opened(strict, tmp_path / "four.wav")
    with pytest.raises(TooLong, match="超过上限"):
        opened(strict, tmp_path / "long.wav")
    strict.close()


def test_file_changed_or_gone_between_identity_and_decoding(decoder: Decoder, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(3), RATE)
    known = recording(tmp_path / "a.wav")
    soundfile.write(tmp_path / "a.wav", tone(3, 500), RATE)
    with pytest.raises(Unreadable, match="被改动"):
        decoder.open(known)
    (tmp_path / "a.wav").unlink()
    with pytest.raises(Unreadable, match="移走"):
        decoder.open(known)


@pytest.mark.parametrize("how", ["os.kill(os.getpid(), 11)", "time.sleep(60)", "bytearray(20 << 30)"])
def test_decoder_that_dies_hangs_or_eats_memory_harms_nobody(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real child process whose decode misbehaves on one file and works on the next."""
    script = tmp_path / "bad_child.py"
    script.write_text(
        "import os, sys, time\nfrom qa_monitor.audio import child\nreal = child.decode\n"
        f"def decode(recording, *rest):\n    if 'bad' in recording.name: {how}\n    return real(recording, *rest)\n"
        "child.decode = decode\nchild.main()\n"
    )
    soundfile.write(tmp_path / "bad.wav", tone(2), RATE)
    soundfile.write(tmp_path / "good.wav", tone(2), RATE)
    made = Decoder(AudioSettings(decode_timeout_s=3.0, decode_memory_mb=256), tmp_path / "spool")
    import subprocess

    real = subprocess.Popen

    def start(command: list[str], **rest: object) -> object:
        swapped = [command[0], str(script), command[-1]] if "qa_monitor.audio.child" in command else command
        return real(swapped, **rest)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(Exception, match=r"bad\.wav") as raised:
        opened(made, tmp_path / "bad.wav")
    assert raised.type.__name__ in ("DecoderCrashed", "OutOfMemory")
    with opened(made, tmp_path / "good.wav") as audio:
        assert audio.info.duration_s == pytest.approx(2, abs=0.05)
    made.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_every_error_crosses_the_process_border() -> None:
    for kind in (EmptyFile, NotAudio, DecoderCrashed):
        error = kind("什么", where="哪里", hint="怎么办")
        again = child.rebuild(child._error(error)["error"])  # type: ignore[arg-type]
        assert (type(again), str(again)) == (kind, str(error))


# --- good --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "subtype", "rate"),
    [
        ("alaw.wav", "ALAW", 8000),
        ("ulaw.wav", "ULAW", 8000),
        ("gsm.wav", "GSM610", 8000),
        ("adpcm.wav", "IMA_ADPCM", 16000),
        ("pcm.wav", "PCM_16", 48000),
        ("float.wav", "FLOAT", 44100),
        ("plain.flac", "PCM_16", 16000),
        ("voice.ogg", "OPUS", 16000),
        ("tune.mp3", "MPEG_LAYER_III", 44100),
        ("sun.au", "ULAW", 8000),
    ],
)
def test_codecs_and_rates_give_the_same_sound(
    decoder: Decoder, tmp_path: Path, name: str, subtype: str, rate: int
) -> None:
    soundfile.write(tmp_path / name, tone(3, 440, rate), rate, subtype=subtype)
    with opened(decoder, tmp_path / name) as audio:
        assert audio.info.duration_s == pytest.approx(3, abs=0.1)
        middle = audio.read(0, 1, 2)
        assert middle.dtype == np.float32
        assert len(middle) == 16000
        assert np.argmax(np.abs(np.fft.rfft(middle))) == pytest.approx(440, abs=3)
        assert not [note for note in audio.info.notes if note.code != "wrong_ending"]


@pytest.mark.parametrize(("codec", "container", "name"), [("g722", "wav", "a.wav"), ("aac", "mp4", "a.m4a")])
def test_codecs_only_ffmpeg_writes(decoder: Decoder, tmp_path: Path, codec: str, container: str, name: str) -> None:
    with av.open(str(tmp_path / name), "w", format=container) as out:
        stream = out.add_stream(codec, rate=16000, layout="mono")
        frame_format = stream.codec_context.format.name
        resampler = av.AudioResampler(
            format=frame_format, layout="mono", rate=16000, frame_size=stream.codec_context.frame_size
        )
        frame = av.AudioFrame.from_ndarray(
            (tone(3, 440, 16000) * 32767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.rate = 16000
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    with opened(decoder, tmp_path / name) as audio:
        assert np.argmax(np.abs(np.fft.rfft(audio.read(0, 1, 2)))) == pytest.approx(440, abs=3)


def test_wrong_extension_is_processed_and_noted(decoder: Decoder, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.mp3", tone(3), RATE, format="WAV")
    with opened(decoder, tmp_path / "a.mp3") as audio:
        assert [note.code for note in audio.info.notes] == ["wrong_ending"]


@pytest.mark.parametrize(
    ("left", "right", "layout", "inverted", "channels"),
    [
        (tone(3), tone(3, 700), "stereo", False, 2),
        (tone(3), tone(3), "dual_mono", False, 1),
        (tone(3), -tone(3), "dual_mono", True, 1),
        (tone(3), np.zeros(3 * RATE), "one_silent", False, 1),
        (np.zeros(3 * RATE), tone(3), "one_silent", False, 1),
    ],
)
def test_layouts(
    decoder: Decoder, tmp_path: Path, left: np.ndarray, right: np.ndarray, layout: str, inverted: bool, channels: int
) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], 1), RATE)
    with opened(decoder, tmp_path / "a.wav") as audio:
        assert (audio.info.layout, audio.info.inverted, len(audio.info.channels)) == (layout, inverted, channels)
        assert np.abs(audio.read(0, 1, 2)).max() > 0.2  # an inverted pair is never mixed into nothing


@pytest.mark.parametrize("kind", ["silence", "white noise", "ringback", "dtmf"])
def test_nobody_speaks_in_silence_noise_and_tones(decoder: Decoder, tmp_path: Path, kind: str) -> None:
    clock = np.arange(20 * RATE) / RATE
    sound = {
        "silence": np.zeros_like(clock),
        "white noise": np.random.default_rng(0).normal(0, 0.1, len(clock)),
        "ringback": 0.2 * np.sin(2 * np.pi * 450 * clock) * (clock % 5 < 1),
        "dtmf": 0.2 * (np.sin(2 * np.pi * 770 * clock) + np.sin(2 * np.pi * 1336 * clock)) * (clock % 0.5 < 0.1),
    }[kind]
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    with opened(decoder, tmp_path / "a.wav") as audio:
        assert audio.info.channels[0].voiced_s < 1.0


def test_spool_is_emptied_and_reads_are_cut_at_the_ends(decoder: Decoder, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(2), RATE)
    with opened(decoder, tmp_path / "a.wav") as audio:
        assert len(audio.read(0, 1.5, 99)) == 8000
        assert len(audio.read(0, 5, 6)) == 0
        folder = audio._paths[0].parent
        assert list(folder.iterdir())
    assert list(folder.iterdir()) == []
