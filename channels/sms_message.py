"""The message (一条短信): one text message as a webhook or the provider's list tells it.

MessageSid=SM0123456789abcdef0123456789abcdef&From=%2B8615400000006&To=%2B86...&Body=...&NumMedia=0
{"body": "...", "from": "+8615400000006", "sid": "SM0123456789abcdef0123456789abcdef", "num_media": "0", ...}
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from channels.provider import Record, file_of
from channels.signature import FORM_TYPE, SignedForm, read_form
from channels.sms_words import Order, Word, order_of
from channels.web import UNSEEN
from petition.arrival import Arrival
from petition.identity import normal_mobile, tidy
from petition.petition import Form

NAME = "sms"
LISTED_TYPE = "application/json"

_SID = re.compile(r"[0-9A-Za-z]{10,64}")
_MEDIA = re.compile(r"MediaUrl([0-9]{1,3})")
# About the delivery, not the message: the fallback address gets them in addition, and it is the same message.
_DELIVERY = frozenset({"ErrorCode", "ErrorUrl"})


class Media(NamedTuple):
    """One attachment of a message: where Twilio keeps it, and what it is said to be."""

    url: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(SignedForm):
    """One message. listed: the provider's list told of it, no webhook."""

    listed: bool = False

    @property
    def sid(self) -> str:
        """Twilio's id of the message, or a digest where there is none that could be one."""
        found = next((self.fields[name] for name in ("MessageSid", "SmsSid") if self.fields.get(name)), "")
        return found if _SID.fullmatch(found) else hashlib.sha256(self.raw).hexdigest()

    @property
    def event(self) -> str:
        """What makes the message itself in the ledger, however we are told of it."""
        return f"{self.sid}:in"

    @property
    def text(self) -> str:
        """The words, without signs that hide or turn text; what could not be read stays visible as U+FFFD."""
        pieces = self.fields.get("Body", "").replace("\r\n", "\n").split("\ufffd")
        return "\ufffd".join(UNSEEN.sub("", piece) for piece in pieces).strip()

    @property
    def mobile(self) -> str:
        """The sender's mainland mobile in E.164, or empty; a contact, no proof of who wrote (DOMAIN 4.3)."""
        return normal_mobile(self.fields.get("From", ""))

    @property
    def media(self) -> list[Media]:
        """The attachments in their order, whatever NumMedia says."""
        found = sorted(int(name[1]) for name in map(_MEDIA.fullmatch, self.fields) if name)
        kinds = [self.fields.get(f"MediaContentType{number}", "") for number in found]
        urls = [self.fields.get(f"MediaUrl{number}", "") for number in found]
        return [Media(url, kind) for url, kind in zip(urls, kinds, strict=True) if url]

    @property
    def empty(self) -> bool:
        """Whether it says nothing; a text of emoji says something."""
        return not tidy(self.text) and not self.media and self.fields.get("NumMedia", "0").strip() in ("", "0")

    @property
    def order(self) -> Order | None:
        """The command it is, if it is one."""
        if self.media:
            return None  # a picture is evidence, whatever word stands beside it
        told = self.fields.get("OptOutType", "").upper()
        return Order(Word[told]) if told in ("STOP", "START", "HELP") else order_of(self.text)

    def arrival(self, received_at: datetime) -> Arrival:
        """An arrival of these bytes, still without a statement."""
        return Arrival(
            channel=NAME,
            form=Form.SMS,
            raw_id=f"{self.sid}:listed" if self.listed else self.event,
            event=self.event if self.listed else "",
            received_at=received_at,
            petition_date=received_at.date(),
            raw=self.raw,
            raw_type=LISTED_TYPE if self.listed else FORM_TYPE,
        )


def read(body: bytes) -> Message:
    """A form body as a Message; never raises."""
    form = read_form(body, _DELIVERY)
    return Message(fields=form.fields, raw=form.raw, repeated=form.repeated)


def of_list(record: Record, media: Sequence[Record]) -> Message:
    """A record of the provider's list, with those of its attachments, as a Message."""
    fields = {"MessageSid": record.get("sid", ""), "From": record.get("from", ""), "To": record.get("to", "")}
    fields |= {"Body": record.get("body", ""), "NumMedia": record.get("num_media", "")}
    for number, one in enumerate(media):
        fields |= {f"MediaUrl{number}": file_of(one), f"MediaContentType{number}": one.get("content_type", "")}
    told = {**record, "media": [dict(one) for one in media]}
    raw = json.dumps(told, sort_keys=True).encode()
    return Message(fields=fields, raw=raw, repeated=False, listed=True)


def sent_at(record: Record) -> datetime | None:
    """When the provider took the message in (RFC 2822, aware), or None where it does not say."""
    for name in ("date_sent", "date_created"):
        try:
            found = parsedate_to_datetime(record.get(name, ""))
        except (ValueError, TypeError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None
