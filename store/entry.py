"""Entries (来件登记项): what the intake hands to the ledger, and where it stands after COMMIT."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from petition.arrival import Outcome
from petition.petition import Form
from petition.workflow import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One inbound event ready to be entered: everything sealed and computed but its numbers.

    event: the raw_id by which the event is known if it is told in several ways; region: six digits of the office;
    received_at: aware; original: the sealed raw bytes when they ride in the transaction, else None; outcome: what the
    door and the reading say, before duplicates are known; attach_to: the case this event belongs to (supplement);
    look_ups: (kind, code) pairs; orders: (kind, payload) to leave the house;
    due: before when they need not be tried, None for at once.
    """

    channel: str
    form: Form
    region: str
    raw_id: str
    received_at: datetime
    digest: str
    size: int
    media_type: str
    original: bytes | None
    files: tuple[str, ...] = ()
    outcome: Outcome
    reason: str = ""
    attach_to: str = ""
    uid: bytes = b""
    record: bytes = b""
    status: Status = Status.RECEIVED
    lane: str = "normal"
    problem_region: str = ""
    category: str = ""
    purpose: str = ""
    urgency: str = "NORMAL"
    headcount: int = 1
    code_hash: bytes = b""
    look_ups: tuple[tuple[str, bytes], ...] = ()
    orders: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    due: datetime | None = None
    read: bool = False
    event: str = ""

    @property
    def key(self) -> str:
        """What makes this event itself: channel and the channel's own id."""
        return f"{self.channel}\x1f{self.event or self.raw_id}"


@dataclass(frozen=True, slots=True)
class Entered:
    """Where an event stands after COMMIT. same: the bytes are those of the first event with this id, or tell it another
    way; first: (raw_id, digest, files as JSON) of the event it repeats, None if it is the first."""

    ledger_id: int
    case_no: str
    outcome: Outcome
    received_at: datetime
    same: bool = True
    first: tuple[str, str, str] | None = None
