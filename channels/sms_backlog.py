"""The backlog (短信补收): messages that the provider has and no webhook brought, and files that were not there in time.

The provider gives up after 15 seconds and one further try. What it could not deliver is in its list of messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from channels import sms_media
from channels.door import CaughtUp, Hall
from channels.provider import Record
from channels.sms_message import NAME, Message, of_list, sent_at
from channels.sms_register import ORDERS, WINDOW, Register, note_order, opt
from channels.sms_words import Word
from petition.errors import Invalid, NotFound, PetitionError
from petition.identity import normal_mobile

# The webhook of a message this young may still be on its way; the next round sees it again.
YOUNG = timedelta(seconds=60)

log = structlog.get_logger(__name__)


class Backlog:
    """One round over the list. Parts of long messages are put together by the times of sending, not of the round."""

    def __init__(self, register: Register, hall: Hall) -> None:
        self._register = register
        self._hall = hall
        self._now = hall.clock()
        self._opened: dict[str, tuple[datetime, str]] = {}  # mobile -> when its newest case was opened, and which
        self._messages = self._orders = 0

    async def round(self, since: datetime) -> CaughtUp:
        """Take in what is missing; one bad message never stops the next.

        Raises Unavailable, at the end, if anything has to be tried again.
        """
        listed = await self._inbound(since)
        wishes = _last_wishes(listed)
        trouble: PetitionError | None = None
        for at, record in listed:
            try:
                await self._take(at, record, wishes)
            except PetitionError as problem:
                log.warning("a listed message could not be taken in", problem=problem.code)
                trouble = problem if problem.retryable else trouble
            except Exception as problem:
                # There may be a bug in us: it is told again with every round, and the others come in.
                log.error("a listed message could not be taken in", problem=type(problem).__name__)
        files = await sms_media.fetch_left(self._hall)
        if trouble is not None:
            raise trouble
        return CaughtUp({"messages": self._messages, "orders": self._orders, "media": files})

    async def _inbound(self, since: datetime) -> list[tuple[datetime, Record]]:
        """Whole inbound messages, the oldest first."""
        found = [
            (sent_at(record) or since, record)
            async for record in self._hall.provider.messages(since)
            if record.get("direction") == "inbound" and record.get("status") != "receiving" and record.get("sid")
        ]
        # The list begins with the newest; its times are whole seconds.
        found.reverse()
        return sorted(found, key=lambda pair: pair[0])

    async def _take(self, at: datetime, record: Record, wishes: frozenset[str]) -> None:
        hall, sid, mobile = self._hall, record["sid"], normal_mobile(record.get("from", ""))
        known = await hall.enquiries.case_of(NAME, f"{sid}:in")
        if known:
            if mobile and await hall.enquiries.thread(NAME, (f"{sid}:in",)) == known:
                self._opened[mobile] = (at, known)
            return
        if at > self._now - YOUNG or await hall.notebook.look(ORDERS, sid) is not None:
            return
        message = of_list(record, await self._media(record))
        if message.order is not None or message.empty:
            await self._count(message, wishes)
            return
        opened_at, case_no = self._opened.get(mobile, (at, ""))
        joins = case_no if at - opened_at <= WINDOW else ""
        entered = await self._register.enter(message, hall.clock(), hall, sent=at, joins=joins)
        if entered.receipt is None:
            return  # the webhook was faster after all
        self._messages += 1
        if mobile and entered.opener:
            self._opened[mobile] = (at, entered.receipt.case_no)

    async def _media(self, record: Record) -> list[Record]:
        if record.get("num_media", "0") in ("", "0"):
            return []
        try:
            return [one async for one in self._hall.provider.media(record["sid"])]
        except (Invalid, NotFound):
            return []  # deleted there: the number of them stays in the bytes

    async def _count(self, message: Message, wishes: frozenset[str]) -> None:
        """A command is counted and its wish done; its answer nobody waits for any more."""
        order = message.order
        if order is not None and message.sid in wishes:
            await opt(order, message, self._hall)
        await self._hall.refuse(message.arrival(self._hall.clock()), order.word if order else "empty")
        await note_order(message, self._hall)
        self._orders += 1


def _last_wishes(listed: Sequence[tuple[datetime, Record]]) -> frozenset[str]:
    """The newest STOP or START of each number: a lost one from before it must not undo it."""
    newest: dict[str, str] = {}
    for _, record in listed:
        order = of_list(record, ()).order if record.get("num_media", "0") in ("", "0") else None
        if order is not None and order.word in (Word.STOP, Word.START):
            newest[record.get("from", "")] = record["sid"]
    return frozenset(newest.values())
