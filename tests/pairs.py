"""Key pairs for tests, made once, and shorter than real ones: 4096 bits take their time."""

from __future__ import annotations

import functools
from datetime import UTC, datetime

from workshop import sealing

NOW = datetime(2030, 1, 2, tzinfo=UTC)


@functools.cache
def pair(number: int) -> sealing.Pair:
    """The pair of that number: for each another one."""
    return sealing.pair(NOW, bits=2048)


def short(now: datetime) -> sealing.Pair:
    """A new pair."""
    return sealing.pair(now, bits=2048)
