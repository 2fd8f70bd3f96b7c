"""`status`, `retry`, `show`, `report` and `export`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from qa_monitor.cli.chinese import ChineseCommand
from qa_monitor.cli.output import open_store, write_reports
from qa_monitor.errors import SetupError
from qa_monitor.reports.results import result_row
from qa_monitor.settings import load_settings
from qa_monitor.store import jobs, trail
from qa_monitor.store.reader import Reader
from qa_monitor.store.views import CallView

STATE_NAMES = {"queued": "待处理", "running": "处理中", "done": "已完成", "failed": "失败", "set_aside": "已搁置"}
ROLE_NAMES = {"agent": "坐席", "customer": "客户", "ivr": "语音导航", "other": "第三方", "unknown": "未知"}
RESOLUTION_NAMES = {"resolved": "已解决", "partial": "部分解决", "unresolved": "未解决"}
VERDICT_MARKS = {"pass": "✓", "fail": "✗", "unsure": "？", "not_applicable": "－"}


@contextmanager
def _reader(home: Path) -> Iterator[Reader]:
    settings = load_settings(home)
    store = open_store(settings, create=False)
    try:
        yield Reader(store, settings)
    finally:
        store.close()


@click.command(cls=ChineseCommand)
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
@click.pass_obj
def status(home: Path, as_json: bool) -> None:
    """查看各状态的录音数，以及失败、搁置的原因。"""
    with _reader(home) as reader:
        with reader.store.read() as connection:
            counts = jobs.counts(connection)
        failures = reader.failures(reader.all_calls())
        broken = trail.broken_at(reader.store)
        if as_json:
            rows = [{"name": f.name, "code": f.code, "what": f.what, "hint": f.hint} for f in failures]
            click.echo(json.dumps({"counts": counts, "failures": rows}, ensure_ascii=False))
            return
        click.echo("　".join(f"{label} {counts.get(state, 0)}" for state, label in STATE_NAMES.items()))
        for failure in failures:
            click.echo(f"  {failure.name}：{failure.title}，{failure.what}。{failure.hint}")
        if failures:
            click.echo("处理好原因后运行 qa-monitor retry，再运行 audit")
        if broken is not None:
            click.echo(f"警告：审计日志第 {broken} 条被改动或之前有删除，请核查")


@click.command(cls=ChineseCommand)
@click.argument("names", nargs=-1, metavar="[通话…]")
@click.pass_obj
def retry(home: Path, names: tuple[str, ...]) -> None:
    """把失败和已搁置的录音放回队列（默认全部），下次 audit 时处理。"""
    with _reader(home) as reader:
        chosen = [sha256 for name in names for sha256 in _found(reader, name)] if names else None
        click.echo(f"已放回队列 {jobs.requeue_failed(reader.store, chosen)} 个；请再次运行 audit")


@click.command(cls=ChineseCommand)
@click.argument("name", metavar="通话")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
@click.pass_obj
def show(home: Path, name: str, as_json: bool) -> None:
    """查看一通电话。可用通话编号、文件名，或报告中的短编号。"""
    with _reader(home) as reader:
        for view in reader.calls(_found(reader, name)):
            if as_json:
                click.echo(json.dumps(result_row(view), ensure_ascii=False, indent=2))
            else:
                _print_call(Console(highlight=False, markup=False), view)


@click.command(cls=ChineseCommand)
@click.option("--agent", "agent_id", help="只含此工号")
@click.option("--since", help="开始日期（含），如 2026-11-01")
@click.option("--until", help="结束日期（不含），如 2026-12-01")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="输出目录，默认工作目录下的 reports")
@click.pass_obj
def report(home: Path, agent_id: str | None, since: str | None, until: str | None, out: Path | None) -> None:
    """重新生成 Excel 成绩表和 HTML 报告。"""
    settings = load_settings(home, {"reports": {"directory": str(out.resolve()) if out else None}})
    with _reader(home) as reader:
        sha256s = reader.all_calls(agent_id=agent_id, since=since, until=until)
        click.echo(f"共 {len(sha256s)} 通")
        for line in write_reports(reader, settings, sha256s):
            click.echo(line)


@click.command(cls=ChineseCommand)
@click.option("--format", "kind", type=click.Choice(["csv", "json"]), default="csv", help="csv（默认）或 json")
@click.option("--agent", "agent_id", help="只含此工号")
@click.option("--since", help="开始日期（含），如 2026-11-01")
@click.option("--until", help="结束日期（不含），如 2026-12-01")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="输出目录，默认工作目录下的 reports")
@click.pass_obj
def export(home: Path, kind: str, agent_id: str | None, since: str | None, until: str | None, out: Path | None) -> None:
    """导出通话、扣分、坐席三张表，供其他系统使用（个人信息已遮盖）。"""
    from qa_monitor.reports.exports import write_csv, write_json
    from qa_monitor.store.batchview import batch_view

    settings = load_settings(home)
    with _reader(home) as reader:
        sha256s = reader.all_calls(agent_id=agent_id, since=since, until=until)
        folder = out or settings.reports_dir
        write = write_csv if kind == "csv" else write_json
        for path in write(batch_view(reader, sha256s), reader.calls(sha256s), folder):
            click.echo(f"已导出 {path}")


def _found(reader: Reader, name: str) -> list[str]:
    found = reader.find(name)
    if not found:
        raise SetupError(
            f"没有这通电话：{name}", hint="可用通话编号、录音文件名或报告中的短编号；qa-monitor status 查看全部状态"
        )
    return found


def _print_call(console: Console, view: CallView) -> None:
    title = view.facts.call_id or view.key
    who = f"{view.facts.agent_id or '未匹配'} {view.agent.name if view.agent else ''}".strip()
    console.print(
        f"通话 {title}（{view.key}）  坐席 {who}  {view.facts.started_at or ''} {view.facts.business or ''}",
        soft_wrap=True,
    )
    console.print(f"文件 {'、'.join(view.names)}", soft_wrap=True)
    if view.error is not None:
        console.print(view.error[1], soft_wrap=True)
        return
    if view.dialogue is not None:
        for turn in view.dialogue.turns:
            clock = f"{turn.start_s // 60:02.0f}:{turn.start_s % 60:04.1f} " if turn.start_s is not None else ""
            style = "dim" if turn.suspect else ""
            mark = "（存疑，不计分）" if turn.suspect else ""
            console.print(Text(f"  {clock}{ROLE_NAMES[turn.role]}：{turn.text}{mark}", style=style), soft_wrap=True)
    for finding in view.findings:
        if finding.verdict in ("fail", "unsure"):
            doubt = "（疑似，复核前不扣分）" if finding.suspected else ""
            console.print(
                f"{VERDICT_MARKS[finding.verdict]} {finding.name} [{finding.rule_id}]{doubt}：{finding.why}",
                soft_wrap=True,
            )
    if view.model is not None and view.model.politeness is not None:
        model = view.model
        console.print(
            f"{model.scorer}：礼貌 {model.politeness:.1f}/5，{RESOLUTION_NAMES.get(model.resolution or '', '解决与否未判断')}"
        )
    if view.score is not None:
        points = "未评分" if view.score.points is None else f"{view.score.points:.1f} 分（机器初评）"
        console.print(f"得分：{points}", soft_wrap=True)
        console.print(view.score.arithmetic, soft_wrap=True)
    for note in view.notes:
        console.print(f"注意：{note.message}", soft_wrap=True)
