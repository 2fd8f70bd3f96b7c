"""Work of several calls on a few lanes, one core each.

A decoding step costs nearly as much for one window as for eight, so windows of all the calls in progress are decoded
together when they wait for the same. What a window is decoded with never changes its text: the engine sees to that.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class _Single:
    run: Callable[[], Any]
    future: Future[Any]
    prepares: bool  # what it gives may join a batch


@dataclass(frozen=True, slots=True)
class _Part:
    item: Any
    future: Future[Any]


class Lanes:
    """`together(key, items)` does what was given to `join` with one key, at most `most` at a time.

    Threads start with the first work and end with the process.
    """

    def __init__(self, count: int, together: Callable[[Any, list[Any]], list[Any]], most: int) -> None:
        self._count = count
        self._together = together
        self._most = most
        self._changed = threading.Condition()
        self._urgent: deque[_Single] = deque()
        self._singles: deque[_Single] = deque()
        self._waiting: dict[Hashable, deque[_Part]] = {}  # in the order in which their first came
        self._preparing = 0  # singles in progress: what they give may join a batch that waits
        self._threads: list[threading.Thread] = []

    def single(self, run: Callable[[], Any], *, urgent: bool = False) -> Future[Any]:
        """`run` on a lane of its own; urgent work, which ends a call, before other."""
        future: Future[Any] = Future()
        with self._changed:
            (self._urgent if urgent else self._singles).append(_Single(run, future, not urgent))
            self._wake()
        return future

    def join(self, key: Hashable, item: Any) -> Future[Any]:
        """`item` done together with others of the same key."""
        future: Future[Any] = Future()
        with self._changed:
            self._waiting.setdefault(key, deque()).append(_Part(item, future))
            self._wake()
        return future

    def _wake(self) -> None:
        if len(self._threads) < self._count:
            thread = threading.Thread(target=self._lane, name=f"lane-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._changed.notify_all()

    def _lane(self) -> None:
        while True:
            with self._changed:
                while (work := self._take()) is None:
                    self._changed.wait()
            if isinstance(work, _Single):
                self._do_single(work)
            else:
                self._do_together(*work)

    def _take(self) -> _Single | tuple[Hashable, list[_Part]] | None:
        """A full batch first; then what ends a call; then what fills batches; a batch that is not full last."""
        for key, parts in self._waiting.items():
            if len(parts) >= self._most:
                return self._batch(key, self._most)
        if self._urgent:
            return self._urgent.popleft()
        if self._singles:
            self._preparing += 1
            return self._singles.popleft()
        if self._waiting and not self._preparing:
            key, parts = max(self._waiting.items(), key=lambda pair: len(pair[1]))
            lanes = max(1, self._count - len(self._waiting) + 1)  # the others find work of another kind
            return self._batch(key, -(-len(parts) // lanes))
        return None

    def _batch(self, key: Hashable, size: int) -> tuple[Hashable, list[_Part]]:
        parts = self._waiting[key]
        taken = [parts.popleft() for _ in range(size)]
        if not parts:
            del self._waiting[key]
        return key, taken

    def _do_single(self, work: _Single) -> None:
        try:
            work.future.set_result(work.run())
        except BaseException as error:  # noqa: BLE001 - whoever waits for it decides what it means
            work.future.set_exception(error)
        finally:
            if work.prepares:
                with self._changed:
                    self._preparing -= 1
                    self._changed.notify_all()

    def _do_together(self, key: Hashable, parts: list[_Part]) -> None:
        try:
            for part, result in zip(parts, self._together(key, [part.item for part in parts]), strict=True):
                part.future.set_result(result)
        except BaseException as error:  # noqa: BLE001 - as above
            for part in parts:
                if not part.future.done():
                    part.future.set_exception(error)
