"""`audit` and `audit-text`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from qa_monitor.audit import AuditOutcome, audit_dialogues, audit_recordings
from qa_monitor.cli.chinese import ChineseCommand
from qa_monitor.cli.output import NoteSummary, open_store, write_reports
from qa_monitor.cli.progress import ProgressView, in_words
from qa_monitor.errors import QaMonitorError
from qa_monitor.reports.results import result_rows
from qa_monitor.reports.summary import summary_rows
from qa_monitor.settings import Settings, load_settings
from qa_monitor.store.reader import Reader

TABLE_ROWS = 30


@click.command(cls=ChineseCommand)
@click.argument("folders", nargs=-1, required=True, metavar="文件夹…", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="结果以 JSON 输出到标准输出（每行一通）")
@click.option("--model", help="语音模型名或目录，默认 whisper-base")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="识别所用设备，默认 cpu")
@click.option("--workers", type=click.IntRange(0, 64), default=0, help="工作进程数，0 为自动")
@click.option("--limit", type=click.IntRange(1), help="只处理前若干个录音")
@click.option(
    "--roster", type=click.Path(path_type=Path), help="坐席名册（CSV 或 XLSX），默认用文件夹里名字含“名册”的表"
)
@click.option("--no-report", is_flag=True, help="不生成报告文件")
@click.pass_obj
def audit(
    home: Path,
    folders: tuple[Path, ...],
    as_json: bool,
    model: str | None,
    device: str | None,
    workers: int,
    limit: int | None,
    roster: Path | None,
    no_report: bool,
) -> int:
    """质检文件夹里的全部录音，生成坐席成绩表和报告。

    已处理过且规则、模型未变的录音不会重做；坏文件单独列出，不影响其他录音。
    退出码：0 全部完成，1 有录音未能处理，2 设置有误、未开始。
    """
    settings = load_settings(home, {"transcript": {"model": model, "device": device}})
    store = open_store(settings)
    try:
        people = _import_people(store, folders, roster)
        with ProgressView("通", quiet=as_json) as view:
            outcome = audit_recordings(store, settings, folders, workers=workers, limit=limit, tell=view.tell)
        return _finish(Reader(store, settings), settings, outcome, as_json, no_report, people)
    finally:
        store.close()


@click.command("audit-text", cls=ChineseCommand)
@click.argument("file", metavar="文件.jsonl", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="每通对话的结果写入此 JSONL 文件")
@click.option("--json", "as_json", is_flag=True, help="结果以 JSON 输出到标准输出（每行一通）")
@click.option("--workers", type=click.IntRange(0, 64), default=0, help="工作进程数，0 为自动")
@click.option("--no-report", is_flag=True, help="不生成报告文件")
@click.pass_obj
def audit_text(home: Path, file: Path, out: Path | None, as_json: bool, workers: int, no_report: bool) -> int:
    """质检已转成文字的对话：每行一个 JSON 对象。

    字段：id，turns:[{role: agent|customer, text, start?, end?}]，可选 agent_id、started_at、business、direction。
    """
    settings = load_settings(home)
    store = open_store(settings)
    try:
        with ProgressView("通", quiet=as_json) as view:
            outcome = audit_dialogues(store, settings, file, workers=workers, tell=view.tell)
        reader = Reader(store, settings)
        if out is not None:
            _write_results(reader, outcome, out)
        return _finish(reader, settings, outcome, as_json, no_report, [])
    finally:
        store.close()


def _import_people(store: Any, folders: tuple[Path, ...], roster: Path | None) -> list[str]:
    """Roster and performance tables that lie with the recordings; what was imported, in words."""
    from qa_monitor.cli.people import import_performance, import_roster, tables_beside

    said = []
    for path in [roster] if roster else tables_beside(folders, "名册"):
        said.append(import_roster(store, path))
    for path in tables_beside(folders, "绩效"):
        said.append(import_performance(store, path))
    return said


def _finish(
    reader: Reader, settings: Settings, outcome: AuditOutcome, as_json: bool, no_report: bool, said: list[str]
) -> int:
    state = outcome.state
    if as_json:
        for row in result_rows(reader.calls(outcome.sha256s)):
            click.echo(json.dumps(row, ensure_ascii=False))
    console = Console(highlight=False, markup=False, stderr=as_json)
    if not as_json:
        _print_table(console, reader, outcome)
    for line in said:
        console.print(line, soft_wrap=True)
    NoteSummary(state.notes).print(console)
    _print_failures(console, reader, outcome)
    speed = f"，{state.sound_s / 60:.1f} 分钟录音，{state.speed:.1f} 倍速" if state.sound_s else ""
    console.print(f"本次新处理 {state.fresh} 通{speed}，用时 {in_words(state.elapsed_s)}", soft_wrap=True)
    if state.interrupted:
        console.print(f"已按要求停止，剩余 {state.left} 通；已完成的都在，重新运行同一命令即可继续", soft_wrap=True)
    if not no_report and outcome.sha256s and not state.interrupted:
        for line in write_reports(reader, settings, outcome.sha256s):
            console.print(line, soft_wrap=True)
    sys.stdout.flush()
    bad = state.failed + state.set_aside + state.unread
    return 130 if state.interrupted else 1 if bad else 0


def _print_table(console: Console, reader: Reader, outcome: AuditOutcome) -> None:
    table = Table("录音", "坐席", "得分", "一票否决", "主要问题")
    table.columns[2].justify = "right"
    for row in summary_rows(reader.calls(outcome.sha256s[:TABLE_ROWS])):
        table.add_row(row.recording, row.agent, row.points, row.veto, row.worst)
    if len(outcome.sha256s) > TABLE_ROWS:
        table.add_row("…", "", "", "", f"其余 {len(outcome.sha256s) - TABLE_ROWS} 通见报告")
    if table.row_count:
        console.print(table)


def _print_failures(console: Console, reader: Reader, outcome: AuditOutcome) -> None:
    failures = list(reader.failures(outcome.sha256s))
    if not failures:
        return
    console.print(f"未能处理 {len(failures)} 个：")
    for failure in failures[:TABLE_ROWS]:
        console.print(f"  {failure.name}：{failure.title}，{failure.what}。{failure.hint}", soft_wrap=True)
    if len(failures) > TABLE_ROWS:
        console.print(f"  …其余 {len(failures) - TABLE_ROWS} 个见报告“未评分与失败”")


def _write_results(reader: Reader, outcome: AuditOutcome, out: Path) -> None:
    """results.jsonl, whole or not at all."""
    temporary = out.with_name(out.name + ".part")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            for row in result_rows(reader.calls(outcome.sha256s)):
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        temporary.replace(out)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise QaMonitorError(
            f"结果文件无法写入（{error.strerror}）",
            where=str(out),
            hint="请检查目录权限或换一个 --out；评分已保存，无需重做",
        ) from error
