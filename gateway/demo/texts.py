"""The text messages of the demo (演示短信): sent over the provider's stand-in, with a picture, and one lost."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import httpx

from gateway.demo.browser import Stuck
from gateway.demo.doors import TEXTS, Filed, Place
from gateway.demo.papers import MEDIA_TYPES, paper
from gateway.demo.provider import ACCOUNT, Answer, Home, StandIn
from gateway.demo.samples import Sample, SampleFile, load_samples
from petition import clock
from petition.petition import Form

LOST = "lost"  # `Sample.via` of a message whose webhook does not come
SOON = 60  # seconds: the demo does not wait longer for a round over the provider's list
_FIRST = 21  # the numbers of these samples, behind those of every other channel
_AGE = timedelta(minutes=10)  # a lost message is old enough that nobody waits for its webhook
_SPARE = 30.0  # seconds a round may take
_PAUSE = 0.5
_BROUGHT = re.compile(r'^gateway_caught_up_total\{channel="sms",kind="messages"\} ([0-9.]+)', re.M)
_TOLD = re.compile(r"编号(?P<case_no>[0-9A-Z-]+).*?查询码(?P<code>[0-9A-Z-]{14})", re.S)


def load_texts(place: Place) -> Sequence[Sample]:
    """Further samples: a message with a picture, and one that only the provider's list brings.

    None where the provider is not played on this machine; no lost one where the rounds are too far apart to wait.
    """
    if not place.provider_port or not place.account:
        return ()
    text = next(sample for sample in load_samples() if sample.form is Form.SMS)
    picture = SampleFile(name="现场照片.png", kind="png")
    told = [replace(text, n=_FIRST, title=f"{text.title}（附照片）", files=(picture,))]
    if 0 < place.reconcile <= SOON:
        told.append(replace(text, n=_FIRST + 1, title=f"{text.title}（通知丢失）", via=LOST))
    return tuple(told)


def file_by_sms(place: Place, sample: Sample) -> Filed:
    """As the provider does: a signed webhook, once more as if the answer had been lost, number and code in the answers.

    A lost message has its webhook only after the house has found it in the list.
    """
    return asyncio.run(_text(place, sample))


async def _text(place: Place, sample: Sample) -> Filed:
    house, lost = Home(place.url, place.public_url), sample.via == LOST
    twilio = StandIn(place.account or ACCOUNT, place.token, now=_earlier if lost else clock.now)
    if place.provider_port:
        await twilio.start(place.provider_port)
    try:
        # A telephone of its own each time: what the same one sends within minutes joins the case before.
        sender = f"+86154{secrets.randbelow(10**8):08d}"
        pictures = [(MEDIA_TYPES[file.kind], paper(file, sample.title)) for file in sample.files]
        before = await _brought(place) if lost else 0.0
        sid = twilio.receive(sample.content, sender, files=pictures)
        if lost:
            await _wait_for_the_round(place, before)
        (case_no, code), (repeat, _) = [_read(await twilio.deliver(sid, house)) for _ in range(2)]
    finally:
        await twilio.stop()
    return Filed(case_no, code, repeat)


def _earlier() -> datetime:
    return clock.now() - _AGE


async def _wait_for_the_round(place: Place, before: float) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + place.reconcile + _SPARE
    while await _brought(place) <= before:
        if loop.time() > end:
            raise Stuck("对账没有补收这条短信 (the reconciliation did not bring it)")
        await asyncio.sleep(_PAUSE)


async def _brought(place: Place) -> float:
    """How many messages the house has found in the provider's list since its start."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.get(f"{place.url}/metrics")
    found = _BROUGHT.search(answer.text)
    return float(found[1]) if found else 0.0


def _read(answer: Answer) -> tuple[str, str]:
    told = _TOLD.search(answer.words)
    if answer.status != 200 or told is None:
        raise Stuck(f"{TEXTS}: 应答 {answer.status} {answer.body[:200]}")
    return told["case_no"].replace("-", ""), told["code"]
