"""Export to ONNX with weights in small integers: what the daily audit runs without torch."""

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
from qa_monitor.training.recover import FOUR_BIT_BLOCK, parameter_places


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
    bits: int | None = 8,
) -> None:
    """Write encoder.onnx, heads.onnx, tokenizer.json and bundle.json (`info`) into `folder`.

    `bits` of the encoder's weights: 8; 4, half as large and slower; None, as they are, to compare with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network.eval()
    torch.backends.mha.set_fastpath_enabled(False)  # the fused kernel has no ONNX counterpart
    # Attention written out plainly: the fused one is exported with guards that cost a sixth of the run.
    network.tokens.encoder.set_attn_implementation("eager")
    for chatty in ("onnxscript", "onnxruntime.quantization"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
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
        if bits == 4:
            _to_four_bits(plain["encoder"])
        for file in plain.values():
            if bits:
                _to_eight_bits(file, folder / file.name)
            else:
                shutil.copyfile(file, folder / file.name)
            _strip(folder / file.name)
    if tokenizer_file.resolve() != (folder / "tokenizer.json").resolve():
        shutil.copyfile(tokenizer_file, folder / "tokenizer.json")
    (folder / "bundle.json").write_text(json.dumps(info, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _to_eight_bits(file: Path, out: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        file, out, per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gemm", "Gather"],
        reduce_range=True,  # seven bits: processors without VNNI add two products in 16 bits, which eight overflow
    )  # fmt: skip


def _to_four_bits(file: Path) -> None:
    """The products with fixed weights, in place; blocks of 32 weights share a scale and a zero point."""
    import onnx

    level = logging.root.level
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    logging.root.setLevel(level)  # which importing it turns up
    quantizer = MatMulNBitsQuantizer(onnx.load(str(file)), bits=4, block_size=FOUR_BIT_BLOCK, accuracy_level=4)
    quantizer.process()
    onnx.save(quantizer.model.model, str(file))


def _strip(file: Path) -> None:
    """Leave out where in the source each node came from: half a megabyte that nothing reads."""
    import onnx

    model = onnx.load(str(file))
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.save(model, str(file))
