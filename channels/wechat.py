"""微信 The WeChat official account door: messages and events, answered in passive replies.

POST /webhooks/wechat?signature=...&timestamp=1795312000&nonce=...[&encrypt_type=aes&msg_signature=...]
<xml><FromUserName>oDemo...</FromUserName><MsgType>text</MsgType><Content>...</Content><MsgId>...</MsgId>...</xml>
200 <xml><ToUserName>oDemo...</ToUserName>...<Content>已登记。编号：620000X2026112200001K ...</Content></xml>
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aiohttp import web

from channels import wechat_words as words
from channels.body import receive
from channels.door import Hall
from channels.wechat_envelope import fields_of, signature, signed, xml_of
from channels.wechat_media import MediaRounds
from channels.wechat_message import Message
from channels.wechat_walk import Walks
from petition.arrival import Arrival, Statement
from petition.errors import TooLarge, Unreadable
from petition.people import Person
from petition.petition import Form

NAME = "wechat"
PATH = "/webhooks/wechat"
UNVERIFIED = "签名不符"
FRESH = timedelta(minutes=10)  # between the platform's clock and ours; older requests may be repeated by a stranger
_XML = "text/xml"
_ECHO_MAX = 256


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read. message: None when it cannot be read; verified: whether the platform signed it just now;

    sealed: whether it came encrypted, and the answer has to be too.
    """

    message: Message | None
    verified: bool
    sealed: bool = False


class Wechat:
    """The door of one official account."""

    name = NAME

    def __init__(self) -> None:
        self._walks = Walks(NAME)

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        """GET (the platform's check of the address) and POST /webhooks/wechat."""

        async def check(request: web.Request) -> web.Response:
            return _check(request, hall)

        async def post(request: web.Request) -> web.Response:
            return await self._post(request, hall)

        return [web.get(PATH, check, allow_head=False), web.post(PATH, post)]

    async def listen(self, hall: Hall) -> MediaRounds:
        """Look from time to time for files that could not be fetched at once."""
        return MediaRounds(hall, rest=self._walks.rest).start()

    async def _post(self, request: web.Request, hall: Hall) -> web.Response:
        received_at = hall.clock()
        body = await _body(request, received_at, hall)
        try:
            read = _read(request.query, body, received_at, hall)
        except Unreadable as problem:
            await hall.refuse(_arrival(Message(fields={}, raw=body), received_at), problem.code)
            return web.Response(status=400)
        if not read.verified:
            await _hold(read.message, body, received_at, hall)
            return web.Response(status=403)
        assert read.message is not None
        message = read.message
        arrival = _arrival(message, received_at)
        if not message.openid:
            await hall.refuse(arrival, "no_sender")
            return web.Response(status=400)
        said = await self._walks.in_time(message, arrival, hall)
        return _reply(message, said, read.sealed, received_at, hall)


def _check(request: web.Request, hall: Hall) -> web.Response:
    """The platform's check of the address: the echo comes back if it signed."""
    query, echo = request.query, request.query.get("echostr", "")
    good = 0 < len(echo) <= _ECHO_MAX and echo.isascii() and echo.isprintable()
    if not good or not _signed(query, "signature", hall):
        return web.Response(status=403)
    return web.Response(text=echo, content_type="text/plain")


def _read(query: Mapping[str, str], body: bytes, at: datetime, hall: Hall) -> Request:
    """The request; Unreadable for what the platform signed and nobody can read.

    With an EncodingAESKey only what came encrypted is believed: the other signature does not cover the body.
    """
    if not _signed(query, "signature", hall) or not _fresh(query.get("timestamp", ""), at):
        return Request(_words_of(body), verified=False)
    cipherer = hall.wechat.cipherer
    if cipherer is None:
        return Request(Message(fields=fields_of(body), raw=body), verified=True)
    fields = fields_of(body)
    encrypted = fields.get("Encrypt", "")
    if not encrypted or not _signed(query, "msg_signature", hall, encrypted):
        return Request(_words_of(body), verified=False)
    opened = cipherer.open(encrypted)
    return Request(Message(fields=fields_of(opened), raw=opened), verified=True, sealed=True)


def _signed(query: Mapping[str, str], name: str, hall: Hall, *more: str) -> bool:
    token = hall.wechat.token.get_secret_value()
    given = query.get(name, "")
    return bool(token and given) and signed(given, token, query.get("timestamp", ""), query.get("nonce", ""), *more)


def _fresh(timestamp: str, at: datetime) -> bool:
    """Whether the platform wrote it just now. timestamp: seconds since 1970."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    return abs(at.timestamp() - int(timestamp)) <= FRESH.total_seconds()


def _words_of(body: bytes) -> Message | None:
    """A message nobody vouches for, as far as it can be read."""
    try:
        return Message(fields=fields_of(body), raw=body)
    except Unreadable:
        return None


async def _hold(message: Message | None, body: bytes, received_at: datetime, hall: Hall) -> None:
    """Keep a message nobody vouches for, for a person: perhaps our token is an old one (HARD_CASES 16).

    Without sender, as a forger could name anybody; by the digest of its bytes, as a forged id must not stand in the
    way of the true message; within a rate for all of them together.
    """
    hall.limit(f"{NAME}:unverified")
    arrival = _arrival(Message(fields={}, raw=body), received_at)
    said = message.words if message is not None else ""
    if not said:
        await hall.refuse(arrival, "forged")
        return
    raw_id = f"unverified:{hashlib.sha256(body).hexdigest()}"
    statement = Statement(petitioners=(Person(),), content=said)
    await hall.intake(replace(arrival, raw_id=raw_id, hold=UNVERIFIED, statement=statement))


def _arrival(message: Message, received_at: datetime) -> Arrival:
    return Arrival(
        channel=NAME,
        form=Form.WECHAT,
        raw_id=message.raw_id,
        received_at=received_at,
        petition_date=received_at.date(),
        raw=message.raw,
        raw_type=_XML,
    )


def _reply(message: Message, said: str, sealed: bool, at: datetime, hall: Hall) -> web.Response:
    """A passive reply; `success` where there is nothing to say."""
    if not said:
        return web.Response(text="success", content_type="text/plain")
    moment = str(int(at.timestamp()))
    answer = xml_of(
        {
            "ToUserName": message.openid,
            "FromUserName": message.account,
            "CreateTime": moment,
            "MsgType": "text",
            "Content": _cut(said),
        }
    )
    cipherer = hall.wechat.cipherer
    if sealed and cipherer is not None:
        token, nonce, encrypted = hall.wechat.token.get_secret_value(), secrets.token_hex(8), cipherer.seal(answer)
        stamped = {"TimeStamp": moment, "Nonce": nonce}
        mark = signature(token, moment, nonce, encrypted)
        answer = xml_of({"Encrypt": encrypted, "MsgSignature": mark, **stamped})
    return web.Response(body=answer, content_type=_XML, charset="utf-8")


def _cut(said: str) -> str:
    """At most the bytes the platform takes, in whole signs."""
    return said.encode()[: words.REPLY_MAX].decode("utf-8", "ignore")


async def _body(request: web.Request, received_at: datetime, hall: Hall) -> bytes:
    """The whole body; raises TooLarge or Unreadable, after what was read is kept."""
    body = bytearray()
    try:
        await receive(request, hall.max_body, body)
    except (TooLarge, Unreadable) as problem:
        await hall.refuse(_arrival(Message(fields={}, raw=bytes(body)), received_at), problem.code)
        raise
    return bytes(body)
