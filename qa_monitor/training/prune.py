"""A smaller vocabulary: rows of the embedding table that no text needs cost space and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

FREQUENT = range(0xB0A1, 0xD7FA)  # GB 2312, level 1: the 3,755 most used characters
LEAST_USES = {"WordPiece": 2, "Unigram": 6}  # of a piece that is kept; Unigram's are words, which characters can spell


def prune(encoder: Any, tokenizer_file: Path, texts: Iterable[str], out: Path) -> int:
    """Keep special tokens, single letters and signs, the frequent characters and what `texts` use; write the tokenizer to `out`.

    `encoder` (vocabulary of WordPiece or Unigram) is changed in place; what is left out is spelt with smaller pieces or
    reads as the unknown token. Returns the new size.
    """
    from tokenizers import Tokenizer

    described = json.loads(tokenizer_file.read_text(encoding="utf-8"))
    model = described["model"]
    unigram = model["type"] == "Unigram"
    pieces = (
        [piece for piece, _ in model["vocab"]] if unigram else sorted(model["vocab"], key=model["vocab"].__getitem__)
    )
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    seen: Counter[int] = Counter()
    for item in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        seen.update(item.ids)
    always = {token["content"] for token in described["added_tokens"]} | _frequent()
    kept = [
        number
        for number, piece in enumerate(pieces)
        if seen[number] >= LEAST_USES[model["type"]] or piece in always or _letter(piece)
    ]
    place = {pieces[number]: new for new, number in enumerate(kept)}
    if unigram:
        unknown = pieces[model["unk_id"]]
        model["vocab"], model["unk_id"] = [model["vocab"][number] for number in kept], place[unknown]
    else:
        model["vocab"] = place
    for token in described["added_tokens"]:
        token["id"] = place[token["content"]]
    for entry in described["post_processor"]["special_tokens"].values():
        entry["ids"] = [place[name] for name in entry["tokens"]]
    padding = encoder.config.pad_token_id = place[pieces[encoder.config.pad_token_id]]
    table = encoder.get_input_embeddings().weight.data
    smaller = torch.nn.Embedding(len(kept), table.shape[1], padding_idx=padding)
    smaller.weight.data = table[kept].clone()
    encoder.set_input_embeddings(smaller)
    encoder.config.vocab_size = len(kept)
    out.write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
    return len(kept)


def _letter(piece: str) -> bool:
    """One ASCII character, alone or inside a word: any Latin word can be spelt with these."""
    return piece.isascii() and len(piece.removeprefix("##")) == 1


def _frequent() -> set[str]:
    found = {"▁"}
    for code in FREQUENT:
        if code & 0xFF >= 0xA1:
            try:
                found.add(code.to_bytes(2, "big").decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return found
