"""Progress of a batch: a live bar on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from qa_monitor.batch import BatchState

PLAIN_EVERY_S = 5.0


def stderr_console() -> Console:
    return Console(stderr=True, highlight=False, markup=False)


class ProgressView:
    """Shows a BatchState whenever told to; `unit` names what is counted. `quiet` shows nothing."""

    def __init__(self, unit: str, *, quiet: bool = False) -> None:
        self.unit = unit
        self.quiet = quiet
        self._console = stderr_console()
        self._live: Live | None = None
        self._said = ""
        self._said_at = time.monotonic()

    def __enter__(self) -> ProgressView:
        if not self.quiet and sys.stderr.isatty():
            self._live = Live(console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, state: BatchState) -> None:
        if self.quiet:
            return
        if self._live is not None:
            self._live.update(self._bar(state))
            return
        line = self.line(state)
        if line != self._said and time.monotonic() - self._said_at >= PLAIN_EVERY_S:
            self._said, self._said_at = line, time.monotonic()
            self._console.print(line, soft_wrap=True)

    def line(self, state: BatchState) -> str:
        """`完成 3 · 失败 1 · 剩余 8 / 共 12 通 · 6.4 倍速 · 还需约 1 分 20 秒`"""
        failed = state.failed + state.set_aside + state.unread
        total = state.done + failed + state.left
        parts = [
            f"完成 {state.done}",
            f"失败 {failed}",
            f"剩余 {state.left}{'+' if state.walking else ''} / 共 {total} {self.unit}",
        ]
        if state.sound_s:
            parts.append(f"{state.speed:.1f} 倍速")
        if state.left_s is not None and state.left:
            parts.append(f"还需约 {in_words(state.left_s)}")
        if state.interrupted:
            parts.append("正在停止：做完手头这一步（再按一次 Ctrl-C 立即停止）")
        return " · ".join(parts)

    def _bar(self, state: BatchState) -> Table:
        failed = state.failed + state.set_aside + state.unread
        ended = state.done + failed
        grid = Table.grid(padding=(0, 1))
        grid.add_row(ProgressBar(total=max(1, ended + state.left), completed=ended, width=30), self.line(state))
        return grid


def in_words(seconds: float) -> str:
    """A length of time as people say it."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} 小时 {minutes} 分"
    return f"{minutes} 分 {left} 秒" if minutes else f"{left} 秒"
