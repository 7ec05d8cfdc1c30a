"""Text messages as Twilio sends them (短信): signed by its own library, and a desk that remembers like the house."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

from aiohttp import web
from aiohttp.test_utils import TestClient
from pydantic import SecretStr
from twilio.request_validator import RequestValidator

from channels.door import Hall, NoEnquiries
from channels.signature import FORM_TYPE, SIGNATURE
from channels.sms import NAME, PATH
from channels.sms_words import REPLY_MAX
from gateway import errors
from petition.arrival import Arrival, Outcome, Receipt
from petition.clock import SHANGHAI
from petition.errors import Conflict, PetitionError

PUBLIC = "https://petitions.example/gw"
TOKEN = "a token of the tests"
START = datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI)
MAX_BODY = 20_000
MOBILE = "+8615400000006"


def message(text: str, sid: str = "SM" + "0" * 31 + "1", sender: str = MOBILE, **more: str) -> dict[str, str]:
    """The parameters of an inbound message."""
    known = {"MessageSid": sid, "SmsSid": sid, "AccountSid": "AC" + "0" * 32, "From": sender, "To": "+8615400009999"}
    return {**known, "Body": text, "NumMedia": "0", "SmsStatus": "received", "ApiVersion": "2010-04-01", **more}


def encoded(fields: Mapping[str, str]) -> bytes:
    """The parameters as a form body, in the order given."""
    return urlencode(fields).encode()


def signed(body: bytes, *, url: str = PUBLIC + PATH, token: str = TOKEN) -> dict[str, str]:
    """The headers of a body that Twilio signed for this address."""
    fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace"))
    signature = RequestValidator(token).compute_signature(url, fields)
    return {SIGNATURE: str(signature), "Content-Type": FORM_TYPE}


@dataclass
class TextDesk(NoEnquiries):
    """Intake, refusals and enquiries over one memory. now: what the clock says; trouble: raised by the next intake."""

    now: datetime = START
    arrivals: list[Arrival] = field(default_factory=list)
    refused: list[tuple[Arrival, str]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    status: str | Exception = "您的信访事项正在办理。"
    trouble: Exception | None = None
    seen: dict[str, tuple[Arrival, str]] = field(default_factory=dict)
    sizes: dict[str, list[int]] = field(default_factory=dict)
    cases: dict[str, Arrival] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)

    async def take(self, arrival: Arrival) -> Receipt:
        """Exactly once by id, as `normalizer.intake` does; a supplement has no query code."""
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble
        await asyncio.sleep(0.001)  # a commit takes its time, and others come in meanwhile
        attach_to = arrival.sub_source.removeprefix("supplement:")
        event = arrival.event or arrival.raw_id
        first = self.seen.get(event)
        sizes = [one.path.stat().st_size if one.path else len(one.body or b"") for one in arrival.uploads]
        if first and first[0].raw_id == arrival.raw_id and (first[0].raw, self.sizes[event]) != (arrival.raw, sizes):
            self.outcomes.append(Outcome.REFUSED)
            raise Conflict()
        outcome = Outcome.LINKED
        if not first:
            case_no = attach_to or f"620000D20261122{len(self.cases) + 1:05d}K"
            first = self.seen[event] = (arrival, case_no)
            self.sizes[event] = sizes
            self.arrivals.append(arrival)
            if not attach_to:
                self.cases[case_no] = arrival
                outcome = Outcome.HELD if arrival.hold else Outcome.PETITION
        self.outcomes.append(outcome)
        code = "" if attach_to else hashlib.sha256(first[0].raw_id.encode()).hexdigest()[:12].upper()
        return Receipt(case_no=first[1], query_code=code, received_at=first[0].received_at, outcome=outcome)

    async def refuse(self, arrival: Arrival, reason: str) -> None:
        """Remember it."""
        self.refused.append((arrival, reason))

    async def status_words(self, case_no: str, query_code: str) -> str:
        """What the test set."""
        self.asked.append((case_no, query_code))
        if isinstance(self.status, Exception):
            raise self.status
        return self.status

    async def recent_case(self, channel: str, kind: str, value: str, within: timedelta) -> str:
        """The newest case whose petitioner has this mobile, by the times of arrival."""
        assert (channel, kind) == (NAME, "mobile")
        recent = [
            number
            for number, arrival in self.cases.items()
            if arrival.received_at >= self.now - within
            and value in {person.mobile for person in arrival.statement.petitioners}
        ]
        return recent[-1] if recent else ""

    async def case_of(self, channel: str, raw_id: str) -> str:
        """The case of the first event with this id."""
        return self.seen[raw_id][1] if raw_id in self.seen else ""

    async def digest_of(self, channel: str, raw_id: str) -> str:
        """The digest of the first event with this id."""
        return hashlib.sha256(self.seen[raw_id][0].raw).hexdigest() if raw_id in self.seen else ""

    async def thread(self, channel: str, ids: Sequence[str]) -> str:
        """The newest case with one of these ids."""
        found = [number for number, arrival in self.cases.items() if set(ids) & set(arrival.threads)]
        return found[-1] if found else ""


def hall_of(desk: TextDesk, spool: Path) -> Hall:
    """A hall over the desk, behind a proxy with another address."""
    return Hall(
        intake=desk.take,
        refuse=desk.refuse,
        clock=lambda: desk.now,
        known_region=bool,
        public_url=PUBLIC,
        max_body=MAX_BODY,
        max_upload=1000,
        spool=spool,
        enquiries=desk,
        twilio_auth_token=SecretStr(TOKEN),
    )


@dataclass
class Phone:
    """The door with its desk, and Twilio in front of it."""

    client: TestClient[Any, Any]
    desk: TextDesk

    async def post(self, body: bytes, headers: dict[str, str] | None = None, path: str = PATH) -> tuple[int, str]:
        """(status, the words of the TwiML); signed unless headers are given."""
        headers = signed(body, url=PUBLIC + path) if headers is None else headers
        async with self.client.post(path, data=body, headers=headers) as answer:
            text = await answer.text()
            if answer.status in (200, 403):
                assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
                return answer.status, "".join(ElementTree.fromstring(text).itertext())
            return answer.status, text

    async def text(self, words: str, number: int = 1, /, **more: str) -> str:
        """What is answered to a good message with this SID number."""
        status, said = await self.post(encoded(message(words, f"SM{number:032x}", **more)))
        assert status == 200
        assert len(said) <= REPLY_MAX
        return said


@web.middleware
async def answered(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """As the hall does."""
    try:
        return await handler(request)
    except PetitionError as problem:
        return errors.problem_of(problem)
