"""The telephone door alone: calls played by the provider's stand-in over real HTTP; however it ends, it is one case."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from channels import voice_words as words
from channels.telephone import Telephone
from channels.voice import STATUS_PATH
from channels.voice_script import PATH
from gateway.demo.caller import HANG_UP, SILENCE, Leave, Press, Speak, Talk, Turn
from gateway.demo.provider import StandIn, new_sid
from petition.errors import NotFound, TooMany
from petition.petition import Form
from tests.fakes.calls import WAV, Exchange, Installation, verbs
from tests.fakes.texts import MOBILE

STORY = "演示村后山上个月开始出现裂缝，下雨就有石头滚下来"
DEMAND = "请派人来查看并通知村里搬迁"
TALKING = Telephone(office="示例省信访局", notice="2026-11", speech=True)
STAFFED = Telephone(office="示例省信访局", seat_line="+8609310000000")


@pytest.fixture
async def installed(tmp_path: Path) -> AsyncIterator[Installation]:
    async with StandIn() as twilio:
        installation = Installation(tmp_path, twilio)
        yield installation
        await installation.close()


@pytest.fixture
async def exchange(installed: Installation) -> Exchange:
    return await installed.open()


async def test_a_message_becomes_one_case_and_its_recording_joins_it(exchange: Exchange) -> None:
    played = await exchange.call([Press("1"), Leave(WAV, 12)])
    case, recording = exchange.desk.arrivals
    assert (case.channel, case.form, case.raw_id) == ("voice", Form.PHONE, played.sid)
    assert (case.hold, case.statement.petitioners[0].mobile) == ("来电留言，请听录音后登记要点", MOBILE)
    assert case.statement.privacy_notice_version == "2026-11"
    assert [json.loads(line)["step"] for line in case.raw.splitlines()] == ["incoming", "menu", "recorded"]
    [number] = exchange.desk.cases
    assert (recording.sub_source, recording.raw_id) == (f"supplement:{number}", f"{played.recordings[0]}:recording")
    assert exchange.desk.files[recording.raw_id] == [WAV]
    assert "12秒" in recording.statement.content
    said = played.said[-2]
    assert said.count(words.spoken(number)) == 2, "the number is told twice"
    assert "短信" not in said, "nothing is promised that does not happen"
    assert "录音" in played.said[0]
    assert "示例省信访局" in played.said[0]


async def test_spoken_words_are_an_ordinary_petition(installed: Installation) -> None:
    exchange = await installed.open(TALKING)
    played = await exchange.call([Press("1"), Speak(STORY), Speak(DEMAND, 0.4)])
    [case] = exchange.desk.arrivals
    assert (case.statement.content, case.statement.requests, case.hold) == (STORY, (DEMAND,), "")
    assert [note.code for note in case.notes] == ["speech", "unsure"]
    assert "查询码" in played.said[-2]
    assert STORY[:4] not in "".join(played.said), "nothing of the case is spoken back"


async def test_who_simply_speaks_is_heard(installed: Installation) -> None:
    exchange = await installed.open(TALKING)
    await exchange.call([Speak(STORY), Speak(DEMAND)])
    [case] = exchange.desk.arrivals
    assert (case.statement.content, case.statement.requests) == (STORY, (DEMAND,))


async def test_a_text_message_is_promised_only_if_one_leaves(exchange: Exchange) -> None:
    exchange.desk.texts = True
    played = await exchange.call([Press("1"), Leave(WAV, 12)])
    assert words.TEXTED in played.said[-2]
    foreign = await exchange.call([Press("1"), Leave(WAV, 12)], caller="+15400000001")
    assert "短信" not in "".join(foreign.said)


# label, what the caller does, why the case is held, how many recordings
HANG_UPS: list[tuple[str, list[Turn], str, int]] = [
    ("at the greeting", [HANG_UP], "来电未留言", 0),
    ("after a wrong key", [Press("9"), HANG_UP], "来电未留言", 0),
    ("before the tone", [Press("1"), HANG_UP], "来电未留言", 0),
    ("while speaking", [Press("1"), Leave(WAV, 7, hangs_up=True)], "来电留言，请听录音后登记要点", 1),
    ("before the number", [Press("2"), HANG_UP], "来电未留言", 0),
    ("before the code", [Press("2"), Press("620000720261122000015#"), HANG_UP], "来电未留言", 0),
    ("before the callback is confirmed", [Press("4"), HANG_UP], "来电请求回电", 0),
    ("after the callback", [Press("4"), SILENCE, HANG_UP], "来电请求回电", 0),
    ("without a key, then speaking", [SILENCE, SILENCE, SILENCE, Leave(WAV, 7)], "来电留言，请听录音后登记要点", 1),
    ("never a sound", [SILENCE] * 9, "来电未留言", 0),
]


@pytest.mark.parametrize(
    ("turns", "hold", "recordings"), [case[1:] for case in HANG_UPS], ids=[case[0] for case in HANG_UPS]
)
async def test_wherever_it_breaks_off_a_call_is_one_case(
    exchange: Exchange, turns: list[Turn], hold: str, recordings: int
) -> None:
    played = await exchange.call(turns)
    [case] = exchange.desk.cases.values()
    assert (case.hold, case.raw_id) == (hold, played.sid)
    wordless = hold == "来电未留言"
    assert case.text_to == ("" if wordless else MOBILE), "who only rang is not written to"
    assert case.statement.content, "never empty: what joins it later must not stand alone"
    assert len(exchange.desk.recordings) == recordings
    assert played.sid in exchange.seats.ended
    assert await exchange.later() == 1
    assert await exchange.page(played.sid) is None
    assert len(exchange.desk.cases) == 1


@pytest.mark.parametrize("turns", [case[1] for case in HANG_UPS], ids=[case[0] for case in HANG_UPS])
async def test_without_any_callback_the_call_is_entered_when_it_has_been_quiet(
    exchange: Exchange, turns: list[Turn]
) -> None:
    played = await exchange.call(turns, callbacks=False)
    for sid in played.recordings:
        exchange.twilio.finish(sid)
    assert await exchange.later(minutes=9) == 0
    await exchange.later(minutes=2)
    assert len(exchange.desk.cases) == 1
    assert len(exchange.desk.recordings) == len(played.recordings), "also a recording whose callback never came"
    await exchange.later(minutes=400)
    assert await exchange.page(played.sid) is None
    assert len(exchange.desk.cases) == 1


async def test_the_same_wrong_key_twice_counts_twice(exchange: Exchange) -> None:
    played = await exchange.call([Press("9"), Press("9"), Press("9"), Leave(WAV, 5)])
    assert played.verbs.count("Record") == 1
    assert words.RECORD_ANYWAY in played.said


async def test_listening_again_never_ends_in_a_circle(exchange: Exchange) -> None:
    played = await exchange.call([*[Press("0")] * 20, Leave(WAV, 5)])
    assert 2 < len([said for said in played.said if said == played.said[0]]) < 15
    assert played.verbs.count("Record") == 2, "the keys pressed at the first tone were silence"
    assert played.status == "completed"


async def test_a_status_is_told_by_keys_and_opens_no_case(exchange: Exchange) -> None:
    played = await exchange.call([Press("2"), Press("620000720261122000015"), Press("762597924823"), HANG_UP])
    assert exchange.desk.keys == [("620000720261122000015", "762597924823")]
    assert str(exchange.desk.status) in played.said[-1]
    assert exchange.desk.cases == {}
    assert [why for _, why in exchange.desk.refused] == ["status_query"]
    assert await exchange.later() == 1
    late = await exchange.post(STATUS_PATH, {**played.requests[-1].form, "Timestamp": "later"})
    assert late.status == 204
    assert exchange.desk.cases == {}, "a late callback does not make a case of an enquiry"


async def test_a_wrong_number_and_a_wrong_code_sound_alike_and_lead_on(exchange: Exchange) -> None:
    exchange.desk.status = NotFound()
    tries: list[Turn] = [Press("1234"), Press("1")]
    played = await exchange.call([Press("2"), *tries * 3, Press("1"), Leave(WAV, 5)])
    assert sum(words.FAILED in said for said in played.said) == 3
    assert len(exchange.desk.cases) == 1
    exchange.desk.status = TooMany()
    limited = await exchange.call([Press("2"), *tries])
    assert TooMany().words in limited.said


async def test_who_queried_and_then_told_something_has_a_case(exchange: Exchange) -> None:
    await exchange.call([Press("2"), Press("620000720261122000015"), Press("762597924823"), Press("1"), Leave(WAV, 5)])
    assert len(exchange.desk.cases) == 1
    assert len(exchange.desk.recordings) == 1


async def test_a_seat_is_rung_with_the_case_and_dialled(installed: Installation) -> None:
    exchange = await installed.open(STAFFED)
    played = await exchange.call([Press("3"), Talk(90)])
    [number] = exchange.desk.cases
    rung, answered = exchange.seats.rung
    assert (answered.id, answered.seat) == (played.sid, STAFFED.seat_line), "it was answered, and is no missed call"
    assert (rung.channel, rung.id, rung.number, rung.case_no) == ("voice", played.sid, MOBILE, number)
    assert played.verbs.count("Dial") == 1
    assert exchange.desk.cases[number].hold == "来电转坐席，请核对登记内容"
    assert played.sid in exchange.seats.ended


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
async def test_who_reaches_no_seat_may_leave_a_message_in_the_same_case(installed: Installation, status: str) -> None:
    exchange = await installed.open(STAFFED)
    played = await exchange.call([Press("3"), Talk(status=status), Press("1"), Leave(WAV, 9)])
    assert words.BUSY in played.said
    assert [rung.seat for rung in exchange.seats.rung] == [""]
    assert len(exchange.desk.cases) == 1
    assert len(exchange.desk.recordings) == 1


async def test_an_empty_room_is_not_dialled(installed: Installation) -> None:
    exchange = await installed.open(STAFFED)
    exchange.seats.open = False
    played = await exchange.call([Press("3"), Press("4"), Press("#"), HANG_UP])
    assert "Dial" not in played.verbs
    assert len(exchange.seats.wanted) == 1
    without = await (await installed.open()).call([Press("3"), HANG_UP])
    assert words.BUSY in without.said


# label, caller, what is typed, number that is called back
CALLBACKS: list[tuple[str, str, list[str], str]] = [
    ("the caller's own", MOBILE, ["#"], MOBILE),
    ("another mobile", MOBILE, ["15400000007#"], "+8615400000007"),
    ("a landline", MOBILE, ["09318123456#"], "0931-8123456"),
    ("a slip, then right", MOBILE, ["154#", "15400000007#"], "+8615400000007"),
    ("nobody's number", "anonymous", ["15400000007#"], "+8615400000007"),
    ("from abroad", "+15400000001", ["#"], "+15400000001"),
]


@pytest.mark.parametrize(
    ("caller", "typed", "number"), [case[1:] for case in CALLBACKS], ids=[case[0] for case in CALLBACKS]
)
async def test_a_callback_is_noted_with_its_case(
    exchange: Exchange, caller: str, typed: list[str], number: str
) -> None:
    exchange.desk.texts = True
    played = await exchange.call([Press("4"), *map(Press, typed), Leave(WAV, 5, hangs_up=True)], caller=caller)
    [(wanted, _)] = exchange.seats.wanted
    [case_no] = exchange.desk.cases
    assert (wanted.number, wanted.case_no, wanted.id) == (number, case_no, played.sid)
    assert exchange.desk.cases[case_no].text_to in ("", MOBILE), "no code goes to a number that was only typed"
    assert len(exchange.desk.recordings) == 1


async def test_what_is_listened_for_is_what_was_set(installed: Installation) -> None:
    exchange = await installed.open(replace(TALKING, voice="Polly.Zhiyu", language="cmn-CN"))
    form = {"CallSid": new_sid("CA"), "From": MOBILE, "CallStatus": "ringing"}
    document = (await exchange.post(PATH, form)).body
    assert verbs(document) == ["Gather"]
    for wanted in ('input="dtmf speech"', 'language="cmn-Hans-CN"', 'voice="Polly.Zhiyu"', 'language="cmn-CN"'):
        assert wanted in document
    assert f'action="{exchange.home.public_url}{PATH}/menu?turn=1"' in document


async def test_the_quiet_time_can_be_set(installed: Installation) -> None:
    exchange = await installed.open(Telephone(quiet=timedelta(minutes=2)))
    await exchange.call([HANG_UP], callbacks=False)
    await exchange.later(minutes=1)
    assert exchange.desk.cases == {}
    await exchange.later(minutes=2)
    assert len(exchange.desk.cases) == 1
