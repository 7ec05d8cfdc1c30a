"""A mail room for tests: a desk that remembers, the hall of a mail door, and citizens who send over real SMTP."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from channels.door import Hall
from channels.postbox import Postbox
from channels.smtp import SmtpListener
from config.address import Address
from petition.arrival import Arrival, Outcome, Receipt
from petition.clock import SHANGHAI
from petition.errors import NotFound, TooMany

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI)
CASE = "620000E2026112200001K"
OURS = "xinfang@office.example"


@dataclass
class Desk:
    """An intake and a memory of cases. problem: raised instead of a receipt; gate: what taking in waits for."""

    arrivals: list[Arrival] = field(default_factory=list)
    refused: list[tuple[Arrival, str]] = field(default_factory=list)
    problem: Exception | None = None
    gate: asyncio.Event | None = None
    threads: dict[str, str] = field(default_factory=dict)
    senders: set[tuple[str, str]] = field(default_factory=set)
    known: str = ""
    left: int = 1_000_000

    async def take(self, arrival: Arrival) -> Receipt:
        if self.gate is not None:
            await self.gate.wait()
        if self.problem is not None:
            raise self.problem
        self.arrivals.append(arrival)
        return Receipt(case_no=CASE, query_code="7M2K-9QXA-4TBD", received_at=NOW, outcome=Outcome.PETITION)

    async def refuse(self, arrival: Arrival, reason: str) -> None:
        self.refused.append((arrival, reason))

    def limit(self, sender: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooMany()

    async def status_by_keys(self, case_keys: str, code_keys: str) -> str:
        """No mail has keys."""
        raise NotFound()

    async def status_words(self, case_no: str, query_code: str) -> str:
        raise NotFound()

    async def recent_case(self, channel: str, kind: str, value: str, within: timedelta) -> str:
        return ""

    async def case_of(self, channel: str, raw_id: str) -> str:
        return self.known

    async def digest_of(self, channel: str, raw_id: str) -> str:
        return ""

    async def thread(self, channel: str, ids: Sequence[str]) -> str:
        return next((self.threads[one] for one in ids if one in self.threads), "")

    async def is_sender(self, case_no: str, kind: str, value: str) -> bool:
        return (case_no.replace("-", ""), value) in self.senders


def hall_for(desk: Desk, spool: Path, **box: Any) -> Hall:
    chosen: dict[str, Any] = {"mailboxes": {OURS: "", "yiqing@office.example": "疫情专线"}, "own": frozenset({OURS})}
    return Hall(
        intake=desk.take,
        refuse=desk.refuse,
        clock=lambda: NOW,
        known_region=lambda code: True,
        public_url="http://127.0.0.1:8080",
        max_body=1000,
        max_upload=1000,
        spool=spool,
        enquiries=desk,
        limit=desk.limit,
        postbox=Postbox(address=Address("127.0.0.1", 0), answers=True, **{**chosen, **box}),
    )


def mail(text: str = "路灯不亮已经半个月,请修好。", **headers: str) -> EmailMessage:
    """A mail of a citizen; a header given as "" is left out."""
    message = EmailMessage()
    chosen = {
        "From": "张示例 <zhang@mail.example>",
        "To": OURS,
        "Subject": "反映演示小区路灯",
        "Date": "Sun, 22 Nov 2026 08:00:00 +0800",
        "Message-ID": "<one@mail.example>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in chosen.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message


async def send(
    listener: SmtpListener, *messages: EmailMessage | bytes, to: str = OURS, sender: str = "a@b.example"
) -> list[str]:
    """The replies to DATA of one session."""

    def talk() -> list[str]:
        replies = []
        wire = smtplib.SMTP("127.0.0.1", listener.port, timeout=10)
        try:
            wire.ehlo("mail.example")
            for message in messages:
                wire.mail(sender)
                code, words = wire.rcpt(to)
                if code == 250:
                    code, words = wire.data(message if isinstance(message, bytes) else message.as_bytes())
                replies.append(f"{code} {words.decode()}")
        finally:
            wire.close()
        return replies

    return await asyncio.to_thread(talk)
