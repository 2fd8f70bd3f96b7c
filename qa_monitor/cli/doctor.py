"""`doctor`: is everything there that an audit needs, and what to type when it is not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from qa_monitor.cli.chinese import ChineseCommand
from qa_monitor.errors import QaMonitorError
from qa_monitor.settings import Settings, load_settings

CODECS = {
    "pcm_alaw": "A 律",
    "pcm_mulaw": "μ 律",
    "gsm_ms": "GSM",
    "amrnb": "AMR-NB",
    "amrwb": "AMR-WB",
    "g729": "G.729",
    "g722": "G.722",
    "mp3": "MP3",
    "opus": "Opus",
    "aac": "AAC",
    "flac": "FLAC",
}
LOW_DISK_GB = 2.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the diagnosis. `mend` is what to do when it is not `ok`."""

    name: str
    ok: bool
    found: str
    mend: str = ""


@click.command(cls=ChineseCommand)
@click.pass_obj
def doctor(home: Path) -> int:
    """逐项检查环境，每个问题都给出修复办法。退出码 2 表示有必须先解决的问题。"""
    failed = 0
    for check in diagnose(home):
        click.echo(f"{'✓' if check.ok else '✗'} {check.name}：{check.found}")
        if not check.ok:
            failed += 1
            click.echo(f"    → {check.mend}")
    click.echo("一切正常，可以开始质检" if not failed else f"有 {failed} 项需要处理")
    return 2 if failed else 0


def diagnose(home: Path) -> Iterator[Check]:
    """Every check, in the order of the data's path."""
    try:
        settings = load_settings(home)
        yield Check(
            "配置", True, str(home / "qa_monitor.toml") if (home / "qa_monitor.toml").exists() else "使用默认配置"
        )
    except QaMonitorError as error:
        yield Check("配置", False, str(error), "改正配置文件，或删除后运行 qa-monitor init")
        return
    yield from (_guarded(name, check, settings) for name, check in _CHECKS)


def _guarded(name: str, check: Callable[[Settings], Check], settings: Settings) -> Check:
    try:
        return check(settings)
    except QaMonitorError as error:
        return Check(name, False, error.what + (f"（{error.where}）" if error.where else ""), error.hint)


def _codecs(_: Settings) -> Check:
    import av

    missing = [label for codec, label in CODECS.items() if codec not in av.codecs_available]
    return Check(
        "解码器",
        not missing,
        f"{len(CODECS) - len(missing)} 种电话和网络编码可用",
        f"缺少 {'、'.join(missing)}，请运行 pip install --force-reinstall av",
    )


def _model(settings: Settings) -> Check:
    from qa_monitor.models import ModelRegistry

    registry = ModelRegistry()
    path = registry.path(settings.transcript.model)
    registry.verify(settings.transcript.model)
    return Check("语音模型", True, f"{settings.transcript.model} 校验通过（{path}）")


def _rules(settings: Settings) -> Check:
    from qa_monitor.rules.rulebook import load_rulebook

    book = load_rulebook(settings.rules_dir, settings.rules.packs)
    return Check("规则", True, f"{len(book.rules)} 条，版本 {book.version[:12]}")


def _scorecard(settings: Settings) -> Check:
    from qa_monitor.scoring.scorecard import load_scorecard

    card = load_scorecard(settings.rules_dir / settings.rules.scorecard)
    return Check("评分表", True, f"{settings.rules.scorecard}，版本 {card.version[:12]}")


def _store(settings: Settings) -> Check:
    from qa_monitor.store.store import Store, file_system_of

    Store.open(settings.store_url).close()
    kind = file_system_of(settings.home)
    return Check("数据库", True, f"{settings.store_url}（{kind or '未知文件系统'}）")


def _disk(settings: Settings) -> Check:
    free_gb = shutil.disk_usage(settings.home if settings.home.exists() else Path.cwd()).free / 1e9
    return Check(
        "磁盘",
        free_gb >= LOW_DISK_GB,
        f"剩余 {free_gb:.1f} GB",
        f"至少需要 {LOW_DISK_GB:g} GB，请清理磁盘或用 --home 换一个位置",
    )


_CHECKS: tuple[tuple[str, Callable[[Settings], Check]], ...] = (
    ("解码器", _codecs),
    ("语音模型", _model),
    ("规则", _rules),
    ("评分表", _scorecard),
    ("数据库", _store),
    ("磁盘", _disk),
)
