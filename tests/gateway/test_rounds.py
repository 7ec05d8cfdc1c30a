"""The rounds over the providers' lists: when they begin, what a failure does, and a real house between both ways."""

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

from channels.door import CaughtUp, Hall
from channels.notebook import PocketNotebook
from channels.provider import Twilio
from channels.rest import Rest
from channels.sms import Sms
from channels.switchboard import NoSeats
from config.settings import Settings
from gateway.demo.provider import ACCOUNT, TOKEN, Answer, Home, StandIn
from gateway.hall import hall_of
from gateway.house import House, open_house
from gateway.metrics import Metrics
from gateway.rounds import FARTHEST, Rounds
from petition import clock
from petition.errors import Unavailable
from store import petitions
from store.proof import verify
from store.reconciliation import reconcile
from tests.fakes.texts import START, TextDesk
from tests.fakes.texts import hall_of as text_hall

HOUR = timedelta(hours=1)


@dataclass
class Listing:
    """A door that remembers since when it was asked. trouble: raised by the next round."""

    name: str = "sms"
    asked: list[datetime] = field(default_factory=list)
    trouble: Exception | None = None

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        return []

    async def catch_up(self, hall: Hall, since: datetime) -> CaughtUp:
        """Two messages each time."""
        self.asked.append(since)
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble
        return CaughtUp({"messages": 2, "media": 0})


@dataclass
class Night:
    """A hall whose clock the test sets."""

    hall: Hall
    desk: TextDesk

    def at(self, after: timedelta) -> None:
        self.desk.now = START + after


@pytest.fixture
def night(tmp_path: Path) -> Night:
    desk = TextDesk()
    return Night(replace(text_hall(desk, tmp_path), notebook=PocketNotebook(lambda: desk.now)), desk)


async def test_a_round_begins_an_hour_before_the_last_whole_one(night: Night) -> None:
    door, metrics = Listing(), Metrics()
    rounds = Rounds((Rest(), door), night.hall, metrics)
    await rounds.round()
    night.at(timedelta(minutes=5))
    door.trouble = Unavailable()
    await rounds.round()
    night.at(timedelta(minutes=10))
    await rounds.round()
    night.at(timedelta(minutes=15))
    await rounds.round()
    first, failed, again, last = door.asked
    assert first == START - timedelta(hours=24)
    assert failed == again == START - HOUR, "a round that failed is walked again as a whole"
    assert last == START + timedelta(minutes=10) - HOUR
    text = metrics.text().decode()
    assert 'gateway_caught_up_total{channel="sms",kind="messages"} 6.0' in text
    assert 'gateway_rounds_total{channel="sms",end="failed"} 1.0' in text


# how long the house was away, how far back the first round after the start goes
AWAY = [
    (timedelta(minutes=1), timedelta(hours=24)),
    (timedelta(hours=30), timedelta(hours=31)),
    (timedelta(days=30), FARTHEST),
]


@pytest.mark.parametrize(("away", "back"), AWAY)
async def test_after_a_start_it_goes_back_as_far_as_the_house_was_away(
    night: Night, away: timedelta, back: timedelta
) -> None:
    await Rounds((Listing(),), night.hall, Metrics()).round()
    night.at(away)
    door = Listing()
    await Rounds((door,), night.hall, Metrics()).round()
    assert door.asked == [START + away - back]


async def test_a_door_that_stumbles_does_not_keep_the_next_from_its_round(night: Night) -> None:
    bad, good = Listing("sms", trouble=KeyError("a bug")), Listing("voice")
    await Rounds((bad, good), night.hall, Metrics()).round()
    assert len(good.asked) == 1


async def test_rounds_go_on_until_they_are_cancelled(night: Night) -> None:
    door = Listing()
    walk = asyncio.create_task(Rounds((door,), night.hall, Metrics()).walk(0.001, 0.0))
    while len(door.asked) < 3:
        await asyncio.sleep(0.001)
    walk.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walk


@dataclass
class Real:
    """A real house with the stand-in of its provider."""

    house: House
    hall: Hall
    door: Sms
    twilio: StandIn
    home: Home


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[Real]:
    back = timedelta(minutes=10)
    async with StandIn(now=lambda: clock.now() - back) as twilio:
        settings = Settings(
            data=tmp_path,
            min_free=0,
            channels=("sms",),
            twilio_account_sid=ACCOUNT,
            twilio_auth_token=TOKEN,
            twilio_api_url=twilio.url,
        )
        house = open_house(settings)
        hall = hall_of(house, house.intake(), Metrics(), NoSeats())
        door = Sms()
        app = web.Application()
        app.add_routes(door.routes(hall))
        async with TestServer(app, host="127.0.0.1") as server:
            home = Home(str(server.make_url("")).rstrip("/"), settings.public_url)
            yield Real(house, hall, door, twilio, home)
        assert isinstance(hall.provider, Twilio)
        await hall.provider.close()
        house.close()


async def test_list_and_webhooks_at_once_are_one_event_each_in_the_ledger(real: Real, tmp_path: Path) -> None:
    picture = ("image/png", b"\x89PNG\r\n\x1a\n" + bytes(200))
    sids = [
        real.twilio.receive(f"演示村第{number}件事", f"+86154000002{number:02}", files=[picture] * (number % 3))
        for number in range(8)
    ]
    since = clock.now() - timedelta(hours=24)
    rounds = [real.door.catch_up(real.hall, since) for _ in range(2)]
    # Another process of the same house: it shares the ledger and nothing else.
    rounds += [Sms().catch_up(real.hall, since)]
    webhooks = [real.twilio.deliver(sid, real.home) for sid in (*sids, *sids)]
    answers = await asyncio.gather(*webhooks[:8], *rounds, *webhooks[8:])
    late = await asyncio.gather(*(real.twilio.deliver(sid, real.home) for sid in sids))
    told = [answer for answer in (*answers, *late) if isinstance(answer, Answer)]
    assert {answer.status for answer in told} == {200}
    assert all("编号" in answer.words for answer in told)
    assert all("查询码" in answer.words for answer in late), "each of them opened its case"
    balance = real.house.store.read_now(reconcile)["sms"]
    assert (balance.petitions, balance.refused, balance.held, balance.gap) == (8, 0, 0, 0)
    assert verify(real.house.store, tmp_path) == []
    codes = Counter(answer.words.partition("查询码")[2] for answer in late)
    assert len(codes) == 8


async def test_a_lost_message_with_a_picture_is_a_whole_case(real: Real, tmp_path: Path) -> None:
    real.twilio.receive("路灯不亮", "+8615400000006", files=[("image/gif", b"GIF89a fictional")])
    brought = await real.door.catch_up(real.hall, clock.now() - timedelta(hours=24))
    assert brought.counts["messages"] == 1
    [case] = real.house.store.read_now(lambda tx: list(petitions.every(tx)))
    assert [file.name for file in case.petition.attachments] == ["短信附件1.gif"]
    assert "CAUGHT_UP" in {note.code for note in case.petition.notes}
    assert verify(real.house.store, tmp_path) == []
