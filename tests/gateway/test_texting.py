"""Text messages out of a whole house: over the stand-in of Twilio and over a described provider, and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from config.reference import load_reference
from config.settings import Settings
from gateway.demo.provider import ACCOUNT, LINE, SMS_STATUS, TOKEN, Home, StandIn
from gateway.texting import check_texts, texter_of
from petition import clock
from petition.arrival import Arrival, Receipt, Statement
from petition.people import Person
from petition.petition import Form
from petition.status import Status
from store import history, outbox, petitions
from store.outbox import OrderState
from store.transaction import Transaction
from tests.fakes.sms_provider import SECRET, providing
from tests.houses import Rig, running_house, until

SAMPLES = Path(__file__).parents[2] / "docs" / "sms"
PUBLIC = "https://petitions.example"
MOBILE = "+8615400000006"


def arrival(number: int) -> Arrival:
    """Somebody who asked for number and code by text message."""
    moment = clock.now()
    return Arrival(
        channel="voice",
        form=Form.PHONE,
        raw_id=f"CA{number}",
        received_at=moment,
        petition_date=moment.date(),
        raw=b"{}",
        raw_type="application/json",
        statement=Statement(content="演示小区路灯不亮已经半个月，请修好。", petitioners=(Person(mobile=MOBILE),)),
        text_to=MOBILE,
    )


def taken(rig: Rig, number: int = 1) -> Receipt:
    """It is taken in, and the way out is woken."""
    receipt = asyncio.run(rig.house.intake(rig.way.wake)(arrival(number)))
    return receipt


async def comes(condition: Callable[[], Any]) -> bool:
    return await asyncio.to_thread(until, condition)


def states(rig: Rig, case_no: str) -> list[tuple[str, OrderState]]:
    orders = rig.house.store.read_now(lambda tx: outbox.of(tx, case_no))
    return [(one.kind, one.state) for one in orders if one.kind in ("text", "notice")]


async def test_over_twilio_and_back(tmp_path: Path) -> None:
    async with StandIn() as twilio:
        settings: dict[str, Any] = {
            "channels": ("web", "rest", "sms"),
            "public_url": PUBLIC,
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": SecretStr(TOKEN),
            "twilio_api_url": twilio.url,
            "twilio_from": LINE,
        }
        with running_house(tmp_path, way_out_too=True, **settings) as rig:
            home = Home(rig.url, PUBLIC)
            receipt = await asyncio.to_thread(taken, rig)
            assert receipt.texted
            assert await comes(lambda: twilio.sent)
            [sent] = twilio.sent
            assert sent["to"] == MOBILE
            assert receipt.query_code in sent["body"]
            assert await comes(lambda: states(rig, receipt.case_no) == [("text", OrderState.DELIVERED)])

            # It does not reach the telephone: an officer finds it, and why.
            assert (await twilio.report(sent["sid"], home, "undelivered")).status == 204
            assert states(rig, receipt.case_no) == [("text", OrderState.DELIVERED), ("text", OrderState.HELD)]
            steps = rig.house.store.read_now(lambda tx: history.of(tx, receipt.case_no))
            assert steps[-1].event == "text_failed"
            assert not steps[-1].public

            # Nobody else can tell us so.
            said = {"MessageSid": sent["sid"], "MessageStatus": "failed"}
            forged = rig.client.post(f"{SMS_STATUS}?order=1", data=said)
            assert forged.status_code == 403

            def accept(tx: Transaction) -> None:
                case = petitions.get(tx, receipt.case_no)
                petitions.amend(tx, case, actor="routing", event="accept", status=Status.ACCEPTED)

            await asyncio.to_thread(rig.house.store.write_now, accept)
            assert ("notice", OrderState.OPEN) in states(rig, receipt.case_no) or await comes(lambda: twilio.sent[1:])

            # 退订 holds for everything that comes later.
            stop = await twilio.deliver(twilio.receive("退订", MOBILE), home)
            assert "退订" in stop.words
            before = len(twilio.sent)
            second = await asyncio.to_thread(taken, rig, 2)
            assert not second.texted
            assert await comes(lambda: states(rig, second.case_no) == [("text", OrderState.WITHDRAWN)])
            await twilio.deliver(twilio.receive("订阅", MOBILE), home)
            third = await asyncio.to_thread(taken, rig, 3)
            assert third.texted
            assert await comes(lambda: states(rig, third.case_no) == [("text", OrderState.DELIVERED)])
            assert len(twilio.sent) - before <= 2
            assert rig.gap() == 0
            assert rig.stumbles() == []
            assert MOBILE[3:] not in rig.log.getvalue()


def test_over_a_provider_known_by_its_file_alone(tmp_path: Path) -> None:
    with providing("json-hmac-sha256") as provider:
        text = (SAMPLES / "json-hmac-sha256.toml").read_text(encoding="utf-8")
        file = tmp_path / "provider.toml"
        file.write_text(text.replace("https://sms-b.example", provider.url), encoding="utf-8")
        settings: dict[str, Any] = {"sms_provider": file, "sms_secret": SecretStr(SECRET), "sms_sign": "示例信访"}
        with running_house(tmp_path / "house", way_out_too=True, **settings) as rig:
            receipt = taken(rig)
            assert receipt.texted
            assert until(lambda: states(rig, receipt.case_no) == [("text", OrderState.DELIVERED)])
            assert taken(rig) == replace(receipt, outcome=taken(rig).outcome), "the same event, the same promise"
            assert rig.stumbles() == []
        assert provider.forged == 0
        [(number, _)] = provider.taken
        assert number == MOBILE[3:]
        assert receipt.query_code.encode() in provider.asks[0].body


def test_a_house_without_a_way_promises_nothing(tmp_path: Path) -> None:
    with running_house(tmp_path) as rig:
        receipt = taken(rig)
        assert not receipt.texted
        assert states(rig, receipt.case_no) == []


# label, settings, a piece of the words
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("two ways", {"twilio_from": LINE, "sms_provider": SAMPLES / "form-md5.toml"}, "二者取一"),
    ("Twilio without an account", {"twilio_from": LINE}, "GATEWAY_TWILIO_ACCOUNT_SID"),
    ("no file", {"sms_provider": SAMPLES / "none.toml"}, "none.toml"),
    ("no secret", {"sms_provider": SAMPLES / "form-md5.toml"}, "GATEWAY_SMS_SECRET"),
    (
        "a text that takes three messages",
        {"sms_provider": SAMPLES / "form-md5.toml", "public_url": f"https://petitions.example/{'x' * 60}"},
        "GATEWAY_PUBLIC_URL",
    ),
]


@pytest.mark.parametrize(("settings", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_set_wrong_stops_the_start(tmp_path: Path, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        texter_of(Settings(data=tmp_path, **settings), load_reference())


def test_the_signature_is_what_was_approved() -> None:
    assert Settings(sms_sign="【示例信访】").sms_sign == "示例信访"
    with pytest.raises(ValueError, match="12"):
        Settings(sms_sign="一个特别特别特别特别长的名称")
    assert check_texts(load_reference().notices, "示例信访", PUBLIC).startswith("【示例信访】")
