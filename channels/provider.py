"""The provider (短信电话服务商): what a door may ask of Twilio's interface, and the client that asks it.

GET {base}/2010-04-01/Accounts/AC.../Messages.json?DateSent%3E=2026-11-21T01:30:00Z&PageSize=200
{"messages": [{"sid": "SM...", "direction": "inbound", "from": "+86...", "num_media": "1", ...}], "next_page_uri": ...}
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from typing import Any, Protocol

import aiohttp
from pydantic import SecretStr
from yarl import URL

from petition.arrival import Upload
from petition.errors import Invalid, NotFound, TooLarge, Unavailable

VERSION = "2010-04-01"
ORIGIN = "https://api.twilio.com"  # what webhooks name, whatever the base address is
PAGE_SIZE = 200  # records a page; Twilio gives 1000 at most
PAGES_MOST = 500  # pages of one list: a list that never ends must not hold a process
PAGE_MOST = 8 << 20  # bytes of one answer that is read into memory
REDIRECTS_MOST = 3
_PIECE = 64 << 10
_CONNECT, _READ = 5.0, 10.0  # seconds: to connect, and between two pieces
_WHOLE = 120.0  # seconds for one answer
_MEDIA = r"Messages/(?:SM|MM)[0-9a-fA-F]{32}/Media/ME[0-9a-fA-F]{32}"
_RECORDING = r"(?:Calls/CA[0-9a-fA-F]{32}/)?Recordings/RE[0-9a-fA-F]{32}(?:\.(?:wav|mp3))?"
_FILE = re.compile(f"(?:{_MEDIA}|{_RECORDING})")
_MESSAGE = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}")
_KIND = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,80}", re.ASCII)
_FOLDED = {"audio/x-wav": ".wav", "audio/wav": ".wav", "audio/mpeg": ".mp3", "audio/amr": ".amr", "audio/3gpp": ".3gp"}

Record = Mapping[str, str]  # one entry of a list, as Twilio names its fields; what is null is empty


class Provider(Protocol):
    """The provider's own interface. Everything raises Unavailable for "ask again later", Invalid for "never".

    since: aware; a list begins there or a little before, the order is the provider's.
    """

    async def fetch(self, url: str, name: str) -> Upload:
        """One attachment of a message or one recording, by the address a webhook or a list gave, into the spool.

        name: of the file, without suffix it gets that of its type. The caller removes `path` (and its folder, by
        `discard`) unless the intake took it over. NotFound: not there, or not yet; TooLarge; Invalid: an address that
        is not ours to fetch.
        """
        ...

    def messages(self, since: datetime) -> AsyncIterator[Record]:
        """Text messages both ways (sid, direction, from, to, body, num_media, status, date_sent in RFC 2822, uri)."""
        ...

    def media(self, message_sid: str) -> AsyncIterator[Record]:
        """The attachments of a message (sid, content_type, uri)."""
        ...

    def calls(self, since: datetime) -> AsyncIterator[Record]:
        """Calls both ways (sid, direction, from, to, status, start_time, end_time, duration in seconds)."""
        ...

    def recordings(self, since: datetime) -> AsyncIterator[Record]:
        """Recordings (sid, call_sid, status, duration in seconds, date_created, uri); see `file_of` for the address."""
        ...

    async def send(self, to: str, body: str, status_callback: str = "") -> str:
        """Hand over one text message; its sid. Not repeated by itself: what Unavailable means here is not known."""
        ...


class NoProvider:
    """The null twin: a house whose provider has no interface."""

    async def fetch(self, url: str, name: str) -> Upload:
        """Nothing can be fetched, now or later."""
        raise Invalid((), "没有设置服务商账号。")

    def messages(self, since: datetime) -> AsyncIterator[Record]:
        """None."""
        return _none()

    def media(self, message_sid: str) -> AsyncIterator[Record]:
        """None."""
        return _none()

    def calls(self, since: datetime) -> AsyncIterator[Record]:
        """None."""
        return _none()

    def recordings(self, since: datetime) -> AsyncIterator[Record]:
        """None."""
        return _none()

    async def send(self, to: str, body: str, status_callback: str = "") -> str:
        """Nothing can be sent."""
        raise Invalid((), "没有设置服务商账号。")


async def _none() -> AsyncIterator[Record]:
    records: tuple[Record, ...] = ()
    for record in records:
        yield record


def discard(upload: Upload) -> None:
    """Remove what `fetch` left in the spool; nothing happens if the intake has taken it over."""
    if upload.path is not None:
        rmtree(upload.path.parent, ignore_errors=True)


def file_of(record: Record) -> str:
    """The address of the bytes of a listed recording or attachment: its uri without `.json`."""
    return record.get("uri", "").removesuffix(".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the client needs to know. base: address without the version; sender: of messages that go out, a number or
    a messaging service; media_hosts: to which the provider may redirect; numbers: ours, whose messages and calls are
    listed, empty: all of the account; max_file: bytes; spool: folder for files."""

    sid: str
    token: SecretStr
    base: str
    max_file: int
    spool: Path
    sender: str = ""
    media_hosts: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()


class Twilio:
    """The client over HTTP. Only the base address ever sees the credentials, and only paths of our own account.

    Not the library's: that one reads every body into memory without a bound and cannot have another base address
    (docs/adr/0012-provider.md).
    """

    def __init__(self, account: Account, whole: float = _WHOLE) -> None:
        """whole: seconds for one answer; nothing is opened before the first question."""
        self._account = account
        self._root = f"{account.base.rstrip('/')}/{VERSION}/Accounts/{account.sid}"
        self._own_path = f"/{VERSION}/Accounts/{account.sid}/"
        self._timeout = aiohttp.ClientTimeout(total=whole, sock_connect=_CONNECT, sock_read=min(_READ, whole))
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def fetch(self, url: str, name: str) -> Upload:
        """See `Provider`."""
        address = f"{self._root}/{self._file_path(url)}"
        folder = self._account.spool / secrets.token_hex(8)
        try:
            async with self._asked("GET", address, redirects=REDIRECTS_MOST) as answer:
                kind = answer.content_type if _KIND.fullmatch(answer.content_type) else "application/octet-stream"
                folder.mkdir(parents=True)
                await self._spool(answer, folder / "body")
        except BaseException:
            rmtree(folder, ignore_errors=True)
            raise
        suffix = "" if Path(name).suffix else _FOLDED.get(kind) or mimetypes.guess_extension(kind) or ""
        return Upload(name=name + suffix, media_type=kind, path=folder / "body")

    def messages(self, since: datetime) -> AsyncIterator[Record]:
        """See `Provider`."""
        return self._listed("Messages", "messages", {"DateSent>": _moment(since)})

    def media(self, message_sid: str) -> AsyncIterator[Record]:
        """See `Provider`."""
        if not _MESSAGE.fullmatch(message_sid):
            raise Invalid((), "不是短信的编号。")
        return self._listed(f"Messages/{message_sid}/Media", "media_list", {})

    def calls(self, since: datetime) -> AsyncIterator[Record]:
        """See `Provider`."""
        return self._listed("Calls", "calls", {"StartTime>": _moment(since)})

    def recordings(self, since: datetime) -> AsyncIterator[Record]:
        """See `Provider`."""
        return self._listed("Recordings", "recordings", {"DateCreated>": _moment(since)})

    async def send(self, to: str, body: str, status_callback: str = "") -> str:
        """See `Provider`."""
        sender = self._account.sender
        if not sender:
            raise Invalid((), "没有设置发出短信的号码。")
        form = {"To": to, "Body": body, ("MessagingServiceSid" if sender.startswith("MG") else "From"): sender}
        if status_callback:
            form["StatusCallback"] = status_callback
        async with self._asked("POST", f"{self._root}/Messages.json", data=form) as answer:
            told = _object(await _read(answer))
        sid = told.get("sid")
        if not isinstance(sid, str) or not _MESSAGE.fullmatch(sid):
            raise Unavailable("服务商的应答没有编号。")
        return sid

    async def _listed(self, path: str, key: str, asked: Mapping[str, str]) -> AsyncIterator[Record]:
        address = str(URL(f"{self._root}/{path}.json").with_query({**asked, "PageSize": str(PAGE_SIZE)}))
        for _ in range(PAGES_MOST):
            async with self._asked("GET", address) as answer:
                page = _object(await _read(answer))
            records, following = page.get(key), page.get("next_page_uri")
            if not isinstance(records, list):
                raise Unavailable("服务商的应答不是清单。")
            for record in records:
                if isinstance(record, dict) and self._ours(record):
                    yield _plain(record)
            if not following:
                return
            if not str(following).startswith(self._own_path):
                raise Unavailable("服务商清单的下一页不在本账号内。")
            address = self._account.base.rstrip("/") + str(following)
        raise Unavailable("服务商的清单没有尽头。")

    def _ours(self, record: Mapping[str, Any]) -> bool:
        numbers = self._account.numbers
        return not numbers or record.get("direction") != "inbound" or record.get("to") in numbers

    def _file_path(self, url: str) -> str:
        """The path below the account; Invalid for what is not a file of our account at the provider (SSRF)."""
        base = self._account.base.rstrip("/")
        for origin in (base, ORIGIN, ""):  # a list gives a path, a webhook the whole address
            path = url.removeprefix(origin + self._own_path)
            if path != url and _FILE.fullmatch(path):
                return path
        raise Invalid((), "地址不是本账号在服务商处的文件。")

    @asynccontextmanager
    async def _asked(
        self, method: str, address: str, *, data: Mapping[str, str] | None = None, redirects: int = 0
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A good answer; redirects are followed to the hosts of the settings only, over TLS, without credentials."""
        # encoded=True: "DateSent>" and the page's token are sent as they were written.
        url, headers = URL(address, encoded=True), self._credentials
        try:
            for _ in range(redirects + 1):
                async with self._opened().request(
                    method, url, data=data, headers=headers, allow_redirects=False
                ) as answer:
                    if answer.status not in (301, 302, 303, 307, 308):
                        _check(answer.status)
                        yield answer
                        return
                    url, headers = self._redirect(url, answer.headers.get("Location", "")), {}
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise Unavailable(f"服务商没有应答（{type(problem).__name__}）。") from None
        raise Invalid((), "服务商转来转去，没有给出文件。")

    def _redirect(self, url: URL, location: str) -> URL:
        try:
            target = url.join(URL(location, encoded=True))
        except ValueError:
            raise Invalid((), "服务商转到的地址无法读取。") from None
        if target.scheme != "https" or target.host not in self._account.media_hosts or target.port != 443:
            raise Invalid((), "服务商转到了没有登记的主机。")
        return target

    async def _spool(self, answer: aiohttp.ClientResponse, path: Path) -> None:
        most, size = self._account.max_file, 0
        if (answer.content_length or 0) > most:
            raise TooLarge(f"文件最大 {most} 字节。")
        loop = asyncio.get_running_loop()
        with path.open("wb") as target:
            async for piece in answer.content.iter_chunked(_PIECE):
                size += len(piece)
                if size > most:
                    raise TooLarge(f"文件最大 {most} 字节。")
                await loop.run_in_executor(None, target.write, piece)
        if not size:
            raise NotFound("服务商给出的文件是空的。")

    @property
    def _credentials(self) -> dict[str, str]:
        token = self._account.token.get_secret_value()
        return {"Authorization": aiohttp.encode_basic_auth(self._account.sid, token)}

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def _check(status: int) -> None:
    """2xx passes; what an operator or time can mend is asked again; everything else is never."""
    if 200 <= status < 300:
        return
    if status in (404, 410):
        raise NotFound(f"服务商处没有（{status}）。")
    # 401, 403: wrong credentials are mended by whoever runs the house, and then it must go on by itself.
    if status >= 500 or status in (401, 403, 408, 425, 429):
        raise Unavailable(f"服务商暂时不应（{status}）。")
    raise Invalid((), f"服务商拒绝（{status}）。")


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in answer.content.iter_chunked(_PIECE):
        body += piece
        if len(body) > PAGE_MOST:
            raise Unavailable("服务商的应答过长。")
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable("服务商的应答无法读取。")
    return found


def _plain(record: Mapping[str, Any]) -> Record:
    told = {str(name): "" if value is None else value for name, value in record.items()}
    # Half a surrogate pair is good JSON, but nothing that could be kept.
    plain = {name: str(value) for name, value in told.items() if isinstance(value, str | int | float)}
    return {name: value.encode("utf-8", "replace").decode() for name, value in plain.items()}


def _moment(since: datetime) -> str:
    return since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
