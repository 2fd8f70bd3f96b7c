"""`scoresheet`: a month's score sheets."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa_monitor.cli.chinese import ChineseCommand
from qa_monitor.cli.output import open_store
from qa_monitor.cli.people import beside_rules
from qa_monitor.errors import SetupError
from qa_monitor.settings import Settings, load_settings
from qa_monitor.store.store import Store

if TYPE_CHECKING:
    from qa_monitor.agents.placing import Period
    from qa_monitor.agents.read_policy import PolicyFile
    from qa_monitor.reports.scoresheet import ScoreSheet
    from qa_monitor.store.agent_ledger import PeriodData

FORMATS = ("xlsx", "csv", "json", "pdf")
FILL_TOLD = 500  # calls from which filling in takes long enough to be told


@contextmanager
def reading(settings: Settings) -> Iterator[Store]:
    store = open_store(settings, create=False)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _no_cycle_search() -> Iterator[None]:
    """Hundreds of thousands of rows and no cycles among them: looking for some takes a tenth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def chosen_period(name: str | None) -> Period:
    from qa_monitor.agents.columns import iso_period
    from qa_monitor.agents.placing import month_period

    if name is None:
        return month_period(f"{datetime.now().astimezone():%Y-%m}").before()
    found = iso_period(name)
    if found is None or len(found) != 7:
        raise SetupError(f"考核期“{name}”不是月份", where="--period", hint="写成 2026-11")
    return month_period(found)


def chosen_policy(settings: Settings, chosen: Path | None, none: bool = False) -> PolicyFile | None:
    from qa_monitor.agents.read_policy import read_policy

    if none:
        return None
    if chosen is not None:
        inside = settings.rules_dir / "policy" / chosen.name
        return read_policy(chosen if chosen.exists() or not inside.exists() else inside)
    return read_policy(settings.rules_dir / settings.rules.policy) if settings.rules.policy else None


@click.command(cls=ChineseCommand)
@click.option("--period", "period_name", metavar="月份", help="考核月份，如 2026-11；默认上个月")
@click.option("--team", help="只含此班组")
@click.option("--agent", "agent_ids", multiple=True, metavar="工号", help="只含此工号，可重复")
@click.option(
    "--format", "kinds", multiple=True, type=click.Choice(FORMATS), help="xlsx（默认）、csv、json、pdf，可重复"
)
@click.option("--policy", "policy_file", type=click.Path(path_type=Path), help="绩效办法文件，默认取配置 rules.policy")
@click.option("--no-policy", is_flag=True, help="不算等级和系数")
@click.option("--rank", is_flag=True, help="区间重叠也列出名次")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="输出目录，默认工作目录下的 reports")
@click.pass_obj
def scoresheet(
    home: Path,
    period_name: str | None,
    team: str | None,
    agent_ids: tuple[str, ...],
    kinds: tuple[str, ...],
    policy_file: Path | None,
    no_policy: bool,
    rank: bool,
    out: Path | None,
) -> int:
    """生成坐席成绩单：封面、排名、每人一页（维度、走势、证据、扣分、系数）、班组、辅导、未匹配、方法说明。"""
    from qa_monitor.agents.training import read_courses
    from qa_monitor.reports.scoresheet import build_score_sheet
    from qa_monitor.store.backfill import calls_lacking

    settings = load_settings(home)
    period = chosen_period(period_name)
    policy = chosen_policy(settings, policy_file, no_policy)
    courses = read_courses(beside_rules(settings, "training.yaml"))
    with _no_cycle_search(), reading(settings) as store:
        wanted = tuple(dict.fromkeys(agent_ids)) or None
        lacking = len(calls_lacking(store, period.before().since, period.until))
        if lacking > FILL_TOLD:
            click.echo(f"首次使用：为 {lacking} 通旧通话补算维度、失分和证据，只做这一次，请稍候")
        data = read_for(store, settings, period, team, wanted, policy)
        chosen = _chosen(data, team, wanted)
        sheet = build_score_sheet(
            store, data, wanted=chosen, policy=policy, courses=courses, ranked=rank,
            call_link=settings.reports.call_link,
        )  # fmt: skip
        _say_what(sheet)
        return _write(store, data, sheet, kinds or ("xlsx",), out or settings.reports_dir, _name(period, team, wanted))


def read_for(
    store: Store,
    settings: Settings,
    period: Period,
    team: str | None,
    agent_ids: tuple[str, ...] | None,
    policy: PolicyFile | None,
) -> PeriodData:
    """As much of the period as the sheets need: a forced distribution of grades needs everybody."""
    from qa_monitor.agents.performance import load_averaged
    from qa_monitor.store.agent_ledger import read_period

    everybody = policy is not None and policy.policy.grades.method == "forced"
    days = settings.reports.new_staff_days if policy is None else policy.policy.new_staff.days
    return read_period(
        store,
        period,
        team=None if everybody else team,
        agent_ids=None if everybody else agent_ids,
        min_calls=settings.reports.min_calls,
        new_days=days,
        dimensions=_dimension_order(settings),
        averaged=load_averaged(beside_rules(settings, "performance_columns.yaml")),
    )


def _dimension_order(settings: Settings) -> tuple[str, ...]:
    """The scorecard's dimensions in its order; by name where the scorecard cannot be read."""
    from qa_monitor.errors import RuleFileError
    from qa_monitor.rules.source import read_file

    path = settings.rules_dir / settings.rules.scorecard
    try:
        dimensions = read_file(path, path.name).mapping("评分表")["dimensions"].items("dimensions")
        return tuple(node.mapping("维度")["name"].text("name") for node in dimensions)
    except (RuleFileError, KeyError):
        return ()


def _chosen(data: PeriodData, team: str | None, agent_ids: tuple[str, ...] | None) -> frozenset[str] | None:
    """The 工号 asked for. Raises SetupError when the period has none of them."""
    if agent_ids is None and team is None:
        return None
    period = data.ledger.period
    there = {
        entry.agent_id
        for entry in data.ledger.entries
        if (agent_ids is None or entry.agent_id in agent_ids)
        and (team is None or any(stay.stay.line.team == team for stay in entry.stays))
    }
    if not there:
        asked = "、".join(agent_ids or ()) or f"班组 {team}"
        raise SetupError(
            f"{period.name} 的名册里没有 {asked}",
            hint="运行 qa-monitor agents list 查看名册；名册有变动时先运行 qa-monitor agents import",
        )
    return frozenset(there)


def _say_what(sheet: ScoreSheet) -> None:
    ledger = sheet.ledger
    calls = sum(entry.calls for entry in sheet.entries)
    few = sum(not entry.enough for entry in sheet.entries)
    click.echo(f"{ledger.period.name}：{len(sheet.entries)} 名坐席，{calls} 通，样本不足 {few} 人")
    for item in ledger.unmatched[:10]:
        who = f" {item.agent_id}" if item.agent_id else ""
        click.echo(f"未匹配：{item.kind}{who}（{item.count}）{item.detail}。{item.hint}")
    if len(ledger.unmatched) > 10:
        click.echo(f"未匹配共 {len(ledger.unmatched)} 项，全部列在“未匹配与样本不足”")
    if not sheet.entries:
        click.echo("这个月名册里没有人在岗；先运行 qa-monitor agents import 导入名册")
    elif not calls:
        click.echo(f"{ledger.period.name} 没有质检通话；可运行 qa-monitor audit 先质检这个月的录音")


def _name(period: Period, team: str | None, agent_ids: tuple[str, ...] | None) -> str:
    """`成绩单_2026-11_客服一班`; what a file name cannot have becomes _."""
    import re

    parts = ["成绩单", period.name, *([team] if team else []), *(agent_ids or ())[:3]]
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", "_".join(parts))[:120]


def _write(store: Store, data: PeriodData, sheet: ScoreSheet, kinds: tuple[str, ...], folder: Path, name: str) -> int:
    """Write each format; one that cannot be written does not stop the others. The exit code."""
    from qa_monitor.errors import ReportNotWritten
    from qa_monitor.reports.writing import refused

    failed = 0
    with refused(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if "pdf" in kinds:
        kinds = (*kinds, "xlsx")  # the PDF is printed from this run's workbook
    writers = _writers(store, data, sheet, folder, name)
    for kind in FORMATS:
        if kind not in kinds:
            continue
        try:
            click.echo(f"{kind.upper()}：{writers[kind]()}")
        except ReportNotWritten as error:
            failed += 1
            click.echo(str(error), err=True)
    return 1 if failed else 0


def _writers(
    store: Store, data: PeriodData, sheet: ScoreSheet, folder: Path, name: str
) -> dict[str, Callable[[], Path]]:
    from qa_monitor.reports import scoresheet_exports as exports
    from qa_monitor.reports.pdf import write_pdf
    from qa_monitor.reports.scoresheet_workbook import write_score_sheet

    def xlsx() -> Path:
        write_score_sheet(sheet, folder / f"{name}.xlsx")
        return folder / f"{name}.xlsx"

    def csv() -> Path:
        exports.write_score_csv(sheet, exports.every_deduction(store, data, sheet), folder / name)
        return folder / name

    def json() -> Path:
        exports.write_score_json(sheet, exports.every_deduction(store, data, sheet), folder / f"{name}.json")
        return folder / f"{name}.json"

    def pdf() -> Path:
        workbook = folder / f"{name}.xlsx"
        write_pdf(workbook, folder / f"{name}.pdf")
        return folder / f"{name}.pdf"

    return {"xlsx": xlsx, "csv": csv, "json": json, "pdf": pdf}
