"""The stand-in of the provider (服务商替身): those parts of Twilio's interface that the house uses, on this machine.

    async with StandIn() as twilio:                      # GATEWAY_TWILIO_API_URL = twilio.url
        house = Home("http://127.0.0.1:8080", "https://petitions.example")
        sid = twilio.receive("后山有落石", "+8615400000006", files=[("image/png", picture)])
        answer = await twilio.deliver(sid, house)        # or never: then the webhook was lost, and only the list has it
        twilio.sent[-1]["body"]                          # what the house sent out by POST Messages.json

How a call is played: `gateway.demo.caller`. Nothing leaves 127.0.0.1.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Self
from urllib.parse import urlencode
from xml.etree import ElementTree

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from petition import clock
from petition.clock import Clock

ACCOUNT = "AC" + "0" * 31 + "d"
TOKEN = "token of the stand-in"  # fictional, as everything here
LINE = "+8615400000000"
SMS, SMS_STATUS = "/webhooks/twilio/sms", "/webhooks/twilio/sms/status"
_VERSION = "2010-04-01"
# list, the field its pages name it by, the filter that begins it
_LISTS = (
    ("Messages", "messages", "DateSent>"),
    ("Calls", "calls", "StartTime>"),
    ("Recordings", "recordings", "DateCreated>"),
)


@dataclass(frozen=True, slots=True)
class Home:
    """The house as the provider knows it. url: where it is reached; public_url: what requests are signed over."""

    url: str
    public_url: str = ""

    @property
    def signed(self) -> str:
        """The address that signatures are made over."""
        return (self.public_url or self.url).rstrip("/")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the house answered to a webhook."""

    status: int
    body: str

    @property
    def words(self) -> str:
        """The words of the TwiML, or the body itself if it is none."""
        try:
            return "".join(ElementTree.fromstring(self.body).itertext())
        except ElementTree.ParseError:
            return self.body


@dataclass(slots=True)
class Kept:
    """One resource. at: by which lists are filtered; fields: as the interface tells them; bodies: suffix -> bytes."""

    at: datetime
    fields: dict[str, Any]
    bodies: dict[str, tuple[str, bytes]] = field(default_factory=dict)


class StandIn:
    """Keeps messages, calls, recordings and media; answers like the interface; calls the house's webhooks.

    down: answer 503 to everything; asked: the requests that came, "GET /2010-04-01/..."; sent: what the house sent.
    """

    def __init__(self, account: str = ACCOUNT, token: str = TOKEN, *, page: int = 50, now: Clock = clock.now) -> None:
        """page: records a page if nobody asks for fewer; now: when what is kept happened."""
        self.account, self.token, self.now = account, token, now
        self.down = False
        self.asked: list[str] = []
        self.messages: dict[str, Kept] = {}
        self.calls: dict[str, Kept] = {}
        self.recordings: dict[str, Kept] = {}
        self._media: dict[str, dict[str, Kept]] = {}
        self._callbacks: dict[str, str] = {}
        self._page = page
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 is a free one. OSError when it is taken."""
        root = f"/{_VERSION}/Accounts/{{account}}"
        app = web.Application(middlewares=[self._guarded])
        for path, key, since in _LISTS:
            app.router.add_get(f"{root}/{path}.json", self._lister(key, since))
        app.router.add_post(f"{root}/Messages.json", self._send)
        app.router.add_get(f"{root}/Messages/{{message}}/Media.json", self._media_list)
        app.router.add_get(f"{root}/Messages/{{message}}/Media/{{media}}", self._media_body)
        app.router.add_get(f"{root}/Recordings/{{file}}", self._recording)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close the door; what is kept stays."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The messages that the house sent out, oldest first."""
        return [one.fields for one in self.messages.values() if one.fields["direction"] == "outbound-api"]

    def receive(
        self, text: str, sender: str, to: str = LINE, *, files: Sequence[tuple[str, bytes]] = (), sid: str = ""
    ) -> str:
        """A message comes in at the provider; its sid. No webhook is sent: see `deliver`. files: (type, bytes)."""
        sid = sid or new_sid("MM" if files else "SM")
        uri = f"{self._uri}/Messages/{sid}"
        self._keep_message(sid, "inbound", sender, to, text, "received", str(len(files)))
        kept = self._media[sid] = {}
        for kind, body in files:
            media = new_sid("ME")
            fields = {"sid": media, "parent_sid": sid, "content_type": kind, "uri": f"{uri}/Media/{media}.json"}
            kept[media] = Kept(self.now(), fields, {"": (kind, body)})
        return sid

    def webhook_of(self, sid: str) -> dict[str, str]:
        """The parameters of the webhook of an incoming message."""
        told = self.messages[sid].fields
        form = {"ToCountry": "CN", "SmsMessageSid": sid, "NumMedia": told["num_media"], "SmsSid": sid}
        form |= {"SmsStatus": "received", "Body": told["body"], "To": told["to"], "NumSegments": "1"}
        form |= {"MessageSid": sid, "AccountSid": self.account, "From": told["from"], "ApiVersion": _VERSION}
        for number, one in enumerate(self._media[sid].values()):
            form[f"MediaContentType{number}"] = one.fields["content_type"]
            form[f"MediaUrl{number}"] = self.url + one.fields["uri"].removesuffix(".json")
        return form

    async def deliver(self, sid: str, house: Home, path: str = SMS, **more: str) -> Answer:
        """Tell the house of a message; again for a repeat. more: parameters on top."""
        return await self.post(house, path, {**self.webhook_of(sid), **more})

    async def report(self, sid: str, house: Home, status: str = "delivered", path: str = SMS_STATUS) -> Answer:
        """Tell the house what became of a message it sent, at the address it named or else at `path`."""
        told = self.messages[sid].fields
        told["status"] = status
        form = {"MessageSid": sid, "SmsSid": sid, "MessageStatus": status, "SmsStatus": status}
        form |= {"AccountSid": self.account, "To": told["to"], "From": told["from"] or "", "ApiVersion": _VERSION}
        return await self.post(house, self._callbacks.get(sid, "").removeprefix(house.signed) or path, form)

    async def post(self, house: Home, path: str, form: Mapping[str, str]) -> Answer:
        """One webhook, signed as Twilio signs. path: below the house's address, with its query."""
        signature = RequestValidator(self.token).compute_signature(house.signed + path, dict(form))
        headers = {"X-Twilio-Signature": str(signature), "I-Twilio-Idempotency-Token": secrets.token_hex(16)}
        timeout = aiohttp.ClientTimeout(total=15)  # as long as Twilio waits
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(house.url.rstrip("/") + path, data=dict(form), headers=headers) as answer,
        ):
            return Answer(answer.status, await answer.text())

    def ring(self, caller: str, line: str = LINE, *, status: str = "completed", seconds: int = 0, sid: str = "") -> str:
        """A call comes in at the provider; its sid. By itself its webhook is lost; `gateway.demo.caller` plays it."""
        sid, at = sid or new_sid("CA"), self.now()
        told = {"sid": sid, "account_sid": self.account, "parent_call_sid": None, "from": caller, "to": line}
        told |= {"direction": "inbound", "status": status, "duration": str(seconds), "price": None}
        told |= {"start_time": _rfc(at), "end_time": _rfc(at) if status == "completed" else None}
        told |= {"date_created": _rfc(at), "api_version": _VERSION, "uri": f"{self._uri}/Calls/{sid}.json"}
        self.calls[sid] = Kept(at, told)
        return sid

    def record(self, call_sid: str, body: bytes, seconds: int, kind: str = "audio/x-wav") -> str:
        """A recording of a call begins to be written; its sid. Its bytes are 404 until `finish`."""
        sid, at = new_sid("RE"), self.now()
        told = {"sid": sid, "account_sid": self.account, "call_sid": call_sid, "status": "processing", "channels": 1}
        told |= {"duration": str(seconds), "source": "RecordVerb", "error_code": None, "date_created": _rfc(at)}
        told |= {"start_time": _rfc(at), "api_version": _VERSION, "uri": f"{self._uri}/Recordings/{sid}.json"}
        self.recordings[sid] = Kept(at, told, {"mp3" if kind == "audio/mpeg" else "wav": (kind, body)})
        return sid

    def finish(self, sid: str) -> None:
        """The recording can be fetched from now on."""
        self.recordings[sid].fields["status"] = "completed"

    @property
    def _uri(self) -> str:
        return f"/{_VERSION}/Accounts/{self.account}"

    def _keep_message(
        self, sid: str, direction: str, sender: str | None, to: str, text: str, status: str, media: str
    ) -> dict[str, Any]:
        at = self.now()
        told: dict[str, Any] = {"sid": sid, "account_sid": self.account, "direction": direction, "from": sender}
        told |= {"to": to, "body": text, "status": status, "num_media": media, "num_segments": "1", "price": None}
        told |= {"error_code": None, "error_message": None, "messaging_service_sid": None, "api_version": _VERSION}
        told |= {"date_created": _rfc(at), "date_sent": _rfc(at), "date_updated": _rfc(at)}
        told |= {"uri": f"{self._uri}/Messages/{sid}.json"}
        told["subresource_uris"] = {"media": f"{self._uri}/Messages/{sid}/Media.json"}
        self.messages[sid] = Kept(at, told)
        return told

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        if self.down:
            return _problem(503, 20503, "Service unavailable")
        wanted = aiohttp.encode_basic_auth(self.account, self.token)
        if request.headers.get("Authorization") != wanted:
            return _problem(401, 20003, "Authenticate")
        if request.match_info.get("account", self.account) != self.account:
            return _problem(404, 20404, "The requested resource was not found")
        try:
            answer: web.StreamResponse = await handler(request)
        except (KeyError, web.HTTPNotFound):
            return _problem(404, 20404, f"The requested resource {request.path} was not found")
        return answer

    def _lister(self, key: str, since: str) -> Any:
        async def listed(request: web.Request) -> web.Response:
            kept: dict[str, Kept] = getattr(self, key)
            begin = _begin(request.query.get(since, ""))
            # Newest first, as there.
            found = [one.fields for one in reversed(kept.values()) if begin is None or one.at >= begin]
            return self._paged(request, key, found)

        return listed

    async def _media_list(self, request: web.Request) -> web.Response:
        kept = self._media[request.match_info["message"]]
        return self._paged(request, "media_list", [one.fields for one in kept.values()])

    async def _media_body(self, request: web.Request) -> web.Response:
        kind, body = self._media[request.match_info["message"]][request.match_info["media"]].bodies[""]
        return web.Response(body=body, content_type=kind)

    async def _recording(self, request: web.Request) -> web.Response:
        sid, _, suffix = request.match_info["file"].partition(".")
        kept = self.recordings[sid]
        if kept.fields["status"] != "completed":
            raise web.HTTPNotFound
        kind, body = kept.bodies[suffix or "wav"]
        return web.Response(body=body, content_type=kind)

    async def _send(self, request: web.Request) -> web.Response:
        form = await request.post()
        given = {name: str(value) for name, value in form.items()}
        sender = given.get("From") or given.get("MessagingServiceSid")
        if not given.get("To") or not sender:
            return _problem(400, 21604 if sender else 21603, "A 'To' and a 'From' phone number are required")
        if not given.get("Body"):
            return _problem(400, 21602, "Message body is required")
        sid, own = new_sid("SM"), None if sender.startswith("MG") else sender
        told = self._keep_message(sid, "outbound-api", own, given["To"], given["Body"], "queued", "0")
        told["messaging_service_sid"] = None if own else sender
        if given.get("StatusCallback"):
            self._callbacks[sid] = given["StatusCallback"]
        return web.json_response(told, status=201)

    def _paged(self, request: web.Request, key: str, found: list[dict[str, Any]]) -> web.Response:
        size = min(int(request.query.get("PageSize", self._page)), self._page)
        page = int(request.query.get("Page", "0"))
        shown = found[page * size : (page + 1) * size]
        more = (page + 1) * size < len(found)
        asked = {name: value for name, value in request.query.items() if name not in ("Page", "PageToken")}
        following = urlencode({**asked, "Page": str(page + 1), "PageToken": f"PA{page + 1}"})
        body = {key: shown, "page": page, "page_size": size, "start": page * size, "uri": request.path_qs}
        body |= {"end": page * size + max(len(shown) - 1, 0), "previous_page_uri": None, "first_page_uri": request.path}
        return web.json_response({**body, "next_page_uri": f"{request.path}?{following}" if more else None})


def new_sid(kind: str) -> str:
    """An id as the provider makes them. kind: SM, MM, CA, RE, ME."""
    return kind + secrets.token_hex(16)


def _rfc(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC))


def _begin(text: str) -> datetime | None:
    """2026-11-21 or 2026-11-21T01:30:00Z, in UTC."""
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _problem(status: int, code: int, words: str) -> web.Response:
    return web.json_response({"code": code, "message": words, "more_info": "", "status": status}, status=status)
