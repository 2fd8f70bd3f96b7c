"""From the turns of a call to the token windows that the encoder reads. Shared by training and by the daily audit.

A call is one sequence of tokens, every turn opened by a marker of who speaks. It is cut into windows at the borders of
turns; from the second window on, a window opens with the end of the one before as context. Nothing is left out: a turn
longer than a window continues in the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CUSTOMER, AGENT = 0, 1
MARKERS = {CUSTOMER: "问", AGENT: "答"}  # plain characters: no base encoder needs new entries in its vocabulary
MAX_TOKENS = 512  # a window, with its first and last special token: as many places as the base encoders know
CONTEXT_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Window:
    """Token ids, who speaks (0 customer, 1 agent) and the turn each token belongs to, all of one length.

    `owners` holds the 0-based turn of a token, −1 for special tokens and for context that another window owns.
    """

    ids: tuple[int, ...]
    roles: tuple[int, ...]
    owners: tuple[int, ...]


class Encoding:
    """A tokenizer.json and the windows made with it."""

    def __init__(self, tokenizer_file: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_file(str(tokenizer_file))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.first, self.last = self._special("[CLS]", "<s>"), self._special("[SEP]", "</s>")
        self.pad, self.mask = self._special("[PAD]", "<pad>"), self._special("[MASK]", "<mask>")
        self._markers = {
            role: self._tokenizer.encode(text, add_special_tokens=False).ids[-1] for role, text in MARKERS.items()
        }

    def _special(self, *names: str) -> int:
        return int(next(found for name in names if (found := self._tokenizer.token_to_id(name)) is not None))

    def tokens(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """Ids and character ranges [start, end) of each text."""
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [(item.ids, item.offsets) for item in encoded]

    def windows(self, turns: Sequence[tuple[int, str]]) -> list[Window]:
        """The windows of a call; `turns` are (role, text). An empty call has no window."""
        stream: list[tuple[int, int, int]] = []  # id, role, owner
        starts: list[int] = []
        for owner, ((role, _), (ids, _)) in enumerate(
            zip(turns, self.tokens([text for _, text in turns]), strict=True)
        ):
            starts.append(len(stream))
            stream.append((self._markers[role], role, owner))
            stream += [(token, role, owner) for token in ids]
        windows: list[Window] = []
        done = 0
        while done < len(stream):
            context = stream[max(0, done - CONTEXT_TOKENS) : done]
            end = _window_end(done, len(stream), MAX_TOKENS - 2 - len(context), starts)
            body = [(token, role, -1) for token, role, _ in context] + stream[done:end]
            windows.append(
                Window(
                    (self.first, *(token for token, _, _ in body), self.last),
                    (0, *(role for _, role, _ in body), 0),
                    (-1, *(owner for _, _, owner in body), -1),
                )
            )
            done = end
        return windows


def _window_end(done: int, total: int, room: int, starts: Sequence[int]) -> int:
    """Where the window that begins at `done` ends: windows of a call are about alike in length, since what is read
    together is padded to the longest; they end between turns where a turn ends near enough."""
    left = total - done
    if left <= room:
        return total
    rest = -(-(left - room) // (MAX_TOKENS - 2 - CONTEXT_TOKENS))
    wanted = done + min(room, -(-left // (rest + 1)) + CONTEXT_TOKENS // 2)
    borders = [start for start in starts if done + room // 2 < start <= done + room]
    return min(borders, key=lambda start: abs(start - wanted), default=done + room)
