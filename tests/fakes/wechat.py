"""WeChat as it is (微信): people who write, the platform between, and a desk that remembers."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from aiohttp.test_utils import TestClient
from pydantic import SecretStr

from channels.door import Hall, NoEnquiries
from channels.notebook import PocketNotebook
from channels.switchboard import Call, NoSeats
from channels.wechat import PATH
from channels.wechat_account import OfficialAccount, Platform
from channels.wechat_envelope import Cipherer
from petition.arrival import Arrival, Outcome, Receipt, Upload
from petition.clock import SHANGHAI
from petition.errors import Conflict, NotFound, PetitionError, Unavailable

TOKEN = "token-of-the-tests"
APP_ID = "wxdemo0000000001"
AES_KEY = "abcDEF0123456789abcDEF0123456789abcDEF01234"
START = datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI)
MAX_BODY = 50_000
OPENID = "oDemo_0123456789-abcdefgh"


def sha(*parts: str) -> str:
    """The platform's signature, worked out here once more."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


@dataclass
class WechatDesk(NoEnquiries, NoSeats):
    """Intake, refusals, enquiries and seats over one memory. slow: seconds a commit takes; trouble: raised next."""

    now: datetime = START
    slow: float = 0.001
    trouble: PetitionError | None = None
    entered: list[tuple[Arrival, Outcome]] = field(default_factory=list)
    refused: list[tuple[Arrival, str]] = field(default_factory=list)
    seen: dict[str, tuple[Arrival, str]] = field(default_factory=dict)
    cases: dict[str, list[Arrival]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    status: str | PetitionError = "您的信访事项正在办理。"
    calls: list[tuple[Call, str]] = field(default_factory=list)

    async def take(self, arrival: Arrival) -> Receipt:
        """Exactly once by id, as `normalizer.intake` does; a supplement has no query code."""
        await asyncio.sleep(self.slow)
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble
        first = self.seen.get(arrival.raw_id)
        if first is not None and first[0].raw != arrival.raw:
            self.entered.append((arrival, Outcome.REFUSED))
            raise Conflict()
        attach_to = arrival.sub_source.removeprefix("supplement:") if "supplement:" in arrival.sub_source else ""
        outcome = Outcome.LINKED
        if first is None:
            assert not attach_to or attach_to in self.cases, "a supplement to nothing"
            case_no = attach_to or f"620000X20261122{len(self.cases) + 1:05d}K"
            first = self.seen[arrival.raw_id] = (arrival, case_no)
            self.cases.setdefault(case_no, []).append(arrival)
            if not attach_to:
                outcome = Outcome.HELD if arrival.hold else Outcome.PETITION
            for upload in arrival.uploads:
                assert upload.path is not None
                self.files[upload.name] = upload.path.read_bytes()
        self.entered.append((arrival, outcome))
        code = "" if attach_to else "7M2K-9QXA-" + hashlib.sha256(arrival.raw_id.encode()).hexdigest()[:4].upper()
        return Receipt(case_no=first[1], query_code=code, received_at=arrival.received_at, outcome=outcome)

    async def refuse(self, arrival: Arrival, reason: str) -> None:
        self.refused.append((arrival, reason))

    async def status_words(self, case_no: str, query_code: str) -> str:
        self.asked.append((case_no, query_code))
        if isinstance(self.status, PetitionError):
            raise self.status
        return self.status

    async def case_of(self, channel: str, raw_id: str) -> str:
        return self.seen[raw_id][1] if raw_id in self.seen else ""

    async def thread(self, channel: str, ids: Sequence[str]) -> str:
        return next((no for no, all_ in self.cases.items() if set(ids) & set(all_[0].threads)), "")

    async def call_back(self, call: Call, wish: str) -> None:
        self.calls.append((call, wish))

    @property
    def reasons(self) -> list[str]:
        """Why inputs were only counted, in order."""
        return [reason for _, reason in self.refused]

    @property
    def rows(self) -> int:
        """Rows the ledger would have."""
        return len(self.entered) + len(self.refused)

    def content(self, case_no: str) -> str:
        """What a case says, part by part."""
        return "\n".join(filter(None, (one.statement.content for one in self.cases[case_no])))


@dataclass
class FakePlatform:
    """The interfaces of the platform. files: media id -> bytes; down: nothing works."""

    files: dict[str, bytes] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False
    slow: float = 0.0

    async def media(self, media_id: str, name: str, spool: Path, most: int) -> Upload:
        await asyncio.sleep(self.slow)
        if self.down:
            raise Unavailable()
        if media_id not in self.files:
            raise NotFound()
        path = spool / f"fetched-{media_id}"
        path.write_bytes(self.files[media_id])
        return Upload(name=name, media_type="image/jpeg", path=path)

    async def tell(self, openid: str, words: str) -> None:
        if self.down:
            raise Unavailable()
        self.told.append((openid, words))


def hall_of(desk: WechatDesk, spool: Path, platform: Platform, *, sealed: bool, **changes: Any) -> Hall:
    """A hall over the desk. sealed: the account is in the safe mode."""
    chosen: dict[str, Any] = {
        "notebook": PocketNotebook(lambda: desk.now),
        "wechat": OfficialAccount(
            token=SecretStr(TOKEN),
            app_id=APP_ID if sealed else "",
            aes_key=SecretStr(AES_KEY if sealed else ""),
            platform=platform,
            office="示例市信访局",
            place=lambda code: {"7K2M9QX": "示例街道自助区"}.get(code, ""),
        ),
        **changes,
    }
    return Hall(
        intake=desk.take,
        refuse=desk.refuse,
        clock=lambda: desk.now,
        known_region=bool,
        public_url="https://petitions.example",
        max_body=MAX_BODY,
        max_upload=1000,
        spool=spool,
        enquiries=desk,
        switchboard=desk,
        **chosen,
    )


def xml(fields: dict[str, str]) -> bytes:
    """A message as the platform writes it."""
    inner = "".join(f"<{name}><![CDATA[{value}]]></{name}>\n" for name, value in fields.items())
    return f"<xml>{inner}</xml>".encode()


@dataclass
class Person:
    """One person with the app, and the platform between them and the door."""

    client: TestClient[Any, Any]
    desk: WechatDesk
    sealed: bool = False
    openid: str = OPENID
    ids: Callable[[], str] = field(default_factory=lambda: map(str, itertools.count(24_000_000_001)).__next__)

    def message(self, kind: str = "text", **fields: str) -> dict[str, str]:
        """The fields of a new message or event."""
        known = {
            "ToUserName": "gh_demo",
            "FromUserName": self.openid,
            "CreateTime": str(int(self.desk.now.timestamp())),
            "MsgType": kind,
        }
        return {**known, **fields} if kind == "event" else {**known, **fields, "MsgId": fields.get("MsgId", self.ids())}

    def query(self, *, at: datetime | None = None, token: str = TOKEN, encrypted: str = "") -> dict[str, str]:
        """The parameters of a signed request."""
        stamp, nonce = str(int((at or self.desk.now).timestamp())), "n-1"
        known = {"signature": sha(token, stamp, nonce), "timestamp": stamp, "nonce": nonce, "openid": self.openid}
        if encrypted:
            known |= {"encrypt_type": "aes", "msg_signature": sha(token, stamp, nonce, encrypted)}
        return known

    async def send(self, body: bytes) -> tuple[int, str]:
        """(status, what is said) to an XML message that the platform wraps as the account is set."""
        if not self.sealed:
            return await self.post(body, self.query())
        encrypted = cipherer().seal(body)
        wrapped = f"<xml><ToUserName>gh_demo</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()
        return await self.post(wrapped, self.query(encrypted=encrypted))

    async def post(self, body: bytes, query: dict[str, str]) -> tuple[int, str]:
        """(status, what is said) to a raw request."""
        async with self.client.post(PATH, params=query, data=body, headers={"Content-Type": "text/xml"}) as answer:
            text = await answer.text()
            if answer.status != 200 or text == "success":
                return answer.status, "" if answer.status == 200 else text
            found = {leaf.tag: leaf.text or "" for leaf in ElementTree.fromstring(text)}
            if self.sealed:
                mark = sha(TOKEN, found["TimeStamp"], found["Nonce"], found["Encrypt"])
                assert found["MsgSignature"] == mark
                plain = cipherer().open(found["Encrypt"])
                found = {leaf.tag: leaf.text or "" for leaf in ElementTree.fromstring(plain)}
            assert (found["ToUserName"], found["FromUserName"]) == (self.openid, "gh_demo")
            assert len(found["Content"].encode()) <= 2048
            return answer.status, found["Content"]

    async def say(self, words: str, **fields: str) -> str:
        """What is answered to a text."""
        return await self.give("text", Content=words, **fields)

    async def give(self, kind: str, **fields: str) -> str:
        """What is answered to a message of a kind."""
        status, said = await self.send(xml(self.message(kind, **fields)))
        assert status == 200
        return said

    def later(self, **time: float) -> None:
        """Time passes."""
        self.desk.now += timedelta(**time)


def cipherer() -> Cipherer:
    """What opens and seals; proved by vectors of another implementation in test_wechat_envelope.py."""
    import base64

    return Cipherer(base64.b64decode(AES_KEY + "="), APP_ID)
