"""The text message door alone: what it makes of webhooks, over real HTTP, signed by Twilio's own library."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from channels.signature import FORM_TYPE, SIGNATURE
from channels.sms import PATH, STATUS_PATH, Sms
from petition.arrival import Outcome
from petition.errors import Invalid, NotFound, TooMany, Unavailable
from petition.people import Person
from petition.petition import Form
from tests.fakes.texts import (
    MAX_BODY,
    MOBILE,
    PUBLIC,
    START,
    Phone,
    TextDesk,
    answered,
    encoded,
    hall_of,
    message,
    signed,
)

STORY = "演示村后山出现裂缝并有落石，请派人查看"
NUMBER, CODE = "620000D2026112200001K", "7M2K-9QXA-4TBD"


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Phone]]]:
    clients: list[TestClient[Any, Any]] = []

    async def start(**changes: Any) -> Phone:
        desk = TextDesk()
        hall = replace(hall_of(desk, tmp_path), **changes)
        app = web.Application(middlewares=[answered])
        app.add_routes(Sms().routes(hall))
        client = TestClient(TestServer(app))
        clients.append(client)
        await client.start_server()
        return Phone(client, desk)

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
async def phone(opened: Callable[..., Awaitable[Phone]]) -> Phone:
    return await opened()


async def test_a_text_becomes_an_arrival_and_is_acknowledged(phone: Phone) -> None:
    said = await phone.text(STORY)
    [arrival] = phone.desk.arrivals
    assert (arrival.channel, arrival.form, arrival.raw_id) == ("sms", Form.SMS, f"SM{1:032x}:in")
    assert arrival.statement.content == STORY
    assert arrival.statement.petitioners == (Person(mobile=MOBILE),)
    assert (arrival.hold, arrival.sub_source, arrival.received_at) == ("", "", START)
    [number] = phone.desk.cases
    assert re.fullmatch(
        rf"您的诉求已登记，编号{number}，查询码[0-9A-F]{{12}}（请保存）。发送“CX 编号 查询码”可查进度。", said
    )
    assert STORY[:4] not in said, "nothing of the case's content goes out"


# label, changes of the parameters, content, mobile
TEXTS: list[tuple[str, dict[str, str], str, str]] = [
    ("emoji only", {"Body": "😡😡"}, "😡😡", MOBILE),
    ("a letter", {"Body": "A"}, "A", MOBILE),
    ("lines and blanks", {"Body": " 甲\r\n乙 \n"}, "甲\n乙", MOBILE),
    ("hidden signs", {"Body": "甲\u202e乙\x00"}, "甲乙", MOBILE),
    ("a foreign number", {"From": "+15400000001"}, STORY, ""),
    ("a short number", {"From": "10086"}, STORY, ""),
    ("a name as sender", {"From": "演示"}, STORY, ""),
    ("no sender", {"From": ""}, STORY, ""),
    ("a plus and an ampersand", {"Body": "a+b&c=d%20;e"}, "a+b&c=d%20;e", MOBILE),
    ("1600 signs", {"Body": "裂" * 1600}, "裂" * 1600, MOBILE),
    ("media announced, no address", {"Body": "", "NumMedia": "1"}, "", MOBILE),
]


@pytest.mark.parametrize(
    ("changes", "content", "mobile"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS]
)
async def test_texts(phone: Phone, changes: dict[str, str], content: str, mobile: str) -> None:
    status, _ = await phone.post(encoded({**message(STORY), **changes}))
    assert status == 200
    [arrival] = phone.desk.arrivals
    assert arrival.statement.content == content
    assert arrival.statement.petitioners == (Person(mobile=mobile),)


async def test_broken_utf_8_is_replaced_for_reading_and_kept_in_the_raw(phone: Phone) -> None:
    body = encoded(message("")).replace(b"Body=", b"Body=%E6%9D%8E%B5%C4")
    status, _ = await phone.post(body)
    assert status == 200
    [arrival] = phone.desk.arrivals
    assert arrival.statement.content == "李\ufffd\ufffd"
    assert b"Body=%E6%9D%8E%B5%C4&" in arrival.raw


async def test_commands_are_counted_and_open_no_case(phone: Phone) -> None:
    said = [await phone.text(text, number) for number, text in enumerate(("退订", "订阅", "？", f"CX {NUMBER} {CODE}"))]
    assert ["退订" in said[0], "订阅" in said[1], said[2].count("。"), said[3]] == [True, True, 2, phone.desk.status]
    assert [reason for _, reason in phone.desk.refused] == ["opt_out", "opt_in", "help", "status_query"]
    assert phone.desk.asked == [(NUMBER, CODE)]
    assert phone.desk.arrivals == []


async def test_a_failed_query_does_not_tell_what_was_wrong(phone: Phone) -> None:
    told = set()
    for problem in (NotFound("编号不对"), Invalid((), "查询码不对")):
        phone.desk.status = problem
        told.add(await phone.text(f"CX {NUMBER} {CODE}"))
    told.add(await phone.text("CX 1 2"))
    [words] = told
    assert words.count("。") == 1
    phone.desk.status = TooMany()
    assert await phone.text(f"CX {NUMBER} {CODE}") == TooMany().words
    assert len(phone.desk.refused) == 4


async def test_where_twilio_has_answered_the_door_is_silent(phone: Phone) -> None:
    assert await phone.text("stopall", OptOutType="STOP") == ""
    assert [reason for _, reason in phone.desk.refused] == ["opt_out"]


async def test_a_command_beside_a_picture_is_a_petition(phone: Phone) -> None:
    await phone.text("取消", NumMedia="1", MediaUrl0="https://media.example/1")
    assert len(phone.desk.arrivals) == 1


async def test_an_empty_text_is_counted_and_told(phone: Phone) -> None:
    assert "没有收到文字" in await phone.text(" \u200b\n")
    assert [reason for _, reason in phone.desk.refused] == ["empty"]
    assert phone.desk.arrivals == []


async def test_the_same_message_again_gets_the_same_answer(phone: Phone) -> None:
    first = await phone.text(STORY)
    part = await phone.text("还有一段", 2)
    for after in (timedelta(seconds=15), timedelta(hours=5)):
        phone.desk.now = START + after
        turned = encoded(dict(reversed(message(STORY, f"SM{1:032x}").items())))
        more = encoded({**message(STORY, f"SM{1:032x}"), "ErrorCode": "11200", "ErrorUrl": PUBLIC})
        assert [await phone.post(body) for body in (turned, more)] == [(200, first)] * 2
        assert await phone.text("还有一段", 2) == part, "a part says so again, without a code of its own"
    assert Counter(phone.desk.outcomes) == {Outcome.PETITION: 1, Outcome.LINKED: 7}
    assert len(phone.desk.cases) == 1


async def test_the_same_id_with_other_words_names_no_code(phone: Phone) -> None:
    await phone.text(STORY)
    said = await phone.text("别的内容")
    assert "此前已经收到" in said
    assert "查询码" not in said
    assert phone.desk.outcomes == [Outcome.PETITION, Outcome.REFUSED]


async def test_parts_join_the_case_of_their_sender_within_the_window(phone: Phone) -> None:
    await phone.text(STORY, 1)
    phone.desk.now = START + timedelta(minutes=3)
    assert "已加到编号620000D2026112200001K" in await phone.text(STORY, 2), "the same words with a new id as well"
    assert "已登记" in await phone.text(STORY, 3, sender="+8615400000007")
    phone.desk.now = START + timedelta(minutes=3, seconds=1)
    assert "已登记" in await phone.text(STORY, 4)
    sources = [arrival.sub_source for arrival in phone.desk.arrivals]
    assert sources == ["", "supplement:620000D2026112200001K", "", ""]


async def test_parts_that_come_at_once_open_one_case(phone: Phone) -> None:
    bodies = [encoded(message(f"第{part}段", f"SM{part:032x}")) for part in range(8)]
    answers = await asyncio.gather(*(phone.post(body) for body in bodies + bodies[:3]))
    assert {status for status, _ in answers} == {200}
    assert len(phone.desk.cases) == 1
    assert sorted(arrival.statement.content for arrival in phone.desk.arrivals) == [f"第{part}段" for part in range(8)]


async def test_foreign_senders_are_not_joined(phone: Phone) -> None:
    for part in (1, 2):
        await phone.text(STORY, part, sender="+15400000001")
    assert len(phone.desk.cases) == 2


GOOD = encoded(message(STORY))
# label, body, headers
UNVERIFIED: list[tuple[str, bytes, dict[str, str]]] = [
    ("no signature", GOOD, {"Content-Type": FORM_TYPE}),
    ("an empty one", GOOD, {"Content-Type": FORM_TYPE, SIGNATURE: ""}),
    ("with another token", GOOD, signed(GOOD, token="another")),
    ("over the address inside", GOOD, signed(GOOD, url="http://127.0.0.1:8080" + PATH)),
    ("over the other route", GOOD, signed(GOOD, url=PUBLIC + STATUS_PATH)),
    ("over other words", GOOD, signed(encoded(message("别的内容")))),
    ("a name twice", GOOD + b"&Body=" + b"x", signed(GOOD + b"&Body=x")),
]


@pytest.mark.parametrize(("body", "headers"), [case[1:] for case in UNVERIFIED], ids=[case[0] for case in UNVERIFIED])
async def test_what_is_not_verified_is_held_and_told_nothing(
    phone: Phone, body: bytes, headers: dict[str, str]
) -> None:
    assert [await phone.post(body, headers) for _ in range(2)] == [(403, "")] * 2
    [arrival] = phone.desk.arrivals
    assert (arrival.hold, arrival.form, arrival.raw) == ("签名不符", Form.SMS, body)
    assert phone.desk.outcomes == [Outcome.HELD, Outcome.LINKED]
    assert "已登记" in await phone.text(STORY), "the true message is neither blocked nor joined to the forged one"
    assert phone.desk.arrivals[1].sub_source == ""


async def test_without_a_token_everything_is_held(opened: Callable[..., Awaitable[Phone]]) -> None:
    phone = await opened(twilio_auth_token=SecretStr(""))
    assert await phone.post(GOOD, signed(GOOD, token="")) == (403, "")
    assert phone.desk.outcomes == [Outcome.HELD]


async def test_the_query_of_the_address_is_signed_too(phone: Phone) -> None:
    path = f"{PATH}?office=620102"
    assert (await phone.post(GOOD, path=path))[0] == 200
    assert (await phone.post(GOOD, signed(GOOD), path=path))[0] == 403


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b"&" * 5000, b"a=b", b"Body=x" + b"&a=" * 1001])
async def test_what_is_no_message_and_not_verified_opens_no_case(phone: Phone, body: bytes) -> None:
    assert await phone.post(body, {"Content-Type": FORM_TYPE}) == (403, "")
    assert phone.desk.arrivals == []
    assert [(arrival.raw, reason) for arrival, reason in phone.desk.refused] == [(body, "forged")]


async def test_too_large(phone: Phone) -> None:
    status, _ = await phone.post(b"Body=" + b"x" * MAX_BODY)
    assert status == 413
    assert [reason for _, reason in phone.desk.refused] == ["too_large"]


async def test_delivery_receipts_are_counted(phone: Phone) -> None:
    body = encoded({"MessageSid": f"SM{1:032x}", "MessageStatus": "delivered", "To": MOBILE})
    assert await phone.post(body, path=STATUS_PATH) == (204, "")
    assert await phone.post(body, {"Content-Type": FORM_TYPE}, path=STATUS_PATH) == (403, "")
    assert [(one.raw_id, why) for one, why in phone.desk.refused] == [
        (f"SM{1:032x}:status", "status_callback"),
        (f"SM{1:032x}:status", "forged"),
    ]
    assert "已登记" in await phone.text(STORY), "the id of a receipt is not that of the message"


async def test_when_nothing_can_be_promised_twilio_comes_again(phone: Phone) -> None:
    phone.desk.trouble = Unavailable()
    assert (await phone.post(GOOD))[0] == 503
    assert (await phone.post(GOOD))[0] == 200
    assert len(phone.desk.arrivals) == 1


PICTURES = {
    "NumMedia": "2",
    "MediaUrl0": "https://media.example/0",
    "MediaContentType0": "image/jpeg",
    "MediaUrl1": "https://media.example/1",
    "MediaContentType1": "image/png",
}


async def test_addresses_of_media_are_kept_when_nothing_may_be_fetched(phone: Phone) -> None:
    await phone.text("", **PICTURES)
    [arrival] = phone.desk.arrivals
    assert arrival.uploads == ()
    lines = [
        "（随短信发来的附件，没有取回：2个）",
        "image/jpeg https://media.example/0",
        "image/png https://media.example/1",
    ]
    assert arrival.statement.content.split("\n") == lines


async def test_mutated_bodies_are_each_entered_once(phone: Phone) -> None:
    chance = random.Random(20261122)
    pieces = [b"&", b"=", b"%", b"%00", b"%B5%C4", b"+", b"MediaUrl0=", b"\xff", b"NumMedia=x", "退订".encode()]
    statuses: Counter[int] = Counter()
    for turn in range(300):
        phone.desk.now += timedelta(minutes=4)
        body = bytearray(encoded(message(STORY, f"SM{turn:032x}")))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(body))
            body[at : at + chance.choice((0, 0, 1, 5, 60))] = chance.choice(pieces)
        before = len(phone.desk.outcomes) + len(phone.desk.refused)
        stale = chance.random() < 0.2
        status, said = await phone.post(bytes(body), {"Content-Type": FORM_TYPE} if stale else None)
        statuses[status] += 1
        assert len(phone.desk.outcomes) + len(phone.desk.refused) == before + 1, bytes(body)
        assert status == 403 or said, "a verified sender is always told something"
    assert set(statuses) == {200, 403}
    assert statuses[200] > 100
