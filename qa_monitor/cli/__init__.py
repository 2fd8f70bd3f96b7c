"""The `qa-monitor` command. Thin: parse, call, print."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from qa_monitor.cli.chinese import LazyGroup, usage_message
from qa_monitor.errors import QaMonitorError, SetupError

COMMANDS = {
    "init": ("qa_monitor.cli.setup:init", "建立工作目录：配置文件、规则、空数据库"),
    "doctor": ("qa_monitor.cli.doctor:doctor", "检查环境：解码、模型、磁盘、数据库、规则，并给出修复办法"),
    "models": ("qa_monitor.cli.setup:models", "语音模型：list 列表、pull 下载、verify 校验"),
    "audit": ("qa_monitor.cli.audit:audit", "质检一个或多个录音文件夹"),
    "audit-text": ("qa_monitor.cli.audit:audit_text", "质检已有文字的对话（JSONL，每行一通）"),
    "status": ("qa_monitor.cli.look:status", "查看进度与失败原因"),
    "retry": ("qa_monitor.cli.look:retry", "重新处理失败和已搁置的录音"),
    "show": ("qa_monitor.cli.look:show", "查看一通电话：对话、发现、得分算式"),
    "report": ("qa_monitor.cli.look:report", "生成 Excel 成绩表和 HTML 报告"),
    "export": ("qa_monitor.cli.look:export", "导出 CSV 或 JSON"),
    "agents": ("qa_monitor.cli.people:agents", "坐席名册：import 导入、list 列表"),
    "scoresheet": ("qa_monitor.cli.scoresheet:scoresheet", "生成坐席月度成绩单：Excel、CSV、JSON、PDF"),
    "policy": ("qa_monitor.cli.policy:policy", "绩效办法：check 检查、try 试算"),
    "performance": ("qa_monitor.cli.people:performance", "绩效记录：import 导入"),
    "rules": ("qa_monitor.cli.rules:rules", "规则：check 检查、test 测试、try 试跑、diff 比较、explain 解释"),
    "train": ("qa_monitor.cli.train:train", "用自己的标注微调分类模型，并与现用模型比较"),
    "purge": ("qa_monitor.cli.people:purge", "删除超过保存期限的通话内容（先 --dry-run 预览）"),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="qa_monitor 客服录音智能质检：转写、分角色、查规则、打分、关联坐席绩效。全部在本机完成，不联网。",
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=lambda: os.environ.get("QA_MONITOR_HOME", "qa_data"),
    help="工作目录（配置、数据库、报告都在其中），默认 qa_data，或环境变量 QA_MONITOR_HOME",
)
@click.pass_context
def cli(ctx: click.Context, home: Path) -> None:
    ctx.obj = home


def main() -> NoReturn:
    """Run the command and end with its exit code: 0 fine, 1 some recordings bad, 2 stopped before work."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that cannot show a character shows "?"
    try:
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        help_line = f"{error.ctx.command_path} --help" if error.ctx else "qa-monitor --help"
        _say(f"用法有误：{usage_message(error)}\n输入 {help_line} 查看用法")
        code = 2
    except click.ClickException as error:
        _say(f"错误：{error.format_message()}")
        code = 2
    except (click.Abort, KeyboardInterrupt):
        _say("已中断；已完成的结果都在，重新运行同一命令即可继续")
        code = 130
    except BrokenPipeError:
        # The reader of our output went away (head, less): nothing to complain about, and nobody to complain to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except QaMonitorError as error:
        _say(str(error))
        code = 2 if isinstance(error, SetupError) else 1
    sys.exit(code if isinstance(code, int) else 0)


def _say(message: str) -> None:
    click.echo(message, err=True)
