"""Calls in a real house: played against the whole application, entered in the real ledger, and balanced at the end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from channels.door import Tending
from channels.voice import Voice
from gateway.demo.caller import HANG_UP, Leave, Played, Press, Speak, Talk, Turn, play
from gateway.demo.doors import Place
from gateway.demo.journeys import follow, open_channels
from gateway.demo.provider import ACCOUNT, TOKEN, Home, StandIn
from gateway.demo.samples import load_calls
from gateway.demo.telephone import file_by_telephone, tone
from petition.keypad import case_keys, code_keys
from petition.petition import Form
from store import callbacks, calls, petitions
from store.codes import opening_event, query_code_of
from store.transaction import Transaction
from tests.houses import Rig, running_house, until
from tests.servers.process import free_port

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt fictional"
STORY = "兰州市城关区演示小区自来水已经停了三天，物业说不知道什么时候来水"


def _settings(twilio: StandIn, **more: Any) -> dict[str, Any]:
    return {
        "channels": ("voice",),
        "twilio_auth_token": TOKEN,
        "twilio_account_sid": ACCOUNT,
        "twilio_api_url": twilio.url,
        **more,
    }


async def _call(twilio: StandIn, rig: Rig, turns: list[Turn], **more: Any) -> Played:
    home = Home(rig.url, rig.house.settings.public_url)
    played = await play(twilio, home, turns, **more)
    assert played.trouble == ""
    return played


async def test_a_recorded_call_is_held_with_its_recording(tmp_path: Path) -> None:
    async with StandIn() as twilio:
        with running_house(tmp_path, way_out_too=True, **_settings(twilio)) as rig:
            played = await _call(twilio, rig, [Press("1"), Leave(WAV, 12)])
            number = await rig.house.store.read(lambda tx: next(iter(case.case_no for case in petitions.every(tx)), ""))

            def joined() -> bool:
                case = rig.house.store.read_now(lambda tx: petitions.get(tx, number))
                return len(case.petition.attachments) == 1

            assert await asyncio.to_thread(until, joined)
            case = rig.house.store.read_now(lambda tx: petitions.get(tx, number))
            assert (case.form, case.hold_reason) == (Form.PHONE, "来电留言，请听录音后登记要点")
            [file] = case.petition.attachments
            assert b"".join(rig.house.store.files.pieces(file.sha256)) == WAV
            assert "来电录音" in case.petition.content
            assert case.petition.petitioners[0].mobile == "+8615400000006"
            assert played.said[-2].count("信访编号") == 2
            assert (rig.balance("voice").gap, rig.gap(), rig.stumbles()) == (0, 0, [])


async def test_a_spoken_call_is_read_and_found_by_its_keys(tmp_path: Path) -> None:
    async with StandIn() as twilio:
        with running_house(tmp_path, **_settings(twilio, voice_speech=True)) as rig:
            await _call(twilio, rig, [Press("1"), Speak(STORY), Speak("请尽快恢复供水")])
            [case] = rig.house.store.read_now(lambda tx: list(petitions.every(tx)))
            assert case.petition.content.startswith(STORY)
            assert case.petition.problem_region.startswith("620102")
            code = _code(rig, case.case_no)
            asked = await _call(
                twilio, rig, [Press("2"), Press(case_keys(case.case_no)), Press(code_keys(code)), HANG_UP]
            )
            assert any("您查询的事项" in said for said in asked.said)
            wrong = await _call(twilio, rig, [Press("2"), Press(case_keys(case.case_no)), Press("0" * 12), HANG_UP])
            assert any("没有查到" in said for said in wrong.said)
            assert case.petition.raw_id.startswith("CA")
            assert (rig.balance("voice").gap, rig.stumbles()) == (0, [])


def _code(rig: Rig, case_no: str) -> str:
    """The query code, worked out as ADR 4 says."""

    def work(tx: Transaction) -> str:
        event = opening_event(tx, case_no)
        assert event is not None
        return query_code_of(tx.vault, *event[:3], json.loads(event[3]))

    return rig.house.store.read_now(work)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
async def test_a_call_survives_a_restart_between_two_webhooks(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else ""
    async with StandIn() as twilio:
        settings = _settings(twilio, voice_quiet=60, database_url=url)
        with running_house(tmp_path, **settings) as rig:
            played = await _call(twilio, rig, [Press("1"), Leave(WAV, 5)], callbacks=False)
            twilio.finish(played.recordings[0])
        with running_house(tmp_path, **settings) as rig:
            home = Home(rig.url, rig.house.settings.public_url)
            for path, form in (*played.requests, *played.pending):
                answer = await twilio.post(home, path, form)
                assert answer.status in (200, 204)
            cases = rig.house.store.read_now(lambda tx: list(petitions.every(tx)))
            assert len(cases) == 1
            assert (rig.balance("voice").gap, rig.stumbles()) == (0, [])


async def test_an_open_seat_is_dialled_and_has_the_case_of_the_call(tmp_path: Path) -> None:
    async with StandIn() as twilio:
        with running_house(tmp_path, **_settings(twilio, seat_line="sip:seats@office.example")) as rig:
            store = rig.house.store
            await store.write(lambda tx: calls.sit(tx, "test", ["seat-one"]))
            played = await _call(twilio, rig, [Press("3"), Talk(60)])
            assert "Dial" in played.verbs
            [case] = store.read_now(lambda tx: list(petitions.every(tx)))
            call = store.read_now(lambda tx: calls.find(tx, "voice", played.sid))
            assert call is not None
            assert (call.case_no, call.number, call.state) == (case.case_no, "+8615400000006", calls.CallState.OVER)
            [task] = store.read_now(lambda tx: callbacks.of_call(tx, "voice", played.sid))
            assert (task.reason, task.case_no) == (callbacks.Reason.UNWRITTEN, case.case_no), "nobody wrote it down"
            alone = await _call(twilio, rig, [Press("4"), Press("#"), HANG_UP], caller="+8615400000007")
            [wish] = store.read_now(lambda tx: callbacks.of_call(tx, "voice", alone.sid))
            assert (wish.reason, wish.number) == (callbacks.Reason.WISH, "+8615400000007")
            assert (rig.gap(), rig.stumbles()) == (0, [])


def test_the_voice_door_asks_to_be_tended() -> None:
    assert isinstance(Voice(), Tending)


@pytest.mark.parametrize("speech", [True, False])
def test_the_demo_calls_and_hears_the_same_number_twice(tmp_path: Path, speech: bool) -> None:
    port = free_port()
    settings: dict[str, Any] = {
        "channels": ("voice", "rest"),
        "twilio_auth_token": TOKEN,
        "twilio_account_sid": ACCOUNT,
        "twilio_api_url": f"http://127.0.0.1:{port}",
        "voice_speech": speech,
    }
    with running_house(tmp_path, way_out_too=True, **settings) as rig:
        place = Place.of(rig.url, rig.house.settings)
        [sample] = load_calls()
        assert open_channels(place, ("voice",)) == {"voice"}
        filed = file_by_telephone(place, sample)
        assert filed.case_no == filed.repeat
        arrived = follow(place, filed, 20)
        assert arrived is not None
        assert bool(arrived.unit) is speech, "what was only recorded waits for a person"
        held = rig.house.store.read_now(lambda tx: petitions.get(tx, filed.case_no))
        assert held.petition.form is Form.PHONE
        if not speech:
            assert until(lambda: _files(rig, filed.case_no) == [tone()])
        assert rig.gap() == 0


def _files(rig: Rig, case_no: str) -> list[bytes]:
    """The bodies of a case's files."""
    case = rig.house.store.read_now(lambda tx: petitions.get(tx, case_no))
    return [b"".join(rig.house.store.files.pieces(file.sha256)) for file in case.petition.attachments]
