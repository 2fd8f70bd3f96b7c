"""Domain words put right by their sound: only where the recogniser was unsure, and never a change of length."""

from __future__ import annotations

from collections.abc import Sequence

from qa_monitor.records import Word
from qa_monitor.transcript.sound import sounds
from qa_monitor.transcript.words import cut

UNSURE_BELOW = 0.75


class Corrector:
    """Knows the domain's words by their sound."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words: dict[tuple[str, ...], str] = {}
        self._known = set(words)
        for word in words:
            if 2 <= len(word) <= 6 and all("一" <= character <= "鿿" for character in word):
                self._words.setdefault(sounds(word), word)
        self._lengths = sorted({len(key) for key in self._words}, reverse=True)

    @property
    def words(self) -> frozenset[str]:
        return frozenset(self._known)

    def correct(self, text: str, offsets: Sequence[int], words: Sequence[Word]) -> str:
        """`text` with unsure stretches that sound like a domain word replaced by it; same length.

        `offsets`: for each character of `text` its place in the words' joined text.
        """
        sure = character_probabilities(words)
        unsure = {place for place, offset in enumerate(offsets) if sure[offset] < UNSURE_BELOW}
        if not unsure or not self._words:
            return text
        out = text
        heard = [sounds(character) for character in text]
        # A stretch that begins or ends inside a word of the language is no misheard domain word: 比较|费, not 比|交费.
        borders = {token.start for token in cut(text)} | {len(text)}
        index = 0
        while index < len(text):
            found = self._at(heard, index) if index in borders else None
            if found is None or index + len(found) not in borders:
                index += 1
                continue
            stretch = text[index : index + len(found)]
            doubted = not unsure.isdisjoint(range(index, index + len(found)))
            if stretch != found and stretch not in self._known and doubted:
                out = out[:index] + found + out[index + len(found) :]
            index += len(found)
        return out

    def _at(self, heard: Sequence[tuple[str, ...]], index: int) -> str | None:
        for length in self._lengths:
            key = tuple(part for place in heard[index : index + length] for part in place)
            if len(key) == length and key in self._words:
                return self._words[key]
        return None


def character_probabilities(words: Sequence[Word]) -> list[float]:
    """How sure the recogniser was of each character of the words' joined text."""
    return [word.probability for word in words for _ in word.text]
