"""The ways in (来件途径): how an input goes through each door of a gateway under test, and what the door says."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from urllib.parse import urlencode

import httpx
from twilio.request_validator import RequestValidator

from benchmarks.load import TEXTS, body
from gateway.demo.browser import Browser, Page, Stuck
from gateway.demo.doors import ORDERS
from gateway.demo.doors import TEXTS as MESSAGES
from gateway.demo.journeys import fill, receipt
from gateway.demo.samples import Sample, load_samples

API = "/api/v1/petitions"
KEY, TOKEN = "crash-partner-0123456789abcdef", "crash-token-0123456789abcdef"
SETTINGS: Mapping[str, str] = {
    "GATEWAY_CHANNELS": "web,rest,email,sms,hotline",
    "GATEWAY_API_KEYS": f"partner:{KEY}",
    "GATEWAY_TWILIO_AUTH_TOKEN": TOKEN,
}
# The share of each kind; what is left over is plain.
SHARES = {"files": 0.04, "large": 0.02, "mail": 0.12, "text": 0.12, "order": 0.12, "form": 0.02}
KINDS = frozenset({"plain", *SHARES})
# A page that was sent again shows the receipt it has: nothing new reaches the ledger, so nobody is told to do it.
ONCE = frozenset({"form"})

ANSWER = 12.0  # seconds until an answer counts as lost
CROWD = 400  # addresses they come from
_TEXTED = re.compile(r"编号(?P<case_no>[0-9A-Z-]+).*?查询码(?P<code>[0-9A-Z-]{14})", re.S)
_MAILED = re.compile(r"250 registered ([0-9A-Z]{10,})")


class Lost(Exception):
    """No whole answer came. sent: whether the request may have reached the gateway; half: bytes of an answer came."""

    def __init__(self, *, sent: bool, half: bool = False) -> None:
        super().__init__()
        self.sent = sent
        self.half = half


@dataclass(frozen=True, slots=True)
class Told:
    """A whole answer. taken: (case number, query code), the code empty where the door tells none; status: in the
    protocol's own figures; again: the door asks to come again; polite: and says that it closes."""

    status: str
    words: str
    taken: tuple[str, str] | None = None
    again: bool = False
    polite: bool = False


class Link:
    """One keep-alive connection, made anew when it is broken."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case, body; raises Lost."""
        if self._streams is None:
            try:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                raise Lost(sent=False) from None
        reader, writer = self._streams
        came = b""
        try:
            async with asyncio.timeout(ANSWER):
                writer.write(request)
                came = await reader.readuntil(b"\r\n\r\n")
                first, *lines = came.decode("latin-1").strip().split("\r\n")
                headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}
                text = await reader.readexactly(int(headers.get("content-length", "0")))
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as problem:
            self.close()
            partial = problem.partial if isinstance(problem, asyncio.IncompleteReadError) else b""
            raise Lost(sent=True, half=bool(came or partial)) from None
        if headers.get("connection", "").lower() == "close":
            self.close()
        return int(first.split()[1]), headers, text

    def close(self) -> None:
        """Let go of it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@dataclass(slots=True)
class Ways:
    """Every way into one gateway. Each input is made from seed and number alone: the same bytes at every try."""

    port: int
    smtp: int
    seed: int
    _visits: dict[int, _Visit] = field(default_factory=dict)

    def name(self, number: int) -> str:
        """The sender's own id of an input."""
        return f"{self.seed}-sender-{number}"

    def kind(self, number: int) -> str:
        """Which way this input goes."""
        draw = self._chance(number).random()
        for kind, share in SHARES.items():
            if (draw := draw - share) < 0:
                return kind
        return "plain"

    async def send(self, link: Link, number: int) -> Told:
        """Send it once; raises Lost."""
        match self.kind(number):
            case "mail":
                return await self._mail(number)
            case "text":
                return await self._text(link, number)
            case "order":
                return await self._order(link, number)
            case "form":
                return await asyncio.to_thread(self._visit, number)
            case kind:
                return await self._petition(link, number, kind)

    def _chance(self, number: int) -> random.Random:
        return random.Random(f"input {self.seed} {number}")

    async def _petition(self, link: Link, number: int, kind: str) -> Told:
        chance, content_type = self._chance(number), "application/json"
        petition = body(number, chance)
        if kind == "files":
            content_type, petition = _multipart(petition, chance)
        elif kind == "large":
            # White space is content too: the original is kept as it came.
            petition += b" " * chance.randrange(65_000, 200_000)
        headers = {"Content-Type": content_type, "Idempotency-Key": self.name(number)}
        return await self._post(link, number, API, petition, headers)

    async def _order(self, link: Link, number: int) -> Told:
        order = {
            "order_no": f"CRASH{self.seed}N{number}",
            "kind": "求助",
            "title": f"第{number}件来电",
            "content": f"{TEXTS[number % len(TEXTS)]}编号{number}",
            "caller": {"name": f"示例{chr(0x4E00 + number % 5000)}", "mobile": _mobile(number)},
            "place_region": "620102",
            "reply_wanted": True,
        }
        headers = {"Content-Type": "application/json", "X-API-Key": KEY}
        return await self._post(link, number, ORDERS, json.dumps(order, ensure_ascii=False).encode(), headers)

    async def _text(self, link: Link, number: int) -> Told:
        form = {
            "MessageSid": f"SM{self.seed:016x}{number:016x}",
            # A telephone of its own each: what the same one sends within minutes joins the case before.
            "From": f"+86{_mobile(number)}",
            "To": "+8615400000000",
            "Body": f"{TEXTS[number % len(TEXTS)]}编号{number}",
            "NumMedia": "0",
        }
        url = f"http://127.0.0.1:{self.port}{MESSAGES}"
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(url, form),
        }
        return await self._post(link, number, MESSAGES, urlencode(form).encode(), headers)

    async def _post(self, link: Link, number: int, path: str, content: bytes, headers: Mapping[str, str]) -> Told:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}"
            f"X-Forwarded-For: 10.0.{number % CROWD // 200}.{number % 200}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        status, said, text = await link.ask(head.encode() + content)
        words, taken = text.decode("utf-8", "replace"), None
        if status == 201:
            answer = json.loads(text)
            taken = (answer["case_no"], answer["query_code"])
        elif status == 200 and (found := _TEXTED.search(words)):
            taken = (found["case_no"].replace("-", ""), found["code"])
        closes = said.get("connection", "").lower() == "close"
        return Told(str(status), words, taken, again=status == 503, polite=status == 503 and closes)

    async def _mail(self, number: int) -> Told:
        """One session, one mail, as a relay does it that has just been told of it (RFC 5321)."""
        mail = (
            f"From: =?utf-8?B?56S65L6L?= <sender{number}@citizen.example>\r\nTo: <petition@office.example>\r\n"
            f"Subject: case {number}\r\nMessage-ID: <{self.name(number)}@citizen.example>\r\n"
            "Date: Sun, 22 Nov 2026 09:00:00 +0800\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            f"{TEXTS[number % len(TEXTS)]}编号{number}\r\n.\r\n"
        )
        steps = (
            "EHLO sender.example",
            "MAIL FROM:<sender@citizen.example>",
            "RCPT TO:<petition@office.example>",
            "DATA",
        )
        begun = False
        try:
            async with asyncio.timeout(ANSWER):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.smtp, limit=1 << 16)
                try:
                    said = await _reply(reader)
                    for step in steps:
                        if not said.startswith(("2", "3")):
                            return _heard(said)
                        writer.write(f"{step}\r\n".encode())
                        said = await _reply(reader)
                    if not said.startswith("354"):
                        return _heard(said)
                    begun = True
                    writer.write(mail.encode())
                    said = await _reply(reader)
                    writer.write(b"QUIT\r\n")
                    return _heard(said)
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            raise Lost(sent=begun) from None

    def _visit(self, number: int) -> Told:
        """Through the pages; what broke off is gone on with where it stood, as a person does who reloads."""
        visit = self._visits.setdefault(number, _Visit(f"http://127.0.0.1:{self.port}", number))
        try:
            taken = visit.go_on()
        except httpx.TransportError as problem:
            raise Lost(sent=not isinstance(problem, httpx.ConnectError)) from None
        except Stuck as stuck:
            return Told("400 page", str(stuck))  # what was kept is not there any more, or was not understood
        del self._visits[number]
        return Told("page", "", taken)


class _Visit:
    """One person at the web form. The browser outlives the gateway."""

    def __init__(self, url: str, number: int) -> None:
        self._browser = Browser(url, wait=lambda pause: time.sleep(min(pause, 0.2)))
        self._sample = replace(_sample(), title=f"第{number}件网上来件", content=f"{_sample().content}编号{number}")
        self._page: Page | None = None

    def go_on(self) -> tuple[str, str]:
        """(case number, query code) on the receipt; httpx.TransportError when the gateway went away, Stuck."""
        if self._page is None:
            start = self._browser.open("/file")
            page = self._browser.submit(start.form("/file"))
        else:
            page = self._browser.open(self._page.path)
        while page.path != "/file/receipt":
            self._page = page
            page = fill(self._browser, page, self._sample)
            if page.problems:
                raise Stuck(f"{page.path}: {page.problems}")
        self._page = page
        return receipt(self._browser)


@cache
def _sample() -> Sample:
    """Somebody who files for himself, without files."""
    return replace(next(one for one in load_samples() if one.channel == "web" and one.manner == "self"), files=())


def _mobile(number: int) -> str:
    return f"154{number % 100_000_000:08d}"


async def _reply(reader: asyncio.StreamReader) -> str:
    """One reply, its last line (RFC 5321, 4.2.1)."""
    while True:
        line = (await reader.readuntil(b"\r\n")).decode("utf-8", "replace").strip()
        if line[3:4] != "-":
            return line


def _heard(said: str) -> Told:
    found = _MAILED.match(said)
    taken = (found[1], "") if found else None
    return Told(said[:3], said, taken, again=said.startswith("4"), polite=said.startswith("421"))


def _multipart(petition: bytes, chance: random.Random) -> tuple[str, bytes]:
    edge = f"edge{chance.getrandbits(64):016x}"
    parts = [f'--{edge}\r\nContent-Disposition: form-data; name="petition"\r\n\r\n'.encode() + petition + b"\r\n"]
    for place in range(chance.choice((1, 1, 2))):
        head = f'--{edge}\r\nContent-Disposition: form-data; name="attachments"; filename="{place}.bin"\r\n\r\n'
        parts.append(head.encode() + chance.randbytes(chance.randrange(2_000, 150_000)) + b"\r\n")
    return f"multipart/form-data; boundary={edge}", b"".join(parts) + f"--{edge}--\r\n".encode()
