"""Encoded examples and the padded batches made of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from qa_monitor.classifier.encoding import Encoding, Window
from qa_monitor.training.examples import Example


@dataclass(frozen=True, slots=True)
class Encoded:
    example: Example
    windows: tuple[Window, ...]

    @property
    def longest(self) -> int:
        """Tokens of its longest window."""
        return max(len(window.ids) for window in self.windows)


def encode(examples: Sequence[Example], encoding: Encoding) -> list[Encoded]:
    return [Encoded(example, tuple(encoding.windows(example.turns))) for example in examples]


def batches(encoded: Sequence[Encoded], tokens: int, chance: random.Random | None = None) -> Iterator[list[Encoded]]:
    """Batches of about `tokens` padded tokens, alike in length; shuffled when `chance` is given."""
    order = list(encoded)
    if chance:
        chance.shuffle(order)
    order.sort(key=lambda item: item.longest + (chance.uniform(-24, 24) if chance else 0))
    out: list[list[Encoded]] = []
    group: list[Encoded] = []
    longest = windows = 0
    for item in order:
        longest, windows = max(longest, item.longest), windows + len(item.windows)
        if group and longest * windows > tokens:
            out.append(group)
            group, longest, windows = [], item.longest, len(item.windows)
        group.append(item)
    if group:
        out.append(group)
    if chance:
        chance.shuffle(out)
    yield from out


def collate(group: Sequence[Encoded], pad: int, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """The inputs of a batch, on `device`: ids, attention, roles, slot (W, L); turn_roles, turn_mask, marker_place (B, T);
    window_call (W)."""
    length = max(len(window.ids) for item in group for window in item.windows)
    turns = max(len(item.example.turns) for item in group)
    windows = [(call, window) for call, item in enumerate(group) for window in item.windows]
    shape = (len(windows), length)
    ids, attention = torch.full(shape, pad), torch.zeros(shape, dtype=torch.long)
    roles, slot = torch.zeros(shape, dtype=torch.long), torch.full(shape, -1)
    marker = torch.full((len(group), turns), -1)
    for row, (call, window) in enumerate(windows):
        size = len(window.ids)
        ids[row, :size], attention[row, :size] = torch.tensor(window.ids), 1
        roles[row, :size] = torch.tensor(window.roles)
        owners = torch.tensor(window.owners)
        slot[row, :size] = torch.where(owners >= 0, owners + call * turns, owners)
        previous = -1
        for place, owner in enumerate(window.owners):
            if owner >= 0 and owner != previous and marker[call, owner] < 0:
                marker[call, owner] = row * length + place
            previous = owner
    turn_roles, turn_mask = torch.zeros(len(group), turns, dtype=torch.long), torch.zeros(len(group), turns)
    for call, item in enumerate(group):
        count = len(item.example.turns)
        turn_roles[call, :count] = torch.tensor([role for role, _ in item.example.turns])
        turn_mask[call, :count] = 1
    made = {
        "ids": ids, "attention": attention, "roles": roles, "slot": slot, "turn_roles": turn_roles,
        "turn_mask": turn_mask, "marker_place": marker, "window_call": torch.tensor([call for call, _ in windows]),
    }  # fmt: skip
    return {name: values.to(device, non_blocking=True) for name, values in made.items()}
