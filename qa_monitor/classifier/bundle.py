"""The exported classifier: a folder with encoder.onnx, heads.onnx, tokenizer.json and bundle.json, run without torch.

    encoder.onnx   (W, L) ids, attention, roles        → states (W, L, D) float32
    heads.onnx     turns (B, T, 2·D), calls (B, D) …   → logits of every head

Windows of many calls share a batch, alike in length. The result of a call does not depend on its neighbours beyond the
rounding of 8-bit activations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa_monitor.classifier.encoding import Encoding, Window
from qa_monitor.errors import ModelCorrupt, ModelMissing

Array = NDArray[np.float32]
BATCH_TOKENS = 2048  # twice as many take 110 MB more and gain nothing
FILES = ("bundle.json", "tokenizer.json", "encoder.onnx", "heads.onnx")


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """What bundle.json says: version, labels of every head (`turn.politeness` → …), rule ids, temperature per head."""

    name: str
    version: str
    labels: dict[str, tuple[str, ...]]
    rules: tuple[str, ...]
    temperatures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Prediction:
    """`shares[head]` sum to 1 over the head's labels: (classes) for `call.*`, (T, classes) for `turn.*`,
    (rules, 3: pass, fail, not applicable) for `rules`. `attention[head]` (T) or (rules, T) sums to 1 over turns."""

    shares: dict[str, Array]
    attention: dict[str, Array]


class Classifier:
    """One bundle, loaded. `threads` bounds the cores of one run."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        import onnxruntime

        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise ModelMissing(
                f"分类模型缺少文件 {'、'.join(missing)}",
                where=str(folder),
                hint="请重新安装 qa_monitor，或运行 qa-monitor train 训练",
            )
        self.info = read_info(folder / "bundle.json")
        self._encoding = Encoding(folder / "tokenizer.json")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Waiting must not take a worker's core.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._encoder: Any = onnxruntime.InferenceSession(folder / "encoder.onnx", options, ["CPUExecutionProvider"])
        self._heads: Any = onnxruntime.InferenceSession(folder / "heads.onnx", options, ["CPUExecutionProvider"])
        self._head_names = [output.name for output in self._heads.get_outputs()]

    def predict(self, calls: Sequence[Sequence[tuple[int, str]]]) -> list[Prediction]:
        """One Prediction a call, in order; a call is its turns (role 0 customer | 1 agent, text), at least one turn."""
        windows = [(call, window) for call, turns in enumerate(calls) for window in self._encoding.windows(turns)]
        pools = [_Pool(len(turns)) for turns in calls]
        for group in _groups(windows):
            states = self._encode([window for _, window in group])
            for (call, window), rows in zip(group, states, strict=True):
                pools[call].add(window, rows)
        order = sorted(range(len(calls)), key=lambda call: len(calls[call]))
        found: dict[int, Prediction] = {}
        for start in range(0, len(order), 32):
            chosen = order[start : start + 32]
            found.update(zip(chosen, self._judge([calls[c] for c in chosen], [pools[c] for c in chosen]), strict=True))
        return [found[call] for call in range(len(calls))]

    def tokens(self, text: str) -> list[tuple[int, int]]:
        """Character ranges of the tokens of `text`."""
        return self._encoding.tokens([text])[0][1]

    def _encode(self, windows: Sequence[Window]) -> Array:
        length = max(len(window.ids) for window in windows)
        ids = np.full((len(windows), length), self._encoding.pad, np.int64)
        attention, roles = np.zeros_like(ids), np.zeros_like(ids)
        for row, window in enumerate(windows):
            size = len(window.ids)
            ids[row, :size], attention[row, :size], roles[row, :size] = window.ids, 1, window.roles
        states: Array = self._encoder.run(None, {"ids": ids, "attention": attention, "roles": roles})[0]
        return states

    def _judge(self, calls: Sequence[Sequence[tuple[int, str]]], pools: Sequence[_Pool]) -> list[Prediction]:
        longest = max(len(turns) for turns in calls)
        width = next(pool.calls[0].shape[0] for pool in pools)
        turns = np.zeros((len(calls), longest, 2 * width), np.float32)
        whole = np.zeros((len(calls), width), np.float32)
        roles, mask = np.zeros((len(calls), longest), np.int64), np.zeros((len(calls), longest), np.float32)
        for row, (call, pool) in enumerate(zip(calls, pools, strict=True)):
            turns[row, : len(call)] = pool.turns()
            whole[row] = np.mean(pool.calls, 0)
            roles[row, : len(call)] = [role for role, _ in call]
            mask[row, : len(call)] = 1
        values = self._heads.run(None, {"turns": turns, "calls": whole, "roles": roles, "mask": mask})
        out = dict(zip(self._head_names, values, strict=True))
        return [
            self._one({name: value[row] for name, value in out.items()}, len(call)) for row, call in enumerate(calls)
        ]

    def _one(self, logits: dict[str, Array], count: int) -> Prediction:
        shares: dict[str, Array] = {}
        attention: dict[str, Array] = {}
        for name, values in logits.items():
            if name.startswith("attention."):
                attention[name.removeprefix("attention.")] = _softmax(values[..., :count])
            else:
                rows = values[:count] if name.startswith("turn.") else values
                shares[name] = _softmax(rows / self.info.temperatures.get(name, 1.0))
        return Prediction(shares, attention)


class _Pool:
    """Sums the token states of a call's turns over its windows."""

    def __init__(self, turns: int) -> None:
        self._count = turns
        self._sums: Array | None = None
        self._sizes = np.zeros(turns, np.float32)
        self._markers: dict[int, Array] = {}
        self.calls: list[Array] = []

    def add(self, window: Window, states: Array) -> None:
        owners = np.asarray(window.owners)
        if self._sums is None:
            self._sums = np.zeros((self._count, states.shape[-1]), np.float32)
        owned = np.flatnonzero(owners >= 0)
        np.add.at(self._sums, owners[owned], states[owned])
        np.add.at(self._sizes, owners[owned], 1)
        first = owned[np.unique(owners[owned], return_index=True)[1]]
        for place in first:
            self._markers.setdefault(int(owners[place]), states[place])
        self.calls.append(states[0])

    def turns(self) -> Array:
        assert self._sums is not None
        means = self._sums / np.maximum(self._sizes, 1)[:, None]
        markers = np.stack([self._markers[turn] for turn in range(self._count)])
        return np.concatenate([markers, means], 1)


def _groups(windows: list[tuple[int, Window]]) -> Iterator[list[tuple[int, Window]]]:
    """Windows in batches of at most BATCH_TOKENS padded tokens, alike in length."""
    group: list[tuple[int, Window]] = []
    for item in sorted(windows, key=lambda item: len(item[1].ids)):
        if group and len(item[1].ids) * (len(group) + 1) > BATCH_TOKENS:
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)


def read_info(file: Path) -> BundleInfo:
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        return BundleInfo(
            raw["name"],
            raw["version"],
            {head: tuple(labels) for head, labels in raw["labels"].items()},
            tuple(raw["rules"]),
            {head: float(value) for head, value in raw["temperatures"].items()},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ModelCorrupt("bundle.json 读不懂", where=str(file), hint="请重新安装 qa_monitor，或重新训练") from error
