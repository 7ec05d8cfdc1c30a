"""Faxes that come as mail: what a fax gateway sends to a mailbox noted 传真 is a fax."""

from __future__ import annotations

from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from channels.email import Email
from channels.faxbox import Faxbox
from config.fax import load_fax
from config.reference import DATA
from petition.petition import Form
from tests.fakes.mailroom import Desk, hall_for, mail
from tests.fakes.pages import tiff

FAX = load_fax(DATA)


def fax_mail(**parts: bytes) -> EmailMessage:
    message = mail(
        "您有一份新传真。",
        From="fax gateway <gateway@fax.example>",
        To="fax@office.example",
        Subject="Fax from 09318000000 (2 pages)",
        Auto_Submitted="auto-generated",
    )
    for name, body in parts.items():
        message.add_attachment(body, maintype="application", subtype="octet-stream", filename=f"{name}.tif")
    return message


@pytest.mark.parametrize("pages", [True, False], ids=["with pages", "without"])
async def test_the_mail_of_a_fax_gateway_is_a_fax(tmp_path: Path, pages: bool) -> None:
    desk = Desk()
    box = Faxbox(inbox=tmp_path, watch=FAX.watch, mails=tuple(FAX.mails.values()))
    hall = replace(
        hall_for(desk, tmp_path, mailboxes={"fax@office.example": "传真", "x@office.example": "其他"}),
        faxbox=box,
    )
    message = fax_mail(**({"page": tiff(2)} if pages else {}))
    told = await Email().take(hall, message.as_bytes(), "gateway@fax.example", ["fax@office.example"])
    assert told.startswith("registered ")
    [arrival] = desk.arrivals
    assert (arrival.channel, arrival.form, arrival.reply) == ("fax", Form.FAX, None)
    assert arrival.hold.startswith("传真待录入")
    assert arrival.hold.endswith("请看原件") is not pages
    assert [one.media_type for one in arrival.uploads] == (["image/tiff"] if pages else [])
    assert arrival.statement.petitioners[0].landline == "0931-8000000"
    assert arrival.statement.petitioners[0].email == "", "the gateway is nobody's address"
    assert ("您有一份新传真" in arrival.statement.content) is not pages
