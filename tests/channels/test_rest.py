"""The REST door alone: what it makes of requests, over real HTTP, with an intake that remembers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
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
from petition.people import Gender, IdType, Role
from petition.petition import Form, Purpose
from tests.multipart import multipart

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI)
MAX_BODY, MAX_UPLOAD = 20_000, 50_000
GOOD: dict[str, Any] = {
    "title": "建议在样例小学门口增设红绿灯",
    "content": "样例小学门口是丁字路口,上放学时段车多人多。",
    "problem_region": "620105",
    "petitioners": [{"name": "李演示", "id_no": "620199199007260029", "mobile": "154 0000 0002"}],
}

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


def person(**changes: Any) -> dict[str, Any]:
    return {**GOOD, "petitioners": [changes]}


# label, body, status, code, field path and its code
REFUSED: list[tuple[str, object, int, str, str, str]] = [
    ("no content", {"title": "只有标题"}, 422, "invalid", "content", "missing"),
    ("one sign is no content", {"content": "啊"}, 422, "invalid", "content", "too_short"),
    ("content as a number", {"content": 5}, 422, "invalid", "content", "wrong_type"),
    ("content as null", {"content": None}, 422, "invalid", "content", "wrong_type"),
    ("title as a list", {**GOOD, "title": ["a"]}, 422, "invalid", "title", "wrong_type"),
    ("title too long", {**GOOD, "title": "题" * 201}, 422, "invalid", "title", "too_long"),
    ("unknown field", {**GOOD, "titel": "x"}, 422, "invalid", "titel", "unknown_field"),
    ("unknown field inside", person(nmae="x"), 422, "invalid", "petitioners.0.nmae", "unknown_field"),
    ("unknown field of a bad name", {**GOOD, "\u202e\x00<b>": 1}, 422, "invalid", "???b?", "unknown_field"),
    ("unknown form", {**GOOD, "form": "FAX"}, 422, "invalid", "form", "unknown_value"),
    ("unknown purpose", {**GOOD, "purpose": "PRAISE"}, 422, "invalid", "purpose", "unknown_value"),
    ("purpose in Chinese", {**GOOD, "purpose": "申诉求决"}, 422, "invalid", "purpose", "unknown_value"),
    ("future date", {**GOOD, "petition_date": "2026-11-23"}, 422, "invalid", "petition_date", "future"),
    ("no such day", {**GOOD, "petition_date": "2026-02-30"}, 422, "invalid", "petition_date", "date"),
    ("date as seconds", {**GOOD, "petition_date": 1795000000}, 422, "invalid", "petition_date", "date"),
    ("headcount zero", {**GOOD, "headcount": 0}, 422, "invalid", "headcount", "out_of_range"),
    ("headcount true", {**GOOD, "headcount": True}, 422, "invalid", "headcount", "wrong_type"),
    ("headcount as text", {**GOOD, "headcount": "18"}, 422, "invalid", "headcount", "wrong_type"),
    ("headcount broken", {**GOOD, "headcount": 1.5}, 422, "invalid", "headcount", "wrong_type"),
    (
        "headcount a googol",
        b'{"content":"abcd","headcount":1' + b"0" * 100 + b"}",
        422,
        "invalid",
        "headcount",
        "out_of_range",
    ),
    ("headcount 1e400", b'{"content":"abcd","headcount":1e400}', 422, "invalid", "headcount", "wrong_type"),
    ("headcount NaN", b'{"content":"abcd","headcount":NaN}', 422, "invalid", "headcount", "wrong_type"),
    ("headcount -Infinity", b'{"content":"abcd","headcount":-Infinity}', 422, "invalid", "headcount", "wrong_type"),
    ("headcount of 6000 digits", b'{"content":"abcd","headcount":' + b"9" * 6000 + b"}", 400, "unreadable", "", ""),
    ("is_public yes", {**GOOD, "is_public": "yes"}, 422, "invalid", "is_public", "wrong_type"),
    ("category in words", {**GOOD, "category": "物业"}, 422, "invalid", "category", "pattern"),
    ("category with a line break", {**GOOD, "category": "03\n"}, 422, "invalid", "category", "pattern"),
    ("region of nowhere", {**GOOD, "problem_region": "999999"}, 422, "invalid", "problem_region", "region"),
    ("region in words", {**GOOD, "problem_region": "兰州"}, 422, "invalid", "problem_region", "pattern"),
    ("empty request", {**GOOD, "requests": [""]}, 422, "invalid", "requests.0", "too_short"),
    ("21 requests", {**GOOD, "requests": ["退款"] * 21}, 422, "invalid", "requests", "too_long"),
    ("petitioners as an object", {**GOOD, "petitioners": {}}, 422, "invalid", "petitioners", "wrong_type"),
    ("petitioner as text", {**GOOD, "petitioners": ["张示例"]}, 422, "invalid", "petitioners.0", "wrong_type"),
    (
        "six representatives",
        {**GOOD, "petitioners": [{"role": "REPRESENTATIVE"}] * 6},
        422,
        "invalid",
        "petitioners",
        "representatives",
    ),
    ("name of 300 signs", person(name="长" * 300), 422, "invalid", "petitioners.0.name", "too_long"),
    (
        "ID with a wrong check digit",
        person(id_no="620199199007260028"),
        422,
        "invalid",
        "petitioners.0.id_no",
        "id_check",
    ),
    ("ID too short", person(id_no="6201991990"), 422, "invalid", "petitioners.0.id_no", "id_length"),
    ("ID born tomorrow", person(id_no="620199202611230013"), 422, "invalid", "petitioners.0.id_no", ""),
    ("mobile too short", person(mobile="1540000"), 422, "invalid", "petitioners.0.mobile", "mobile"),
    ("landline without area", person(landline="12"), 422, "invalid", "petitioners.0.landline", "landline"),
    ("mail without a host", person(email="li@"), 422, "invalid", "petitioners.0.email", "email"),
    ("wrong company code", person(uscc="91620199MA7FAKE016"), 422, "invalid", "petitioners.0.uscc", ""),
    ("NUL in the text", {**GOOD, "content": "路灯\x00坏了"}, 422, "invalid", "content", "unseen"),
    ("text turned round", {**GOOD, "title": "退款\u202e元001"}, 422, "invalid", "title", "unseen"),
    ("isolate in a name", person(name="张\u2066示例"), 422, "invalid", "petitioners.0.name", "unseen"),
    ("replacement sign", {**GOOD, "content": "路\ufffd坏了"}, 422, "invalid", "content", "unseen"),
    ("line break in a name", person(name="张示例\x1b[2J"), 422, "invalid", "petitioners.0.name", "unseen"),
    ("half a character", b'{"content":"ab\\ud800cd"}', 400, "unreadable", "", ""),
    ("invalid UTF-8", b'{"content":"\xc4\xfa\xba\xc3"}', 400, "unreadable", "", ""),
    ("UTF-16", json.dumps(GOOD).encode("utf-16"), 400, "unreadable", "", ""),
    ("cut off", b'{"content":"abcd"', 400, "unreadable", "", ""),
    ("two documents", b'{"content":"abcd"}{"content":"abcd"}', 400, "unreadable", "", ""),
    ("nothing", b"", 400, "unreadable", "", ""),
    ("a list", b"[]", 422, "invalid", "petition", "wrong_type"),
    ("null", b"null", 422, "invalid", "petition", "wrong_type"),
    ("100,000 brackets", b"[" * 15_000, 400, "unreadable", "", ""),
    ("deep objects", b'{"content":' * 1_000 + b"1" + b"}" * 1_000, 400, "unreadable", "", ""),
    ("too large", b'{"content":"' + b"a" * MAX_BODY + b'"}', 413, "too_large", "", ""),
]


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


# label, body, what must stand in the arrival
ACCEPTED: list[tuple[str, object, Callable[[Arrival], object], object]] = [
    ("the least", {"content": "路灯坏了"}, lambda a: a.statement.content, "路灯坏了"),
    ("an app", GOOD, lambda a: (a.channel, a.form, a.raw_type), ("rest", Form.APP, "application/json")),
    ("a mini programme", {**GOOD, "form": "WECHAT"}, lambda a: a.form, Form.WECHAT),
    ("mobile in its normal form", GOOD, lambda a: a.statement.petitioners[0].mobile, "+8615400000002"),
    ("an ID says its kind", GOOD, lambda a: a.statement.petitioners[0].id_type, IdType.RESIDENT_ID),
    (
        "a passport is not checked",
        person(id_type="PASSPORT", id_no="E1"),
        lambda a: a.statement.petitioners[0].id_no,
        "E1",
    ),
    (
        "role and gender",
        person(role="AGENT", gender="MALE"),
        lambda a: (a.statement.petitioners[0].role, a.statement.petitioners[0].gender),
        (Role.AGENT, Gender.MALE),
    ),
    ("purpose", {**GOOD, "purpose": "SUGGESTION"}, lambda a: a.statement.purpose, Purpose.SUGGESTION),
    ("not said is not guessed", GOOD, lambda a: (a.statement.purpose, a.statement.confidential), (None, None)),
    ("today", {**GOOD, "petition_date": "2026-11-22"}, lambda a: a.petition_date, date(2026, 11, 22)),
    ("an earlier day", {**GOOD, "petition_date": "2026-11-01"}, lambda a: a.petition_date, date(2026, 11, 1)),
    ("no day is today", GOOD, lambda a: a.petition_date, date(2026, 11, 22)),
    ("rare Han", person(name="𠮷示例"), lambda a: a.statement.petitioners[0].name, "𠮷示例"),
    ("emoji", {**GOOD, "content": "谢谢👨‍👩‍👧‍👦❤️"}, lambda a: a.statement.content, "谢谢👨‍👩‍👧‍👦❤️"),
    ("a pair of surrogates", b'{"content":"\\ud83d\\ude00 ok"}', lambda a: a.statement.content, "😀 ok"),
    ("a byte order mark is not JSON's", b'{"content":"abcd"}', lambda a: a.raw, b'{"content":"abcd"}'),
    ("line breaks of Windows", {"content": "一\r\n二"}, lambda a: a.statement.content, "一\n二"),
    (
        "the last of two equal keys",
        b'{"content":"first","content":"second"}',
        lambda a: (a.statement.content, a.raw),
        ("second", b'{"content":"first","content":"second"}'),
    ),
    ("500 people", {**GOOD, "petitioners": [{"name": "示例"}] * 500}, lambda a: len(a.statement.petitioners), 500),
    (
        "accused",
        {**GOOD, "accused": [{"unit": "甘肃示例物业有限公司"}]},
        lambda a: a.statement.accused[0].unit,
        "甘肃示例物业有限公司",
    ),
]


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
