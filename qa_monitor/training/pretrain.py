"""Domain-adaptive pretraining: the base encoder goes on guessing masked words, now in service dialogues."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from qa_monitor.training.batches import Encoded, batches, collate
from qa_monitor.training.finetune import half_precision

MASKED_SHARE = 0.2


def tokenizer_of(base: str) -> Path:
    """The tokenizer.json of a base encoder, a folder or a hub name (then downloaded)."""
    file = Path(base) / "tokenizer.json"
    if file.is_file():
        return file
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(base, "tokenizer.json"))


def pretrain(
    encoder: Any,
    encoded: Sequence[Encoded],
    pad: int,
    mask: int,
    report: Callable[[str], None],
    *,
    epochs: float = 1,
    batch_tokens: int = 6144,
    rate: float = 2e-4,
    seed: int = 1,
) -> None:
    """Train `encoder` in place; its input embeddings serve as the output layer."""
    torch.manual_seed(seed)
    chance = random.Random(seed)
    width = encoder.config.hidden_size
    table = encoder.get_input_embeddings().weight
    guess = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
    bias = nn.Parameter(torch.zeros(table.shape[0]))
    parameters = [*encoder.parameters(), *guess.parameters(), bias]
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    total = int(len(list(batches(encoded, batch_tokens))) * epochs)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (0.06 * total + 1), max(0.02, (total - step) / total))
    )
    encoder.train()
    step, running, started = 0, 0.0, time.monotonic()
    while step < total:
        for group in batches(encoded, batch_tokens, chance):
            if step >= total:
                break
            batch = collate(group, pad)
            hidden, chosen = _hide(batch, mask, table.shape[0])
            with half_precision():
                states = encoder(
                    input_ids=hidden, attention_mask=batch["attention"], token_type_ids=batch["roles"]
                ).last_hidden_state[chosen]
                logits = guess(states) @ table.T + bias
            loss = nn.functional.cross_entropy(logits.float(), batch["ids"][chosen])
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            step += 1
            running = loss.item() if step == 1 else 0.98 * running + 0.02 * loss.item()
            if step % 50 == 0 or step == total:
                spent = time.monotonic() - started
                report(
                    f"第 {step}/{total} 步，已用 {spent:.0f} 秒，还需约 {spent / step * (total - step):.0f} 秒；损失 {running:.3f}"
                )


def _hide(batch: dict[str, Tensor], mask: int, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Ids with some tokens masked (8 in 10), swapped (1 in 10) or left, and which were chosen."""
    ids = batch["ids"]
    chosen = (torch.rand(ids.shape) < MASKED_SHARE) & (batch["slot"] >= 0)
    lot = torch.rand(ids.shape)
    hidden = torch.where(chosen & (lot < 0.8), torch.full_like(ids, mask), ids)
    return torch.where(chosen & (lot > 0.9), torch.randint_like(ids, 5, vocabulary), hidden), chosen
