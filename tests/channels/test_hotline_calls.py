"""The door of telephone systems alone: what it tells the seats, and what it refuses and keeps."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels.door import Hall
from channels.hotline import KEY, Hotline
from channels.hotline_calls import EVENT_MAX, PATH
from channels.switchboard import Call
from gateway import errors
from petition.arrival import Arrival, Receipt
from petition.clock import SHANGHAI
from petition.errors import PetitionError

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI)
API_KEY = "key-of-the-sample-exchange"
GOOD: dict[str, Any] = {"call_id": "PBX-1", "event": "ringing", "number": "154 0000 0001", "line": "12345"}


@dataclass
class Seats:
    """Seats that remember."""

    open: bool = True
    told: list[tuple[str, object]] = field(default_factory=list)
    refused: list[tuple[bytes, str]] = field(default_factory=list)

    async def ring(self, call: Call) -> bool:
        self.told.append(("ring", call))
        return self.open

    async def over(self, channel: str, call_id: str, at: datetime) -> None:
        self.told.append(("over", (channel, call_id, at)))

    async def call_back(self, call: Call, wish: str) -> None:
        self.told.append(("call_back", wish))

    async def take(self, arrival: Arrival) -> Receipt:
        raise AssertionError("a call is no petition")

    async def refuse(self, arrival: Arrival, reason: str) -> None:
        self.refused.append((arrival.raw, reason))


@dataclass
class Door:
    client: TestClient[Any, Any]
    seats: Seats

    async def post(self, body: object, key: str | None = API_KEY, kind: str = "application/json") -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": kind} | ({} if key is None else {KEY: key})
        async with self.client.post(PATH, data=data, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)


@web.middleware
async def answered(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    try:
        return await handler(request)
    except PetitionError as problem:
        return errors.problem_of(problem)
    except web.HTTPException as problem:
        return errors.problem(*errors.of_http(problem))


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    seats = Seats()
    hall = Hall(
        intake=seats.take,
        refuse=seats.refuse,
        clock=lambda: NOW,
        known_region=lambda _: True,
        public_url="http://127.0.0.1:8080",
        max_body=1 << 20,
        max_upload=1000,
        spool=tmp_path,
        api_keys=frozenset({API_KEY}),
        switchboard=seats,
    )
    app = web.Application(middlewares=[answered])
    app.add_routes(Hotline().routes(hall))
    async with TestClient(TestServer(app)) as client:
        yield Door(client, seats)


def event(**changes: Any) -> dict[str, Any]:
    return {**GOOD, **changes}


async def test_a_call_rings_and_the_telephone_system_learns_whether_anybody_sits_there(door: Door) -> None:
    told = {"call_id": "PBX-1", "event": "ringing", "seats_open": True}
    assert await door.post(GOOD) == (200, told)
    call = Call(channel="hotline", id="PBX-1", number="+8615400000001", line="12345", at=NOW)
    assert door.seats.told == [("ring", call)]
    door.seats.open = False
    assert (await door.post(GOOD))[1]["seats_open"] is False
    assert door.seats.refused == []


# label, event, what the seats hear
HEARD: list[tuple[str, dict[str, Any], Callable[[Any], object], object]] = [
    ("answered at an extension", event(event="answered", seat="801"), lambda c: c.seat, "801"),
    ("answered by somebody", event(event="answered"), lambda c: c.seat, "未报坐席"),
    ("an extension means nothing while it rings", event(seat="801"), lambda c: c.seat, ""),
    ("a hidden number", event(number=""), lambda c: c.number, ""),
    ("a hidden number in words", event(number="匿名"), lambda c: c.number, "匿名"),
    ("a landline", event(number="+86 931 8000000"), lambda c: c.number, "0931-8000000"),
    ("a short number", event(number="8123456"), lambda c: c.number, "8123456"),
    ("its own time", event(at="2026-11-22T01:29:00+00:00"), lambda c: f"{c.at:%H:%M}", "09:29"),
    ("a clock that is ahead", event(at="2026-11-22T09:31:00+08:00"), lambda c: c.at, NOW),
    ("no line", {"call_id": "1", "event": "ringing"}, lambda c: (c.id, c.line), ("1", "")),
]


@pytest.mark.parametrize(("body", "look", "wanted"), [case[1:] for case in HEARD], ids=[case[0] for case in HEARD])
async def test_what_the_seats_hear(
    door: Door, body: dict[str, Any], look: Callable[[Any], object], wanted: object
) -> None:
    status, told = await door.post(body)
    assert status == 200, told
    [(what, call)] = door.seats.told
    assert (what, look(call)) == ("ring", wanted)


async def test_the_end_of_a_call_and_a_wish(door: Door) -> None:
    assert await door.post({"call_id": "PBX-1", "event": "over"}) == (200, {"call_id": "PBX-1", "event": "over"})
    assert door.seats.told == [("over", ("hotline", "PBX-1", NOW))]
    await door.post(event(event="over", wish=" 下午三点以后打来 "))
    assert door.seats.told[-1] == ("call_back", "下午三点以后打来")


REFUSED: list[tuple[str, object, int, str]] = [
    ("no JSON", b"{", 400, "unreadable"),
    ("deep", b"[" * 7000 + b"]" * 7000, 400, "unreadable"),
    ("a list", [GOOD], 422, "invalid"),
    ("no id", {"event": "ringing"}, 422, "invalid"),
    ("no event", {"call_id": "1"}, 422, "invalid"),
    ("unknown event", event(event="parked"), 422, "invalid"),
    ("unknown field", event(nubmer="1"), 422, "invalid"),
    ("a field twice", b'{"call_id":"1","event":"ringing","number":"1","number":"2"}', 422, "invalid"),
    ("a blank in the id", event(call_id="a b"), 422, "invalid"),
    ("a number as a number", event(number=15400000001), 422, "invalid"),
    ("a number too long", event(number="1" * 41), 422, "invalid"),
    ("NUL", event(seat="8\0"), 422, "invalid"),
    ("a time without zone", event(at="2026-11-22T09:30:00"), 422, "invalid"),
    ("a time long ago", event(at="2020-11-22T09:30:00+08:00"), 422, "invalid"),
    ("the year 9999", event(at="9999-12-31T23:59:59-12:00"), 422, "invalid"),
    ("too large", b" " * (EVENT_MAX + 1), 413, "too_large"),
]


@pytest.mark.parametrize(("body", "status", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
async def test_a_bad_event_is_refused_and_kept(door: Door, body: object, status: int, code: str) -> None:
    found, told = await door.post(body)
    assert (found, told["code"]) == (status, code), told
    assert [reason for _, reason in door.seats.refused] == [code]
    assert door.seats.told == []


@pytest.mark.parametrize(
    ("key", "kind", "status", "reason"),
    [(None, "application/json", 401, "forged"), ("x" * 20, "application/json", 401, "forged"),
     (API_KEY, "text/plain", 415, "unsupported_type")],
)  # fmt: skip
async def test_who_may_tell(door: Door, key: str | None, kind: str, status: int, reason: str) -> None:
    assert (await door.post(GOOD, key, kind))[0] == status
    assert [why for _, why in door.seats.refused] == [reason]
    assert door.seats.told == []
