"""The register (短信登记): one message becomes one event of the ledger, whoever told us of it and how often."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from channels import sms_media
from channels.door import Hall
from channels.sms_media import Taken
from channels.sms_message import NAME, Message
from channels.sms_words import Order, Word
from petition.arrival import SUPPLEMENT, Arrival, Receipt, Statement
from petition.clock import SHANGHAI
from petition.errors import Conflict
from petition.people import Person
from petition.petition import Note

WINDOW = timedelta(minutes=3)  # parts of one long message, and what somebody writes on after it
ORDERS = "sms.orders"  # in the notebook: commands and empty messages that were counted, a page each


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of a message. receipt: None when the same telling came before with other bytes, or when a list told
    of what was known; first: the case it was known under before; opener: whether it opened its case, then or now."""

    receipt: Receipt | None
    first: str
    opener: bool


class Register:
    """Enters messages; those of one sender one after the other."""

    def __init__(self) -> None:
        # Parts of one long message arrive at once: each sees the case that the one before it opened.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def enter(
        self, message: Message, received_at: datetime, hall: Hall, *, sent: datetime | None = None, joins: str = ""
    ) -> Registered:
        """Enter a message with its attachments; returns after COMMIT.

        sent, joins: of a message that a list told of: when the provider had it, and the case it adds to, if it does.
        """
        if await hall.enquiries.case_of(NAME, message.event):
            taken = Taken()  # what came with it was fetched then, or is being fetched
        else:
            taken = await sms_media.take(message.media, hall, sms_media.AT_ONCE)
        try:
            async with self._turns.setdefault(message.mobile or message.event, asyncio.Lock()):
                return await self._enter(_stated(message, taken, received_at, sent), message, taken, joins, hall)
        finally:
            taken.discard()

    async def _enter(self, arrival: Arrival, message: Message, taken: Taken, joins: str, hall: Hall) -> Registered:
        first, case_no = await _place(message, joins, hall)
        opener = not case_no
        if first and message.listed:
            return Registered(None, first, opener)
        if first:
            arrival = replace(arrival, uploads=())
            if await hall.enquiries.digest_of(NAME, message.event) == hashlib.sha256(message.raw).hexdigest():
                # The same bytes once more: whatever files could be fetched then, they are not compared.
                arrival = replace(arrival, raw_id=f"{message.sid}:again", event=message.event)
        else:
            await sms_media.keep_left(message, taken.left, hall)
        # Known by its own id only what opened a case: a retry of it is told the query code again.
        threads, sub_source = ((message.event,), "") if opener else ((), SUPPLEMENT + case_no)
        try:
            receipt = await hall.intake(replace(arrival, threads=threads, sub_source=sub_source))
        except Conflict:  # the same id with other content: entered as refused by the intake, the first one stands
            return Registered(None, first, opener)
        return Registered(receipt, first, opener)


async def note_order(message: Message, hall: Hall) -> None:
    """Remember that a message was counted and opens no case, so that the list does not bring it a second time."""
    try:
        await hall.notebook.put(ORDERS, message.sid, {}, 0)
    except Conflict:
        return  # it was noted before


async def opt(order: Order, message: Message, hall: Hall) -> None:
    """Carry out what a sender wants of our text messages; nothing for the other commands."""
    number = message.fields.get("From", "")
    if order.word is Word.STOP:
        await hall.texting.opt_out(number, message.text)
    if order.word is Word.START:
        await hall.texting.opt_in(number)


async def _place(message: Message, joins: str, hall: Hall) -> tuple[str, str]:
    """(the case of the same message if it came before, the case this one adds to); empty: none."""
    first = await hall.enquiries.case_of(NAME, message.event)
    if first:
        opened = await hall.enquiries.thread(NAME, (message.event,)) == first
        return first, "" if opened else first
    if message.listed:
        return "", joins
    return "", await hall.enquiries.recent_case(NAME, "mobile", message.mobile, WINDOW) if message.mobile else ""


def _stated(message: Message, taken: Taken, received_at: datetime, sent: datetime | None) -> Arrival:
    content = "\n".join([message.text, *taken.words]).strip()
    arrival = replace(
        message.arrival(received_at),
        statement=Statement(petitioners=(Person(mobile=message.mobile),), content=content),
        uploads=taken.uploads,
    )
    if not message.listed:
        return arrival
    day = (sent or received_at).astimezone(SHANGHAI)
    words = f"服务商的通知没有送到，按其清单补收。发出时间：{day:%Y-%m-%d %H:%M}。"
    # Nobody waits for our answer any more: the number goes out as a text message, if any go out.
    return replace(
        arrival,
        petition_date=min(day.date(), received_at.date()),
        text_to=message.mobile,
        notes=(Note(stage=NAME, code="CAUGHT_UP", words=words),),
    )
