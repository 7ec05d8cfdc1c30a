"""The courier (信使): a way out of the house, what it may answer, and how long to wait before the next try."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from config.units import Unit
from petition.petition import Petition
from store.outbox import Order

BASE = timedelta(seconds=1)  # of the pause after the first failure; doubled with each
CAP = timedelta(minutes=5)
LONGEST = timedelta(hours=1)  # a Retry-After beyond this is taken for a mistake


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The other side has it. routing_id: its own number; unit_code, unit_name: where it says it sent it, if it says;
    due_at: by when it will act, aware, or None; detail: for the order, without personal data."""

    detail: str = ""
    routing_id: str = ""
    unit_code: str = ""
    unit_name: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Not now, or nobody knows whether: the same order with the same key is to be tried later, without end.

    problem: for officers, without personal data; after: what the other side asked to wait, None if it did not.
    """

    problem: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Only a person can go on. reason: plain Chinese for officers, without personal data."""

    reason: str


Outcome = Delivered | Again | Held


class Courier(Protocol):
    """A way out of the house (信使). May be called from many threads at once."""

    def deliver(self, order: Order, petition: Petition, unit: Unit) -> Outcome:
        """Hand the petition over once, under `order.key`; the same key twice must not make two cases.

        petition: the record as it will be after delivery (lead_unit, co_units, dispatch_type and path are set).
        Never raises for what the other side does; holds no connection or transaction of the store.
        """
        ...

    def close(self) -> None:
        """Let go of connections; deliver is not called afterwards."""
        ...


def pause(attempts: int, after: timedelta | None, chance: Callable[[], float]) -> timedelta:
    """How long to wait after try number `attempts` (from 1): full jitter, and never less than was asked for.

    chance: gives a number in [0, 1), `random.random` outside of tests.
    """
    doubled = 1 << min(max(attempts, 1) - 1, 20)
    jitter = min(CAP, BASE * doubled) * chance()
    return jitter if after is None else max(jitter, min(after, LONGEST))
