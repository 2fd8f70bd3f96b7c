"""Domain-adaptive pretraining: the base encoder goes on guessing masked tokens, now in service dialogues.

Dialogues are laid end to end and cut into full rows, in a new order each epoch, so that nothing is padding.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qa_monitor.classifier.encoding import MAX_TOKENS, Encoding
from qa_monitor.training.examples import Example
from qa_monitor.training.finetune import fastest_device, half_precision, quickest_attention

MASKED_SHARE = 0.2
WARM_UP = 0.06


def tokenizer_of(base: str) -> Path:
    """The tokenizer.json of a base encoder, a folder or a hub name (then downloaded)."""
    file = Path(base) / "tokenizer.json"
    if file.is_file():
        return file
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(base, "tokenizer.json"))


def pretrain(
    encoder: Any,
    examples: Sequence[Example],
    encoding: Encoding,
    report: Callable[[str], None],
    *,
    epochs: float = 1,
    rows: int = 12,
    rate: float = 2e-4,
    seed: int = 1,
) -> None:
    """Train `encoder` in place, on the fastest device, `rows` rows of 512 tokens a step; its input embeddings serve as
    the output layer."""
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    device = fastest_device()
    encoder.to(device).train()
    quickest_attention(encoder)
    windows = [window for item in examples for window in encoding.windows(item.turns)]
    ids, roles = ([np.array(getattr(window, kind)) for window in windows] for kind in ("ids", "roles"))
    size = rows * MAX_TOKENS
    steps_of_epoch = max(1, sum(map(len, ids)) // size)
    total = max(1, int(steps_of_epoch * epochs))
    width, table = encoder.config.hidden_size, encoder.get_input_embeddings().weight
    guess = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width)).to(device)
    bias = nn.Parameter(torch.zeros(table.shape[0], device=device))
    parameters = [*encoder.parameters(), *guess.parameters(), bias]
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (WARM_UP * total + 1), max(0.02, (total - step) / total))
    )
    step, running, started = 0, torch.zeros((), device=device), time.monotonic()
    while step < total:
        order = chance.permutation(len(windows))
        rows_of_ids, rows_of_roles = (_laid_out(parts, order, size).to(device) for parts in (ids, roles))
        for ids_now, roles_now in zip(rows_of_ids, rows_of_roles, strict=True):
            if step >= total:
                break
            hidden, chosen = _hide(ids_now, encoding, table.shape[0])
            with half_precision(device):
                states = encoder(input_ids=hidden, token_type_ids=roles_now).last_hidden_state
                logits = guess(states.gather(1, chosen.unsqueeze(-1).expand(-1, -1, width))) @ table.T + bias
            loss = nn.functional.cross_entropy(logits.float().flatten(0, 1), ids_now.gather(1, chosen).flatten())
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            step += 1
            running = loss.detach() if step == 1 else torch.lerp(running, loss.detach(), 0.02)
            if step % 50 == 0 or step == total:
                spent = time.monotonic() - started
                left = spent / step * (total - step)
                report(f"第 {step}/{total} 步，已用 {spent:.0f} 秒，还需约 {left:.0f} 秒；损失 {running.item():.3f}")


def _laid_out(parts: Sequence[Any], order: Any, size: int) -> Tensor:
    """(steps, rows, 512): the parts end to end in this order; what does not fill a last step is left for another epoch.
    Too few for one step are repeated."""
    flat = np.concatenate([parts[place] for place in order])
    if len(flat) < size:
        flat = np.resize(flat, size)
    return torch.from_numpy(flat[: len(flat) // size * size].reshape(-1, size // MAX_TOKENS, MAX_TOKENS))


def _hide(ids: Tensor, encoding: Encoding, vocabulary: int) -> tuple[Tensor, Tensor]:
    """(rows, 512) ids with some tokens masked (8 in 10), swapped (1 in 10) or left, and the places (rows, n) of those."""
    special = (ids == encoding.first) | (ids == encoding.last)
    order = torch.rand(ids.shape, device=ids.device).masked_fill(special, -1)
    chosen = order.topk(int(MASKED_SHARE * ids.shape[1]), 1).indices
    kept = ids.gather(1, chosen)
    lot = torch.rand(kept.shape, device=ids.device)
    other = torch.where(lot > 0.9, torch.randint_like(kept, 5, vocabulary), kept)
    return ids.scatter(1, chosen, torch.where(lot < 0.8, torch.full_like(kept, encoding.mask), other)), chosen
