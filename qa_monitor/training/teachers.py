"""Teachers: networks that say of an example what they learnt from others (cross-fitting), for a student to learn from.

A teacher's shares carry less chance than the few votes an example has, and it reads what nobody has labelled. Several
teachers are averaged; the student is one network that gives back what they say together (Hinton et al. 2015).
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from qa_monitor.classifier.encoding import Encoding
from qa_monitor.training.batches import encode
from qa_monitor.training.examples import HELD_OUT, Example
from qa_monitor.training.finetune import FineTuneConfig, fastest_device, fine_tune, predict
from qa_monitor.training.network import CallNetwork

FOLDS = 5
Soft = dict[str, dict[str, NDArray[np.float64]]]  # example → head (`call.…`, `turn.…`) → shares
_SENTENCE_END = re.compile(r"(?<=[。！？!?;；~～…\n])")


def cross_fit(
    make: Callable[[int], CallNetwork],
    examples: Sequence[Example],
    variants: Sequence[Example],
    unlabelled: Sequence[Example],
    encoding: Encoding,
    config: FineTuneConfig,
    report: Callable[[str], None],
) -> Soft:
    """Soft labels of `examples` and `variants` (`ID~n`: altered examples), each by a teacher that has not learnt from
    the example, and of `unlabelled`, the mean of all teachers. `make(fold)` gives an untrained teacher."""
    found: Soft = {}
    of_fold = [[item for item in examples if _fold(item.id) == fold] for fold in range(FOLDS)]
    for fold, unseen in enumerate(of_fold):
        seen = [item for other in of_fold if other is not unseen for item in other]
        own = [item for item in variants if _fold(item.id.split("~")[0]) == fold]
        teacher = fine_tune(
            make(fold).to(fastest_device()),
            encode(seen, encoding),
            encoding.pad,
            replace(config, seed=fold + 1),
            report,
        )
        for name, shares in predict(teacher, encode([*unseen, *own, *unlabelled], encoding), encoding.pad).items():
            known = found.setdefault(name, {})
            for head, values in shares.items():
                known[head] = known[head] + values if head in known else values
    return {
        name: {head: values / values.sum(-1, keepdims=True) for head, values in shares.items() if head != "deciding"}
        for name, shares in found.items()
    }


def averaged(parts: Sequence[Soft]) -> Soft:
    """The mean over several kinds of teachers."""
    return {
        name: {head: np.mean([part[name][head] for part in parts], 0) for head in shares}
        for name, shares in parts[0].items()
    }


def blended(item: Example, soft: Soft, share: float) -> Example:
    """`item` with its labels moved by `share` towards what the teachers say."""
    said = soft.get(item.id, {})

    def mean(label: Sequence[float], shares: NDArray[np.float64]) -> tuple[float, ...]:
        return tuple((1 - share) * np.asarray(label) + share * shares)

    return replace(
        item,
        call={
            head: mean(label, said[f"call.{head}"]) if f"call.{head}" in said else label
            for head, label in item.call.items()
        },
        turn={
            head: tuple(mark and mean(mark, said[f"turn.{head}"][place]) for place, mark in enumerate(marks))
            if f"turn.{head}" in said
            else marks
            for head, marks in item.turn.items()
        },
    )


def taught(item: Example, soft: Soft, roles: dict[str, int]) -> Example:
    """`item` with what the teachers say as its labels; `roles` names who a turn head judges (0 customer, 1 agent)."""
    said = soft[item.id]
    return replace(
        item,
        call={head.removeprefix("call."): tuple(shares) for head, shares in said.items() if head.startswith("call.")},
        turn={
            head: tuple(
                tuple(row) if role == judged else None
                for row, (role, _) in zip(said[f"turn.{head}"], item.turns, strict=True)
            )
            for head, judged in roles.items()
            if f"turn.{head}" in said
        },
    )


def thinned(item: Example, number: int, chance: random.Random) -> Example:
    """Variant `number`: some sentences left out, and the end or a turn between."""
    turns = []
    for role, text in item.turns:
        sentences = [part for part in _SENTENCE_END.split(text) if part.strip()]
        kept = [part for part in sentences if chance.random() > 0.25] or sentences[:1]
        turns.append((role, "".join(kept)))
    if len(turns) > 3 and chance.random() < 0.5:
        del turns[chance.randint(2, len(turns) - 1) :]
    elif len(turns) > 3 and chance.random() < 0.4:
        del turns[chance.randint(1, len(turns) - 2)]
    return Example(f"{item.id}~{number}", "variant", tuple(turns))


def halves(item: Example, chance: random.Random) -> list[Example]:
    """The beginning and the rest of an utterance, cut between two sentences; none where there is but one."""
    role, text = item.turns[0]
    sentences = [part for part in _SENTENCE_END.split(text) if part.strip()]
    if len(sentences) < 2:
        return []
    cut = chance.randint(1, len(sentences) - 1)
    return [
        Example(f"{item.id}~{number}", "variant", ((role, "".join(part)),))
        for number, part in enumerate((sentences[:cut], sentences[cut:]))
    ]


def _fold(name: str) -> int:
    return zlib.crc32(name.encode()) // HELD_OUT % FOLDS  # the remainder says who is kept apart
