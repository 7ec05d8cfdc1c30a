"""The REST door alone: what it makes of requests, over real HTTP, with an intake that remembers."""

from __future__ import annotations

import asyncio
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
from channels.rest import KEY, PATH, Rest
from channels.rest_form import FILES_MAX
from gateway import errors
from petition.arrival import Arrival, Outcome, Receipt
from petition.clock import SHANGHAI
from petition.errors import PetitionError
from tests.channels.rest_cases import ACCEPTED, GOOD, MAX_BODY, MAX_UPLOAD, REFUSED
from tests.multipart import multipart

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI)

Answer = tuple[int, dict[str, Any]]


@dataclass
class Desk:
    """An intake that remembers what came in, and the refusals beside it."""

    arrivals: list[Arrival] = field(default_factory=list)
    files: list[list[bytes]] = field(default_factory=list)
    refused: list[tuple[Arrival, str]] = field(default_factory=list)
    trouble: Exception | None = None

    async def take(self, arrival: Arrival) -> Receipt:
        if self.trouble is not None:
            raise self.trouble
        self.arrivals.append(arrival)
        self.files.append([upload.path.read_bytes() for upload in arrival.uploads if upload.path])
        return Receipt(
            case_no="620000A2026112200001K", query_code="7M2K-9QXA-4TBD", received_at=NOW, outcome=Outcome.PETITION
        )

    async def refuse(self, arrival: Arrival, reason: str) -> None:
        self.refused.append((arrival, reason))


@dataclass
class Door:
    """The door with its desk and somebody who knocks."""

    client: TestClient[Any, Any]
    desk: Desk
    spool: Path

    async def post(self, body: object = None, **how: Any) -> Answer:
        """Status and JSON of the answer. body: a value for JSON, or bytes."""
        if isinstance(body, bytes):
            how.setdefault("headers", {}).setdefault("Content-Type", "application/json")
            how["data"] = body
        elif body is not None:
            how["json"] = body
        async with self.client.post(PATH, **how) as answer:
            return answer.status, await answer.json(content_type=None)

    async def post_parts(self, *parts: tuple[str, bytes, str | None], chunked: bool = False) -> Answer:
        """The same with multipart/form-data: (field, body, file name)."""
        body, kind = multipart(*parts)

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 5000):
                yield body[start : start + 5000]

        return await self.post(data=pieces() if chunked else body, headers={"Content-Type": kind})


@web.middleware
async def answered(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """As the hall does, but an unexpected error stays one."""
    try:
        return await handler(request)
    except PetitionError as problem:
        return errors.problem_of(problem)
    except web.HTTPException as problem:
        return errors.problem(*errors.of_http(problem))


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    desk = Desk()
    hall = Hall(
        intake=desk.take,
        refuse=desk.refuse,
        clock=lambda: NOW,
        known_region={"620105", "620102"}.__contains__,
        public_url="http://127.0.0.1:8080",
        max_body=MAX_BODY,
        max_upload=MAX_UPLOAD,
        spool=tmp_path / "spool",
    )
    app = web.Application(middlewares=[answered])
    app.add_routes(Rest().routes(hall))
    async with TestClient(TestServer(app)) as client:
        yield Door(client, desk, hall.spool)


@pytest.mark.parametrize(
    ("body", "status", "code", "place", "why"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
async def test_a_bad_body_is_refused_at_its_field(
    door: Door, body: object, status: int, code: str, place: str, why: str
) -> None:
    found, told = await door.post(body)
    assert (found, told["code"]) == (status, code)
    if place:
        problems = {one["field"]: one for one in told["errors"]}
        assert place in problems
        assert not why or problems[place]["code"] == why
        assert any("\u4e00" <= sign <= "\u9fff" for sign in problems[place]["detail"]), "words in plain Chinese"
    assert door.desk.arrivals == []
    [(refused, reason)] = door.desk.refused
    assert reason == code
    if isinstance(body, bytes) and status != 413:
        assert refused.raw == body, "what was refused is kept as it came"


@pytest.mark.parametrize(
    ("body", "look", "wanted"), [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED]
)
async def test_a_good_body_becomes_an_arrival(
    door: Door, body: object, look: Callable[[Arrival], object], wanted: object
) -> None:
    status, told = await door.post(body)
    assert status == 201, told
    [arrival] = door.desk.arrivals
    assert look(arrival) == wanted
    assert arrival.received_at == NOW
    assert door.desk.refused == []


async def test_the_receipt(door: Door) -> None:
    async with door.client.post(PATH, json=GOOD) as answer:
        assert answer.status == 201
        assert answer.headers["Location"] == f"{PATH}/620000A2026112200001K"
        assert await answer.json() == {
            "case_no": "620000A2026112200001K",
            "query_code": "7M2K-9QXA-4TBD",
            "received_at": "2026-11-22T09:30:00+08:00",
            "track_url": "http://127.0.0.1:8080/track?no=620000A2026112200001K",
        }


@pytest.mark.parametrize(
    ("label", "key", "status"),
    [
        ("a UUID", "3f1c2a9e-5b7d-4e0a-9c61-0d2f7a8b4e15", 201),
        ("200 signs", "k" * 200, 201),
        ("7 signs", "k" * 7, 422),
        ("empty", "", 422),
        ("201 signs", "k" * 201, 422),
        ("a blank inside", "key with blanks", 422),
        ("not ASCII", "钥匙钥匙钥匙钥匙".encode().decode("latin-1"), 422),
    ],
)
async def test_the_key_of_a_request(door: Door, label: str, key: str, status: int) -> None:
    found, told = await door.post(GOOD, headers={KEY: key})
    assert found == status, label
    if status == 201:
        assert door.desk.arrivals[0].raw_id == key
    else:
        assert told["errors"][0]["field"] == KEY
        assert door.desk.refused[0][1] == "invalid"


async def test_without_a_key_every_request_is_its_own(door: Door) -> None:
    for _ in range(2):
        await door.post(GOOD)
    first, second = door.desk.arrivals
    assert first.raw_id != second.raw_id


async def test_all_problems_are_told_at_once_but_not_without_end(door: Door) -> None:
    bad = {**GOOD, "problem_region": "999999", "petition_date": "2027-01-01", "petitioners": [{"mobile": "1"}]}
    _, told = await door.post(bad)
    fields = {one["field"] for one in told["errors"]}
    assert fields == {"problem_region", "petition_date", "petitioners.0.mobile"}
    _, told = await door.post({**GOOD, "petitioners": [{"mobile": "1"}] * 300})
    assert len(told["errors"]) == 50


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/jsonp"]
)
async def test_other_types_are_refused_and_counted(door: Door, kind: str) -> None:
    status, told = await door.post(data=b"content=abcd", headers={"Content-Type": kind})
    assert (status, told["code"]) == (415, "unsupported_type")
    assert door.desk.refused[0][1] == "unsupported_type"


async def test_json_with_a_charset_is_json(door: Door) -> None:
    status, _ = await door.post(json.dumps(GOOD).encode(), headers={"Content-Type": "application/json; charset=utf-8"})
    assert status == 201


JSON = json.dumps(GOOD).encode()
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 50


async def test_parts_become_uploads_by_what_their_bytes_say(door: Door) -> None:
    parts = [
        ("attachments", PNG, "照片.exe"),
        ("petition", JSON, None),
        ("attachments", b"%PDF-1.4\n%%EOF", "../../etc/合同.pdf"),
        ("attachments", b"anything", "a\u202egnp.txt"),
    ]
    status, told = await door.post_parts(*parts)
    assert status == 201, told
    [arrival] = door.desk.arrivals
    assert [(one.name, one.media_type) for one in arrival.uploads] == [
        ("照片.exe", "image/png"),
        ("....etc合同.pdf", "application/pdf"),
        ("agnp.txt", "application/octet-stream"),
    ]
    assert door.desk.files == [[PNG, b"%PDF-1.4\n%%EOF", b"anything"]]
    assert arrival.raw == JSON
    assert list(door.spool.iterdir()) == [], "nothing is left lying about"


async def test_seventy_attachments_are_kept_and_the_next_is_told(door: Door) -> None:
    files = [("attachments", b"%d" % number, f"{number}.txt") for number in range(FILES_MAX)]
    status, _ = await door.post_parts(("petition", JSON, None), *files)
    assert status == 201
    assert door.desk.files[0] == [b"%d" % number for number in range(FILES_MAX)]
    status, told = await door.post_parts(("petition", JSON, None), *files, ("attachments", b"x", "x.txt"))
    assert (status, told["code"]) == (413, "too_large")
    assert str(FILES_MAX) in told["detail"]
    assert door.desk.refused[0][0].raw == JSON, "what was read before the refusal is kept"


BAD_PARTS: list[tuple[str, list[tuple[str, bytes, str | None]], int, str, str]] = [
    ("no petition", [("attachments", PNG, "a.png")], 422, "invalid", "petition"),
    ("nothing", [("petition", b"", None)], 422, "invalid", "petition"),
    ("two petitions", [("petition", JSON, None), ("petition", JSON, None)], 422, "invalid", "petition"),
    ("an unknown field", [("petition", JSON, None), ("file", PNG, "a.png")], 422, "invalid", "file"),
    (
        "an empty file",
        [("petition", JSON, None), ("attachments", PNG, "a.png"), ("attachments", b"", "b.png")],
        422,
        "invalid",
        "attachments.1",
    ),
    ("one too large", [("petition", JSON, None), ("attachments", b"x" * (MAX_UPLOAD + 1), "a")], 413, "too_large", ""),
    (
        "together too large",
        [("petition", JSON, None), *[("attachments", b"x" * 30_000, "a")] * 3],
        413,
        "too_large",
        "",
    ),
    ("petition too large", [("petition", b" " * (MAX_BODY + 1), None)], 413, "too_large", ""),
    ("petition is no JSON", [("petition", b"{", None)], 400, "unreadable", ""),
    ("petition has a bad field", [("petition", b'{"content":1}', None)], 422, "invalid", "content"),
]


@pytest.mark.parametrize(
    ("parts", "status", "code", "place"), [case[1:] for case in BAD_PARTS], ids=[case[0] for case in BAD_PARTS]
)
@pytest.mark.parametrize("chunked", [False, True], ids=["length told", "chunked"])
async def test_bad_parts(
    door: Door, parts: list[tuple[str, bytes, str | None]], status: int, code: str, place: str, chunked: bool
) -> None:
    found, told = await door.post_parts(*parts, chunked=chunked)
    assert (found, told["code"]) == (status, code)
    if place:
        assert place in {one["field"] for one in told["errors"]}
    assert door.desk.arrivals == []
    assert [reason for _, reason in door.desk.refused] == [code]
    assert not door.spool.exists() or list(door.spool.iterdir()) == []


async def test_a_fault_of_ours_is_not_blamed_on_the_sender(door: Door) -> None:
    door.desk.trouble = ValueError("a bug")
    body, kind = multipart(("petition", JSON, None))
    async with door.client.post(PATH, data=body, headers={"Content-Type": kind}) as answer:
        assert answer.status == 500
    assert door.desk.refused == []


async def test_a_chunked_body_without_length_is_bounded(door: Door) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * MAX_BODY:
            sent += 1000
            yield b" " * 1000
            await asyncio.sleep(0)

    async with door.client.post(PATH, data=endless(), headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 413
    assert len(door.desk.refused[0][0].raw) < MAX_BODY + (1 << 17)
