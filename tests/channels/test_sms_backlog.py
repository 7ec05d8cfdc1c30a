"""What the provider has and no webhook brought: rounds over the lists of the stand-in, beside the door's webhooks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from channels.door import CaughtUp, Hall, Reconciling
from channels.notebook import PocketNotebook
from channels.provider import Account, Twilio
from channels.sms import Sms
from channels.texting import NoTexting
from gateway.demo.provider import ACCOUNT, Answer, Home, StandIn
from petition.arrival import Outcome
from petition.errors import Unavailable
from tests.fakes.texts import MOBILE, PUBLIC, START, TOKEN, TextDesk, answered, hall_of

STORY = "演示村后山出现裂缝并有落石，请派人查看"
PICTURE = ("image/png", b"\x89PNG\r\n\x1a\n" + bytes(500))


@dataclass
class Wishes(NoTexting):
    """Who wants no text messages."""

    out: list[str] = field(default_factory=list)

    async def opt_out(self, number: str, word: str) -> None:
        self.out.append(number)

    async def opt_in(self, number: str) -> None:
        self.out.remove(number)


@dataclass
class Scene:
    """The door with its desk, and the provider with its list and its webhooks."""

    door: Sms
    hall: Hall
    desk: TextDesk
    twilio: StandIn
    home: Home
    wishes: Wishes

    def at(self, after: timedelta) -> None:
        """Let the time be so long after the beginning."""
        self.desk.now = START + after

    async def round(self) -> dict[str, int]:
        """One round over the lists of the last day; what it brought."""
        brought: CaughtUp = await self.door.catch_up(self.hall, self.desk.now - timedelta(hours=24))
        return {kind: number for kind, number in brought.counts.items() if number}

    async def deliver(self, sid: str, **more: str) -> Answer:
        """The webhook comes, perhaps late."""
        return await self.twilio.deliver(sid, self.home, **more)


LATER = timedelta(minutes=10)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    desk = TextDesk()
    async with StandIn(token=TOKEN, page=4, now=lambda: desk.now) as twilio:
        spool = tmp_path / "spool"
        client = Twilio(Account(sid=ACCOUNT, token=SecretStr(TOKEN), base=twilio.url, max_file=1000, spool=spool))
        door, wishes = Sms(), Wishes()
        hall = replace(hall_of(desk, spool), provider=client, texting=wishes, notebook=PocketNotebook(lambda: desk.now))
        app = web.Application(middlewares=[answered])
        app.add_routes(door.routes(hall))
        async with TestServer(app, host="127.0.0.1") as server:
            home = Home(str(server.make_url("")).rstrip("/"), PUBLIC)
            yield Scene(door, hall, desk, twilio, home, wishes)
        await client.close()


def test_the_door_is_one_that_catches_up() -> None:
    assert isinstance(Sms(), Reconciling)


async def test_a_lost_message_is_brought_once(scene: Scene) -> None:
    sid = scene.twilio.receive(STORY, MOBILE)
    scene.at(timedelta(days=1, hours=-1))
    assert [await scene.round() for _ in range(3)] == [{"messages": 1}, {}, {}]
    [arrival] = scene.desk.arrivals
    assert (arrival.raw_id, arrival.event, arrival.threads) == (f"{sid}:listed", f"{sid}:in", (f"{sid}:in",))
    assert arrival.statement.content == STORY
    assert arrival.statement.petitioners[0].mobile == arrival.text_to == MOBILE
    assert (arrival.received_at, arrival.petition_date) == (scene.desk.now, START.date())
    [note] = arrival.notes
    assert note.words == "服务商的通知没有送到，按其清单补收。发出时间：2026-11-22 09:30。"
    assert sid.encode() in arrival.raw


async def test_what_a_webhook_brought_is_not_brought_again(scene: Scene) -> None:
    for number in range(9):
        await scene.deliver(scene.twilio.receive(f"第{number}件", f"+86154000000{number:02}"))
    scene.at(LATER)
    assert await scene.round() == {}
    assert scene.desk.outcomes == [Outcome.PETITION] * 9


async def test_a_webhook_that_comes_late_is_told_the_same_number_and_code(scene: Scene) -> None:
    sid = scene.twilio.receive(STORY, MOBILE)
    scene.at(LATER)
    await scene.round()
    answers = [await scene.deliver(sid) for _ in range(3)]
    [number] = scene.desk.cases
    assert {answer.status for answer in answers} == {200}
    [words] = {answer.words for answer in answers}
    assert f"编号{number}，查询码" in words
    assert scene.desk.outcomes == [Outcome.PETITION] + [Outcome.LINKED] * 3, "no conflict, no second case"


async def test_webhook_and_list_at_once_make_one_case_each(scene: Scene) -> None:
    sids = [scene.twilio.receive(f"第{number}件", f"+86154000001{number:02}") for number in range(12)]
    scene.at(LATER)
    answers = await asyncio.gather(
        *(scene.deliver(sid) for sid in sids), scene.round(), *(scene.deliver(sid) for sid in sids), scene.round()
    )
    assert {answer.status for answer in answers if isinstance(answer, Answer)} == {200}
    outcomes = Counter(scene.desk.outcomes)
    assert outcomes[Outcome.PETITION] == len(scene.desk.cases) == 12
    assert outcomes[Outcome.REFUSED] == 0
    assert outcomes[Outcome.LINKED] >= 12
    told = [answer.words for answer in answers if isinstance(answer, Answer)]
    assert all("编号" in words for words in told)


async def test_a_message_whose_webhook_may_be_on_its_way_is_left_to_it(scene: Scene) -> None:
    scene.twilio.receive(STORY, MOBILE)
    scene.at(timedelta(seconds=59))
    assert await scene.round() == {}
    scene.at(timedelta(seconds=61))
    assert await scene.round() == {"messages": 1}


async def test_what_went_out_and_what_is_not_whole_is_not_brought(scene: Scene) -> None:
    half = scene.twilio.receive(STORY, MOBILE)
    scene.twilio.messages[half].fields["status"] = "receiving"
    out = scene.twilio.receive("我们发的", MOBILE)
    scene.twilio.messages[out].fields["direction"] = "outbound-api"
    scene.at(LATER)
    assert await scene.round() == {}
    scene.twilio.messages[half].fields["status"] = "received"
    assert await scene.round() == {"messages": 1}


async def test_parts_are_joined_by_the_times_of_sending(scene: Scene) -> None:
    await scene.deliver(scene.twilio.receive("第一段", MOBILE))
    for after, text in ((30, "第二段"), (60, "第三段"), (3600, "另一件"), (3630, "另一件续")):
        scene.at(timedelta(seconds=after))
        scene.twilio.receive(text, MOBILE)
    scene.twilio.receive("旁人", "+8615400000007")
    scene.at(timedelta(hours=5))
    assert await scene.round() == {"messages": 5}
    joined = [(one.statement.content, one.sub_source) for one in scene.desk.arrivals]
    first, second, _ = scene.desk.cases
    assert joined == [
        ("第一段", ""),
        ("第二段", f"supplement:{first}"),
        ("第三段", f"supplement:{first}"),
        ("另一件", ""),
        ("另一件续", f"supplement:{second}"),
        ("旁人", ""),
    ]


async def test_a_late_webhook_of_a_part_joins_once(scene: Scene) -> None:
    await scene.deliver(scene.twilio.receive("第一段", MOBILE))
    sid = scene.twilio.receive("第二段", MOBILE)
    scene.at(LATER)
    await scene.round()
    answer = await scene.deliver(sid)
    assert "已加到编号" in answer.words
    assert scene.desk.outcomes == [Outcome.PETITION, Outcome.LINKED, Outcome.LINKED]
    assert [one.statement.content for one in scene.desk.arrivals] == ["第一段", "第二段"]


async def test_commands_are_carried_out_and_counted_once(scene: Scene) -> None:
    for text in ("退订", "", "CX 1 2"):
        scene.twilio.receive(text, MOBILE)
    scene.at(LATER)
    assert [await scene.round() for _ in range(2)] == [{"orders": 3}, {}]
    assert sorted(reason for _, reason in scene.desk.refused) == ["empty", "opt_out", "status_query"]
    assert scene.wishes.out == [MOBILE]
    assert scene.desk.asked == [], "nobody waits for the answer"


async def test_commands_that_a_webhook_brought_are_not_counted_again(scene: Scene) -> None:
    for text in ("退订", "", "帮助"):
        await scene.deliver(scene.twilio.receive(text, MOBILE))
    scene.at(LATER)
    assert await scene.round() == {}
    assert len(scene.desk.refused) == 3
    assert scene.wishes.out == [MOBILE]


async def test_a_lost_wish_does_not_undo_a_newer_one(scene: Scene) -> None:
    scene.twilio.receive("退订", MOBILE)
    scene.at(timedelta(seconds=5))
    scene.wishes.out.append(MOBILE)  # an older wish, which START takes back
    await scene.deliver(scene.twilio.receive("订阅", MOBILE))
    scene.at(LATER)
    assert await scene.round() == {"orders": 1}
    assert scene.wishes.out == []


async def test_a_lost_message_brings_its_attachments(scene: Scene) -> None:
    scene.twilio.receive("", MOBILE, files=[PICTURE, ("image/gif", b"GIF89a")])
    scene.at(LATER)
    assert await scene.round() == {"messages": 1}
    [arrival] = scene.desk.arrivals
    assert [upload.name for upload in arrival.uploads] == ["短信附件1.png", "短信附件2.gif"]
    assert scene.desk.sizes[arrival.event] == [len(PICTURE[1]), 6]
    assert arrival.statement.content == ""
    assert list(scene.hall.spool.iterdir()) == []


async def test_attachments_that_were_not_there_join_their_case_later(scene: Scene) -> None:
    sid = scene.twilio.receive(STORY, MOBILE, files=[PICTURE, PICTURE])
    scene.twilio.down = True
    answer = await scene.deliver(sid)
    assert "已登记" in answer.words, "the sender does not wait for them"
    [case] = scene.desk.cases
    assert "尚未取回：2个" in scene.desk.arrivals[0].statement.content
    scene.at(LATER)
    with pytest.raises(Unavailable):
        await scene.round()
    scene.twilio.down = False
    assert [await scene.round() for _ in range(3)] == [{"media": 2}, {}, {}]
    joined = scene.desk.arrivals[1:]
    assert [one.sub_source for one in joined] == [f"supplement:{case}"] * 2
    assert [one.statement.content for one in joined] == ["（短信附件补取：短信附件1.png）"] * 2
    assert len({one.raw_id for one in joined}) == 2
    assert all(one.raw_id.startswith(f"{sid}:media:ME") for one in joined)
    assert list(scene.hall.spool.iterdir()) == []


async def test_an_attachment_that_never_comes_is_told_in_the_end(scene: Scene) -> None:
    sid = scene.twilio.receive(STORY, MOBILE, files=[PICTURE])
    kept = scene.twilio._media[sid]
    [media] = kept
    kept_body = kept.pop(media)
    form = {"MediaUrl0": f"{scene.twilio.url}{kept_body.fields['uri'].removesuffix('.json')}", "NumMedia": "1"}
    await scene.deliver(sid, **form)
    scene.at(LATER)
    assert await scene.round() == {}, "not found may be not yet"
    scene.at(timedelta(days=7, minutes=1))
    assert await scene.round() == {}
    told = scene.desk.arrivals[-1]
    assert "没有取回：1个" in told.statement.content
    assert (told.uploads, told.sub_source) == ((), f"supplement:{next(iter(scene.desk.cases))}")
    entered = len(scene.desk.outcomes)
    await scene.round()
    assert len(scene.desk.outcomes) == entered


async def test_a_provider_that_is_down_disturbs_no_webhook(scene: Scene) -> None:
    scene.twilio.down = True
    with pytest.raises(Unavailable):
        await scene.round()
    assert "已登记" in (await scene.deliver(scene.twilio.receive(STORY, MOBILE))).words


async def test_one_bad_message_does_not_stop_the_next(scene: Scene) -> None:
    for number in range(3):
        scene.twilio.receive(f"第{number}件", f"+86154000001{number:02}")
    scene.at(LATER)
    scene.desk.trouble = RuntimeError("a bug")
    assert await scene.round() == {"messages": 2}
    scene.desk.trouble = Unavailable()
    scene.twilio.receive("又一件", "+8615400000199")
    scene.at(2 * LATER)
    with pytest.raises(Unavailable):
        await scene.round()
    assert await scene.round() == {"messages": 1}
    assert len(scene.desk.cases) == 4


async def test_a_message_without_a_date_is_taken(scene: Scene) -> None:
    sid = scene.twilio.receive(STORY, MOBILE)
    scene.twilio.messages[sid].fields |= {"date_sent": None, "date_created": "yesterday"}
    assert await scene.round() == {"messages": 1}
    assert scene.desk.arrivals[0].petition_date <= datetime.date(START)
