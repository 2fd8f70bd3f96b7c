"""The smaller copy of a speech model: what it keeps, and that it is made whole or not at all."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np

from qa_monitor.transcript.vocabulary import FULL, FULL_SIZE, choose, for_chinese

LANGUAGES = [50_259, 50_260]


def letters(text: str) -> str:
    """`text` as byte-pair vocabularies write it."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return "".join(chr(byte) if byte in visible else chr(256 + hidden.index(byte)) for byte in text.encode())


def vocabulary(**tokens: str) -> list[str]:
    row = [letters("z")] * FULL_SIZE
    for place, token in tokens.items():
        row[int(place[1:])] = token
    return row


def model(folder: Path, tokens: list[str]) -> np.ndarray:
    """A model file with an embedding of two numbers a token and one other array."""
    folder.mkdir()
    embeddings = np.arange(2 * len(tokens), dtype="<f4").reshape(-1, 2)
    arrays = [(b"decoder/embeddings/weight\0", embeddings), (b"encoder/bias\0", np.ones(3, dtype="<f4"))]
    data = struct.pack("<IH", 6, 12) + b"WhisperSpec\0" + struct.pack("<II", 3, len(arrays))
    for name, array in arrays:
        data += struct.pack("<H", len(name)) + name + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        data += struct.pack("<BI", 0, array.nbytes) + array.tobytes()
    (folder / "model.bin").write_bytes(data + b"aliases")
    (folder / "config.json").write_text(json.dumps({"suppress_ids": [9_001, 300], "lang_ids": LANGUAGES}))
    (folder / "vocabulary.json").write_text(json.dumps(tokens, ensure_ascii=False))
    return embeddings


def test_chinese_numbers_capitals_parts_and_marks_are_kept_and_other_languages_are_not() -> None:
    tokens = vocabulary(
        t9001=letters("户号"), t9002=letters(" 95598"), t9003=letters("APP"), t9004=letters("号")[:2],
        t9005=letters("привет"), t9006=letters("although"), t9007=letters("전기"), t300=letters(" ok"), t9008=letters("，"),
    )  # fmt: skip
    kept = choose(tokens, LANGUAGES)
    assert {300, 9_001, 9_002, 9_003, 9_004, 9_008} <= set(kept)
    assert not {9_005, 9_006, 9_007} & set(kept)
    assert set(range(256)) <= set(kept)
    assert kept[-2:] == LANGUAGES
    assert set(range(50_257, FULL_SIZE)) <= set(kept)


def test_the_copy_holds_the_rows_of_its_tokens_and_nothing_else_changes(tmp_path: Path) -> None:
    tokens = vocabulary(t9001=letters("户号"), t9005=letters("привет"))
    embeddings = model(tmp_path / "whole", tokens)
    folder, known = for_chinese(tmp_path / "whole", tmp_path / "cache" / "copy")
    assert folder == tmp_path / "cache" / "copy"
    assert known.kept is not None
    data = (folder / "model.bin").read_bytes()
    assert embeddings[list(known.kept)].tobytes() in data
    assert data.endswith(np.ones(3, dtype="<f4").tobytes() + b"aliases")
    config = json.loads((folder / "config.json").read_text())
    assert known.outward(config["lang_ids"]) == LANGUAGES
    assert set(known.outward(config["suppress_ids"])) == {9_001, 300, *LANGUAGES}
    assert json.loads((folder / "vocabulary.json").read_text()) == [tokens[token] for token in known.kept]
    assert known.outward(known.inward([9_001, 9_005, 50_258])) == [9_001, 50_258]


def test_another_kind_of_model_or_a_full_disk_gives_the_model_itself(tmp_path: Path) -> None:
    model(tmp_path / "english", [letters("z")] * 51_864)
    assert for_chinese(tmp_path / "english", tmp_path / "copy") == (tmp_path / "english", FULL)
    model(tmp_path / "whole", vocabulary())
    (tmp_path / "file").write_text("no folder can be made here")
    assert for_chinese(tmp_path / "whole", tmp_path / "file" / "copy") == (tmp_path / "whole", FULL)
    (tmp_path / "whole" / "model.bin").write_bytes(b"\7\0\0\0cut short")
    assert for_chinese(tmp_path / "whole", tmp_path / "copies" / "copy") == (tmp_path / "whole", FULL)
    assert list((tmp_path / "copies").iterdir()) == []
