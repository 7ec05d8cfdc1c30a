"""The stand-in of the provider: what it tells a house, and how it plays a call against its TwiML."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse

from gateway.demo.caller import (
    HANG_UP,
    SILENCE,
    VOICE,
    VOICE_STATUS,
    Leave,
    Played,
    Press,
    Speak,
    Talk,
    Turn,
    play,
)
from gateway.demo.provider import TOKEN, Home, StandIn

PUBLIC = "https://petitions.example/gw"
WAV = b"RIFF fictional"


class House:
    """An IVR that remembers what it was asked, and answers by the last part of the path."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.home = Home("")

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        signature = request.headers["X-Twilio-Signature"]
        assert RequestValidator(TOKEN).validate(PUBLIC + request.path_qs, form, signature)
        self.asked.append((request.path_qs, form))
        step = request.path.rpartition("/")[2]
        if step in ("status", "recording"):
            return web.Response(status=204)
        if step == "broken":
            return web.Response(status=500, text="<p>")
        return web.Response(text=str(_document(step, form)), content_type="text/xml")


def _document(step: str, form: dict[str, str]) -> VoiceResponse:
    said = VoiceResponse()
    match step:
        case "voice":
            with said.gather(action="voice/menu", num_digits=1, input="dtmf speech", language="zh-CN") as menu:
                menu.say("您好。反映问题请按1。", language="zh-CN")
            said.say("没有听到您的选择。")
            said.redirect("voice/menu?none=1")
        case "menu" if form.get("Digits") == "1" or "none" in form or form.get("SpeechResult"):
            said.record(action="recorded", recording_status_callback="recording", max_length=60)
            said.say("没有录到声音。")
        case "menu" if form.get("Digits") == "3":
            said.dial("+8615400000001", action="seat")
        case "menu" if form.get("Digits") == "9":
            said.redirect("https://elsewhere.example/")
        case "menu" if form.get("Digits") == "8":
            said.redirect("broken")
        case "menu" if form.get("Digits") == "7":
            said.redirect("again")
        case "again":
            said.redirect("again")
        case "recorded" | "seat":
            said.say("已登记。")
            said.hangup()
            said.say("听不到。")
        case _:
            said.say("再见。")
    return said


@pytest.fixture
async def twilio() -> AsyncIterator[StandIn]:
    async with StandIn() as opened:
        yield opened


@pytest.fixture
async def house() -> AsyncIterator[House]:
    opened = House()
    app = web.Application()
    app.router.add_post("/{rest:.*}", opened.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        opened.home = Home(str(server.make_url("")).rstrip("/"), PUBLIC)
        yield opened


def steps(played: Played) -> list[str]:
    return [request.path.removeprefix(VOICE) for request in played.requests]


END = ["/status"]
# label, what the caller does, the requests, what was heard last
CALLS: list[tuple[str, Sequence[Turn], list[str], str]] = [
    ("leaves a recording", [Press("1"), Leave(WAV, 12)], ["", "/menu", "/recorded", "/recording", *END], "已登记。"),
    ("presses too many keys", [Press("11#"), HANG_UP], ["", "/menu", *END], "您好。反映问题请按1。"),
    ("hangs up at once", [HANG_UP], ["", *END], "您好。反映问题请按1。"),
    ("says nothing", [], ["", "/menu?none=1", *END], "再见。"),
    ("records nothing", [Press("1"), SILENCE], ["", "/menu", *END], "没有录到声音。"),
    ("hangs up while recording", [Press("1"), Leave(WAV, 5, hangs_up=True)],
     ["", "/menu", "/recorded", "/recording", *END], "您好。反映问题请按1。"),
    ("talks to a seat", [Press("3"), Talk(30)], ["", "/menu", "/seat", *END], "已登记。"),
    ("nobody at the seat", [Press("3")], ["", "/menu", "/seat", *END], "已登记。"),
    ("speaks", [Speak("我要反映问题"), HANG_UP], ["", "/menu", *END], "您好。反映问题请按1。"),
    ("an error of the house", [Press("8")], ["", "/menu", "/broken", *END], "您好。反映问题请按1。"),
]  # fmt: skip


@pytest.mark.parametrize(("turns", "asked", "last"), [case[1:] for case in CALLS], ids=[case[0] for case in CALLS])
async def test_calls(twilio: StandIn, house: House, turns: Sequence[Turn], asked: list[str], last: str) -> None:
    played = await play(twilio, house.home, turns)
    assert steps(played) == asked
    assert played.said[-1] == last
    assert [path.removeprefix(VOICE) for path, _ in house.asked] == asked, "the house was asked the same"
    assert played.status == twilio.calls[played.sid].fields["status"] == "completed"


async def test_what_the_requests_of_a_call_tell(twilio: StandIn, house: House) -> None:
    await play(twilio, house.home, [Press("1"), Leave(WAV, 99, hangs_up=True)])
    forms: dict[str, dict[str, Any]] = {path.removeprefix(VOICE): form for path, form in house.asked}
    assert len({form["CallSid"] for form in forms.values()}) == 1
    assert (forms[""]["CallStatus"], forms[""]["From"], forms[""]["Direction"]) == (
        "ringing",
        "+8615400000006",
        "inbound",
    )
    assert (forms["/menu"]["CallStatus"], forms["/menu"]["Digits"]) == ("in-progress", "1")
    recorded, told = forms["/recorded"], forms["/recording"]
    assert (recorded["CallStatus"], recorded["Digits"], recorded["RecordingDuration"]) == ("completed", "hangup", "60")
    assert recorded["RecordingUrl"] == told["RecordingUrl"]
    assert (told["RecordingStatus"], told["RecordingSid"]) == ("completed", recorded["RecordingSid"])
    assert forms["/status"]["CallStatus"] == "completed"
    assert int(forms["/status"]["CallDuration"]) >= 60


async def test_speech_and_dialling_are_told(twilio: StandIn, house: House) -> None:
    await play(twilio, house.home, [Speak("漏水了", 0.5)])
    assert {"SpeechResult": "漏水了", "Confidence": "0.50000000"}.items() <= house.asked[1][1].items()
    await play(twilio, house.home, [Press("3"), Talk(status="busy")])
    assert house.asked[-2][1]["DialCallStatus"] == "busy"


async def test_callbacks_can_be_sent_in_any_order(twilio: StandIn, house: House) -> None:
    played = await play(twilio, house.home, [Press("1"), Leave(WAV, 3)], callbacks=False)
    assert [request.path for request in played.pending] == [
        VOICE + "/voice/recording".removeprefix("/voice"),
        VOICE_STATUS,
    ]
    assert twilio.recordings[played.recordings[0]].fields["status"] == "processing"
    for path, form in reversed(played.pending):
        await twilio.post(house.home, path, form)
    assert [path for path, _ in house.asked[-2:]] == [VOICE_STATUS, VOICE + "/recording"]


# label, keys, why the call broke off
BROKEN = [("leads out of the house", "9", "地址不在本系统内"), ("leads in a circle", "7", "走不到头")]


@pytest.mark.parametrize(("key", "trouble"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
async def test_calls_that_break_off(twilio: StandIn, house: House, key: str, trouble: str) -> None:
    played = await play(twilio, house.home, [Press(key)])
    assert played.trouble.startswith(trouble)


async def test_messages_and_receipts_are_signed(twilio: StandIn, house: House) -> None:
    sid = twilio.receive("后山有落石", "+8615400000006", files=[("image/png", b"png")])
    answer = await twilio.deliver(sid, house.home)
    assert (answer.status, answer.words) == (200, "再见。")
    form = house.asked[0][1]
    assert (form["MessageSid"], form["NumMedia"], form["MediaContentType0"]) == (sid, "1", "image/png")
    assert form["MediaUrl0"].startswith(twilio.url)
    out = twilio.receive("", "+8615400000006")
    assert (await twilio.report(out, house.home, "undelivered")).status == 204
    assert house.asked[1][1]["MessageStatus"] == "undelivered"
