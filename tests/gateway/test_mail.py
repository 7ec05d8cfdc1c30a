"""A mail's whole trip through a real house: 250 after COMMIT, acknowledgement, reply, proof."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from store import outbox, petitions
from store.outbox import OrderState
from tests.fakes.relay import Relay, relaying
from tests.houses import Rig, running_house, until

OURS = "xinfang@office.example"


@pytest.fixture(scope="module")
def relay() -> Iterator[Relay]:
    with relaying() as opened:
        yield opened


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, relay: Relay) -> Iterator[Rig]:
    folder: Path = tmp_path_factory.mktemp("mail")
    with running_house(
        folder,
        way_out_too=True,
        channels=("web", "rest", "email"),
        mail_addresses=(OURS,),
        mail_relay=str(relay.address),
    ) as opened:
        yield opened


def letter(number: int, text: str, subject: str = "反映拖欠工资", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "王示例 <wang@mail.example>"
    message["To"] = OURS
    message["Subject"] = subject
    message["Message-ID"] = f"<{number}@mail.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def send(rig: Rig, message: EmailMessage, sender: str = "wang@mail.example") -> str:
    with smtplib.SMTP("127.0.0.1", rig.smtp, timeout=20) as wire:
        wire.ehlo("mail.example")
        wire.mail(sender)
        wire.rcpt(OURS)
        code, words = wire.data(message.as_bytes())
        return f"{code} {words.decode()}"


def test_a_mail_travels_the_whole_way(rig: Rig, relay: Relay) -> None:
    text = "我在兰州市城关区示例工地干了三个月,公司拖欠工资2.1万元,要求支付。电话 15400000001。"
    reply = send(rig, letter(1, text))
    said = re.fullmatch(r"250 registered (620000E\w+)", reply)
    assert said, reply
    case_no = said[1]
    assert send(rig, letter(1, text)) == reply, "sent again, the same number"
    assert until(lambda: relay.letters), "the acknowledgement left"
    [(_, to, answer)] = relay.letters
    assert to == ["wang@mail.example"]
    code = re.search(r"查询码:\s*([0-9A-Z-]{14})", answer.get_content().replace("：", ":"))
    assert code
    shown = rig.client.get(f"/api/v1/petitions/{case_no}", headers={"X-Query-Code": code[1]})
    assert shown.status_code == 200
    assert shown.json()["form"] == "EMAIL"

    back = letter(2, "补充:考勤表在这里。", "Re: " + answer["Subject"], In_Reply_To=answer["Message-ID"])
    assert send(rig, back) == reply, "a reply joins its case"
    store = rig.house.store
    assert until(lambda: "考勤表" in store.read_now(lambda tx: petitions.get(tx, case_no)).petition.content)
    record = store.read_now(lambda tx: petitions.get(tx, case_no)).petition
    assert record.petitioners[0].email == "wang@mail.example"
    assert record.petitioners[0].mobile == "+8615400000001"
    again = letter(3, "再补充一点。", "Re: x", References="<2@mail.example>")
    assert send(rig, again) == reply, "and a reply to the reply"
    assert until(lambda: len(relay.letters) == 1), "one acknowledgement a case"
    refused = rig.balance("email").refused
    del answer["To"]
    answer["To"] = OURS
    assert send(rig, answer, sender="x@mail.example") == "250 noted", "our own letter comes back: a loop, not a case"
    assert rig.balance("email").refused == refused + 1
    orders = store.read_now(lambda tx: outbox.of(tx, case_no))
    assert until(lambda: all(one.state is OrderState.DELIVERED for one in orders) or rig.gap() == 0)


def test_nothing_is_missing_and_nothing_stumbled(rig: Rig) -> None:
    bounce = letter(9, "Delivery failed")
    bounce.replace_header("From", "MAILER-DAEMON@mail.example")
    bounce["Auto-Submitted"] = "auto-replied"
    assert send(rig, bounce, sender="").startswith("250")
    assert until(lambda: rig.gap() == 0)
    balance = rig.balance("email")
    assert balance.received == balance.petitions + balance.linked + balance.held + balance.refused
    assert balance.received >= 1
    assert rig.stumbles() == []
    assert "wang@mail.example" not in rig.log.getvalue()
    assert "15400000001" not in rig.log.getvalue()
