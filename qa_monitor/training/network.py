"""The network: a pretrained encoder over token windows, one mixing layer over the turns of a call, a head per task.

Shapes: W windows of L tokens; B calls of at most T turns; D the encoder's width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

MAX_PLACES = 64  # turns counted from the start and from the end; later ones share the last place


@dataclass(frozen=True, slots=True)
class HeadSizes:
    """Classes of each head: per turn, per call, and rules × verdicts."""

    turn: dict[str, int]
    call: dict[str, int]
    rules: int = 0


class CallEncoder(nn.Module):
    """Token windows → one vector a turn and one a window."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: Tensor, attention: Tensor, roles: Tensor) -> Tensor:
        """(W, L) ids, attention 0/1, roles 0/1 → (W, L, D)."""
        states: Tensor = self.encoder(input_ids=ids, attention_mask=attention, token_type_ids=roles).last_hidden_state
        return states


class CallHeads(nn.Module):
    """Turn vectors of a call → logits of every task.

    Input turns (B, T, 2·D): the marker's state beside the mean of the turn's tokens; calls (B, D): mean of the windows'
    first states; roles (B, T) 0/1; mask (B, T) 1 where a turn is.
    """

    def __init__(self, width: int, sizes: HeadSizes, dropout: float = 0.1) -> None:
        super().__init__()
        self.sizes = sizes
        self.join = nn.Linear(2 * width, width)
        self.role = nn.Embedding(2, width)
        self.place = nn.Embedding(MAX_PLACES, width)
        self.place_from_end = nn.Embedding(MAX_PLACES, width)
        for table in (self.role, self.place, self.place_from_end):
            nn.init.normal_(table.weight, std=0.02)
        self.norm = nn.LayerNorm(width)
        self.call_norm = nn.LayerNorm(width)
        self.mix = nn.TransformerEncoderLayer(
            width, 8, 2 * width, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.final_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.turn_heads = nn.ModuleDict({name: nn.Linear(width, size) for name, size in sizes.turn.items()})
        self.call_heads = nn.ModuleDict({name: nn.Linear(2 * width, size) for name, size in sizes.call.items()})
        self.attend = nn.ModuleDict({name: nn.Linear(width, 1) for name in sizes.call})
        if sizes.rules:
            self.rule_query = nn.Parameter(torch.randn(sizes.rules, width) * width**-0.5)
            self.rule_weight = nn.Parameter(torch.randn(sizes.rules, 3, 3 * width) * (3 * width) ** -0.5 * 0.5)
            self.rule_bias = nn.Parameter(torch.zeros(sizes.rules, 3))

    def forward(self, turns: Tensor, calls: Tensor, roles: Tensor, mask: Tensor) -> dict[str, Tensor]:
        count = mask.sum(1, keepdim=True).long()
        place = torch.arange(turns.shape[1], device=turns.device).unsqueeze(0).expand(turns.shape[0], -1)
        from_end = (count - 1 - place).clamp(0, MAX_PLACES - 1)
        vectors = self.norm(self.join(turns) + self.role(roles))
        placed = vectors + self.place(place.clamp(max=MAX_PLACES - 1)) + self.place_from_end(from_end)
        sequence = torch.cat([self.call_norm(calls).unsqueeze(1), placed], 1)
        padding = torch.cat([torch.zeros_like(mask[:, :1]), 1 - mask], 1).bool()
        mixed = self.final_norm(self.mix(self.dropout(sequence), src_key_padding_mask=padding))
        whole, each = mixed[:, 0], mixed[:, 1:]
        absent = (1 - mask).bool()
        out: dict[str, Tensor] = {}
        for name, head in self.turn_heads.items():
            out[f"turn.{name}"] = head(self.dropout(each))
        for name, head in self.call_heads.items():
            logits = self.attend[name](each).squeeze(-1).masked_fill(absent, -1e4)
            weights = logits.softmax(-1)
            out[f"attention.{name}"] = logits
            out[f"call.{name}"] = head(self.dropout(torch.cat([whole, torch.einsum("bt,btd->bd", weights, each)], -1)))
        if self.sizes.rules:
            logits = torch.einsum("rd,btd->brt", self.rule_query, each).masked_fill(absent.unsqueeze(1), -1e4)
            picked = torch.einsum("brt,btd->brd", logits.softmax(-1), each)
            most = each.masked_fill(absent.unsqueeze(-1), -1e4).amax(1)
            shared = torch.cat([whole, most], -1).unsqueeze(1).expand(-1, self.sizes.rules, -1)
            out["attention.rules"] = logits
            out["rules"] = (
                torch.einsum("brd,rcd->brc", self.dropout(torch.cat([picked, shared], -1)), self.rule_weight)
                + self.rule_bias
            )
        return out


class CallNetwork(nn.Module):
    """Both parts; what training optimises."""

    def __init__(self, encoder: Any, sizes: HeadSizes) -> None:
        super().__init__()
        self.tokens = CallEncoder(encoder)
        self.heads = CallHeads(encoder.config.hidden_size, sizes)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """See `batches.collate` for the keys of a batch."""
        states = self.tokens(batch["ids"], batch["attention"], batch["roles"]).float()
        turns, calls = pool(states, batch)
        return dict(self.heads(turns, calls, batch["turn_roles"], batch["turn_mask"]))


def pool(states: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """(W, L, D) → turns (B, T, 2·D) and calls (B, D). `slot` (W, L) is b·T+t of each owned token, −1 elsewhere."""
    width = states.shape[-1]
    size = batch["turn_mask"].shape
    flat, slot = states.reshape(-1, width), batch["slot"].reshape(-1)
    owned = slot >= 0
    sums = states.new_zeros(size[0] * size[1], width).index_add_(0, slot[owned], flat[owned])
    counts = torch.bincount(slot[owned], minlength=size[0] * size[1])
    means = sums / counts.clamp(min=1).unsqueeze(1)
    markers = states.new_zeros(size[0] * size[1], width)
    place = batch["marker_place"]  # flat place of each turn's marker, −1 where there is no turn
    known = place >= 0
    markers = markers.masked_scatter(known.reshape(-1, 1).expand(-1, width), flat[place[known]])
    turns = torch.cat([markers, means], -1).reshape(*size, 2 * width)
    calls = states.new_zeros(size[0], width).index_add_(0, batch["window_call"], states[:, 0])
    return turns, calls / torch.bincount(batch["window_call"], minlength=size[0]).clamp(min=1).unsqueeze(1)
