"""A smaller vocabulary: rows of the embedding table that no text needs cost space and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

FREQUENT = range(0xB0A1, 0xD7FA)  # GB 2312, level 1: the 3,755 most used characters


def prune(encoder: Any, tokenizer_file: Path, texts: Iterable[str], out: Path) -> int:
    """Keep special tokens, single letters and signs, the frequent characters and what occurs twice in `texts`; write the tokenizer to `out`.

    `encoder` (WordPiece vocabulary) is changed in place; what is left out reads as the unknown token. Returns the new
    size.
    """
    from tokenizers import Tokenizer

    described = json.loads(tokenizer_file.read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = described["model"]["vocab"]
    seen: Counter[int] = Counter()
    for item in Tokenizer.from_file(str(tokenizer_file)).encode_batch(list(texts), add_special_tokens=False):
        seen.update(item.ids)
    frequent = _frequent()
    special = {token["content"] for token in described["added_tokens"]}
    kept = [
        (token, number)
        for token, number in sorted(vocabulary.items(), key=lambda entry: entry[1])
        if seen[number] > 1 or token in special or token in frequent or _letter(token)
    ]
    described["model"]["vocab"] = {token: place for place, (token, _) in enumerate(kept)}
    for token in described["added_tokens"]:
        token["id"] = described["model"]["vocab"][token["content"]]
    for entry in described["post_processor"]["special_tokens"].values():
        entry["ids"] = [described["model"]["vocab"][name] for name in entry["tokens"]]
    table = encoder.get_input_embeddings().weight.data
    smaller = torch.nn.Embedding(len(kept), table.shape[1], padding_idx=encoder.config.pad_token_id)
    smaller.weight.data = table[[number for _, number in kept]].clone()
    encoder.set_input_embeddings(smaller)
    encoder.config.vocab_size = len(kept)
    out.write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
    return len(kept)


def _letter(token: str) -> bool:
    """One ASCII character, alone or inside a word: any Latin word can be spelt with these."""
    return token.isascii() and len(token.removeprefix("##")) == 1


def _frequent() -> set[str]:
    found = set()
    for code in FREQUENT:
        if code & 0xFF >= 0xA1:
            try:
                found.add(code.to_bytes(2, "big").decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return found
