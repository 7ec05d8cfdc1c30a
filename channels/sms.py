"""短信 The text message door: webhooks of Twilio, answered in TwiML.

POST /webhooks/twilio/sms   X-Twilio-Signature: 0/KCTR6DLpKmkAf8muzZqo1nDgQ=
MessageSid=SM0123456789abcdef0123456789abcdef&From=%2B8615400000006&To=%2B86...&Body=...&NumMedia=0
200 <Response><Message>您的诉求已登记，编号620000D2026112200001K，查询码7M2K-9QXA-4TBD...</Message></Response>
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from aiohttp import web
from twilio.twiml.messaging_response import MessagingResponse

from channels import sms_words as words
from channels.body import receive
from channels.door import CaughtUp, Hall
from channels.signature import UNVERIFIED, verified
from channels.sms_backlog import Backlog
from channels.sms_message import NAME as NAME
from channels.sms_message import Message, read
from channels.sms_register import Register, Registered, note_order, opt
from channels.sms_words import Order, Word
from channels.texting import TextStatus
from petition.arrival import Outcome, Statement
from petition.errors import Invalid, NotFound, TooLarge, TooMany, Unreadable
from petition.people import Person

PATH = "/webhooks/twilio/sms"
STATUS_PATH = f"{PATH}/status"

_SAID = {Word.STOP: words.STOPPED, Word.START: words.STARTED, Word.HELP: words.HELP}


class Sms:
    """The door of text messages."""

    name = NAME

    def __init__(self) -> None:
        self._register = Register()

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
        if (order := message.order) is not None or message.empty:
            said = await _obey(order, message, hall) if order else words.EMPTY
            await hall.refuse(message.arrival(received_at), order.word if order else "empty")
            await note_order(message, hall)
            # With Advanced Opt-Out Twilio has answered these words already.
            return _twiml("" if message.fields.get("OptOutType") else said)
        return _twiml(_told(await self._register.enter(message, received_at, hall)))

    async def catch_up(self, hall: Hall, since: datetime) -> CaughtUp:
        """Messages that no webhook brought, and attachments that could not be fetched at once; see `Reconciling`."""
        return await Backlog(self._register, hall).round(since)


def _told(entered: Registered) -> str:
    """What the sender is told once it is committed."""
    receipt = entered.receipt
    if receipt is None:
        return words.known(entered.first)
    if not entered.opener:
        return words.added(receipt.case_no)
    if receipt.outcome is Outcome.LINKED and not entered.first:
        return words.known(receipt.case_no)  # another process was faster, perhaps with a supplement: no code
    return words.registered(receipt.case_no, receipt.query_code)


async def _obey(order: Order, message: Message, hall: Hall) -> str:
    await opt(order, message, hall)
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
    arrival = message.arrival(received_at)
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
    arrival = replace(message.arrival(received_at), raw_id=f"{message.sid}:status")
    if not verified(request, message, hall):
        await hall.refuse(replace(arrival, raw=body), "forged")
        return _twiml("", 403)
    told, error = message.fields.get("MessageStatus", "").lower(), message.fields.get("ErrorCode", "")
    order = request.query.get("order", "")
    await hall.texting.told(TextStatus(order=order, message_id=message.sid, status=told, error=error))
    await hall.refuse(arrival, "status_callback")
    return web.Response(status=204)


async def _body(request: web.Request, received_at: datetime, hall: Hall) -> bytes:
    """The whole body; raises TooLarge or Unreadable, after what was read is kept."""
    body = bytearray()
    try:
        await receive(request, hall.max_body, body)
    except (TooLarge, Unreadable) as problem:
        message = Message(fields={}, raw=bytes(body), repeated=False)
        await hall.refuse(message.arrival(received_at), problem.code)
        raise
    return bytes(body)


def _twiml(text: str, status: int = 200) -> web.Response:
    """TwiML with one message, or with none when there is nothing to say."""
    answer = MessagingResponse()
    if text:
        answer.message(text[: words.REPLY_MAX])
    return web.Response(status=status, body=str(answer).encode(), content_type="text/xml", charset="utf-8")
