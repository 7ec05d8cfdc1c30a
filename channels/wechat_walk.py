"""The walk (微信受理步骤): each message into the ledger exactly once, the conversation one step on, an answer in time.

Several processes may serve one person at once: the page of the conversation is written only over the version that was
read, and who was slower makes the turn again on what the other left - the turn, not the entry.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

import structlog

from channels import wechat_words as words
from channels.door import Hall
from channels.sms_words import FAILED, Order
from channels.switchboard import Call
from channels.wechat_media import fetch_now, remember
from channels.wechat_message import Message
from channels.wechat_talk import QUIET, Entering, Talk, Turn, entered, turn
from petition.arrival import SUPPLEMENT, Arrival, Receipt
from petition.errors import Conflict, Invalid, NotFound, PetitionError, TooMany, Unavailable
from petition.origin import Origin

CALL_WANTED = "请求回电"
REPLY_SECONDS = 4.3  # the platform hangs up after five and asks again, three times in all
SETTLES = timedelta(minutes=15)  # so long a story that has not been submitted waits to be read
REST_SECONDS = 3.0  # of the eight that a stop may take
CLAIM = 10.0  # seconds the first message of a case keeps others from opening a second one
PATIENCE = 20.0  # seconds of looking again when others are faster
_PAUSE = 0.05

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Work:
    """What is done for one message so far; it outlives the tries. asked: the answer to a query or "" once counted."""

    receipt: Receipt | None = None
    asked: str | None = None
    said: str | None = None

    @property
    def begun(self) -> bool:
        """Whether the message is in the ledger by our own hand."""
        return self.receipt is not None or self.asked is not None


class Walks:
    """The conversations of one account that pass through this process."""

    def __init__(self, name: str) -> None:
        self._name = name
        # One person's messages one after the other: each sees where the one before it left the conversation.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._going: dict[str, asyncio.Task[str]] = {}
        self._late: set[str] = set()
        self._afterwards: set[asyncio.Task[None]] = set()

    async def in_time(self, message: Message, arrival: Arrival, hall: Hall) -> str:
        """The answer, or that it will come; a retry waits for the work that is going on. Unavailable, LowDisk."""
        key = f"{message.raw_id} {hashlib.sha256(message.raw).hexdigest()}"
        task = self._going.get(key)
        if task is None:
            task = self._going[key] = asyncio.create_task(self._answer(message, arrival, hall))
            task.add_done_callback(lambda _: self._going.pop(key, None))
        done, _ = await asyncio.wait({task}, timeout=REPLY_SECONDS)
        if done:
            return task.result()
        if key not in self._late:
            self._late.add(key)
            task.add_done_callback(lambda _: self._late.discard(key))
            self._do_afterwards(self._tell(task, message.openid, hall))
        return words.SLOW

    async def rest(self) -> None:
        """At a stop: finish what is being entered, within seconds; files and late answers wait for the next start."""
        if self._going:
            await asyncio.wait(set(self._going.values()), timeout=REST_SECONDS)
        left = [*self._afterwards]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _do_afterwards(self, work: Coroutine[Any, Any, None]) -> None:
        later = asyncio.create_task(work)
        self._afterwards.add(later)
        later.add_done_callback(self._afterwards.discard)

    async def _tell(self, task: asyncio.Task[str], openid: str, hall: Hall) -> None:
        """Tell an answer that was too late: by a customer service message, else with the next reply."""
        try:
            said = await task
        except Exception as problem:  # the person was asked to send it again if nothing comes
            log.warning("a slow wechat message was not entered", problem=type(problem).__name__)
            return
        if not said:
            return
        try:
            await hall.wechat.platform.tell(openid, said)
        except PetitionError:
            with suppress(PetitionError):
                async with self._turns.setdefault(openid, asyncio.Lock()):
                    page = await hall.notebook.look(self._name, openid)
                    if page is not None:
                        await hall.notebook.put(self._name, openid, {**page.content, "owed": said}, page.version)

    async def _answer(self, message: Message, arrival: Arrival, hall: Hall) -> str:
        """Enter the message and go one step; what is said, after COMMIT."""
        work, end = _Work(), asyncio.get_running_loop().time() + PATIENCE
        async with self._turns.setdefault(message.openid, asyncio.Lock()):
            while not await self._try(work, message, arrival, hall):
                if asyncio.get_running_loop().time() > end:
                    raise Unavailable()
                await asyncio.sleep(_PAUSE)
        if work.receipt is not None and message.media_id:
            await remember(message, work.receipt.case_no, arrival.received_at, self._name, hall)
            self._do_afterwards(fetch_now(message.raw_id, hall))
        return work.said or ""

    async def _try(self, work: _Work, message: Message, arrival: Arrival, hall: Hall) -> bool:
        """One try; False: somebody else was faster, look again."""
        now = hall.clock()
        page = await hall.notebook.look(self._name, message.openid)
        talk, version = Talk(), 0
        if page is not None:
            talk, version = Talk.of(page.content, now - page.touched_at > QUIET), page.version
        if not work.begun and (before := talk.answered(message.raw_id)) is not None:
            work.said = await _again(before, arrival, hall)
            return True
        opened = await self._opened(talk, message.raw_id, now, hall)
        if opened is None:
            return False
        step = turn(opened, message, now, hall.wechat.office, hall.public_url)
        try:
            if step.how is Entering.OPEN and work.receipt is None:
                if opened.opener != message.raw_id and await hall.enquiries.case_of(self._name, message.raw_id):
                    work.said = await _again((Entering.OPEN, ""), arrival, hall)  # long ago, and forgotten here
                    return True
                claim = replace(step.talk, opener=message.raw_id, since=now.timestamp(), case="")
                version = await hall.notebook.put(self._name, message.openid, claim.page(), version)
            if not await self._enter(work, step, opened, message, arrival, hall):
                return True
            receipt = work.receipt
            after, said = entered(
                step, receipt.case_no if receipt else opened.case, receipt.query_code if receipt else "", now
            )
            said = work.asked or said
            if opened.owed and said:
                said, after = words.OWED.replace("{words}", opened.owed) + said, replace(after, owed="")
            after = after.answer(message.raw_id, step.how, said)
            await hall.notebook.put(self._name, message.openid, after.page(), version)
        except Conflict:
            return False
        work.said = said
        return True

    async def _opened(self, talk: Talk, raw_id: str, now: datetime, hall: Hall) -> Talk | None:
        """The state, with the case that another message was opening meanwhile; None: it still is."""
        if talk.opener == raw_id:  # we ourselves, before a crash: the case is opened as if nothing had been
            return Talk(opener=raw_id, since=talk.since, origin=talk.origin, owed=talk.owed, answers=talk.answers)
        if not talk.opener:
            return talk
        if case_no := await hall.enquiries.case_of(self._name, talk.opener):
            return replace(talk, case=case_no, opener="", since=0.0)
        if now.timestamp() - talk.since < CLAIM:
            return None
        return replace(talk, opener="", since=0.0)

    async def _enter(self, work: _Work, step: Turn, talk: Talk, message: Message, arrival: Arrival, hall: Hall) -> bool:
        """Put the message into the ledger unless it is there; False when it is known with other content."""
        if work.begun:
            return True
        if step.how is Entering.COUNT:
            asked = await _ask(step.order, hall) if step.order is not None else ""
            await hall.refuse(arrival, step.reason)
            work.asked = asked
            return True
        try:
            work.receipt = await hall.intake(self._arrival(step, talk, message, arrival, hall))
        except Conflict:  # entered as refused by the intake, the first one stands
            work.said = words.KNOWN_ONLY
            return False
        if step.how is Entering.CALL:
            number, at = step.statement.petitioners[0].mobile, arrival.received_at
            case_no = work.receipt.case_no
            call = Call(channel=self._name, id=message.raw_id, number=number, line="", at=at, case_no=case_no)
            await hall.switchboard.call_back(call, words.WISH)
        return True

    def _arrival(self, step: Turn, talk: Talk, message: Message, arrival: Arrival, hall: Hall) -> Arrival:
        arrival = replace(arrival, statement=step.statement)
        threads, origin = (f"openid:{message.openid}",), _origin(talk.origin, hall)
        match step.how:
            case Entering.OPEN:
                settles_at = arrival.received_at + SETTLES
                return replace(arrival, threads=threads, sub_source=origin, settles_at=settles_at)
            case Entering.CALL:
                return replace(arrival, threads=threads, sub_source=origin, hold=CALL_WANTED)
            case Entering.END:
                return replace(arrival, sub_source=SUPPLEMENT + talk.case, settles_at=arrival.received_at)
        return replace(arrival, sub_source=SUPPLEMENT + talk.case)


def _origin(code: str, hall: Hall) -> str:
    """Where the code hangs that was scanned; one that was not issued here says nothing."""
    words = hall.wechat.place(code) if code else ""
    return str(Origin(site=code, words=words)) if words else ""


async def _again(before: tuple[str, str], arrival: Arrival, hall: Hall) -> str:
    """Enter a message that came before as what it is, a repeat; the same answer."""
    how, said = before
    if how == Entering.COUNT:
        await hall.refuse(arrival, "repeated")
        return said
    try:
        # By its id it is linked to the first one; it must not be read once more.
        receipt = await hall.intake(replace(arrival, settles_at=arrival.received_at))
    except Conflict:
        return words.KNOWN_ONLY
    return said or words.KNOWN.replace("{case_no}", receipt.case_no)


async def _ask(order: Order, hall: Hall) -> str:
    try:
        return await hall.enquiries.status_words(order.number, order.code)
    except (NotFound, Invalid):
        return FAILED  # never which of the two was wrong
    except TooMany as problem:
        return problem.words
