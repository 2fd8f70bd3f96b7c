"""`rules`: check, test, try, diff, explain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from qa_monitor.cli.chinese import ChineseCommand, LazyGroup
from qa_monitor.cli.output import open_store
from qa_monitor.errors import RuleFileError, SetupError
from qa_monitor.records import Finding
from qa_monitor.rules.describe import VERDICT_NAMES
from qa_monitor.rules.rulebook import Explained, Rulebook, load_rulebook
from qa_monitor.rules.testing import (
    CallInput,
    check_packs,
    diff_rulebooks,
    read_golden,
    run_example,
    run_examples,
    try_rule,
)
from qa_monitor.scoring.scorecard import load_scorecard
from qa_monitor.settings import Settings, load_settings

MATCH_NAMES = {"text": "文字", "pinyin": "读音", "regex": "正则", "model": "模型", "audio": "声音"}
LISTED = 20


@click.group(cls=LazyGroup, help="质检规则：改之前先检查、测试、试跑、比较。")
def rules() -> None:
    pass


@rules.command("check", cls=ChineseCommand)
@click.pass_obj
def check(home: Path) -> int:
    """检查语法、空话术、过宽话术、走不到的条件，报出 文件:行号 和改法。"""
    settings = load_settings(home)
    problems = check_packs(settings.rules_dir, settings.rules.packs)
    for problem in problems:
        click.echo(str(problem))
    errors = sum(problem.level == "error" for problem in problems)
    if not errors:
        load_scorecard(settings.rules_dir / settings.rules.scorecard)
    click.echo(f"{errors} 个错误，{len(problems) - errors} 条提醒" if problems else "没有问题")
    return 2 if errors else 0


@rules.command("test", cls=ChineseCommand)
@click.argument("rule_ids", nargs=-1, metavar="[规则编号…]")
@click.option(
    "--golden", type=click.Path(path_type=Path, file_okay=False), help="金标例句目录，默认 tests/golden/rules"
)
@click.pass_obj
def test(home: Path, rule_ids: tuple[str, ...], golden: Path | None) -> int:
    """跑每条规则自带的例子和金标例句。"""
    settings = load_settings(home)
    book = _book(settings)
    _known(book, rule_ids)
    results = list(run_examples(book, rule_ids))
    folder = golden or settings.rules_dir.parent / "tests" / "golden" / "rules"
    if folder.is_dir():
        chosen = [(rule, example) for rule, example in read_golden(folder, book) if not rule_ids or rule.id in rule_ids]
        results += [run_example(book, rule, example) for rule, example in chosen]
    for result in results:
        if not result.ok:
            expected = "或".join(VERDICT_NAMES[verdict] for verdict in result.expected)
            said = VERDICT_NAMES[result.verdict]
            text = result.text.strip().replace("\n", " | ")
            click.echo(f"✗ {result.rule_id}（{result.where}）期望{expected}，判为{said}：{text}\n    {result.why}")
    bad = sum(not result.ok for result in results)
    click.echo(f"{len(results)} 个例子，{len(results) - bad} 个符合，{bad} 个不符")
    return 1 if bad else 0


@rules.command("try", cls=ChineseCommand)
@click.argument("rule_id", metavar="规则编号")
@click.option("--limit", type=click.IntRange(1, 10_000), default=LISTED, help=f"最多列出几通，默认 {LISTED}")
@click.pass_obj
def try_one(home: Path, rule_id: str, limit: int) -> None:
    """用库里已有的通话试跑一条规则，看会命中多少，不写入结果。"""
    settings = load_settings(home)
    book = _book(settings)
    _known(book, [rule_id])
    with _stored(settings) as calls:
        report = try_rule(book, rule_id, calls, limit)
    verdicts = "，".join(f"{VERDICT_NAMES[verdict]} {count}" for verdict, count in report.verdicts.items())
    click.echo(f"{rule_id}：{report.calls} 通，{verdicts or '没有结果'}，其中疑似 {report.suspected}")
    for call_id, finding in report.found:
        click.echo(f"  {call_id}：{finding.why}")
    if report.left_out:
        click.echo(f"  …另有 {report.left_out} 通未列出（--limit 可调）")


@rules.command("diff", cls=ChineseCommand)
@click.argument("old", metavar="旧规则目录", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("new", metavar="新规则目录", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.pass_obj
def diff(home: Path, old: Path, new: Path) -> None:
    """比较两套规则：库里哪些通话会改判、改分。"""
    settings = load_settings(home)
    books = [load_rulebook(folder, settings.rules.packs) for folder in (old, new)]
    cards = [load_scorecard(folder / settings.rules.scorecard) for folder in (old, new)]

    def scored(card: Any) -> Any:
        def score(findings: tuple[Finding, ...], call: CallInput) -> float | None:
            if call.scores is None:
                return None
            points: float | None = card.score(findings, call.scores, call.facts, call.dialogue).points
            return points

        return score

    with _stored(settings) as calls:
        found = diff_rulebooks(books[0], books[1], calls, scored(cards[0]), scored(cards[1]))
    changed = Counter(change.rule_id for change in found.changes)
    click.echo(f"{found.calls} 通：{len(found.changes)} 条改判，{len(found.scores)} 通改分")
    for rule_id, count in changed.most_common():
        click.echo(f"  {rule_id}：{count} 通")
    for change in found.changes[:LISTED]:
        click.echo(f"  {change.call_id} {change.rule_id}：{_verdict(change.old)} → {_verdict(change.new)}")
    for score_change in found.scores[:LISTED]:
        click.echo(f"  {score_change.call_id}：{_points(score_change.old)} → {_points(score_change.new)}")


@rules.command("explain", cls=ChineseCommand)
@click.argument("name", metavar="通话")
@click.argument("rule_id", metavar="规则编号")
@click.pass_obj
def explain(home: Path, name: str, rule_id: str) -> None:
    """说明一条规则在一通电话上为什么这样判：每个条件命中了什么。"""
    from qa_monitor.store.reader import Reader

    settings = load_settings(home)
    book = _book(settings)
    _known(book, [rule_id])
    store = open_store(settings, create=False)
    try:
        reader = Reader(store, settings)
        found = reader.find(name)
        if not found:
            raise SetupError(f"没有这通电话：{name}", hint="可用通话编号、录音文件名或报告中的短编号")
        for call in reader.inputs(found):
            told = book.explain(rule_id, *call)
            if told.finding is not None:
                click.echo(
                    f"{name} {rule_id}：{VERDICT_NAMES[told.finding.verdict]}。{reader.masked(told.finding.why)}"
                )
            if told.weighed:
                click.echo(f"合判：{told.weighed}")
            for label, part in (("适用", told.applies), ("条件", told.condition), ("除非", told.unless)):
                if part is not None:
                    click.echo(f"{label}：")
                    for line in _tree(part, 1):
                        click.echo(reader.masked(line))
    finally:
        store.close()


def _tree(part: Explained, depth: int) -> Iterator[str]:
    mark = {True: "✓", False: "✗", None: "？"}[part.state]
    yield "  " * depth + f"{mark} {part.asks}（{part.where}）"
    for hit in part.hits:
        place = f"第{hit.turn}轮" if hit.turn is not None else "全程"
        doubt = "" if hit.sure else "（疑似）"
        yield "  " * (depth + 1) + f"{place}“{hit.quote}”，{MATCH_NAMES.get(hit.match, hit.match)}{doubt}"
    for child in part.inside:
        yield from _tree(child, depth + 1)


def _verdict(finding: Finding | None) -> str:
    if finding is None:
        return "无此规则"
    return VERDICT_NAMES[finding.verdict] + ("（疑似）" if finding.suspected else "")


def _points(points: float | None) -> str:
    return "未评分" if points is None else f"{points:.1f}"


def _book(settings: Settings) -> Rulebook:
    return load_rulebook(settings.rules_dir, settings.rules.packs)


def _known(book: Rulebook, rule_ids: Sequence[str]) -> None:
    for rule_id in rule_ids:
        try:
            book.rule(rule_id)
        except KeyError as error:
            raise RuleFileError(str(error.args[0]), hint="qa-monitor rules check 可列出全部问题") from error


@contextmanager
def _stored(settings: Settings) -> Iterator[Iterator[CallInput]]:
    """The store's scored calls, as rules read them."""
    from qa_monitor.store.reader import Reader

    store = open_store(settings, create=False)
    try:
        reader = Reader(store, settings)

        def calls() -> Iterator[CallInput]:
            for sha256 in reader.all_calls():
                for dialogue, facts, model in reader.inputs([sha256]):
                    yield CallInput(facts.call_id or sha256[:10], dialogue, facts, model)

        yield calls()
    finally:
        store.close()
