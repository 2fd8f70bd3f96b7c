"""Losses over soft labels. An ordered scale is also judged by its cumulative distribution, as NMD does."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from qa_monitor.training.batches import Encoded

ORDERED = frozenset(
    ("dch_A", "dch_S", "dch_E", "wiki", "uss", "politeness", "satisfaction", "courtesy", "accomplishment",
     "effectiveness", "resolution")
)  # fmt: skip
CUMULATIVE_WEIGHT = 4.0
FAIL_WEIGHT = 3.0  # a broken rule is rare, and what is looked for


def soft_loss(logits: Tensor, target: Tensor, ordered: bool) -> Tensor:
    """Mean over rows of cross entropy, plus squared distance of cumulative distributions for ordered classes."""
    log_shares = logits.log_softmax(-1)
    loss = -(target * log_shares).sum(-1)
    if ordered:
        distance = (log_shares.exp().cumsum(-1) - target.cumsum(-1)).pow(2).sum(-1)
        loss = loss + CUMULATIVE_WEIGHT * distance
    return loss.mean()


def losses(out: dict[str, Tensor], group: Sequence[Encoded]) -> dict[str, Tensor]:
    """The loss of each task that has a label in this batch."""
    found: dict[str, Tensor] = {}
    device = next(iter(out.values())).device
    for name in (key.removeprefix("call.") for key in out if key.startswith("call.")):
        rows = [(row, item.example.call[name]) for row, item in enumerate(group) if name in item.example.call]
        if rows:
            picked = out[f"call.{name}"][[row for row, _ in rows]]
            found[name] = soft_loss(
                picked, torch.tensor([target for _, target in rows], device=device), name in ORDERED
            )
    for name in (key.removeprefix("turn.") for key in out if key.startswith("turn.")):
        places = [
            (row, place, target)
            for row, item in enumerate(group)
            for place, target in enumerate(item.example.turn.get(name, ()))
            if target is not None
        ]
        if places:
            picked = out[f"turn.{name}"][[row for row, _, _ in places], [place for _, place, _ in places]]
            found[name] = soft_loss(
                picked, torch.tensor([target for _, _, target in places], device=device), name in ORDERED
            )
    decided = [(row, item.example.deciding) for row, item in enumerate(group) if item.example.deciding is not None]
    if decided and "attention.resolution" in out:
        logits = out["attention.resolution"][[row for row, _ in decided]]
        found["deciding"] = torch.nn.functional.cross_entropy(
            logits, torch.tensor([turn for _, turn in decided], device=device)
        )
    judged = [
        (row, rule, target)
        for row, item in enumerate(group)
        for rule, target in enumerate(item.example.rules or ())
        if target is not None
    ]
    if judged and "rules" in out:
        picked = out["rules"][[row for row, _, _ in judged], [rule for _, rule, _ in judged]]
        wanted = torch.tensor([target for _, _, target in judged], device=device)
        weight = 1 + FAIL_WEIGHT * wanted[:, 1]
        found["rules"] = (weight * -(wanted * picked.log_softmax(-1)).sum(-1)).sum() / weight.sum()
    shown = [
        (row, rule, turn, target[1])
        for row, item in enumerate(group)
        for rule, (turn, target) in enumerate(zip(item.example.evidence or (), item.example.rules or (), strict=False))
        if turn is not None and target is not None
    ]
    if shown and "attention.rules" in out:
        logits = out["attention.rules"][[row for row, _, _, _ in shown], [rule for _, rule, _, _ in shown]]
        wanted = torch.tensor([turn for _, _, turn, _ in shown], device=device)
        each = torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
        weight = 1 + FAIL_WEIGHT * torch.tensor([failed for _, _, _, failed in shown], device=device)
        found["evidence"] = (weight * each).sum() / weight.sum()
    return found
