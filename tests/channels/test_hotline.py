"""The hotline door alone: what it makes of work orders, over real HTTP, with an intake that remembers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels.door import Hall, NoEnquiries
from channels.hotline import AT_ONCE, KEY, ORDERS_MAX, PATH, Hotline
from channels.hotline_form import HEADING, canonical
from gateway import errors
from petition.arrival import Arrival, Outcome, Receipt
from petition.clock import SHANGHAI
from petition.errors import Conflict, PetitionError, TooMany, Unavailable
from tests.channels.hotline_cases import ACCEPTED, BATCH, GOOD, LINES, MAX_BODY, REFUSED, bare, mutant, order

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI)
API_KEY = "key-of-the-sample-line"
Answer = tuple[int, dict[str, Any]]


@dataclass
class Desk(NoEnquiries):
    """An intake that remembers: the same id with the same bytes is a repeat, with others a conflict."""

    arrivals: list[Arrival] = field(default_factory=list)
    refused: list[tuple[bytes, str]] = field(default_factory=list)
    cases: dict[str, tuple[bytes, Receipt]] = field(default_factory=dict)
    trouble: dict[str, Exception] = field(default_factory=dict)
    forgetful: bool = False
    inside: int = 0
    most_inside: int = 0

    async def take(self, arrival: Arrival) -> Receipt:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        await asyncio.sleep(0.001)
        self.inside -= 1
        if problem := self.trouble.get(arrival.raw_id):
            raise problem
        known = self.cases.get(arrival.raw_id)
        if known is not None:
            if known[0] != arrival.raw:
                raise Conflict()
            return known[1]
        self.arrivals.append(arrival)
        joined = arrival.sub_source.startswith("supplement:")
        number = f"620000H20261122{len(self.cases):05}K"
        receipt = Receipt(
            case_no=arrival.sub_source.removeprefix("supplement:") if joined else number,
            query_code="" if joined else "7M2K-9QXA-4TBD",
            received_at=NOW,
            outcome=Outcome.LINKED if joined else Outcome.PETITION,
        )
        self.cases[arrival.raw_id] = (arrival.raw, receipt)
        return receipt

    async def refuse(self, arrival: Arrival, reason: str) -> None:
        self.refused.append((arrival.raw, reason))

    async def case_of(self, channel: str, raw_id: str) -> str:
        assert channel == "hotline"
        return "" if self.forgetful or raw_id not in self.cases else self.cases[raw_id][1].case_no


@dataclass
class Door:
    """The door with its desk and a hotline that calls."""

    client: TestClient[Any, Any]
    desk: Desk

    async def post(self, body: object, key: str | None = API_KEY, kind: str = "application/json") -> Answer:
        """Status and JSON of the answer. body: a value for JSON, or bytes, or what sends bytes."""
        data = json.dumps(body).encode() if isinstance(body, dict | list | str | int) else body
        headers = {"Content-Type": kind} | ({} if key is None else {KEY: key})
        async with self.client.post(PATH, data=data, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)


@web.middleware
async def answered(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """As the hall does, but an unexpected error stays one."""
    try:
        return await handler(request)
    except PetitionError as problem:
        return errors.problem_of(problem)
    except web.HTTPException as problem:
        return errors.problem(*errors.of_http(problem))


async def opened(tmp_path: Path, keys: frozenset[str]) -> AsyncIterator[Door]:
    desk = Desk()
    hall = Hall(
        intake=desk.take,
        refuse=desk.refuse,
        clock=lambda: NOW,
        known_region={"620105", "620102"}.__contains__,
        public_url="http://127.0.0.1:8080",
        max_body=MAX_BODY,
        max_upload=1000,
        spool=tmp_path,
        enquiries=desk,
        api_keys=keys,
    )
    app = web.Application(middlewares=[answered])
    app.add_routes(Hotline().routes(hall))
    async with TestClient(TestServer(app)) as client:
        yield Door(client, desk)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async for one in opened(tmp_path, frozenset({"another-key-of-the-house", API_KEY})):
        yield one


@pytest.fixture
async def closed_door(tmp_path: Path) -> AsyncIterator[Door]:
    async for one in opened(tmp_path, frozenset()):
        yield one


@pytest.mark.parametrize(
    ("body", "status", "code", "place", "why"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
async def test_a_bad_order_is_refused_at_its_field_and_kept(
    door: Door, body: object, status: int, code: str, place: str, why: str
) -> None:
    found, told = await door.post(body)
    assert (found, told["code"]) == (status, code), told
    if why or place:
        problems = [(one["field"], one["code"]) for one in told["errors"]]
        assert any((not place or place == field) and (not why or why == kind) for field, kind in problems), problems
        assert all(any("\u4e00" <= sign <= "\u9fff" for sign in one["detail"]) for one in told["errors"])
    assert door.desk.arrivals == []
    [(raw, reason)] = door.desk.refused
    assert reason == code
    if status != 413:
        assert raw == (body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "look", "wanted"), [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED]
)
async def test_a_good_order_becomes_an_arrival(
    door: Door, body: dict[str, Any], look: Callable[[Arrival], object], wanted: object
) -> None:
    status, told = await door.post(body)
    assert status == 201, told
    [arrival] = door.desk.arrivals
    assert look(arrival) == wanted
    assert arrival.raw == canonical(body)
    assert arrival.received_at == NOW
    assert door.desk.refused == []


async def test_what_petition_1_has_no_field_for_stands_under_the_content(door: Door) -> None:
    await door.post(GOOD)
    said, _, lines = door.desk.arrivals[0].statement.content.partition(f"\n\n{HEADING}\n")
    assert said == GOOD["content"]
    assert lines.splitlines() == LINES


async def test_the_receipt_and_the_same_order_again(door: Door) -> None:
    wanted = {
        "order_no": "GD20261122000123",
        "case_no": "620000H2026112200000K",
        "query_code": "7M2K-9QXA-4TBD",
        "received_at": "2026-11-22T09:30:00+08:00",
        "linked": False,
    }
    assert await door.post(GOOD) == (201, wanted)
    turned = json.dumps(dict(reversed(GOOD.items())), ensure_ascii=False, indent=3).encode()
    assert await door.post(turned) == (201, wanted), "how it is written does not matter"
    _, told = await door.post({"orders": [GOOD]})
    assert told["orders"][0]["case_no"] == wanted["case_no"], "nor which way it comes"
    assert len(door.desk.arrivals) == 1


async def test_a_changed_order_joins_the_case_of_the_first(door: Door) -> None:
    _, first = await door.post(GOOD)
    changed = order(title="室温仍不达标", result="已上门", urgency="特急")
    for _ in range(2):
        status, told = await door.post(changed)
        assert (status, told["case_no"], told["linked"]) == (200, first["case_no"], True)
    [_, arrival] = door.desk.arrivals
    digest = hashlib.sha256(canonical(changed)).hexdigest()
    assert arrival.raw_id == f"{GOOD['order_no']}#1-{digest[:16]}"
    assert arrival.sub_source == f"supplement:{first['case_no']}"
    content = arrival.statement.content
    for line in (
        "标题：室温仍不达标",
        "办理结果：已上门",
        "紧急程度：特急",
        "姓名：张示例",
        "工单编号：GD20261122000123",
    ):
        assert line in content.splitlines()
    assert "620199199007260029" not in content, "an ID number is not shown in plain text"


async def test_a_number_that_came_before_without_a_case_is_a_conflict(door: Door) -> None:
    await door.post(GOOD)
    door.desk.forgetful = True
    status, told = await door.post(order(title="别的"))
    assert (status, told["code"]) == (409, "conflict")
    assert door.desk.refused == [], "the intake has entered it"
    _, told = await door.post({"orders": [order(title="别的")]})
    assert told["orders"][0]["status"] == 409


@pytest.mark.parametrize(
    ("label", "key", "status"),
    [
        ("the second key", API_KEY, 201),
        ("none", None, 401),
        ("empty", "", 401),
        ("longer", API_KEY + "x", 401),
        ("shorter", API_KEY[:-1], 401),
        ("not ASCII", "钥匙", 401),
    ],
)
async def test_the_key_of_a_caller(door: Door, label: str, key: str | None, status: int) -> None:
    found, _ = await door.post(GOOD, key=key)
    assert found == status, label
    assert (door.desk.refused == [(b"", "forged")]) is (status == 401), "the body was not read"
    assert len(door.desk.arrivals) == (status == 201)


async def test_without_a_configured_key_nobody_enters(closed_door: Door) -> None:
    for key in (None, "", API_KEY):
        status, told = await closed_door.post(GOOD, key=key)
        assert (status, told["code"]) == (403, "forbidden")
        assert "密钥" in told["detail"]
    assert closed_door.desk.refused == [(b"", "forbidden")] * 3


async def test_the_key_is_looked_at_before_the_body(door: Door) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1000:
            sent += 1
            yield b" " * 1000
            await asyncio.sleep(0.01)

    status, _ = await door.post(endless(), key="wrong")
    assert status == 401
    assert sent < 1000


async def test_other_types_and_broken_packing_are_refused(door: Door) -> None:
    status, told = await door.post(b"order_no=1", kind="application/x-www-form-urlencoded")
    assert (status, told["code"]) == (415, "unsupported_type")
    headers = {KEY: API_KEY, "Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with door.client.post(PATH, data=b"no gzip at all", headers=headers) as answer:
        assert answer.status == 400
    assert [reason for _, reason in door.desk.refused] == ["unsupported_type", "unreadable"]


async def test_a_chunked_body_without_length_is_bounded(door: Door) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100 * MAX_BODY // 1000):
            yield b" " * 1000

    status, _ = await door.post(endless())
    assert status == 413
    [(raw, reason)] = door.desk.refused
    assert reason == "too_large"
    assert MAX_BODY < len(raw) < MAX_BODY + (1 << 18)


async def test_in_a_batch_one_bad_order_stops_nobody(door: Door) -> None:
    door.desk.trouble = {
        "GD-LATER": Unavailable(),
        "GD-OFTEN": TooMany(),
        "GD-FAULT": ValueError("a bug"),
    }
    status, told = await door.post({"orders": BATCH})
    lines = told["orders"]
    assert status == 207
    assert [line["index"] for line in lines] == list(range(len(BATCH)))
    assert [line["status"] for line in lines] == [201, 422, 422, 503, 200, 503, 503, 201, 422]
    assert lines[1]["order_no"] == "GD-0002"
    assert lines[1]["problem"]["errors"] == [{"field": "content", "code": "missing", "detail": "缺少这个字段。"}]
    assert lines[3]["problem"]["retryable"] is True
    assert {lines[place]["case_no"] for place in (0, 4, 7)} == {"620000H2026112200000K"}
    assert lines[4]["query_code"] == ""
    kept = sorted(raw for raw, _ in door.desk.refused)
    assert kept == sorted(canonical(BATCH[place]) for place in (1, 2, 8)), "each refused order is kept by itself"


async def test_a_full_batch_enters_a_few_at_a_time(door: Door) -> None:
    orders = [bare(order_no=f"GD-{number:04}") for number in range(ORDERS_MAX)]
    _, told = await door.post({"orders": orders})
    assert [line["order_no"] for line in told["orders"]] == [one["order_no"] for one in orders]
    assert {line["status"] for line in told["orders"]} == {201}
    assert 1 < door.desk.most_inside <= AT_ONCE


async def test_mutants_of_a_good_order_are_answered(door: Door) -> None:
    """300 seeded mutants, alone and in a batch: an answer each time, and each one is entered or kept."""
    chance = random.Random(12345)
    seen: dict[int, int] = {}
    for number in range(300):
        body = mutant(chance)
        kept = len(door.desk.refused)
        status, told = await door.post(b'{"orders":[' + body + b"]}" if number % 2 else body)
        assert status in {200, 201, 207, 400, 422}, (number, body)
        lines = [line["status"] for line in told["orders"]] if status == 207 else [status]
        assert set(lines) <= {200, 201, 400, 422}, (number, body)
        assert len(door.desk.refused) - kept == sum(line >= 400 for line in lines), (number, body)
        for line in lines:
            seen[line] = seen.get(line, 0) + 1
    assert seen[200] + seen[201] > 30, "some mutants are good orders"
    assert seen[400] > 30
    assert seen[422] > 30
