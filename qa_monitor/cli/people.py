"""`agents`, `performance` and `purge`; the tables that lie beside recordings."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from qa_monitor.cli.chinese import ChineseCommand, LazyGroup
from qa_monitor.cli.output import open_store
from qa_monitor.settings import Settings, load_settings, resource_dir
from qa_monitor.store import people
from qa_monitor.store.store import Store

if TYPE_CHECKING:
    from qa_monitor.agents.roster import Rejected

TABLE_ENDINGS = (".csv", ".xlsx", ".xlsm", ".xls")
REJECTS_SHOWN = CHANGES_SHOWN = 20


def tables_beside(folders: Sequence[Path], word: str) -> list[Path]:
    """CSV and Excel files directly in `folders` whose name contains `word`, in order of name."""
    found = []
    for folder in folders:
        if folder.is_dir():
            names = sorted(os.listdir(folder))
            found += [folder / name for name in names if word in name and name.lower().endswith(TABLE_ENDINGS)]
    return [path for path in found if not path.name.startswith("~$") and path.is_file()]


def import_roster(store: Store, path: Path, encoding: str | None = None, rejects: Path | None = None) -> str:
    """Read and store a roster; what happened, in words. Rows not taken are written to `rejects` when there are many."""
    from qa_monitor.agents.roster import read_roster

    read = read_roster(path, encoding=encoding)
    change = people.save_roster(store, read.agents)
    return f"坐席名册 {path.name}：{change.in_words('人')}{_changed(change)}{_rejected(read.rejected, rejects)}"


def import_performance(
    store: Store, path: Path, encoding: str | None = None, rejects: Path | None = None, columns: Path | None = None
) -> str:
    """Read and store performance records; what happened, in words. `columns` maps column names to metrics."""
    from qa_monitor.agents.performance import load_columns, read_performance

    aliases = load_columns(columns or resource_dir("rules") / "performance_columns.yaml")
    read = read_performance(path, aliases, encoding)
    change = people.save_performance(store, read.records)
    return f"绩效记录 {path.name}：{change.in_words('项')}{_changed(change)}{_rejected(read.rejected, rejects)}"


def _changed(change: people.Change) -> str:
    """The updated lines, old and new."""
    lines = [f"\n  {line}" for line in change.details[:CHANGES_SHOWN]]
    more = f"\n  …另有 {len(change.details) - CHANGES_SHOWN} 处" if len(change.details) > CHANGES_SHOWN else ""
    return "".join(lines) + more


def _rejected(rejected: Sequence[Rejected], file: Path | None) -> str:
    """Every row that was not taken: on the screen, and in `file` when they are too many for it."""
    if not rejected:
        return ""
    lines = [f"\n  {row}" for row in rejected[:REJECTS_SHOWN]]
    left = len(rejected) - REJECTS_SHOWN
    more = ""
    if left > 0:
        more = f"\n  …另有 {left} 行" + (f"，全部列在 {_listed(rejected, file)}" if file is not None else "")
    return f"；{len(rejected)} 行未采用：" + "".join(lines) + more


def _listed(rejected: Sequence[Rejected], file: Path) -> Path:
    """Write every row not taken to `file` as CSV."""
    import csv

    from qa_monitor.reports.safe_text import csv_text
    from qa_monitor.reports.writing import put_in_place, refused, staging

    with refused(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    with staging(file) as folder:
        with (folder / "rejects.csv").open("w", encoding="utf-8-sig", errors="replace", newline="") as stream:
            writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
            writer.writerow(("文件", "行", "原因"))
            counts: Counter[str] = Counter()
            writer.writerows((csv_text(row.file, counts), row.row, csv_text(row.reason, counts)) for row in rejected)
        put_in_place(folder / "rejects.csv", file)
    return file


_ENCODING = click.option("--encoding", metavar="编码", help="CSV 的文字编码，如 big5；默认自动判断")


@click.group(cls=LazyGroup, help="坐席名册。")
def agents() -> None:
    pass


@agents.command("import", help="导入名册（CSV 或 XLSX；工号按文字读取，007 仍是 007）")
@click.argument("file", metavar="文件", type=click.Path(path_type=Path))
@_ENCODING
@click.pass_obj
def import_agents(home: Path, file: Path, encoding: str | None) -> None:
    settings = load_settings(home)
    store = open_store(settings)
    try:
        click.echo(import_roster(store, file, encoding, settings.reports_dir / f"未采用_{file.stem}.csv"))
    finally:
        store.close()


@agents.command("list", help="列出名册")
@click.pass_obj
def list_agents(home: Path) -> None:
    store = open_store(load_settings(home), create=False)
    try:
        table = Table("工号", "姓名", "班组", "技能组", "岗位", "入职日期", "生效", "失效")
        for agent in people.roster_of(store):
            table.add_row(
                agent.agent_id,
                agent.name,
                agent.team,
                agent.skill_group,
                agent.post,
                agent.hired_on or "",
                agent.valid_from or "",
                agent.valid_to or "",
            )
        Console(highlight=False, markup=False).print(table)
    finally:
        store.close()


def beside_rules(settings: Settings, name: str) -> Path:
    """A file of the rules folder in use, else the one that came with the program."""
    own = settings.rules_dir / name
    return own if own.exists() else resource_dir("rules") / name


@click.group(cls=LazyGroup, help="绩效记录。")
def performance() -> None:
    pass


@performance.command("import", help="导入月度或每日绩效记录（CSV 或 XLSX，列名对应见 rules/performance_columns.yaml）")
@click.argument("file", metavar="文件", type=click.Path(path_type=Path))
@_ENCODING
@click.option(
    "--columns", type=click.Path(path_type=Path), help="列名对应表（YAML），默认 rules/performance_columns.yaml"
)
@click.pass_obj
def import_performance_file(home: Path, file: Path, encoding: str | None, columns: Path | None) -> None:
    settings = load_settings(home)
    store = open_store(settings)
    rejects = settings.reports_dir / f"未采用_{file.stem}.csv"
    chosen = columns or beside_rules(settings, "performance_columns.yaml")
    try:
        click.echo(import_performance(store, file, encoding, rejects, chosen))
    finally:
        store.close()


@click.command(cls=ChineseCommand)
@click.option("--dry-run", is_flag=True, help="只列出将删除什么，不删除")
@click.option("--days", type=click.IntRange(1), help="保存天数，默认取配置 privacy.retention_days")
@click.pass_obj
def purge(home: Path, dry_run: bool, days: int | None) -> None:
    """删除超过保存期限的通话内容（转写、对话、证据）；得分和计数保留，操作记入审计日志。"""
    from qa_monitor.store.retention import expired, purge_calls

    settings = load_settings(home)
    store = open_store(settings, create=False)
    try:
        kept_days = days or settings.privacy.retention_days
        found = expired(store, kept_days)
        if dry_run:
            click.echo(f"将删除 {len(found)} 通超过 {kept_days} 天的通话内容（预览，未删除）")
        else:
            purge_calls(store, found, kept_days)
            click.echo(f"已删除 {len(found)} 通超过 {kept_days} 天的通话内容；得分与统计保留")
    finally:
        store.close()
