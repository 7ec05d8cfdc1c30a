"""短信 The text message door: webhooks of Twilio, answered in TwiML.

POST /webhooks/twilio/sms   X-Twilio-Signature: 0/KCTR6DLpKmkAf8muzZqo1nDgQ=
MessageSid=SM0123456789abcdef0123456789abcdef&From=%2B8615400000006&To=%2B86...&Body=...&NumMedia=0
200 <Response><Message>您的诉求已登记，编号620000D2026112200001K，查询码7M2K-9QXA-4TBD...</Message></Response>
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from weakref import WeakValueDictionary

from aiohttp import web
from twilio.twiml.messaging_response import MessagingResponse

from channels import sms_words as words
from channels.body import receive
from channels.door import Hall
from channels.signature import FORM_TYPE, UNVERIFIED, SignedForm, read_form, verified
from channels.sms_words import Order, Word, order_of
from channels.texting import TextStatus
from channels.web import UNSEEN
from petition.arrival import SUPPLEMENT, Arrival, Outcome, Statement, Upload
from petition.errors import Conflict, Invalid, NotFound, TooLarge, TooMany
from petition.identity import normal_mobile, tidy
from petition.people import Person
from petition.petition import Form

NAME = "sms"
PATH = "/webhooks/twilio/sms"
STATUS_PATH = f"{PATH}/status"

FetchMedia = Callable[[str], Awaitable[Upload]]  # the address -> the file

WINDOW = timedelta(minutes=3)  # parts of one long message, and what somebody writes on after it
MEDIA_SECONDS = 8.0  # Twilio waits 15 seconds for an answer
_SID = re.compile(r"[0-9A-Za-z]{10,64}")
_MEDIA = re.compile(r"MediaUrl([0-9]{1,3})")
# About the delivery, not the message: the fallback address gets them in addition, and it is the same message.
_DELIVERY = frozenset({"ErrorCode", "ErrorUrl"})
_SAID = {Word.STOP: words.STOPPED, Word.START: words.STARTED, Word.HELP: words.HELP}


class Media(NamedTuple):
    """One attachment of a message: where Twilio keeps it, and what it is said to be."""

    url: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(SignedForm):
    """One webhook request about a message."""

    @property
    def sid(self) -> str:
        """Twilio's id of the message, or a digest where there is none that could be one."""
        found = next((self.fields[name] for name in ("MessageSid", "SmsSid") if self.fields.get(name)), "")
        return found if _SID.fullmatch(found) else hashlib.sha256(self.raw).hexdigest()

    @property
    def text(self) -> str:
        """The words, without signs that hide or turn text; what could not be read stays visible as U+FFFD."""
        pieces = self.fields.get("Body", "").replace("\r\n", "\n").split("\ufffd")
        return "\ufffd".join(UNSEEN.sub("", piece) for piece in pieces).strip()

    @property
    def mobile(self) -> str:
        """The sender's mainland mobile in E.164, or empty; a contact, no proof of who wrote (DOMAIN 4.3)."""
        return normal_mobile(self.fields.get("From", ""))

    @property
    def media(self) -> list[Media]:
        """The attachments in their order, whatever NumMedia says."""
        found = sorted(int(name[1]) for name in map(_MEDIA.fullmatch, self.fields) if name)
        kinds = [self.fields.get(f"MediaContentType{number}", "") for number in found]
        urls = [self.fields.get(f"MediaUrl{number}", "") for number in found]
        return [Media(url, kind) for url, kind in zip(urls, kinds, strict=True) if url]

    @property
    def empty(self) -> bool:
        """Whether it says nothing; a text of emoji says something."""
        return not tidy(self.text) and not self.media and self.fields.get("NumMedia", "0").strip() in ("", "0")


def read(body: bytes) -> Message:
    """A form body as a Message; never raises."""
    form = read_form(body, _DELIVERY)
    return Message(fields=form.fields, raw=form.raw, repeated=form.repeated)


class Sms:
    """The door of text messages."""

    name = NAME

    def __init__(self, fetch_media: FetchMedia | None = None) -> None:
        """fetch_media: brings one attachment of a verified message; without it addresses are kept as words."""
        self._fetch_media = fetch_media
        # Parts of one long message arrive at once: each sees the case that the one before it opened.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        """POST /webhooks/twilio/sms, and .../status for delivery receipts."""

        async def post(request: web.Request) -> web.Response:
            return await self._post(request, hall)

        async def status(request: web.Request) -> web.Response:
            return await _status(request, hall)

        return [web.post(PATH, post), web.post(STATUS_PATH, status)]

    async def _post(self, request: web.Request, hall: Hall) -> web.Response:
        received_at = hall.clock()
        body = await _body(request, received_at, hall)
        message = read(body)
        if not verified(request, message, hall):
            await _hold(message, body, received_at, hall)
            return _twiml("", 403)
        arrival = _arrival(message, received_at)
        if order := _order(message):
            said = await _obey(order, message, hall)
            await hall.refuse(arrival, order.word)
            # With Advanced Opt-Out Twilio has answered these words already.
            return _twiml("" if message.fields.get("OptOutType") else said)
        if message.empty:
            await hall.refuse(arrival, "empty")
            return _twiml(words.EMPTY)
        uploads, left = await _fetch(message.media, self._fetch_media)
        content = "\n".join([message.text, *_left_words(left)]).strip()
        statement = Statement(petitioners=(Person(mobile=message.mobile),), content=content)
        try:
            return _twiml(await self._enter(replace(arrival, statement=statement, uploads=uploads), hall))
        finally:
            for upload in uploads:
                if upload.path is not None:  # the intake has taken it over, unless it could not
                    upload.path.unlink(missing_ok=True)

    async def _enter(self, arrival: Arrival, hall: Hall) -> str:
        """What the sender is told once it is committed."""
        mobile = arrival.statement.petitioners[0].mobile
        async with self._turns.setdefault(mobile or arrival.raw_id, asyncio.Lock()):
            first, case_no = await _place(arrival, mobile, hall)
            opener = not case_no
            # Known by its own id only what opened a case: a retry of it is told the query code again.
            threads, sub_source = ((arrival.raw_id,), "") if opener else ((), SUPPLEMENT + case_no)
            try:
                receipt = await hall.intake(replace(arrival, threads=threads, sub_source=sub_source))
            except Conflict:  # the same id with other content: entered as refused by the intake, the first one stands
                return words.known(first)
        if not opener:
            return words.added(receipt.case_no)
        if receipt.outcome is Outcome.LINKED and not first:
            return words.known(receipt.case_no)  # another process was faster, perhaps with a supplement: no code
        return words.registered(receipt.case_no, receipt.query_code)


async def _place(arrival: Arrival, mobile: str, hall: Hall) -> tuple[str, str]:
    """(the case of the same message if it came before, the case this one adds to); empty: none."""
    first = await hall.enquiries.case_of(NAME, arrival.raw_id)
    if first:
        opened = await hall.enquiries.thread(NAME, (arrival.raw_id,)) == first
        return first, "" if opened else first
    return "", await hall.enquiries.recent_case(NAME, "mobile", mobile, WINDOW) if mobile else ""


def _order(message: Message) -> Order | None:
    if message.media:
        return None  # a picture is evidence, whatever word stands beside it
    told = message.fields.get("OptOutType", "").upper()
    return Order(Word[told]) if told in ("STOP", "START", "HELP") else order_of(message.text)


async def _obey(order: Order, message: Message, hall: Hall) -> str:
    if order.word is Word.STOP:
        await hall.texting.opt_out(message.fields.get("From", ""), message.text)
    if order.word is Word.START:
        await hall.texting.opt_in(message.fields.get("From", ""))
    if order.word is not Word.QUERY:
        return _SAID[order.word]
    try:
        return await hall.enquiries.status_words(order.number, order.code)
    except (NotFound, Invalid):
        return words.FAILED  # never which of the two was wrong
    except TooMany as problem:
        return problem.words


async def _hold(message: Message, body: bytes, received_at: datetime, hall: Hall) -> None:
    """Keep a message nobody vouches for, for a person: perhaps a proxy changed the address (HARD_CASES 16).

    Without sender: a forger could name anybody, and that person's next message would be added to this case. By the
    digest of its bytes: a forged id must not stand in the way of the true message.
    """
    arrival = _arrival(message, received_at)
    arrival = replace(arrival, raw=body, raw_id=f"unverified:{hashlib.sha256(body).hexdigest()}")
    if message.empty:
        await hall.refuse(arrival, "forged")
        return
    content = message.text
    if message.media:
        content = f"{content}\n（另有{len(message.media)}个附件地址，未经核实，见原件。）".strip()
    await hall.intake(replace(arrival, hold=UNVERIFIED, statement=Statement(petitioners=(Person(),), content=content)))


async def _status(request: web.Request, hall: Hall) -> web.Response:
    """Delivery receipts: noted at the order they belong to, and counted. Their SID is the message's own."""
    received_at = hall.clock()
    body = await _body(request, received_at, hall)
    message = read(body)
    arrival = replace(_arrival(message, received_at), raw_id=f"{message.sid}:status")
    if not verified(request, message, hall):
        await hall.refuse(replace(arrival, raw=body), "forged")
        return _twiml("", 403)
    told, error = message.fields.get("MessageStatus", "").lower(), message.fields.get("ErrorCode", "")
    order = request.query.get("order", "")
    await hall.texting.told(TextStatus(order=order, message_id=message.sid, status=told, error=error))
    await hall.refuse(arrival, "status_callback")
    return web.Response(status=204)


async def _fetch(media: list[Media], fetch_media: FetchMedia | None) -> tuple[tuple[Upload, ...], list[Media]]:
    """(what was fetched, what was not): a message is not lost for its picture, and not late for it."""
    fetched: dict[Media, Upload] = {}
    if fetch_media is not None:
        try:
            async with asyncio.timeout(MEDIA_SECONDS):
                for one in media:
                    try:
                        fetched[one] = await fetch_media(one.url)
                    except Exception:  # of any client library; the address is kept and the officer sees it
                        continue
        except TimeoutError:
            pass
    return tuple(fetched.values()), [one for one in media if one not in fetched]


def _left_words(left: list[Media]) -> list[str]:
    if not left:
        return []
    return [f"（随短信发来的附件，尚未取回：{len(left)}个）", *(f"{one.kind} {one.url}".strip() for one in left)]


def _arrival(message: Message, received_at: datetime) -> Arrival:
    return Arrival(
        channel=NAME,
        form=Form.SMS,
        raw_id=f"{message.sid}:in",
        received_at=received_at,
        petition_date=received_at.date(),
        raw=message.raw,
        raw_type=FORM_TYPE,
    )


async def _body(request: web.Request, received_at: datetime, hall: Hall) -> bytes:
    """The whole body; raises TooLarge, after what was read is kept."""
    body = bytearray()
    try:
        await receive(request, hall.max_body, body)
    except TooLarge:
        message = Message(fields={}, raw=bytes(body), repeated=False)
        await hall.refuse(_arrival(message, received_at), TooLarge.code)
        raise
    return bytes(body)


def _twiml(text: str, status: int = 200) -> web.Response:
    """TwiML with one message, or with none when there is nothing to say."""
    answer = MessagingResponse()
    if text:
        answer.message(text[: words.REPLY_MAX])
    return web.Response(status=status, body=str(answer).encode(), content_type="text/xml", charset="utf-8")
