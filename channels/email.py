"""电子邮件 The mail door: an SMTP listener that says 250 only after COMMIT (RFC 5321, RFC 3207).

MAIL FROM:<zhang@mail.example>  RCPT TO:<xinfang@office.example>  DATA ...
250 registered 620000E2026112200001K
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

import structlog
from aiohttp import web

from channels import fax
from channels.door import Hall, Listener
from channels.mail import Mail, MailKind, Part, TooCostly, read_mail
from channels.smtp import SmtpListener
from channels.theme import themed
from petition import identity
from petition.arrival import SUPPLEMENT, Arrival, Receipt, Reply, Statement, Upload
from petition.errors import Conflict
from petition.people import Person
from petition.petition import Form, Note

NAME = "email"
_TYPE = "message/rfc822"
_THREADED = 65536  # bytes from which a mail is read beside the loop: a long one must not stop the short ones
_CASE_NO = re.compile(r"[0-9]{6}-?[A-Z]-?[0-9]{8}-?[0-9]{5,12}-?[0-9A-Z]", re.IGNORECASE)
_HAN_NAME = re.compile(r"[\u4e00-\u9fff·]{2,10}")
_TITLE = 200
_HELD = {
    MailKind.AUTOMATIC: "自动发送的邮件，请核实是否有人的诉求",
    MailKind.LIST: "群发邮件，请核实是否有人的诉求",
}
_NOTHING: tuple[Note, ...] = ()
# What can be no petition of anybody: an error report about our own letters, and our own letters come back.
_REFUSED = {MailKind.BOUNCE: "bounce", MailKind.LOOP: "loop"}

log = structlog.get_logger(__name__)


class Email:
    """The door of e-mail."""

    name = NAME

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        """None: mail does not come over HTTP."""
        return []

    async def listen(self, hall: Hall) -> Listener:
        """Open the SMTP listener of the postbox."""
        if hall.postbox is None:
            raise ValueError("the mail door needs a postbox")

        async def take(raw: bytes, sender: str, recipients: list[str]) -> str:
            return await self.take(hall, raw, sender, recipients)

        listener = SmtpListener(hall.postbox, take, hall.limit)
        await listener.start()
        return listener

    async def take(self, hall: Hall, raw: bytes, sender: str, recipients: list[str]) -> str:
        """Enter one mail; what is said after 250. sender: of the envelope, empty for a null return path.

        Raises Unavailable, LowDisk: the mail must come again.
        """
        received_at = hall.clock()
        box = hall.postbox
        own, trusted = (box.own, box.trusted) if box is not None else (frozenset[str](), frozenset[str]())
        note = box.note(recipients) if box is not None else ""
        theme = hall.themes.of_mailbox(recipients)
        sub_source, theme_notes = note.replace(":", "："), _NOTHING
        if theme is not None:
            words = "" if note == theme.title else sub_source
            sub_source, theme_notes = themed(hall.themes, theme.code, NAME, received_at.date(), words)
        base = Arrival(
            channel=NAME,
            form=Form.EMAIL,
            raw_id=_raw_id(raw),
            received_at=received_at,
            petition_date=received_at.date(),
            raw=raw,
            raw_type=_TYPE,
            sub_source=sub_source,
            notes=theme_notes,
        )
        if note == fax.MAILBOX:  # what a fax gateway sends is a fax, whoever carries it
            base = replace(base, channel=fax.NAME, form=Form.FAX)
        try:
            mail = await _read(raw, own, trusted)
        except TooCostly:
            return await self._enter(hall, replace(base, hold="邮件结构异常，系统没有读完，请人工阅读原件"))
        except Exception:
            # There may be a bug in us; the mail is not lost for that, it waits for a person.
            log.exception("a mail could not be read")
            return await self._enter(hall, replace(base, hold="系统没有读懂这封邮件，请人工阅读原件"))
        if mail.kind in _REFUSED or (not sender and mail.kind is MailKind.ORDINARY and not mail.senders):
            await hall.refuse(replace(base, statement=_statement(mail)), _REFUSED.get(mail.kind, "bounce"))
            return "noted"
        if note == fax.MAILBOX:
            return await self._enter(hall, fax.of_mail(base, mail, hall.faxbox.mails if hall.faxbox else ()))
        arrival = replace(
            base,
            statement=_statement(mail),
            uploads=tuple(_upload(part) for part in mail.parts),
            threads=(mail.message_id,) if mail.message_id else (),
            notes=(*theme_notes, *_notes(mail)),
            petition_date=_sent_on(mail, received_at),
        )
        # A null return path means that nobody may be answered, whatever the header says (RFC 3834, 2).
        hold = _HELD.get(mail.kind, "") or ("" if sender else _HELD[MailKind.AUTOMATIC])
        if hold:
            return await self._enter(hall, replace(arrival, hold=hold))
        if case_no := await self._case_of(hall, mail):
            return await self._enter(hall, replace(arrival, sub_source=SUPPLEMENT + case_no))
        answers = box is not None and box.answers and mail.sender
        reply = Reply(to=mail.sender, message_id=mail.message_id) if answers else None
        return await self._enter(hall, replace(arrival, reply=reply))

    async def _enter(self, hall: Hall, arrival: Arrival) -> str:
        try:
            receipt: Receipt = await hall.intake(arrival)
        except Conflict:
            # The same Message-ID and body by another way (other Received lines): the mail is in, once.
            return f"registered {await hall.enquiries.case_of(arrival.channel, arrival.raw_id)}".rstrip()
        return f"registered {receipt.case_no}"

    async def _case_of(self, hall: Hall, mail: Mail) -> str:
        """The case this mail belongs to: a reply in its conversation, or its number together with its sender."""
        address = identity.normal_email(mail.sender)
        numbers = _CASE_NO.findall(mail.subject)
        for number in numbers:
            if address and await hall.enquiries.is_sender(number, "email", address):
                return _plain(number)
        if not mail.is_reply:
            return ""  # References are reused for new topics; a subject of its own is a matter of its own
        return await hall.enquiries.thread(NAME, mail.references + _local_parts(mail.references))


def _plain(number: str) -> str:
    return number.replace("-", "").upper()


def _local_parts(ids: Iterable[str]) -> tuple[str, ...]:
    """Of our own acknowledgements only the left part of the Message-ID is remembered."""
    return tuple(one.partition("@")[0] for one in ids if "@" in one)


async def _read(raw: bytes, own: frozenset[str], trusted: frozenset[str]) -> Mail:
    if len(raw) < _THREADED:
        return read_mail(raw, own=own, trusted=trusted)
    return await asyncio.to_thread(read_mail, raw, own=own, trusted=trusted)


def _sent_on(mail: Mail, received_at: datetime) -> date:
    """The day it was written, if its clock can be right: not after today and not before the last thirty days."""
    if mail.date is not None and received_at - timedelta(days=30) <= mail.date <= received_at:
        return mail.date.date()
    return received_at.date()


def _raw_id(raw: bytes) -> str:
    """What makes a mail itself: its Message-ID and its body; a sender may reuse the one, a relay adds to the header."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    found = re.search(rb"(?im)^message-id:[ \t\n]*(\S+)", head)
    # Without an id the whole mail is the key: two people may send the same words on the same day.
    known = b"\x00".join((found[1], body)) if found else raw
    return hashlib.sha256(known).hexdigest()[:40]


def _statement(mail: Mail) -> Statement:
    name, address = next(iter(mail.senders), ("", ""))
    name = name.strip()
    email = identity.normal_email(mail.sender or address)
    person = Person(name=name if _HAN_NAME.fullmatch(name) else "", email=email)
    text = mail.text.strip()
    if not text and mail.parts:
        text = "（邮件没有正文，内容见附件。）"
    return Statement(
        petitioners=(person,) if person != Person() else (),
        title=mail.subject.strip()[:_TITLE],
        content=text,
    )


def _notes(mail: Mail) -> tuple[Note, ...]:
    notes = [Note(stage=NAME, code=code.upper(), words=words) for code, words in mail.notes]
    if mail.authentication:
        words = f"邮件网关的核验结果：{'，'.join(mail.authentication)}。"
        notes.append(Note(stage=NAME, code="MAIL_AUTHENTICATION", words=words))
    if mail.quoted.strip():
        notes.append(Note(stage=NAME, code="MAIL_QUOTED", words="邮件引用的往来文字没有计入正文，见原件。"))
    return tuple(notes)


def _upload(part: Part) -> Upload:
    return Upload(name=part.name, media_type=part.media_type, body=part.body)
