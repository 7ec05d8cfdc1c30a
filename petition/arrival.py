"""Arrivals (来件): what a door hands in, what it gets back, and the one function it may call."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from petition.attachment import AttachmentRole
from petition.people import Accused, Person
from petition.petition import Form, Note, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file on its way in: either `body` (small, in memory) or `path` (a temporary file the intake takes over)."""

    name: str
    media_type: str
    body: bytes | None = None
    path: Path | None = None
    role: AttachmentRole = AttachmentRole.EVIDENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """Somebody joins a joint petition by its link (联名), or leaves it again.

    household: as typed; proved: how the mobile was proved (sms), empty if it was not; leaves: id in hex of the joining
    that ends.
    """

    household: str = ""
    proved: str = ""
    leaves: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the sender said (陈述), field by field, in the words of petition/1 and not judged. Empty means not said."""

    petitioners: tuple[Person, ...] = ()
    headcount: int | None = None
    title: str = ""
    content: str = ""
    main_facts: str = ""
    requests: tuple[str, ...] = ()
    purpose: Purpose | None = None
    category: str = ""
    problem_region: str = ""
    accused: tuple[Accused, ...] = ()
    occur_time: str = ""
    occur_place: str = ""
    is_public: bool = False
    confidential: bool | None = None
    is_joint_letter: bool = False
    is_skip_level: bool = False
    is_anonymous: bool = False
    privacy_notice_version: str = ""
    record_consent: bool | None = None
    joining: Joining | None = None


SUPPLEMENT = "supplement:"  # before a case number in `Arrival.sub_source`: the event belongs to that case
# Every mail of ours carries this header, so that it is known when it comes back.
MARKER = "X-Petition-Gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Where one acknowledgement goes (回执去处): an e-mail address, and the message_id of what it answers."""

    to: str
    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One inbound event of one channel (来件).

    channel: name of the door; form: its 信访形式; raw_id: the channel's own id, opaque, unique within the channel,
    the key by which a repeat of the same event is known; event: the raw_id of the same event told in another way (a
    webhook and the provider's list tell of one message), so that both are one although their bytes differ, empty if
    there is one way only; received_at: aware, Asia/Shanghai, starts the clocks;
    petition_date: the day the sender acted; raw: the original bytes, kept for ever; raw_type: their media type;
    hold: a reason why only a person may decide (forged, unreadable), empty for an ordinary arrival; threads: ids by
    which later events of the same conversation find its case (Message-ID); reply: who is written to once it is entered;
    text_to: the mobile that is to get number and query code by text message (`Receipt.texted` says whether it will);
    notes: what the door noticed about the form of the input (a guessed character set, results of SPF);
    settles_at: until when the sender may go on telling: reading waits for it; in a supplement that is received at this
    moment or later it ends the waiting.
    """

    channel: str
    form: Form
    raw_id: str
    received_at: datetime
    petition_date: date
    raw: bytes
    raw_type: str
    statement: Statement = field(default_factory=Statement)
    uploads: tuple[Upload, ...] = ()
    source: str = "本级"
    sub_source: str = ""
    hold: str = ""
    threads: tuple[str, ...] = ()
    reply: Reply | None = None
    text_to: str = ""
    notes: tuple[Note, ...] = ()
    settles_at: datetime | None = None
    event: str = ""


class Outcome(StrEnum):
    """What became of an inbound event in the ledger (来件去向)."""

    PETITION = "petition"  # a new case
    LINKED = "linked"  # the same event again, or joined to its case
    HELD = "held"  # waits for a person
    REFUSED = "refused"  # cannot be a petition; kept with the reason


# How the reason of a hold begins when a stage of reading broke: reading it again would break again.
READING_FAILED = "阅读步骤"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the sender gets back after COMMIT (回执). query_code is told once and stored only hashed.

    texted: number and code leave for `Arrival.text_to` too; a door promises a text message only then.
    """

    case_no: str
    query_code: str
    received_at: datetime
    outcome: Outcome
    reason: str = ""
    texted: bool = False


class Intake(Protocol):
    """The one way in (受理口): returns only after COMMIT; raises Unavailable when it cannot promise."""

    async def __call__(self, arrival: Arrival) -> Receipt:
        """Take the arrival in exactly once; the same (channel, raw_id, bytes) again gives the same receipt."""
        ...
