"""Decoded sound as the later steps see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from qa_monitor.records import AudioInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Sound(Protocol):
    """What a recording's sound is, and slices of it. `channel` is the position in `info.channels`."""

    @property
    def info(self) -> AudioInfo: ...

    def read(self, channel: int, start_s: float, end_s: float) -> NDArray[np.float32]:
        """Samples of [start_s, end_s): float32, −1..1, 16 000 Hz; cut at the ends."""
        ...
