"""电话 The telephone door: calls that come by Twilio, guided in TwiML; a call is a case wherever it breaks off.

POST /webhooks/twilio/voice   X-Twilio-Signature: 0/KCTR6DLpKmkAf8muzZqo1nDgQ=
CallSid=CA0123456789abcdef0123456789abcdef&From=%2B8615400000006&To=%2B86...&CallStatus=ringing&Direction=inbound
200 <Response><Gather action=".../voice/menu?turn=1" input="dtmf" numDigits="1"><Say language="zh-CN">您好...</Say>...

Every webhook is kept in the notebook before it is answered. What a call said is entered once the caller has finished,
or hung up, or has been silent for long: docs/adr/0014-telephone.md.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import datetime
from weakref import WeakValueDictionary

import structlog
from aiohttp import web

from channels import voice_words as words
from channels.body import receive
from channels.door import CaughtUp, Hall
from channels.signature import UNVERIFIED, SignedForm, read_form, verified
from channels.switchboard import Call as Ring
from channels.voice_backlog import CALL_SID, RECORDING_SID, CallBacklog
from channels.voice_book import CallBook, Locks, bare, plain
from channels.voice_call import ENDED, INCOMING, STATUS, WORDS, Call, Event
from channels.voice_script import PATH, Script
from petition.arrival import Arrival, Statement
from petition.errors import Invalid, NotFound, PetitionError, TooLarge, TooMany, Unavailable, Unreadable
from petition.identity import normal_landline, normal_mobile
from petition.people import Person

NAME = "voice"
STATUS_PATH, RECORDING_PATH = f"{PATH}/status", f"{PATH}/recording"
STEPS = frozenset("menu story demand recorded wish query code seat callback".split())
_LAST = 999  # the turn of what is no part of the conversation
_WRONG_MOST, _MENUS_MOST, _QUERIES_MOST = 2, 9, 3
_TURN = re.compile(r"[0-9]{1,3}")
# About the delivery, not the call: the fallback address gets them in addition, and it is the same webhook.
_DELIVERY = frozenset({"ErrorCode", "ErrorUrl"})

log = structlog.get_logger(__name__)


class Voice:
    """The door of the telephone."""

    name = NAME

    def __init__(self) -> None:
        self._locks: Locks = WeakValueDictionary()

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        """POST /webhooks/twilio/voice, its steps, .../status and .../recording."""
        line = _Line(hall, CallBook(hall, self._locks))

        async def incoming(request: web.Request) -> web.Response:
            return await line.dialogue(request, INCOMING)

        async def step(request: web.Request) -> web.Response:
            if (name := request.match_info["step"]) not in STEPS:
                raise NotFound("没有找到这个地址。")
            return await line.dialogue(request, name)

        return [
            web.post(PATH, incoming),
            web.post(STATUS_PATH, line.status),
            web.post(RECORDING_PATH, line.recording),
            web.post(f"{PATH}/{{step}}", step),
        ]

    async def catch_up(self, hall: Hall, since: datetime) -> CaughtUp:
        """Calls and recordings that no webhook brought; see `Reconciling`."""
        return await CallBacklog(hall, CallBook(hall, self._locks)).catch_up(since)

    async def tend(self, hall: Hall) -> int:
        """Enter calls that stand still and fetch what could not be fetched; how many calls are done with."""
        book, now, done = CallBook(hall, self._locks), hall.clock(), 0
        for page in await hall.notebook.quiet(NAME, now - hall.telephone.quiet):
            try:
                done += await book.tend(page, now)
            except PetitionError as problem:
                log.warning("a call could not be finished yet", problem=problem.code)
        return done


class _Line:
    """The handlers over one hall."""

    def __init__(self, hall: Hall, book: CallBook) -> None:
        self._hall = hall
        self._book = book
        self._script = Script(hall.telephone, hall.public_url)

    async def dialogue(self, request: web.Request, step: str) -> web.Response:
        """One turn of the conversation: kept, then answered with what is to be said next."""
        turn = "0" if step == INCOMING else request.query.get("turn", "0")
        if not _TURN.fullmatch(turn):
            raise NotFound("没有找到这个地址。")
        received = await self._received(request, step, int(turn))
        if received is None:
            return _document("<Response/>", 403)
        sid, event = received
        kept = False
        try:
            async with self._book.lock(sid):
                call = await self._book.hear(sid, event)
                kept = True
                document = await self._answer(call, event)
            if call.ended or event.value("Digits") == "hangup":
                await self._end(sid)
        except (Unavailable, TooMany):
            # What is kept is entered as soon as there is room.
            document = self._script.farewell(words.KEPT if kept else words.UNREACHABLE)
        return _document(document)

    async def status(self, request: web.Request) -> web.Response:
        """The call has another status; the last one enters what was said."""
        received = await self._received(request, STATUS, _LAST)
        if received is None:
            return _document("<Response/>", 403)
        sid, event = received
        async with self._book.lock(sid):
            await self._book.hear(sid, event)
        if event.value("CallStatus") in ENDED:
            await self._end(sid)
        return web.Response(status=204)

    async def recording(self, request: web.Request) -> web.Response:
        """A recording is ready: it joins the case, or waits for it."""
        received = await self._received(request, "recording", _LAST)
        if received is None:
            return _document("<Response/>", 403)
        sid, event = received
        recording = event.value("RecordingSid")
        finished = event.fields.get("RecordingStatus", "completed") == "completed"
        if not finished or not RECORDING_SID.fullmatch(recording) or not event.value("RecordingUrl"):
            await self._hall.refuse(plain(event, f"{sid}:{recording}:recording_event"), "recording_event")
            return web.Response(status=204)
        async with self._book.lock(sid):
            call = await self._book.look(sid)
            known = any(one.sid == recording and (one.ready or one.joined) for one in call.recordings)
            if known or await self._hall.enquiries.case_of(NAME, f"{recording}:recording"):
                await self._hall.refuse(plain(event, f"{recording}:recording_again"), "duplicate")
            else:
                call = await self._book.hear_recording(sid, recording, event)
            await self._book.join(call)
        return web.Response(status=204)

    async def _answer(self, call: Call, event: Event) -> str:
        """The document that goes on from here, from what was said up to this webhook: a retry gets the same."""
        script, before, turn = self._script, call.until(event), event.turn + 1
        match event.step:
            case "incoming":
                return script.menu(script.greeting(), turn)
            case "menu":
                return await self._chosen(call, event)
            case "story":
                if event.said:
                    return script.words("demand", words.DEMAND, turn)
                return script.record("recorded", words.NOT_HEARD, turn)
            case "recorded" if not event.value("RecordingSid"):
                if sum(one.step == "recorded" for one in before) < 2:
                    return script.record("recorded", words.NOT_HEARD, turn)
            case "wish":
                return script.farewell(words.THANKS)
            case "query":
                return script.keys("code", words.CODE, turn)
            case "code":
                return await self._told(call, event)
            case "callback":
                return await self._call_back(call, event)
            case "seat":
                return await self._from_seat(call, event)
        return await self._finish(call)

    async def _chosen(self, call: Call, event: Event) -> str:
        script, turn, telephone = self._script, event.turn + 1, self._hall.telephone
        match event.choice:
            case "1" if telephone.speech:
                return script.words("story", words.STORY, turn)
            case "1":
                return script.record("recorded", words.RECORD, turn)
            case "2":
                return script.keys("query", words.NUMBER, turn)
            case "3":
                return await self._seat(call, event)
            case "4":
                return script.keys("callback", words.CALL_BACK if call.number else words.CALL_BACK_TO, turn)
            case "story":
                return script.words("demand", words.DEMAND, turn)
        menus = [one for one in call.until(event) if one.step == "menu"]
        if sum(not one.choice for one in menus) > _WRONG_MOST or len(menus) > _MENUS_MOST:
            # Whoever cannot choose is not sent round in circles: what they say is kept.
            return script.record("recorded", words.RECORD_ANYWAY, turn)
        return script.menu(script.greeting() if event.choice == "0" else words.AGAIN, turn)

    async def _finish(self, call: Call) -> str:
        call = await self._book.settle(call)
        if any(part.kind == WORDS for part in call.parts):  # the case was there before
            return self._script.farewell(words.ADDED, words.THANKS)
        return self._script.farewell(_receipt(call), words.THANKS)

    async def _told(self, call: Call, event: Event) -> str:
        """Where a case stands; nobody learns whether number or code was wrong."""
        script, before, turn = self._script, call.until(event), event.turn + 1
        number = next((one.value("Digits") for one in reversed(before) if one.step == "query"), "")
        try:
            told = await self._hall.enquiries.status_by_keys(number, event.value("Digits"))
        except (NotFound, Invalid):
            if sum(one.step == "code" for one in before) % _QUERIES_MOST:
                return script.keys("query", f"{words.FAILED}{words.ASK_AGAIN}{words.NUMBER}", turn)
            return script.menu(f"{words.FAILED}{words.MORE}", turn)
        except TooMany as problem:
            return script.farewell(problem.words, words.THANKS)
        await self._book.change(call.sid, lambda one: replace(one, answered=True))
        return script.menu(f"{words.status(told)}{words.MORE}", turn)

    async def _seat(self, call: Call, event: Event) -> str:
        turn = event.turn + 1
        if not self._hall.telephone.seat_line:
            return self._script.menu(words.BUSY, turn)
        # The case comes first: the seat writes into it, and it stays if the line breaks.
        call = await self._book.settle(call)
        if not await self._hall.switchboard.ring(self._ring(call)):
            return self._script.menu(words.BUSY, turn)
        return self._script.dial(words.PUT_THROUGH, turn)

    async def _from_seat(self, call: Call, event: Event) -> str:
        """After the dialling: whoever was answered is done, whoever was not may leave a message or be called back."""
        answered = event.value("DialCallStatus") in ("completed", "answered")
        if answered:  # the telephone was picked up, whether or not somebody took the call on the page
            await self._hall.switchboard.ring(replace(self._ring(call), seat=self._hall.telephone.seat_line))
        await self._hall.switchboard.over(NAME, call.sid, self._hall.clock())
        if answered:
            return self._script.farewell(words.THANKS)
        return self._script.menu(words.BUSY, event.turn + 1)

    async def _call_back(self, call: Call, event: Event) -> str:
        typed = event.value("Digits")
        number = normal_mobile(typed) or normal_landline(typed)
        asked = sum(one.step == "callback" for one in call.until(event))
        if not number and asked < _QUERIES_MOST and (typed or not call.number):
            return self._script.keys("callback", words.CALL_BACK_TO, event.turn + 1)
        call = await self._book.settle(call)
        ring = self._ring(call)
        await self._hall.switchboard.call_back(replace(ring, number=number or ring.number), "来电人在电话里请求回电")
        said = f"{words.CALL_BACK_NOTED}{_receipt(call)}{words.WISH}"
        return self._script.record("wish", said, event.turn + 1)

    def _ring(self, call: Call) -> Ring:
        at = datetime.fromisoformat(call.events[0].at) if call.events else self._hall.clock()
        return Ring(channel=NAME, id=call.sid, number=call.number, line=call.line, at=at, case_no=call.case_no)

    async def _end(self, sid: str) -> None:
        async with self._book.lock(sid):
            call = await self._book.settle(await self._book.look(sid), final=True)
            await self._book.join(call)
        await self._hall.switchboard.over(NAME, sid, self._hall.clock())

    async def _received(self, request: web.Request, step: str, turn: int) -> tuple[str, Event] | None:
        """(id of the call, the webhook); None when nobody vouches for it, after it was kept."""
        at, body = self._hall.clock(), bytearray()
        try:
            await receive(request, self._hall.max_body, body)
        except (TooLarge, Unreadable) as problem:
            await self._hall.refuse(_unverified(bytes(body), at), problem.code)
            raise
        form = read_form(bytes(body), _DELIVERY)
        event = Event(step=step, turn=turn, at=at.isoformat(), body=form.raw.decode("latin-1"))
        if not verified(request, form, self._hall):
            await self._hold(form, bytes(body), event)
            return None
        sid = form.fields.get("CallSid", "")
        if not CALL_SID.fullmatch(sid) or form.fields.get("Direction", "inbound") != "inbound":
            await self._hall.refuse(_unverified(bytes(body), at), "no_call")
            raise NotFound("这不是打进来的电话。")
        return sid, event

    async def _hold(self, form: SignedForm, body: bytes, event: Event) -> None:
        """Keep a call nobody vouches for, for a person: perhaps a proxy changed the address (HARD_CASES 16).

        Without number: a forger could name anybody. Only what begins a call or says something.
        """
        arrival = _unverified(body, datetime.fromisoformat(event.at))
        begins = event.step == INCOMING and CALL_SID.fullmatch(form.fields.get("CallSid", ""))
        if not event.said and not begins:
            await self._hall.refuse(arrival, "forged")
            return
        content = event.said or "（有人来电，来源未经核实，见原件。）"
        said = Statement(petitioners=(Person(),), content=content)
        await self._hall.intake(replace(arrival, hold=UNVERIFIED, statement=said))


def _receipt(call: Call) -> str:
    return words.registered(call.case_no, call.query_code, texted=call.texted) if call.query_code else words.KEPT


def _unverified(body: bytes, at: datetime) -> Arrival:
    """By the digest of its bytes: a forged id must not stand in the way of the true call."""
    return bare(body, f"unverified:{hashlib.sha256(body).hexdigest()}", at)


def _document(text: str, status: int = 200) -> web.Response:
    return web.Response(status=status, body=text.encode(), content_type="text/xml", charset="utf-8")
