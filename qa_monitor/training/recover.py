"""From an exported bundle back to a network that can be trained further.

Export notes in bundle.json under which name every parameter lies in the ONNX files; here weights of 8 and 4 bits are
multiplied by their scales again. What rounding took away is soon learned anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from qa_monitor.errors import ModelCorrupt
from qa_monitor.training.network import CallNetwork, HeadSizes
from qa_monitor.training.tasks import head_labels

ONNX_FILES = ("encoder.onnx", "heads.onnx")
FOUR_BIT_BLOCK = 32  # weights of one row that share a scale


def new_network(encoder: Any, rules: int, labels: Mapping[str, Sequence[str]] | None = None) -> CallNetwork:
    """A network on `encoder` with the heads that `labels` names (`turn.…`, `call.…`), of all tasks when not given."""
    wanted = head_labels() if labels is None else labels
    turn, call = (
        {name.removeprefix(kind): len(names) for name, names in wanted.items() if name.startswith(kind)}
        for kind in ("turn.", "call.")
    )
    return CallNetwork(encoder, HeadSizes(turn, call, rules))


def with_heads(network: CallNetwork, labels: Mapping[str, Sequence[str]], rules: int) -> CallNetwork:
    """The same network with the heads that `labels` names: those it has keep their weights, others start afresh.

    Rules are kept, added or left out whole.
    """
    other = new_network(network.tokens.encoder, rules, labels)
    state = other.state_dict()
    state.update({name: value for name, value in network.state_dict().items() if name in state})
    other.load_state_dict(state)
    return other


def parameter_places(network: CallNetwork, folder: Path) -> dict[str, list[Any]]:
    """Parameter → [file, initialiser, transposed], found by equal values in the unquantised files of `folder`."""
    places: dict[str, list[Any]] = {}
    for file, prefix in zip(ONNX_FILES, ("tokens.", "heads."), strict=True):
        stored = _initialisers(folder / file)
        for name, parameter in network.named_parameters():
            if not name.startswith(prefix):
                continue
            wanted = parameter.detach().numpy()
            for key, value in stored.items():
                if value.shape == wanted.shape and np.array_equal(value, wanted):
                    places[name] = [file, key, False]
                elif value.ndim == 2 and value.T.shape == wanted.shape and np.array_equal(value.T, wanted):
                    places[name] = [file, key, True]
    missing = [name for name, _ in network.named_parameters() if name not in places]
    if missing:
        raise ModelCorrupt(f"导出文件里找不到参数 {'、'.join(missing[:3])} 等 {len(missing)} 个", hint="请报告这个问题")
    return places


def recover(folder: Path) -> CallNetwork:
    """The network of the bundle in `folder`. Raises ModelCorrupt when a parameter is not there."""
    from transformers import BertConfig, BertModel

    info = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    config = BertConfig(**info["encoder"])
    network = new_network(BertModel(config, add_pooling_layer=False), len(info["rules"]), info["labels"])
    stored = {file: _initialisers(folder / file) for file in ONNX_FILES}
    state = network.state_dict()
    for name, (file, key, transposed) in info["parameters"].items():
        value = _float(stored[file], key, folder / file)
        state[name] = torch.from_numpy(np.array(value.T if transposed else value))
    network.load_state_dict(state)
    return network


def _float(stored: dict[str, NDArray[Any]], key: str, file: Path) -> NDArray[np.float32]:
    if key in stored:
        return np.asarray(stored[key], np.float32)
    for name, turned in (
        (key, False),
        (f"{key}_Transposed", True),
    ):  # quantisation folds a transposition into the weight
        if f"{name}_quantized" in stored:
            whole, scale, zero = (stored[f"{name}_{part}"] for part in ("quantized", "scale", "zero_point"))
            value = np.asarray((whole.astype(np.float32) - zero.astype(np.float32)) * scale, np.float32)
            return value.T if turned else value
    if f"{key}_Q4" in stored:  # (out, in) in blocks, two weights a byte, the first in its lower half
        packed, scale, zero = (stored[f"{key}_{part}"] for part in ("Q4", "scales", "zero_points"))
        rows = packed.shape[0]
        blocks = _halves(packed).reshape(rows, -1, FOUR_BIT_BLOCK)
        zeros = _halves(zero.reshape(rows, -1))[:, : blocks.shape[1]]
        whole_scale = scale.reshape(rows, -1).astype(np.float32)
        return np.asarray(((blocks - zeros[..., None]) * whole_scale[..., None]).reshape(rows, -1).T, np.float32)
    raise ModelCorrupt(f"缺少参数 {key}", where=str(file), hint="请重新安装 qa_monitor")


def _halves(packed: NDArray[Any]) -> NDArray[np.float32]:
    """The two 4-bit numbers of each byte, side by side in the last axis."""
    return np.stack([packed & 15, packed >> 4], -1).reshape(*packed.shape[:-1], -1).astype(np.float32)


def _initialisers(file: Path) -> dict[str, NDArray[Any]]:
    import onnx
    from onnx import numpy_helper

    return {item.name: numpy_helper.to_array(item) for item in onnx.load(str(file)).graph.initializer}
