"""`policy`: pay policies checked and tried out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa_monitor.cli.chinese import LazyGroup
from qa_monitor.cli.scoresheet import chosen_period, chosen_policy, read_for, reading
from qa_monitor.errors import QaMonitorError, SetupError
from qa_monitor.settings import load_settings

if TYPE_CHECKING:
    from qa_monitor.agents.pay import Moved

MOVES_SHOWN = 200


@click.group(cls=LazyGroup, help="绩效办法：改之前先检查、试算。")
def policy() -> None:
    pass


@policy.command("check", help="检查绩效办法文件（默认规则目录 policy/ 下的全部）")
@click.argument("files", nargs=-1, metavar="[文件…]", type=click.Path(path_type=Path))
@click.pass_obj
def check_policy(home: Path, files: tuple[Path, ...]) -> int:
    from qa_monitor.agents.read_policy import read_policy

    settings = load_settings(home)
    paths = files or tuple(sorted((settings.rules_dir / "policy").glob("*.y*ml")))
    if not paths:
        raise SetupError(
            "没有绩效办法文件", where=str(settings.rules_dir / "policy"), hint="参照随软件的 default.yaml 写一个"
        )
    bad = 0
    for path in paths:
        try:
            click.echo(f"{path.name}：正确，{read_policy(path).label}")
        except QaMonitorError as error:
            bad += 1
            click.echo(str(error), err=True)
    return 2 if bad else 0


@policy.command("try", help="试算：换成新办法后谁的等级、系数会变")
@click.argument("file", metavar="新办法", type=click.Path(path_type=Path))
@click.option("--period", "period_name", metavar="月份", help="用哪个月试算，如 2026-11；默认上个月")
@click.option("--against", type=click.Path(path_type=Path), help="与哪个办法比，默认取配置 rules.policy")
@click.pass_obj
def try_policy(home: Path, file: Path, period_name: str | None, against: Path | None) -> None:
    from qa_monitor.agents.pay import apply_policy, compare

    settings = load_settings(home)
    new, old = chosen_policy(settings, file), chosen_policy(settings, against)
    if new is None or old is None:
        raise SetupError("没有可比的现行办法", where="rules.policy", hint="用 --against 指定现行办法文件")
    with reading(settings) as store:
        ledgers = [read_for(store, settings, chosen_period(period_name), None, None, one).ledger for one in (old, new)]
    moved = compare(apply_policy(old.policy, ledgers[0]), apply_policy(new.policy, ledgers[1]))
    click.echo(f"现行 {old.label}\n新的 {new.label}")
    names = {entry.agent_id: f"{entry.agent_id} {entry.name}" for entry in ledgers[0].entries}
    changed = [move for move in moved if move.changed]
    for move in changed[:MOVES_SHOWN]:
        click.echo(f"  {names[move.agent_id]}：{_fare(move)}")
    if len(changed) > MOVES_SHOWN:
        click.echo(f"  …另有 {len(changed) - MOVES_SHOWN} 人")
    before = sum(move.before.coefficient for move in moved) / len(moved) if moved else 0.0
    after = sum(move.after.coefficient for move in moved) / len(moved) if moved else 0.0
    machine = sum(move.after.by_machine for move in moved)
    click.echo(f"共 {len(moved)} 人，{len(changed)} 人等级或系数改变；平均系数 {before:.3f} → {after:.3f}")
    click.echo(f"新办法下，等级含未经人工确认的机器初评的有 {machine} 人")


def _fare(move: Moved) -> str:
    def one(total: float | None, grade: str, coefficient: float) -> str:
        return f"{grade}（{'' if total is None else f'{total:.1f} 分，'}系数 {coefficient:.2f}）"

    before, after = move.before, move.after
    why = f"，{'；'.join(after.reasons)}" if after.reasons else ""
    return f"{one(before.total, before.grade, before.coefficient)} → {one(after.total, after.grade, after.coefficient)}{why}"
