"""Click in Chinese, and commands loaded only when they are called, so that `--help` is instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

_SECTIONS = {"Options": "选项", "Commands": "命令"}


class ChineseFormatter(click.HelpFormatter):
    """Help pages with Chinese headings."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args.replace("[OPTIONS]", "[选项]").replace("COMMAND [ARGS]...", "命令 …"), "用法：")

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        with super().section(_SECTIONS.get(name, name)):
            yield


class ChineseContext(click.Context):
    formatter_class = ChineseFormatter


class _ChineseHelp(click.Command):
    context_class = ChineseContext

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = "显示本帮助"
        return option


class ChineseCommand(_ChineseHelp):
    """A command with a Chinese help page."""


class LazyGroup(_ChineseHelp, click.Group):
    """A group whose commands are named by `module:attribute` and imported when called.

    `lazy` maps a command's name to (where it is, its one-line help), so that listing them imports nothing.
    """

    command_class = ChineseCommand

    def __init__(self, *args: Any, lazy: dict[str, tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, attribute = self.lazy[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self.lazy[name][1]) for name in self.lazy]
        rows += [
            (name, command.get_short_help_str())
            for name in super().list_commands(ctx)
            if (command := super(LazyGroup, self).get_command(ctx, name))
        ]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def usage_message(error: click.UsageError) -> str:
    """A click usage error, in Chinese."""
    if isinstance(error, click.NoSuchOption):
        near = f"，是不是想输入 {'、'.join(_names(error.possibilities))}？" if error.possibilities else ""
        return f"没有选项 {error.option_name}{near}"
    if isinstance(error, click.MissingParameter):
        return f"缺少参数 {error.param.human_readable_name if error.param else ''}".rstrip()
    if isinstance(error, click.BadOptionUsage):
        return f"选项 {error.option_name} 用法不对（{error.message}）"
    if isinstance(error, click.BadParameter):
        name = error.param.human_readable_name if error.param else ""
        return f"参数 {name} 的值不可用（{error.message}）"
    if error.message.startswith("No such command"):
        return f"没有这个命令 {error.message.removeprefix('No such command').strip(' .')}"
    return error.message


def _names(possibilities: Sequence[str]) -> list[str]:
    return sorted(possibilities)[:3]
