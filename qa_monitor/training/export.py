"""Export to ONNX with weights in 8-bit integers: what the daily audit runs without torch."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from qa_monitor.training.network import CallNetwork
from qa_monitor.training.recover import parameter_places


class _Heads(nn.Module):
    """The heads with their outputs in a fixed order."""

    def __init__(self, heads: nn.Module, names: list[str]) -> None:
        super().__init__()
        self.heads, self.names = heads, names

    def forward(self, turns: Tensor, calls: Tensor, roles: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        out = self.heads(turns, calls, roles, mask)
        return tuple(out[name] for name in self.names)


def export(
    network: CallNetwork,
    tokenizer_file: Path,
    folder: Path,
    info: dict[str, Any],
    *,
    eight_bit: bool = True,
) -> None:
    """Write encoder.onnx, heads.onnx, tokenizer.json and bundle.json (`info`) into `folder`."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder.mkdir(parents=True, exist_ok=True)
    network.eval()
    torch.backends.mha.set_fastpath_enabled(False)  # the fused kernel has no ONNX counterpart
    # Attention written out plainly: the fused one is exported with guards that cost a sixth of the run.
    network.tokens.encoder.set_attn_implementation("eager")
    logging.getLogger("onnxscript").setLevel(logging.ERROR)
    width = network.tokens.encoder.config.hidden_size
    ids, ones = torch.randint(5, 900, (2, 24)), torch.ones(2, 24, dtype=torch.long)
    sample = (
        torch.randn(2, 6, 2 * width),
        torch.randn(2, width),
        torch.zeros(2, 6, dtype=torch.long),
        torch.ones(2, 6),
    )
    names = list(network.heads(*sample))
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        window, length = torch.export.Dim("window"), torch.export.Dim("length", max=512)
        call, turn = torch.export.Dim("call"), torch.export.Dim("turn")
        plain = {name: Path(scratch) / f"{name}.onnx" for name in ("encoder", "heads")}
        torch.onnx.export(
            network.tokens, (ids, ones, torch.zeros_like(ids)), plain["encoder"], dynamo=True, external_data=False,
            input_names=["ids", "attention", "roles"], output_names=["states"],
            dynamic_shapes=({0: window, 1: length},) * 3, verbose=False,
        )  # fmt: skip
        torch.onnx.export(
            _Heads(network.heads, names), sample, plain["heads"], dynamo=True, external_data=False,
            input_names=["turns", "calls", "roles", "mask"], output_names=names,
            dynamic_shapes=({0: call, 1: turn}, {0: call}, {0: call, 1: turn}, {0: call, 1: turn}), verbose=False,
        )  # fmt: skip
        encoder = network.tokens.encoder.config.to_dict()
        encoder.pop("_name_or_path", None)  # a path of the machine that trained it
        info = {
            **info,
            "encoder": encoder,
            "parameters": parameter_places(network, Path(scratch)),
        }
        for file in plain.values():
            if eight_bit:
                quantize_dynamic(
                    file, folder / file.name, per_channel=True, weight_type=QuantType.QInt8,
                    # Seven bits of weight: processors without VNNI add two products in 16 bits, which eight overflow.
                    reduce_range=True, op_types_to_quantize=["MatMul", "Gemm", "Gather"],
                )  # fmt: skip
            else:
                shutil.copyfile(file, folder / file.name)
            _strip(folder / file.name)
    if tokenizer_file.resolve() != (folder / "tokenizer.json").resolve():
        shutil.copyfile(tokenizer_file, folder / "tokenizer.json")
    (folder / "bundle.json").write_text(json.dumps(info, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _strip(file: Path) -> None:
    """Leave out where in the source each node came from: half a megabyte that nothing reads."""
    import onnx

    model = onnx.load(str(file))
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.save(model, str(file))
