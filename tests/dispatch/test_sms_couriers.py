"""The ways to providers of text messages: what goes over the wire is signed right, and every answer is understood."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from config.messenger import Messenger, load_messenger
from dispatch.courier import Again, Held
from dispatch.couriers.described import DescribedTexts
from dispatch.couriers.sms import OptedOut, Sent, ShortText, Texter, Unsure
from dispatch.couriers.twilio import TwilioTexts
from petition.clock import SHANGHAI
from tests.fakes.sms_provider import KINDS, SECRET, Provider, providing
from tests.fakes.twilio_texts import ACCOUNT, LINE, TOKEN, TwilioList, twilio_texts

SAMPLES = Path(__file__).parents[2] / "docs" / "sms"
TEXT = ShortText(
    to="+8615400000006",
    words="【示例省信访局】您的诉求已登记，编号620000P2026112200001K，查询码7M2K-9QXA-4TBD，“请保存”& 100%。",
    kind="acknowledgement",
    values={"case_no": "620000P2026112200001K", "query_code": "7M2K-9QXA-4TBD", "track_url": "https://x.example/track"},
    id="0123456789abcdef0123456789abcdef",
    receipts="https://petitions.example/webhooks/twilio/sms/status?order=41",
    at=datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI),
)
NOTICE = replace(TEXT, kind="notice", values={"case_no": "620000P2026112200001K", "status": "已受理"})


def described(provider: Provider, **changes: Any) -> DescribedTexts:
    """The way by the sample of that kind, led to this machine."""
    known = load_messenger(SAMPLES / f"{provider.kind}.toml")
    path = urlsplit(known.url).path
    return DescribedTexts(replace(known, url=provider.url + path, timeout=0.3, **changes), SECRET, "示例省信访局/窗口")


@pytest.fixture(params=sorted(KINDS))
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    with providing(request.param) as opened:
        yield opened


def test_every_sample_signs_as_its_provider_checks(provider: Provider) -> None:
    way = described(provider)
    assert way.send(TEXT, repeat=False) == Sent(message_id=f"{'ABC'[sorted(KINDS).index(provider.kind)]}-1")
    assert isinstance(way.send(NOTICE, repeat=False), Sent)
    way.close()
    assert provider.forged == 0
    assert [number for number, _ in provider.taken] == ["15400000006", "15400000006"]


def test_a_wrong_key_is_found_by_the_provider_and_blamed_on_the_settings(provider: Provider) -> None:
    known = load_messenger(SAMPLES / f"{provider.kind}.toml")
    way = DescribedTexts(replace(known, url=provider.url + urlsplit(known.url).path), "another key", "示例省信访局")
    outcome = way.send(TEXT, repeat=False)
    way.close()
    assert provider.forged == 1
    assert isinstance(outcome, Again)
    assert "设置" in outcome.problem


def test_no_two_requests_are_alike_and_the_id_is(provider: Provider) -> None:
    way = described(provider)
    first, second = way.request(TEXT), way.request(TEXT)
    way.close()
    assert (str(first.url), first.read(), dict(first.headers)) != (str(second.url), second.read(), dict(second.headers))
    if load_messenger(SAMPLES / f"{provider.kind}.toml").repeatable:
        assert all(TEXT.id in str(one.url) + one.read().decode() for one in (first, second))


def test_the_form_carries_every_sign_of_the_text() -> None:
    with providing("form-md5") as provider:
        way = described(provider)
        way.send(TEXT, repeat=False)
        way.close()
    assert provider.taken == [("15400000006", TEXT.words)]
    assert provider.asks[0].form["timestamp"] == "20261122093000"


# label, status and body of the answer, what it means
ANSWERS: list[tuple[str, int, bytes, type[object]]] = [
    ("taken", 200, b'{"code": 0, "data": {"msgid": 77}}', Sent),
    ("taken without an id", 200, b'{"code": "0"}', Sent),
    ("too fast", 200, b'{"code": "1008"}', Again),
    ("the person refused", 200, b'{"code": "2011"}', OptedOut),
    ("a wrong number", 200, b'{"code": "3001"}', Held),
    ("the code of a success with an error", 500, b'{"code": "0"}', Unsure),
    ("busy", 429, b"", Again),
    ("not now", 503, b"<html>", Again),
    ("broken", 502, b"<html>", Unsure),
    ("refused without a code", 400, b"", Held),
    ("no such page", 404, b"not found", Again),
    ("moved", 302, b"", Again),
    ("a sign-in page", 200, b"<html>please sign in</html>", Unsure),
    ("another shape", 200, b'[{"code": "0"}]', Unsure),
    ("without end", 200, b'{"code": "0"' + b" " * (70 << 10) + b"}", Unsure),
]


@pytest.mark.parametrize(("status", "body", "kind"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_answers(status: int, body: bytes, kind: type[object]) -> None:
    with providing("form-md5") as provider:
        provider.mood = (status, body)
        way = described(provider)
        outcome = way.send(TEXT, repeat=False)
        way.close()
    assert isinstance(outcome, kind)
    assert "15400000006" not in repr(outcome)


# label, description, what a try says, what a second try says after it
SILENCES: list[tuple[str, str, type[object], type[object]]] = [
    ("a provider that does not know the id", "form-md5", Unsure, Held),
    ("a provider that does", "json-hmac-sha256", Unsure, Sent),
]


@pytest.mark.parametrize("mood", ["silent", "cut"])
@pytest.mark.parametrize(("kind", "first", "then"), [row[1:] for row in SILENCES], ids=[row[0] for row in SILENCES])
def test_what_silence_means(kind: str, first: type[object], then: type[object], mood: str) -> None:
    with providing(kind) as provider:
        way = described(provider)
        provider.mood, provider.wait = mood, 0.6
        assert isinstance(way.send(TEXT, repeat=False), first)
        provider.mood = ""
        assert isinstance(way.send(TEXT, repeat=True), then)
        way.close()
        ids = [told for _, told in provider.taken]
        assert ids == [TEXT.id, TEXT.id] if then is Sent else ids == [TEXT.words]


def test_a_provider_that_is_not_there_took_nothing() -> None:
    with providing("form-md5") as provider:
        way = described(provider)
    assert isinstance(way.send(TEXT, repeat=False), Again)
    way.close()


def test_an_answer_in_plain_text(tmp_path: Path) -> None:
    text = (SAMPLES / "form-md5.toml").read_text(encoding="utf-8")
    old = 'path = "code"\nsuccess = ["0"]\nid = "data.msgid"'
    assert old in text
    path = tmp_path / "plain.toml"
    path.write_text(text.replace(old, "pattern = '^(?P<code>-?[0-9]+),(?P<id>[0-9]*)'\nsuccess = [\"0\"]"))
    plain = load_messenger(path)
    for body, outcome in ((b"0,991", Sent(message_id="991")), (b"-4,", Held(reason="短信平台拒发（-4）"))):
        with providing("form-md5") as provider:
            provider.mood = (200, body)
            way = DescribedTexts(replace(plain, url=provider.url), SECRET, "")
            assert way.send(TEXT, repeat=False) == outcome
            way.close()


def test_without_its_secret_nothing_is_begun() -> None:
    with pytest.raises(ValueError, match="GATEWAY_SMS_SECRET"):
        DescribedTexts(load_messenger(SAMPLES / "form-md5.toml"), "", "")


def test_gbk_for_those_who_still_want_it() -> None:
    known: Messenger = replace(load_messenger(SAMPLES / "form-md5.toml"), charset="gb18030")
    way = DescribedTexts(known, SECRET, "")
    body = way.request(TEXT).read()
    way.close()
    assert re.search(rb"content=%A1%BE", body), "【 in GBK"


@pytest.fixture
def twilio() -> Iterator[TwilioList]:
    with twilio_texts() as opened:
        yield opened


def way_to(twilio: TwilioList, sender: str = LINE) -> Texter:
    return TwilioTexts(twilio.url, ACCOUNT, TOKEN, sender, timeout=1.0)


@pytest.mark.parametrize("sender", [LINE, "MG" + "0" * 32])
def test_twilio_takes_a_message(twilio: TwilioList, sender: str) -> None:
    way = way_to(twilio, sender)
    assert way.send(TEXT, repeat=False) == Sent(message_id=f"SM{1:032x}")
    way.close()
    [message] = twilio.messages
    assert (message["to"], message["body"], message["from"]) == (TEXT.to, TEXT.words, sender)
    assert message["callback"] == TEXT.receipts
    assert twilio.looks == [], "the list is asked only when something may have been sent"


def test_after_a_lost_answer_twilio_is_asked_before_anything_is_sent_again(twilio: TwilioList) -> None:
    way = way_to(twilio)
    twilio.mood = "cut"
    assert isinstance(way.send(TEXT, repeat=False), Unsure)
    twilio.mood = ""
    assert way.send(TEXT, repeat=True) == Sent(message_id=f"SM{1:032x}")
    assert len(twilio.messages) == 1
    assert twilio.looks[0]["DateSent>"] == "2026-11-19"
    twilio.messages[0]["status"] = "failed"
    assert way.send(TEXT, repeat=True) == Sent(message_id=f"SM{2:032x}")
    way.close()


# label, answer, what it means
REFUSALS: list[tuple[str, tuple[int, dict[str, Any]], type[object]]] = [
    ("unsubscribed", (400, {"code": 21610}), OptedOut),
    ("not a mobile", (400, {"code": 21614}), Held),
    ("too many", (429, {"code": 20429}), Again),
    ("a wrong token", (401, {"code": 20003}), Again),
    ("their trouble", (500, {}), Unsure),
]


@pytest.mark.parametrize(("mood", "kind"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_twilio_refuses(twilio: TwilioList, mood: tuple[int, dict[str, Any]], kind: type[object]) -> None:
    way = way_to(twilio)
    twilio.mood = mood
    outcome = way.send(TEXT, repeat=False)
    way.close()
    assert isinstance(outcome, kind)
    assert json.dumps(TEXT.to) not in repr(outcome)
