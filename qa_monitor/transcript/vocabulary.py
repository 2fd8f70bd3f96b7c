"""A copy of a Whisper model that can only write what Chinese calls are written with.

At every step the decoder weighs each of its 51,865 tokens, most of them pieces of other languages. That is more than
half of a step's work on small models. The copy keeps Chinese, everything that can spell a rare character, numbers,
capitals and the commonest of the rest: a quarter of the tokens, a third less time, and the same error rates (in five of
six measurements on spliced calls to the last digit, .1202 for .1218 in the sixth).

The copy is made from verified files, once, beside the models. Token ids are translated at the engine's border.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import struct
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

log = logging.getLogger(__name__)

LAYOUT = "1"  # another choice of tokens needs another copy
FULL_SIZE = 51_865  # tokens of the multilingual models; large-v3 has one language more
SPECIAL_FROM = 50_257  # the end-of-text token; languages, tasks and times follow it
COMMON_BELOW = 8_000  # the byte-pair merges are ordered by frequency
KEPT_NAME = "kept_tokens.json"
EMBEDDINGS = b"decoder/embeddings/weight"  # and weight_scale, where the weights are stored quantised
_CHINESE = re.compile("[ \u2010-\u2027\u3000-\u303f\u3400-\u9fff\uff00-\uffef·…]+")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Token ids as Whisper numbers them ↔ as the loaded model does. `kept` is None where they are the same.

    `languages` are the model's ids of the language tokens (empty where they are the same).
    """

    kept: tuple[int, ...] | None = None
    places: dict[int, int] | None = None
    languages: tuple[int, ...] = ()

    def inward(self, tokens: Sequence[int]) -> list[int]:
        """Whisper's ids as the model's; what the model does not know is left out."""
        if self.places is None:
            return list(tokens)
        return [self.places[token] for token in tokens if token in self.places]

    def outward(self, tokens: Sequence[int]) -> list[int]:
        """The model's ids as Whisper's."""
        return list(tokens) if self.kept is None else [self.kept[token] for token in tokens]


FULL = Vocabulary()


def for_chinese(folder: Path, cache: Path) -> tuple[Path, Vocabulary]:
    """The folder of the smaller copy of the model in `folder`, made in `cache` when it is not there yet.

    A model of another kind, or a disk that cannot be written to, gives the model itself.
    """
    tokens = _read_tokens(folder)
    if len(tokens) < FULL_SIZE:
        return folder, FULL
    try:
        if not (cache / KEPT_NAME).exists():
            _make(folder, tokens, cache)
        kept = tuple(json.loads((cache / KEPT_NAME).read_text(encoding="utf-8")))
        languages = tuple(json.loads((cache / "config.json").read_text(encoding="utf-8"))["lang_ids"])
    except (OSError, ValueError, KeyError, struct.error) as error:
        log.warning("no smaller copy of the speech model (%s): the whole vocabulary is used", type(error).__name__)
        return folder, FULL
    return cache, Vocabulary(kept, {token: place for place, token in enumerate(kept)}, languages)


def choose(tokens: Sequence[str], languages: Sequence[int]) -> list[int]:
    """Ids of the tokens to keep; the languages last.

    There the rule that a text begins with a time does not hide them, so that the language can be read off the first
    step. The model itself offers that only with the whole vocabulary.
    """
    apart = set(languages)
    kept = [id_ for id_, token in enumerate(tokens) if id_ not in apart and _is_useful(id_, token)]
    return [*kept, *sorted(apart)]


def _is_useful(id_: int, token: str) -> bool:
    if id_ >= SPECIAL_FROM or id_ < 256:
        return True
    raw = bytes(_bytes_of_letters()[letter] for letter in token)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return True  # a part of a character
    if text.isascii():
        return id_ < COMMON_BELOW or not re.search("[a-z]", text)
    return bool(_CHINESE.fullmatch(text))


@lru_cache(maxsize=1)
def _bytes_of_letters() -> dict[str, int]:
    """How byte-pair vocabularies write bytes as visible letters."""
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {chr(256 + place): byte for place, byte in enumerate(hidden)}


def _read_tokens(folder: Path) -> list[str]:
    if (folder / "vocabulary.json").exists():
        return list(json.loads((folder / "vocabulary.json").read_text(encoding="utf-8")))
    return (folder / "vocabulary.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")


def _make(folder: Path, tokens: Sequence[str], cache: Path) -> None:
    """Into a folder beside `cache`, which then takes its place whole: another process may be doing the same."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{cache.name}.", dir=cache.parent))
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kept = choose(tokens, config["lang_ids"])
        places = {token: place for place, token in enumerate(kept)}
        for name in ("suppress_ids", "suppress_ids_begin", "lang_ids"):
            config[name] = [places[token] for token in config.get(name, ()) if token in places]
        config["suppress_ids"] += config["lang_ids"]  # in their new place the decoder would take them for times
        with (folder / "model.bin").open("rb") as source, (partial / "model.bin").open("wb") as target:
            _copy_weights(source, target, len(tokens), kept)
        (partial / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (partial / "vocabulary.json").write_text(
            json.dumps([tokens[token] for token in kept], ensure_ascii=False), encoding="utf-8"
        )
        (partial / KEPT_NAME).write_text(json.dumps(kept), encoding="utf-8")
        os.replace(partial, cache)
    except OSError:
        if not (cache / KEPT_NAME).exists():
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _copy_weights(source: IO[bytes], target: IO[bytes], size: int, kept: Sequence[int]) -> None:
    """CTranslate2's model.bin, version 6: a header, named arrays, aliases. Only the embeddings change."""
    version = _copied(source, target, "<I")
    if version != 6:
        raise ValueError(f"model.bin version {version}")
    _copy_text(source, target)
    _copied(source, target, "<I")
    for _ in range(_copied(source, target, "<I")):
        name = _copy_text(source, target)
        rank = _copied(source, target, "<B")
        shape = struct.unpack(f"<{rank}I", source.read(4 * rank))
        kind, length = struct.unpack("<BI", source.read(5))
        data = source.read(length)
        if name.startswith(EMBEDDINGS) and shape[:1] == (size,):
            row = length // size
            data = b"".join(data[token * row : (token + 1) * row] for token in kept)
            shape = (len(kept), *shape[1:])
        target.write(struct.pack(f"<{rank}I", *shape) + struct.pack("<BI", kind, len(data)))
        target.write(data)
    for part in _rest(source):
        target.write(part)


def _copied(source: IO[bytes], target: IO[bytes], form: str) -> int:
    raw = source.read(struct.calcsize(form))
    target.write(raw)
    return int(struct.unpack(form, raw)[0])


def _copy_text(source: IO[bytes], target: IO[bytes]) -> bytes:
    text = source.read(_copied(source, target, "<H"))
    target.write(text)
    return text


def _rest(source: IO[bytes]) -> Iterator[bytes]:
    while part := source.read(1 << 20):
        yield part
