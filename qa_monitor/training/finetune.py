"""Fine-tuning: batches of several sources in turn, one loss a task, a moving average of the weights at the end."""

from __future__ import annotations

import copy
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from qa_monitor.training.batches import Encoded, batches, collate
from qa_monitor.training.losses import losses
from qa_monitor.training.network import CallNetwork


def fastest_device() -> torch.device:
    """A GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half_precision(device: torch.device) -> torch.autocast:
    """bfloat16 where the processor multiplies it in hardware; elsewhere it is emulated, a hundred times slower."""
    if device.type != "cpu":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=native)


@dataclass(frozen=True, slots=True)
class FineTuneConfig:
    """`encoder_rate` and `head_rate` are the highest learning rates; `layer_decay` lowers the first per layer from the
    top; `batch_tokens` counts padded tokens; `weights` is the weight of each task's loss (1 where not named)."""

    epochs: float = 4
    batch_tokens: int = 4096
    encoder_rate: float = 6e-5
    head_rate: float = 3e-4
    layer_decay: float = 0.9
    warm_up: float = 0.1
    weight_decay: float = 0.05
    average: float = 0.995
    seed: int = 1
    weights: dict[str, float] = field(default_factory=dict)


def fine_tune(
    network: CallNetwork,
    encoded: Sequence[Encoded],
    pad: int,
    config: FineTuneConfig,
    report: Callable[[str], None],
    redraw: Callable[[int], Sequence[Encoded]] | None = None,
) -> CallNetwork:
    """Train `network` and return a copy holding the moving average of its weights.

    `redraw(epoch)` gives the examples of each epoch anew (spoiled differently, sources sampled differently).
    """
    torch.manual_seed(config.seed)
    chance = random.Random(config.seed)
    device = next(network.parameters()).device
    quickest_attention(network.tokens.encoder)
    optimiser = torch.optim.AdamW(_groups(network, config), weight_decay=config.weight_decay)
    per_epoch = len(list(batches(encoded, config.batch_tokens)))
    total = max(1, math.ceil(per_epoch * config.epochs))
    warm = max(1, int(total * config.warm_up))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm, max(0.02, (total - step) / max(1, total - warm)))
    )
    average = copy.deepcopy(network).eval()
    running: dict[str, torch.Tensor] = {}
    step, epoch, started = 0, 0, time.monotonic()
    while step < total:
        current = redraw(epoch) if redraw else encoded
        for group in batches(current, config.batch_tokens, chance):
            if step >= total:
                break
            network.train()
            with half_precision(device):
                out = network(collate(group, pad, device))
            found = losses({name: logits.float() for name, logits in out.items()}, group)
            if not found:
                continue
            sum(config.weights.get(name, 1.0) * loss for name, loss in found.items()).backward()  # type: ignore[union-attr]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            step += 1
            keep = min(config.average, step / (step + 10))
            with torch.no_grad():
                for mine, theirs in zip(average.parameters(), network.parameters(), strict=True):
                    mine.lerp_(theirs, 1 - keep)
            for name, loss in found.items():
                running[name] = torch.lerp(running.get(name, loss.detach()), loss.detach(), 0.02)
            if step % 50 == 0 or step == total:
                spent = time.monotonic() - started
                told = " ".join(f"{name} {value.item():.3f}" for name, value in sorted(running.items()))
                report(
                    f"第 {step}/{total} 步，已用 {spent:.0f} 秒，还需约 {spent / step * (total - step):.0f} 秒；损失 {told}"
                )
        epoch += 1
    return average


def quickest_attention(encoder: Any) -> None:
    """Written out on a CPU, where its way back is a quarter quicker; fused elsewhere."""
    encoder.set_attn_implementation("eager" if encoder.device.type == "cpu" else "sdpa")


def _groups(network: CallNetwork, config: FineTuneConfig) -> list[dict[str, object]]:
    """Parameters by learning rate: heads highest, the encoder's layers lower the deeper they lie."""
    layers = network.tokens.encoder.config.num_hidden_layers
    groups: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not name.startswith("tokens.encoder."):
            rate = config.head_rate
        else:
            parts = name.split(".")
            depth = int(parts[parts.index("layer") + 1]) + 1 if "layer" in parts else 0
            rate = config.encoder_rate * config.layer_decay ** (layers - depth)
        groups.setdefault(rate, []).append(parameter)
    return [{"params": parameters, "lr": rate} for rate, parameters in groups.items()]


def predict(network: CallNetwork, encoded: Sequence[Encoded], pad: int) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Per example id: head → probabilities, (classes) for calls, (T, classes) for turns, (rules, 3) for rules."""
    network.eval()
    device = next(network.parameters()).device
    quickest_attention(network.tokens.encoder)
    found: dict[str, dict[str, NDArray[np.float64]]] = {}
    with torch.no_grad():
        for group in batches(encoded, 16384):
            with half_precision(device):
                out = network(collate(group, pad, device))
            shares = {
                name: logits.float().softmax(-1).double().cpu().numpy()
                for name, logits in out.items()
                if not name.startswith("attention.")
            }
            shares["deciding"] = (
                out["attention.resolution"].float().softmax(-1).double().cpu().numpy()
                if "attention.resolution" in out
                else np.zeros((len(group), 1))
            )
            for row, item in enumerate(group):
                count = len(item.example.turns)
                found[item.example.id] = {
                    name: values[row, :count] if name.startswith("turn.") or name == "deciding" else values[row]
                    for name, values in shares.items()
                }
    return found
