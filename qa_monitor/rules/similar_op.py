"""Hits of `similar`: clauses and turns whose vector is close to an example sentence's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa_monitor.rules import specs
from qa_monitor.rules.call import Call
from qa_monitor.rules.encoders import Encoder
from qa_monitor.rules.guards import denied
from qa_monitor.rules.hits import Hit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SENTENCE = re.compile(r"[^。！？；\n]+")
_CLAUSE = re.compile(r"[^，。！？；\n]+")
# Windows longer than this carry more than one thing; they are compared clause by clause only.
_LONGEST = 120


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """Every clause, sentence and short turn of a call, as spans of the joined text, with their vectors."""

    spans: tuple[tuple[int, int], ...]
    vectors: NDArray[np.float32]


def encode_call(call: Call, encoder: Encoder) -> Spoken:
    spans: set[tuple[int, int]] = set()
    for pattern in (_SENTENCE, _CLAUSE):
        for match in pattern.finditer(call.text.shown):
            if len(match[0].strip()) and match.end() - match.start() <= _LONGEST:
                spans.add(match.span())
    for start, end in zip(call.text.starts, call.text.ends, strict=True):
        if 0 < end - start <= _LONGEST:
            spans.add((start, end))
    ordered = tuple(sorted(spans))
    return Spoken(ordered, encoder.encode([call.text.shown[start:end] for start, end in ordered]))


def encode_examples(encoder: Encoder, sentences: Sequence[str]) -> NDArray[np.float32]:
    return encoder.encode(list(sentences))


def similar_hits(call: Call, spec: specs.SimilarSpec, spoken: Spoken, examples: NDArray[np.float32]) -> list[Hit]:
    """The closest span of each turn that reaches the threshold."""
    if not spoken.spans:
        return []
    scores = spoken.vectors @ examples.T
    best = scores.max(axis=1)
    found: dict[int, Hit] = {}
    for row in np.flatnonzero(best >= spec.threshold).tolist():
        start, end = spoken.spans[row]
        if end - start < spec.min_chars:
            continue
        turn, low, _ = call.text.local(start, end)
        if "negation" in spec.guards and denied(call.shown(turn), low):
            continue
        hit = call.hit(start, end, float(best[row]), match="similar")._replace(wording=int(scores[row].argmax()))
        if turn not in found or hit.confidence > found[turn].confidence:
            found[turn] = hit
    return sorted(found.values())
