"""Time (时钟): the one place that knows what time it is; tests replace it there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

Clock = Callable[[], datetime]


def now() -> datetime:
    """The present moment, aware, Asia/Shanghai."""
    return datetime.now(SHANGHAI)


def today() -> date:
    """The present calendar day in Asia/Shanghai."""
    return now().date()


def aware(moment: datetime) -> datetime:
    """The same moment in Asia/Shanghai; a naive one is refused with ValueError, never guessed."""
    if moment.tzinfo is None:
        raise ValueError("a stored time must carry its zone")
    return moment.astimezone(SHANGHAI)
