"""`init` and `models`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from qa_monitor.cli.chinese import ChineseCommand, LazyGroup
from qa_monitor.cli.output import open_store
from qa_monitor.settings import CONFIG_NAME, Settings, load_settings, resource_dir


@click.command(cls=ChineseCommand)
@click.option("--with-rules", is_flag=True, help="把规则复制到工作目录，便于修改")
@click.pass_obj
def init(home: Path, with_rules: bool) -> None:
    """建立工作目录：带说明的配置文件、空数据库；已有的文件不会改动。"""
    home.mkdir(parents=True, exist_ok=True)
    config = home / CONFIG_NAME
    rules = home / "rules"
    if with_rules and not rules.exists():
        shutil.copytree(resource_dir("rules"), rules)
        click.echo(f"已复制规则：{rules}")
    if config.exists():
        click.echo(f"配置已存在，未改动：{config}")
    else:
        config.write_text(commented_config("rules" if rules.is_dir() else ""), encoding="utf-8")
        click.echo(f"已写入配置：{config}")
    settings = load_settings(home)
    open_store(settings).close()
    click.echo(f"数据库就绪：{settings.store_url}")
    click.echo("下一步：qa-monitor doctor 检查环境，qa-monitor audit 录音文件夹 开始质检")


def commented_config(rules_directory: str = "") -> str:
    """The default configuration as TOML, every field explained in Chinese."""
    lines = ["# qa_monitor 配置。删去行首的 # 使该项生效；各项默认值已写出。", ""]
    for block, field in Settings.model_fields.items():
        value = field.default
        if not isinstance(value, BaseModel):
            continue
        lines += [f"[{block}] # {(type(value).__doc__ or '').strip()}"]
        for name, option in type(value).model_fields.items():
            lines.append(f"# {option.description}")
            current = getattr(value, name)
            if (block, name) == ("rules", "directory") and rules_directory:
                lines.append(f"{name} = {_toml(rules_directory)}")
            elif current is None:
                lines.append(f"# {name} = ")
            else:
                lines.append(f"# {name} = {_toml(current)}")
        lines.append("")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'" if "\\" in value else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


@click.group(cls=LazyGroup, help="语音模型：列表、下载、校验。")
def models() -> None:
    pass


@models.command("list", help="列出可用的语音模型和本机状态")
def list_models() -> None:
    from rich.console import Console
    from rich.table import Table

    from qa_monitor.models import ModelRegistry

    table = Table("模型", "说明", "大小", "许可", "来源", "本机")
    for entry in ModelRegistry().list():
        state = "已就绪" if entry.present else "未下载"
        table.add_row(entry.name, entry.title, f"{entry.size_mb:,.0f} MB", entry.licence, entry.source, state)
    Console(highlight=False, markup=False).print(table)


@models.command("pull", help="下载并校验一个模型（默认 whisper-base）")
@click.argument("name", default="whisper-base", metavar="[模型名]")
def pull(name: str) -> None:
    from qa_monitor.models import ModelRegistry

    path = ModelRegistry().pull(name, lambda message: click.echo(message, err=True))
    click.echo(f"{name} 已就绪，校验通过：{path}")


@models.command("verify", help="重新计算校验和（默认全部已下载的模型）")
@click.argument("name", required=False, metavar="[模型名]")
def verify(name: str | None) -> None:
    from qa_monitor.models import ModelRegistry

    registry = ModelRegistry()
    names = [name] if name else [entry.name for entry in registry.list() if entry.present]
    if not names:
        click.echo("本机还没有模型，请运行 qa-monitor models pull whisper-base")
    for each in names:
        registry.verify(each)
        click.echo(f"{each}：校验通过")
