"""The WeChat door alone: what is believed, read, counted and repeated, over real HTTP, plain and sealed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels import wechat_words as words
from channels.notebook import PocketNotebook
from channels.wechat import PATH
from channels.wechat_account import OfficialAccount
from petition.arrival import Outcome
from petition.errors import TooMany, Unavailable
from tests.fakes.wechat import MAX_BODY, FakePlatform, Person, WechatDesk, hall_of, xml
from tests.fakes.wechat_door import Opener, doors

STORY = "虚构工地拖欠我们18个人三个月工资"
NAMELESS, COUNTED = [STORY, "完成", "跳过", "匿名"], ["done", "skip", "anonymous"]
KNOWN = "620000X2026112200001K 7M2K-9QXA-4TBD"
HEARD = "工资没有发\n（以上为机器识别"
PLACE = {"Location_X": "39.73", "Location_Y": "98.49"}
WHERE = "北纬39.73，东经98.49"


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opener]:
    async with doors(tmp_path) as opener:
        yield opener


@pytest.fixture(params=["sealed", "plain"])
async def person(request: pytest.FixtureRequest, opened: Opener) -> Person:
    return await opened(sealed=request.param == "sealed", platform=FakePlatform(down=True))


# label, changes of the parameters
FORGED: list[tuple[str, dict[str, str | None]]] = [
    ("no signature", {"signature": None}),
    ("wrong signature", {"signature": "0" * 40}),
    ("signature not ASCII", {"signature": "签名"}),
    ("another nonce", {"nonce": "n-2"}),
    ("no timestamp", {"timestamp": None}),
]


@pytest.mark.parametrize("changes", [case[1] for case in FORGED], ids=[case[0] for case in FORGED])
async def test_a_forged_message_is_held_for_a_person(person: Person, changes: dict[str, str | None]) -> None:
    query = {**person.query(), **{name: value for name, value in changes.items() if value is not None}}
    query = {name: value for name, value in query.items() if name not in changes or changes[name] is not None}
    body = xml(person.message(Content=STORY))
    for _ in range(2):
        assert (await person.post(body, query))[0] == 403
    [(first, outcome), (_, again)] = person.desk.entered
    assert (outcome, first.hold, again) == (Outcome.HELD, "签名不符", Outcome.LINKED)
    assert first.threads == (), "a forger names nobody"
    assert first.raw == body


@pytest.mark.parametrize("shift", [timedelta(minutes=-11), timedelta(minutes=11)])
async def test_an_old_request_is_not_believed(person: Person, shift: timedelta) -> None:
    body = xml(person.message(Content=STORY))
    assert (await person.post(body, person.query(at=person.desk.now + shift)))[0] == 403
    assert [outcome for _, outcome in person.desk.entered] == [Outcome.HELD]


async def test_in_the_safe_mode_plain_words_are_not_believed(opened: Opener) -> None:
    person = await opened(sealed=True)
    assert (await person.post(xml(person.message(Content=STORY)), person.query()))[0] == 403
    assert [outcome for _, outcome in person.desk.entered] == [Outcome.HELD]
    body = b"<xml><Encrypt>AAAA</Encrypt></xml>"
    assert (await person.post(body, person.query(encrypted="BBBB")))[0] == 403
    assert person.desk.reasons == ["forged"]


async def test_without_a_token_nothing_is_believed(opened: Opener, tmp_path: Path) -> None:
    desk = WechatDesk()
    blank = hall_of(desk, tmp_path, FakePlatform(), sealed=False).wechat
    person = await opened(desk, sealed=False, wechat=replace(blank, token=type(blank.token)("")))
    assert (await person.post(xml(person.message(Content=STORY)), person.query(token="")))[0] == 403


async def test_a_flood_of_forged_messages_is_bounded(opened: Opener) -> None:
    left = iter(range(3))

    def limit(sender: str) -> None:
        if next(left, None) is None:
            raise TooMany()

    person = await opened(limit=limit)
    told = [(await person.post(xml(person.message(Content=f"{n}")), {}))[0] for n in range(5)]
    assert told == [403, 403, 403, 429, 429]
    assert await person.say("帮助"), "who is signed for is not held back"


# label, body
UNREADABLE: list[tuple[str, bytes]] = [
    ("no XML", b"{"),
    ("empty", b""),
    ("a document type", b"<!DOCTYPE x [<!ENTITY a 'b'>]><xml><Content>&a;</Content></xml>"),
]


@pytest.mark.parametrize("body", [case[1] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE])
async def test_what_cannot_be_read_is_refused_and_kept(person: Person, body: bytes) -> None:
    assert (await person.send(body))[0] == 400
    assert [(arrival.raw if not person.sealed else body, reason) for arrival, reason in person.desk.refused] == [
        (body, "unreadable")
    ]


async def test_nobody_as_sender_and_nothing_as_words(person: Person) -> None:
    assert (await person.send(xml(person.message(Content=STORY, FromUserName=""))))[0] == 400
    assert await person.say(" \u200b ") == words.EMPTY
    assert person.desk.reasons == ["no_sender", "empty"]


async def test_a_body_without_end_is_refused_and_its_beginning_kept(person: Person) -> None:
    assert (await person.post(b"x" * (MAX_BODY + 1), person.query()))[0] == 413
    assert person.desk.reasons == ["too_large"]


# label, changes of the query, status, body
CHECKS: list[tuple[str, dict[str, str], int, str]] = [
    ("good", {"echostr": "5837397520665436492"}, 200, "5837397520665436492"),
    ("forged", {"echostr": "1", "signature": "0" * 40}, 403, ""),
    ("no echo", {}, 403, ""),
    ("not printable", {"echostr": "a\nb"}, 403, ""),
    ("too long", {"echostr": "a" * 300}, 403, ""),
]


@pytest.mark.parametrize(("changes", "status", "echo"), [case[1:] for case in CHECKS], ids=[case[0] for case in CHECKS])
async def test_the_platforms_check_of_the_address(
    person: Person, changes: dict[str, str], status: int, echo: str
) -> None:
    async with person.client.get(PATH, params={**person.query(), **changes}) as answer:
        assert (answer.status, await answer.text()) == (status, echo)
        assert answer.headers.get("Content-Type", "text/plain").startswith("text/plain")
    assert person.desk.rows == 0


def test_every_reply_is_short_enough_and_ends_properly() -> None:
    replies = [value for name, value in vars(words).items() if name.isupper() and isinstance(value, str)]
    assert len(replies) > 25
    assert max(len(value.encode()) for value in replies) < words.REPLY_MAX - 600


# label, fields of the event, what is said, reason
EVENTS: list[tuple[str, dict[str, str], str, str]] = [
    ("follows", {"Event": "subscribe"}, "示例市信访局", "event_subscribe"),
    ("leaves", {"Event": "unsubscribe"}, "", "event_unsubscribe"),
    ("a button", {"Event": "CLICK", "EventKey": "query"}, "例如", "click_query"),
    ("a button in Chinese", {"Event": "CLICK", "EventKey": "反映问题"}, "完成", "click_file"),
    ("an unknown button", {"Event": "CLICK", "EventKey": "weather"}, "", "event_click"),
    ("a link", {"Event": "VIEW", "EventKey": "https://a.example"}, "", "event_view"),
    ("where the phone is", {"Event": "LOCATION", "Latitude": "39.7", "Longitude": "98.4"}, "", "event_location"),
    ("something new", {"Event": "HOLO-gram"}, "", "event_other"),
]


@pytest.mark.parametrize(("fields", "said", "reason"), [case[1:] for case in EVENTS], ids=[case[0] for case in EVENTS])
async def test_events_are_counted_and_open_no_case(
    opened: Opener, fields: dict[str, str], said: str, reason: str
) -> None:
    person = await opened()
    told = await person.give("event", **fields)
    assert (said in told) if said else told == ""
    assert person.desk.reasons == [reason]
    assert person.desk.cases == {}
    assert person.openid not in person.desk.refused[0][0].raw_id


# event, key, what the petition says of its origin
SCANS: list[tuple[str, str, str]] = [
    ("subscribe", "qrscene_origin=7K2M9QX", "origin:7K2M9QX 示例街道自助区"),
    ("SCAN", "origin=7k2m9qx", "origin:7K2M9QX 示例街道自助区"),
    ("SCAN", "origin=AAAAAAA", ""),
    ("SCAN", "12", ""),
    ("subscribe", "qrscene_origin=../../x", ""),
]


@pytest.mark.parametrize(("event", "key", "origin"), SCANS)
async def test_the_place_of_a_scanned_code_is_the_origin(opened: Opener, event: str, key: str, origin: str) -> None:
    person = await opened()
    await person.give("event", Ticket="t", Event=event, EventKey=key)
    await person.say(STORY)
    [(arrival, _)] = person.desk.entered
    assert arrival.sub_source == origin


async def test_a_retry_gets_the_same_answer_and_changes_nothing(person: Person) -> None:
    sent = [person.message(Content=text) for text in (STORY, "完成", "酒泉市", "匿名", "提交")]
    first = [await person.send(xml(one)) for one in sent]
    assert [await person.send(xml(one)) for one in sent] == first
    assert [await person.send(xml(one)) for one in reversed(sent)] == first[::-1]
    assert len(person.desk.cases) == 1
    assert len(next(iter(person.desk.cases.values()))) == 3
    assert person.desk.rows == 15, "repeats are counted too"


async def test_retries_at_once_are_one(person: Person) -> None:
    person.desk.slow = 0.02
    body = xml(person.message(Content=STORY))
    told = {said for _, said in await asyncio.gather(*(person.send(body) for _ in range(6)))}
    assert len(told) == 1
    assert len(person.desk.cases) == 1
    assert [outcome for _, outcome in person.desk.entered].count(Outcome.PETITION) == 1


@pytest.mark.parametrize("same", [True, False], ids=["the same message", "different messages"])
async def test_several_processes_make_one_case(opened: Opener, same: bool) -> None:
    desk = WechatDesk(slow=0.01)
    pages = PocketNotebook(lambda: desk.now)
    people = [await opened(desk, notebook=pages) for _ in range(3)]
    bodies = [
        xml(people[0].message(Content=f"{STORY}{'' if same else n}", MsgId=f"9{0 if same else n}")) for n in range(6)
    ]
    told = await asyncio.gather(*(people[n % 3].send(body) for n, body in enumerate(bodies)))
    assert [status for status, _ in told] == [200] * 6
    assert len(desk.cases) == 1
    [arrivals] = desk.cases.values()
    assert len(arrivals) == (1 if same else 6)


async def test_a_crash_between_ledger_and_page_is_healed_by_the_retry(opened: Opener) -> None:
    desk = WechatDesk()

    class Breaking(PocketNotebook):
        """Fails once, at the second writing."""

        writes = 0

        async def put(self, *given: Any) -> int:
            self.writes += 1
            if self.writes == 2:
                raise Unavailable()
            return await super().put(*given)

    person = await opened(desk, notebook=Breaking(lambda: desk.now))
    body = xml(person.message(Content=STORY))
    assert (await person.send(body))[0] == 503
    status, said = await person.send(body)
    assert (status, "查询码：7M2K" in said) == (200, True), "the code is told, and is the same"
    assert len(desk.cases) == 1


async def test_an_opener_that_died_does_not_stand_in_the_way(opened: Opener) -> None:
    person = await opened()
    person.desk.trouble = Unavailable()
    assert (await person.send(xml(person.message(Content="一"))))[0] == 503
    person.later(seconds=11)
    assert "已登记" in await person.say("二")


async def test_what_cannot_be_entered_is_not_acknowledged(person: Person) -> None:
    person.desk.trouble = Unavailable()
    body = xml(person.message(Content=STORY))
    assert (await person.send(body))[0] == 503
    assert "已登记" in (await person.send(body))[1]


def test_an_account_that_nothing_is_set_for_is_the_null_twin() -> None:
    account = OfficialAccount()
    assert account.cipherer is None
    assert account.token.get_secret_value() == ""
