"""The telephone of the demo (演示电话): what is told by word of mouth, called in over the provider's stand-in."""

from __future__ import annotations

import asyncio
import io
import re
import secrets
import wave

from channels.voice_words import signs_of
from gateway.demo.browser import Stuck
from gateway.demo.caller import Leave, Played, Press, Speak, Turn, play
from gateway.demo.doors import Filed, Place
from gateway.demo.provider import Home, StandIn
from gateway.demo.samples import Sample

_TOLD = re.compile(r"信访编号：(?P<case_no>.*?)查询码：(?P<code>.*?)再说一遍", re.S)
_SECONDS = 4


def file_by_telephone(place: Place, sample: Sample) -> Filed:
    """A call to its end: number and code are heard, the last webhook comes once more as the provider repeats it.

    Where speech is recognised the words are spoken; else they are left as a recording, for which a person is needed.
    """
    return asyncio.run(_call(place, sample))


async def _call(place: Place, sample: Sample) -> Filed:
    house = Home(place.url, place.public_url)
    twilio = StandIn(place.account, place.token) if place.account else StandIn(token=place.token)
    words = f"{sample.spoken}地方是{sample.region_name}{sample.occur_place}。"
    turns: list[Turn] = [Press("1"), Leave(tone(), _SECONDS)]
    if place.speech:
        turns = [Press("1"), Speak(words), Speak("；".join(sample.requests))]
    if place.provider_port:
        await twilio.start(place.provider_port)
    try:
        played = await play(twilio, house, turns, caller=f"+86154{secrets.randbelow(10**8):08d}")
        case_no, code = _heard(played)
        path, form = next(one for one in reversed(played.requests) if "turn=" in one.path)
        answer = await twilio.post(house, path, form)
    finally:
        await twilio.stop()
    again = _TOLD.search(answer.words)
    return Filed(case_no, code, signs_of(again["case_no"]) if again else "", waits="" if place.speech else "待听录音")


def tone() -> bytes:
    """Some seconds of near silence, as WAV: nobody's voice."""
    body = io.BytesIO()
    with wave.open(body, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x10\x00" * 8000 * _SECONDS)
    return body.getvalue()


def _heard(played: Played) -> tuple[str, str]:
    told = next(filter(None, map(_TOLD.search, played.said)), None)
    if played.trouble or told is None:
        raise Stuck(f"电话: {played.trouble or '没有听到编号和查询码'}")
    code = signs_of(told["code"])
    return signs_of(told["case_no"]), "-".join(code[start : start + 4] for start in range(0, len(code), 4))
