"""What is too dear to make twice: one for a process, whichever of its threads asks first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, wraps
from typing import TypeVar

Made = TypeVar("Made")


def shared(make: Callable[[], Made]) -> Callable[[], Made]:
    """`make`, called once; threads that ask meanwhile wait for what it gives. `functools.cache` lets each make its own."""
    kept, making = cache(make), threading.Lock()

    @wraps(make)
    def get() -> Made:
        with making:
            return kept()

    return get
