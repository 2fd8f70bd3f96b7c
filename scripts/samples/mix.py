"""Lines to calls: lays the spoken lines on a clock, adds line noise and waiting, and encodes as a call platform would.

mix.py lines DIALOGUES.yaml                what to speak, as JSON
mix.py mix DIALOGUES.yaml SPOKEN SAMPLES   recordings, references and the sidecar table
"""

from __future__ import annotations

import csv
import json
import sys
import zlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
import yaml
from scipy.signal import butter, resample_poly, sosfilt
from voices import RATE

AUDIBLE = 10 ** (-30 / 20)  # of the loudest 10 ms: beneath lies the noise of the line
OPTIONS = {"gap": 0.45, "speed": 1.0, "pitch": 1.0, "energy": 1.0}
ROLES = {"坐席": "agent", "客户": "customer"}
# name → (codec, container, rate, sample format)
FORMATS = {
    "ulaw": ("pcm_mulaw", "wav", 8000, "s16"),
    "alaw": ("pcm_alaw", "wav", 8000, "s16"),
    "pcm": ("pcm_s16le", "wav", 8000, "s16"),
    "flac": ("flac", "flac", 16000, "s16"),
    "mp3": ("libmp3lame", "mp3", 16000, "s16p"),
    "opus": ("libopus", "ogg", 16000, "s16"),
    "aac": ("aac", "mp4", 16000, "fltp"),
}


def load(path: Path) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return calls


def parse(line: str) -> tuple[str, str, dict[str, float]]:
    """(who or what, text, options) of a line."""
    head, text = line.split(": ", 1)
    who, *given = head.split()
    return who, text, OPTIONS | {name: float(value) for name, value in (item.split("=") for item in given)}


def spoken_lines(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for call in calls:
        for index, line in enumerate(call["lines"]):
            who, text, options = parse(line)
            if who in ROLES:
                voice = call["voices"][0 if who == "坐席" else 1]
                key = f"{call['id']}-{index:02d}"
                found.append({"key": key, "text": text, "voice": voice, **options})
    return found


def lay_out(call: dict[str, Any], spoken: Path) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """((agent, customer) × time at 24 kHz, reference turns)."""
    random = np.random.default_rng(zlib.crc32(call["id"].encode()))
    clock_s, last_role = 0.8, None
    pieces: list[tuple[int, float, np.ndarray]] = []
    turns = []
    for index, line in enumerate(call["lines"]):
        who, text, options = parse(line)
        if who in ROLES:
            audio = np.load(spoken / f"{call['id']}-{index:02d}.npy")
            start_s = max(0.2, clock_s + options["gap"] + (random.uniform(0, 0.35) if options["gap"] > 0 else 0))
            pieces.append((list(ROLES).index(who), start_s, audio * 0.5 / max(0.05, np.abs(audio).max())))
            clock_s = start_s + len(audio) / RATE
            first_s, last_s = (round(start_s + moment, 3) for moment in audible(audio))
            turns.append({"role": ROLES[who], "text": text, "start_s": first_s, "end_s": last_s})
            last_role = who
        elif who == "静音":
            clock_s += float(text)
        else:
            tone = ringback(float(text)) if who == "彩铃" else music(float(text))
            pieces += [(side, clock_s, tone * level) for side, level in ((0, 0.9), (1, 0.02))]
            clock_s += float(text) + 0.3
    assert last_role is not None
    track = np.zeros((2, int((clock_s + 1.0) * RATE)), dtype=np.float32)
    for side, start_s, audio in pieces:
        begin = int(start_s * RATE)
        track[side, begin : begin + len(audio)] += audio[: track.shape[1] - begin]
    return track, turns


def audible(audio: np.ndarray) -> tuple[float, float]:
    """Seconds at which the voice sets in and has faded: the synthesiser leaves up to half a second of silence around."""
    frame = RATE // 100
    level = np.sqrt((audio[: len(audio) // frame * frame].reshape(-1, frame) ** 2).mean(axis=1))
    heard = np.flatnonzero(level > level.max() * AUDIBLE)
    return heard[0] * frame / RATE, (heard[-1] + 1) * frame / RATE


def ringback(seconds: float) -> np.ndarray:
    """450 Hz, one second on and four off, as Chinese exchanges send it."""
    time = np.arange(int(seconds * RATE)) / RATE
    return (0.15 * np.sin(2 * np.pi * 450 * time) * (time % 5 < 1)).astype(np.float32)


def music(seconds: float) -> np.ndarray:
    """A plain tune of our own while the caller waits."""
    notes = [392.0, 440.0, 523.3, 587.3, 659.3, 587.3, 523.3, 440.0]
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = np.array(notes)[(time / 0.4).astype(int) % len(notes)]
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    return (0.1 * (np.sin(phase) + 0.4 * np.sin(2 * phase)) * np.exp(-2.5 * (time % 0.4))).astype(np.float32)


def telephone(track: np.ndarray, seed: int) -> np.ndarray:
    """300–3400 Hz, unequal levels, a little crosstalk and line noise; (2, time) at 24 kHz."""
    random = np.random.default_rng(seed)
    band = butter(4, (300, 3400), "bandpass", fs=RATE, output="sos")
    shaped = sosfilt(band, track, axis=1) * np.array([[0.9], [random.uniform(0.45, 0.9)]])
    crossed = shaped + 0.006 * shaped[::-1]
    noise = random.normal(0, random.uniform(0.0008, 0.003), track.shape)
    return (crossed + sosfilt(band, noise, axis=1)).astype(np.float32)


def channels_of(call: dict[str, Any], track: np.ndarray) -> np.ndarray:
    """The track in the call's channel layout."""
    if "mono" in call["format"]:
        mixed = track.sum(axis=0, keepdims=True)
        return np.vstack([mixed, mixed]) if "dual" in call["format"] else mixed
    return track[::-1] if call.get("agent_channel") == "右" else track


def encode(samples: np.ndarray, call: dict[str, Any], path: Path) -> None:
    """(channel, time) at 24 kHz into the call's codec and container."""
    name = call["format"].split("_")[0]
    if name == "gsm":  # FFmpeg as packaged decodes GSM and cannot write it
        soundfile.write(path, resample_poly(samples[0], 1, 3), 8000, subtype="GSM610")
        return
    codec, container_name, rate, sample_format = FORMATS[name]
    at_rate = resample_poly(samples, rate // 1000, RATE // 1000, axis=1)
    layout = "mono" if len(at_rate) == 1 else "stereo"
    with av.open(str(path), "w", format=container_name) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if codec in ("libmp3lame", "libopus", "aac"):
            stream.bit_rate = 32_000 if layout == "mono" else 40_000
        resampler = av.AudioResampler(format=sample_format, layout=layout, rate=rate)
        block = stream.codec_context.frame_size or 1024
        whole = np.clip(at_rate * 32767, -32768, 32767).astype(np.int16)
        for start in range(0, whole.shape[1], block):
            part = np.ascontiguousarray(whole[:, start : start + block].T.reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout=layout)
            frame.rate, frame.pts = rate, start
            for resampled in resampler.resample(frame):
                for packet in stream.encode(resampled):
                    container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)


def mix(calls: list[dict[str, Any]], spoken: Path, samples: Path) -> None:
    for call in calls:
        track, turns = lay_out(call, spoken)
        channels = channels_of(call, telephone(track, zlib.crc32(call["file"].encode())))
        encode(channels, call, samples / "recordings" / call["file"])
        agent_channel = None if "mono" in call["format"] else 1 if call.get("agent_channel") == "右" else 0
        reference = {
            "file": call["file"],
            "seconds": round(track.shape[1] / RATE, 2),
            "agent_channel": agent_channel,
            "grade": call["grade"],
            "turns": turns,
        }
        text = json.dumps(reference, ensure_ascii=False, indent=1) + "\n"
        (samples / "reference" / f"{call['id']}.json").write_text(text, encoding="utf-8")
    write_sidecar(calls, samples / "通话清单.csv")
    write_transcripts(calls, samples)


def write_transcripts(calls: list[dict[str, Any]], samples: Path) -> None:
    """The same calls as text, for `audit-text`: facts from the call list, turns from the references."""
    with (samples / "transcripts.jsonl").open("w", encoding="utf-8") as stream:
        for call in sorted(calls, key=lambda call: call["id"]):
            told = json.loads((samples / "reference" / f"{call['id']}.json").read_text(encoding="utf-8"))
            listed = () if call.get("unlisted") else ("agent_id", "started_at", "business")
            turns = [
                {"role": turn["role"], "text": turn["text"], "start": turn["start_s"], "end": turn["end_s"]}
                for turn in told["turns"]
            ]
            row = {"id": call["id"], **{field: call[field] for field in listed if call.get(field)}, "turns": turns}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_sidecar(calls: list[dict[str, Any]], path: Path) -> None:
    """The call list as the platform would export it: GB18030, as Excel in China writes CSV. One call is not in it."""
    columns = {
        "录音文件": "file",
        "通话编号": "id",
        "工号": "agent_id",
        "开始时间": "started_at",
        "呼叫方向": "direction",
        "业务类型": "business",
        "主叫号码": "customer",
        "坐席声道": "agent_channel",
        "客户等级": "level",
    }
    with path.open("w", encoding="gb18030", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(
            [[call.get(field, "") for field in columns.values()] for call in calls if not call.get("unlisted")]
        )


if __name__ == "__main__":
    calls = load(Path(sys.argv[2]))
    if sys.argv[1] == "lines":
        print(json.dumps(spoken_lines(calls), ensure_ascii=False))
    else:
        mix(calls, Path(sys.argv[3]), Path(sys.argv[4]))
