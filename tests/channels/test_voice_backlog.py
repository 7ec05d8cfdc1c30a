"""Calls and recordings of the provider's lists: what no webhook brought is taken in, each once, in whatever order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from channels.door import Reconciling
from channels.telephone import Telephone
from channels.voice import STATUS_PATH, Voice
from gateway.demo.caller import HANG_UP, Leave, Played, Press
from gateway.demo.provider import StandIn
from petition.errors import Unavailable
from tests.fakes.calls import WAV, Exchange, Installation
from tests.fakes.texts import MOBILE, START


@pytest.fixture
async def installed(tmp_path: Path) -> AsyncIterator[Installation]:
    async with StandIn(now=lambda: START - timedelta(days=1), page=2) as twilio:
        installation = Installation(tmp_path, twilio)
        yield installation
        await installation.close()


@pytest.fixture
async def exchange(installed: Installation) -> Exchange:
    return await installed.open(Telephone(office="示例省信访局"))


async def caught(exchange: Exchange) -> dict[str, int]:
    """One round."""
    return dict((await exchange.door.catch_up(exchange.hall, START - timedelta(days=2))).counts)


def finish(exchange: Exchange, played: Played) -> None:
    """The recordings of a call can be fetched."""
    for sid in played.recordings:
        exchange.twilio.finish(sid)


def test_the_door_can_be_reconciled() -> None:
    assert isinstance(Voice(), Reconciling)


async def test_a_call_nobody_told_us_of_is_a_case_that_waits_for_a_person(exchange: Exchange) -> None:
    sids = [exchange.twilio.ring(MOBILE, status=status) for status in ("completed", "busy", "no-answer")]
    assert await caught(exchange) == {"calls": 3, "recordings": 0}
    assert await caught(exchange) == {"calls": 0, "recordings": 0}
    assert sorted(case.raw_id for case in exchange.desk.cases.values()) == sorted(sids)
    for case in exchange.desk.cases.values():
        assert (case.hold, case.statement.petitioners[0].mobile) == ("来电未接通系统", MOBILE)
        assert (case.received_at, case.petition_date) == (START, date(2026, 11, 21))
    await exchange.later()
    assert await caught(exchange) == {"calls": 0, "recordings": 0}, "also when their pages are put away"
    assert len(exchange.desk.cases) == 3


@pytest.mark.parametrize("late", [False, True])
async def test_webhooks_that_come_after_the_list_join_its_case(
    installed: Installation, exchange: Exchange, late: bool
) -> None:
    played = await exchange.call([Press("1"), Leave(WAV, 5)], callbacks=False)
    finish(exchange, played)
    other = await installed.open()
    assert await caught(other) == {"calls": 1, "recordings": 1}
    if late:
        await other.later()
    for path, form in (*played.requests, *played.pending):
        assert (await other.post(path, form)).status in (200, 204)
    await other.later()
    assert len(other.desk.cases) == 1
    assert len(other.desk.recordings) == 1


async def test_what_webhooks_brought_is_not_taken_in_again(exchange: Exchange) -> None:
    await exchange.call([Press("1"), Leave(WAV, 5)])
    await exchange.call([Press("2"), Press("620000720261122000015"), Press("762597924823"), HANG_UP])
    assert await caught(exchange) == {"calls": 0, "recordings": 0}
    assert await exchange.later() == 2
    assert await caught(exchange) == {"calls": 0, "recordings": 0}
    assert len(exchange.desk.cases) == 1, "asking for a status is no case, whoever tells of it"
    assert len(exchange.desk.recordings) == 1


async def test_a_lost_end_and_a_lost_recording_are_made_up_for(exchange: Exchange) -> None:
    played = await exchange.call([Press("1"), Leave(WAV, 5)], callbacks=False)
    finish(exchange, played)
    assert await caught(exchange) == {"calls": 0, "recordings": 1}
    assert len(exchange.desk.cases) == 1
    assert len(exchange.desk.recordings) == 1
    assert exchange.desk.files[f"{played.recordings[0]}:recording"] == [WAV]


async def test_list_and_webhooks_at_once_are_one_case(exchange: Exchange) -> None:
    for _ in range(8):
        played = await exchange.call([Press("1"), Leave(WAV, 5)], callbacks=False)
        finish(exchange, played)
        rounds = (caught(exchange) for _ in range(2))
        await asyncio.gather(*(exchange.post(path, form) for path, form in played.pending), *rounds)
    assert len(exchange.desk.cases) == 8
    assert len(exchange.desk.recordings) == 8


async def test_calls_that_are_not_for_us_to_take_stay_out(exchange: Exchange) -> None:
    for status, changes in (
        ("in-progress", {}),
        ("completed", {"direction": "outbound-api"}),
        ("completed", {"direction": "outbound-dial"}),
        ("completed", {"parent_call_sid": "CA" + "0" * 32}),
    ):
        sid = exchange.twilio.ring(MOBILE, status=status)
        exchange.twilio.calls[sid].fields |= changes
        exchange.twilio.finish(exchange.twilio.record(sid, WAV, 5))
    assert await caught(exchange) == {"calls": 0, "recordings": 0}
    assert exchange.desk.arrivals == []


async def test_a_house_that_cannot_enter_is_asked_again(exchange: Exchange) -> None:
    exchange.twilio.ring(MOBILE)
    exchange.desk.trouble = Unavailable()
    with pytest.raises(Unavailable):
        await caught(exchange)
    await caught(exchange)
    await exchange.later()
    assert len(exchange.desk.cases) == 1


async def test_a_provider_that_is_down_disturbs_no_call(exchange: Exchange) -> None:
    exchange.twilio.down = True
    with pytest.raises(Unavailable):
        await caught(exchange)
    await exchange.call([HANG_UP])
    assert len(exchange.desk.cases) == 1


async def test_a_status_of_a_listed_call_is_counted(exchange: Exchange) -> None:
    sid = exchange.twilio.ring(MOBILE)
    await caught(exchange)
    form = {"CallSid": sid, "From": MOBILE, "CallStatus": "completed", "Direction": "inbound"}
    assert (await exchange.post(STATUS_PATH, form)).status == 204
    assert [why for _, why in exchange.desk.refused] == ["call_events"]
    assert len(exchange.desk.cases) == 1
