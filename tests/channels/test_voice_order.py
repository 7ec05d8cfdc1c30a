"""Webhooks of calls in every order, twice, at once, in two processes, forged, odd or never: one case each."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from channels import voice_words as words
from channels.telephone import Telephone
from channels.voice import RECORDING_PATH, STATUS_PATH
from channels.voice_script import PATH
from gateway.demo.caller import HANG_UP, SILENCE, Leave, Played, Press, Turn
from gateway.demo.provider import Home, StandIn, new_sid
from petition.arrival import Outcome
from petition.errors import NotFound, Unavailable
from tests.fakes.calls import WAV, Exchange, Installation
from tests.fakes.texts import MOBILE

STORY = "演示村后山上个月开始出现裂缝，下雨就有石头滚下来"
TALKING = Telephone(office="示例省信访局", notice="2026-11", speech=True)


@pytest.fixture
async def installed(tmp_path: Path) -> AsyncIterator[Installation]:
    async with StandIn() as twilio:
        installation = Installation(tmp_path, twilio)
        yield installation
        await installation.close()


@pytest.fixture
async def exchange(installed: Installation) -> Exchange:
    return await installed.open()


async def _requests(exchange: Exchange, turns: list[Turn]) -> tuple[Played, list[tuple[str, dict[str, str]]]]:
    """A call as the provider would play it, and the webhooks it makes."""
    played = await exchange.call(turns, callbacks=False)
    exchange.twilio.finish(played.recordings[0])
    return played, [(one.path, one.form) for one in (*played.requests, *played.pending)]


@pytest.mark.parametrize("speech", [False, True])
async def test_webhooks_in_any_order_give_one_case_with_one_recording(installed: Installation, speech: bool) -> None:
    first = await installed.open(replace(TALKING, speech=speech))
    turns: list[Turn] = [Press("1"), Leave(WAV, 5)]
    if speech:  # nothing was recognised, so it is recorded; then the words come after all
        turns = [Press("1"), SILENCE, Leave(WAV, 5)]
    _, requests = await _requests(first, turns)
    if speech:
        requests[2][1]["SpeechResult"] = STORY
        del requests[0]
    assert len(requests) == 5
    exchange = await installed.open(replace(TALKING, speech=speech))
    for order in itertools.permutations(requests):
        sid, recording = new_sid("CA"), new_sid("RE")
        for path, form in order:
            known = {"RecordingSid": recording} if "RecordingSid" in form else {}
            answer = await exchange.post(path, {**form, "CallSid": sid, **known})
            assert answer.status in (200, 204)
        mine = [one for one in exchange.desk.arrivals if one.raw_id == sid or one.raw_id.startswith((sid, recording))]
        assert [one.raw_id for one in mine if not one.sub_source] == [sid]
        assert sum(len(one.uploads) for one in mine) == 1
        told = "".join(one.statement.content for one in mine)
        assert told.count(STORY) == speech
    assert len(exchange.desk.cases) == 120
    assert await exchange.later() + await exchange.later() == 120
    assert len(exchange.desk.cases) == 120


async def test_webhooks_that_come_at_once_lose_nothing(installed: Installation) -> None:
    first = await installed.open()
    _, requests = await _requests(first, [Press("1"), Leave(WAV, 5)])
    exchange = await installed.open()
    for _ in range(10):
        sid, recording = new_sid("CA"), new_sid("RE")
        forms = [
            (path, {**form, "CallSid": sid} | ({"RecordingSid": recording} if "RecordingSid" in form else {}))
            for path, form in requests
        ]
        answers = await asyncio.gather(*(exchange.post(path, form) for path, form in forms * 2))
        assert {answer.status for answer in answers} <= {200, 204}
        mine = [one for one in exchange.desk.arrivals if one.raw_id.startswith((sid, recording))]
        assert sum(not one.sub_source for one in mine) == 1
        assert sum(len(one.uploads) for one in mine) == 1
    assert len(exchange.desk.cases) == 10


async def test_two_processes_share_a_call(installed: Installation) -> None:
    """The same notebook and desk behind two doors, which know nothing of each other's locks."""
    first = await installed.open()
    shared = {name: getattr(first.hall, name) for name in ("notebook", "intake", "refuse", "enquiries", "clock")}
    second = await installed.open(**shared)
    for _ in range(10):
        _, requests = await _requests(await installed.open(), [Press("1"), Leave(WAV, 5)])
        homes = itertools.cycle((first.home, second.home))
        await asyncio.gather(*(first.twilio.post(next(homes), path, form) for path, form in requests * 2))
    assert len(first.desk.cases) == 10
    assert sum(len(one.uploads) for one in first.desk.arrivals) == 10


async def test_a_retry_gets_the_same_document(exchange: Exchange) -> None:
    played = await exchange.call([Press("9"), Press("9"), Press("1"), Leave(WAV, 5)])
    for path, form in played.requests[:5]:
        answers = [(await exchange.post(path, form)).body for _ in range(2)]
        assert answers[0] == answers[1]
    first = await exchange.post(*played.requests[1])
    assert words.AGAIN in first.words
    last = await exchange.post(*played.requests[4])
    assert "查询码" in last.words
    assert len(exchange.desk.cases) == 1


async def test_a_recording_that_cannot_be_fetched_is_fetched_later(exchange: Exchange) -> None:
    exchange.twilio.down = True
    played = await exchange.call([Press("1"), Leave(WAV, 5)])
    assert exchange.desk.recordings == []
    assert await exchange.later() == 0
    exchange.twilio.down = False
    assert await exchange.later() == 1
    [recording] = exchange.desk.recordings
    assert exchange.desk.files[recording.raw_id] == [WAV]
    assert await exchange.page(played.sid) is None


async def test_a_recording_that_never_comes_is_told_after_days(exchange: Exchange) -> None:
    exchange.twilio.down = True
    await exchange.call([Press("1"), Leave(WAV, 5)])
    assert await exchange.later(minutes=2 * 24 * 60) == 0
    assert await exchange.later(minutes=2 * 24 * 60) == 1
    assert "没有取回" in exchange.desk.arrivals[-1].statement.content


async def test_an_address_of_strangers_is_never_fetched(exchange: Exchange) -> None:
    played = await exchange.call([Press("1"), HANG_UP])
    form = {**played.requests[0].form, "RecordingSid": new_sid("RE"), "RecordingUrl": "http://127.0.0.1:1/x"}
    assert (await exchange.post(RECORDING_PATH, form)).status == 204
    assert "录音没有取回" in exchange.desk.arrivals[-1].statement.content
    assert exchange.desk.recordings == []


async def test_a_late_recording_finds_its_case(exchange: Exchange) -> None:
    played = await exchange.call([Press("1"), HANG_UP])
    assert await exchange.later() == 1
    sid = exchange.twilio.record(played.sid, WAV, 5)
    exchange.twilio.finish(sid)
    url = exchange.twilio.url + str(exchange.twilio.recordings[sid].fields["uri"]).removesuffix(".json")
    form = {**played.requests[0].form, "RecordingSid": sid, "RecordingUrl": url, "RecordingStatus": "completed"}
    for _ in range(3):
        assert (await exchange.post(RECORDING_PATH, form)).status == 204
    assert len(exchange.desk.recordings) == 1
    assert len(exchange.desk.cases) == 1
    assert [why for _, why in exchange.desk.refused].count("duplicate") == 2


async def test_what_is_kept_survives_a_house_that_cannot_enter(exchange: Exchange) -> None:
    exchange.desk.trouble = Unavailable()
    played = await exchange.call([Press("1"), Leave(WAV, 5)], callbacks=False)
    assert words.KEPT in played.said
    exchange.twilio.finish(played.recordings[0])
    await exchange.later()
    assert len(exchange.desk.cases) == 1
    assert len(exchange.desk.recordings) == 1


async def test_what_is_not_verified_is_kept_and_told_nothing(installed: Installation) -> None:
    exchange = await installed.open()
    played = await exchange.call([Press("1"), Leave(WAV, 5)], callbacks=False)
    before = len(exchange.desk.arrivals)
    forger = Home(exchange.home.url, "https://elsewhere.example")
    seen = Counter[str]()
    for path, form in (*played.requests, *played.pending):
        answer = await exchange.twilio.post(forger, path, {**form, "CallSid": new_sid("CA")})
        assert (answer.status, answer.words) == (403, "")
        seen[path.partition("?")[0]] += 1
    held = exchange.desk.arrivals[before:]
    assert [arrival.hold for arrival in held] == ["签名不符"], "only what begins a call"
    assert held[0].statement.petitioners[0].mobile == ""
    assert [why for _, why in exchange.desk.refused] == ["forged"] * 4
    assert seen[PATH] == 1


async def test_without_a_token_every_call_waits_for_a_person(installed: Installation) -> None:
    exchange = await installed.open(twilio_auth_token=SecretStr(""))
    form = {"CallSid": new_sid("CA"), "From": MOBILE, "CallStatus": "ringing"}
    assert (await exchange.post(PATH, form)).status == 403
    assert exchange.desk.outcomes == [Outcome.HELD]


# label, path, parameters, status
ODD: list[tuple[str, str, dict[str, str], int]] = [
    ("no id", PATH, {"CallSid": ""}, 404),
    ("an id of something else", PATH, {"CallSid": "SM" + "0" * 32}, 404),
    ("a call that we made", PATH, {"Direction": "outbound-api"}, 404),
    ("a step that does not exist", f"{PATH}/elsewhere", {}, 404),
    ("a turn that is no number", f"{PATH}/menu?turn=x", {}, 404),
    ("a turn out of nowhere", f"{PATH}/code?turn=7", {"Digits": "1"}, 200),
    ("a recording without address", RECORDING_PATH, {"RecordingSid": "RE" + "0" * 32}, 204),
    ("a recording that is absent", RECORDING_PATH, {"RecordingStatus": "absent"}, 204),
    ("a status in between", STATUS_PATH, {"CallStatus": "in-progress"}, 204),
]


@pytest.mark.parametrize(("path", "changes", "status"), [case[1:] for case in ODD], ids=[case[0] for case in ODD])
async def test_odd_webhooks(exchange: Exchange, path: str, changes: dict[str, str], status: int) -> None:
    exchange.desk.status = NotFound()
    form = {"CallSid": new_sid("CA"), "From": MOBILE, "CallStatus": "ringing", "Direction": "inbound", **changes}
    assert (await exchange.post(path, form)).status == status
    assert exchange.desk.arrivals == []


async def test_a_call_known_only_by_its_end_is_a_case(exchange: Exchange) -> None:
    form = {"CallSid": new_sid("CA"), "From": MOBILE, "CallStatus": "no-answer", "Direction": "inbound"}
    assert (await exchange.post(STATUS_PATH, form)).status == 204
    [case] = exchange.desk.arrivals
    assert (case.hold, case.statement.petitioners[0].mobile) == ("来电未接通系统", MOBILE)


async def test_who_plays_with_the_keys_fills_no_house(exchange: Exchange) -> None:
    sid = new_sid("CA")
    for turn in range(220):
        form = {"CallSid": sid, "From": MOBILE, "Digits": "0", "n": str(turn)}
        await exchange.post(f"{PATH}/menu?turn={turn}", form)
    page = await exchange.page(sid)
    assert len(page["events"]) == 200
    assert len(exchange.desk.refused) == 20
