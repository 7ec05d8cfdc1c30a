"""Moments (时刻): aware times to whole microseconds since 1970 and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from petition.clock import SHANGHAI

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware time; a naive one raises TypeError."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """The aware time, Asia/Shanghai, of microseconds since 1970."""
    return (_EPOCH + timedelta(microseconds=value)).astimezone(SHANGHAI)


def from_micros_or_none(value: int | None) -> datetime | None:
    """As `from_micros`; None stays None."""
    return None if value is None else from_micros(value)
