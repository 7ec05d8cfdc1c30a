"""The other doors (其他渠道送件): how samples reach the house by mail and hotline, each sent twice."""

from __future__ import annotations

import re
import secrets
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import httpx

from channels.wechat_account import OfficialAccount
from config.address import Address
from config.settings import Settings
from gateway.demo.browser import Stuck
from gateway.demo.counter import Clerk, file_at_counter
from gateway.demo.papers import MEDIA_TYPES, paper
from gateway.demo.samples import Sample

ORDERS = "/api/v1/hotline/orders"
TEXTS = "/webhooks/twilio/sms"
# What a caller is to a hotline, by what the petition is for.
_KINDS = {"SUGGESTION": "建议", "ACCUSATION": "举报", "APPEAL": "求助", "CONSULT": "咨询"}
_MAILBOX = "petition@office.example"  # a house without mailboxes of its own takes every one
_MAIL_REPLY = re.compile(r"registered ([0-9A-Z]+)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the house is and what its partners share with it. url: of pages and API; public_url: what signatures are
    made over; key: of another system, empty if none is set; mailbox: whom mail is sent to; account, provider_port: at
    the provider of telephone and text messages, if it is to be played on this machine; speech: whether the house
    recognises it; wechat: the official account; reconcile: seconds between two rounds over the provider's lists, 0 for
    none; clerk: who takes down visits at the counter."""

    url: str
    public_url: str = ""
    key: str = ""
    token: str = ""
    smtp: Address | None = None
    mailbox: str = _MAILBOX
    account: str = ""
    provider_port: int = 0
    speech: bool = False
    wechat: OfficialAccount | None = None
    reconcile: int = 0
    clerk: Clerk | None = None

    @classmethod
    def of(cls, url: str, settings: Settings, clerk: Clerk | None = None) -> Place:
        """The place that these settings describe."""
        return cls(
            url=url,
            public_url=settings.public_url,
            key=settings.api_keys[0].key.get_secret_value() if settings.api_keys else "",
            token=settings.twilio_auth_token.get_secret_value(),
            smtp=settings.smtp_address,
            mailbox=next(iter(settings.mailboxes), _MAILBOX),
            account=settings.twilio_account_sid,
            provider_port=_port_here(settings.twilio_api_url),
            speech=settings.voice_speech,
            wechat=OfficialAccount(
                token=settings.wechat_token, app_id=settings.wechat_app_id, aes_key=settings.wechat_aes_key
            ),
            reconcile=settings.twilio_reconcile_seconds,
            clerk=clerk,
        )


@dataclass(frozen=True, slots=True)
class Filed:
    """What the petitioner holds in the hand; a mail's query code comes by letter, so here it is empty.

    repeat: the case number that the same submission got a second time; waits: what a person has to do first, empty for
    what leaves by itself.
    """

    case_no: str
    query_code: str
    repeat: str
    waits: str = ""


def _port_here(url: str) -> int:
    """The port of an address on this machine, 0 for any other address."""
    parts = urlsplit(url)
    return parts.port or 0 if parts.hostname == "127.0.0.1" else 0


def twice(send: Callable[[], tuple[str, str]]) -> Filed:
    """Send, and send the same again as if the answer had been lost. send: gives (case number, query code)."""
    first, again = send(), send()
    return Filed(first[0], first[1], again[0])


def file_by_hotline(place: Place, sample: Sample) -> Filed:
    """As the 12345 platform does: one order with the key of the partner."""
    person = sample.people[0]
    order: dict[str, Any] = {
        "order_no": f"DEMO{secrets.token_hex(6).upper()}",
        "kind": _KINDS[sample.purpose.value],
        "title": sample.title,
        "content": sample.content,
        "caller": {"name": person.name, "mobile": person.mobile, "address": person.address},
        "place_region": sample.region,
        "place_words": sample.occur_place,
        "reply_wanted": True,
    }

    def send() -> tuple[str, str]:
        answer = httpx.post(f"{place.url}{ORDERS}", json=order, headers={"X-API-Key": place.key}, trust_env=False)
        if answer.status_code != 201:
            raise Stuck(f"{ORDERS}: 应答 {answer.status_code} {answer.text[:200]}")
        told = answer.json()
        return told["case_no"], told["query_code"]

    return twice(send)


def file_by_email(place: Place, sample: Sample) -> Filed:
    """As a mail program does, over SMTP; the query code goes to the sender's mailbox and nowhere else."""
    person = sample.people[0]
    message = EmailMessage()
    message["From"] = f"{person.name} <demo{sample.n}@mail.example>"
    message["To"] = place.mailbox
    message["Subject"] = sample.title
    message["Message-ID"] = f"<{secrets.token_hex(12)}@mail.example>"
    message.set_content(f"{sample.content}\n\n{person.name} {person.mobile} {person.address}\n")
    for file in sample.files:
        main, _, sub = MEDIA_TYPES[file.kind].partition("/")
        message.add_attachment(paper(file, sample.title), maintype=main, subtype=sub, filename=file.name)

    def send() -> tuple[str, str]:
        assert place.smtp is not None
        try:
            with smtplib.SMTP(place.smtp.host, place.smtp.port, timeout=30) as wire:
                wire.ehlo("mail.example")
                wire.mail(f"demo{sample.n}@mail.example")
                wire.rcpt(place.mailbox)
                code, words = wire.data(message.as_bytes())
        except OSError as problem:
            raise Stuck(f"SMTP {place.smtp}: {type(problem).__name__}") from None
        told = _MAIL_REPLY.search(words.decode("ascii", "replace"))
        if code != 250 or told is None:
            raise Stuck(f"SMTP {place.smtp}: {code} {words.decode('ascii', 'replace')}")
        return told[1], ""

    return twice(send)


def listens(address: Address | None) -> bool:
    """Whether a mail door answers there."""
    if address is None:
        return False
    try:
        with smtplib.SMTP(address.host, address.port, timeout=5):
            return True
    except OSError:
        return False


def file_by_visit(place: Place, sample: Sample) -> Filed:
    """At the counter: taken down, read back, handed in with two clicks."""
    if place.clerk is None:
        raise Stuck("没有登记员的账号")
    told, again = file_at_counter(place.url, place.clerk, sample)
    return Filed(*told, again)
