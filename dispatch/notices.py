"""Notices (告知): the acknowledgement of an e-mail, written when it leaves and kept nowhere."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from string import Template
from typing import Protocol

import structlog

from dispatch.courier import Again, Held, Outcome, pause
from petition.arrival import MARKER
from petition.errors import PetitionError
from petition.numbering import parse_case_no
from store import outbox
from store.codes import opening_event, query_code_of
from store.database import Store
from store.outbox import Order, OrderState
from store.petitions import context_of
from store.transaction import Transaction

_TEXT = Path(__file__).parent / "templates" / "acknowledgement.txt"
_MESSAGE_ID = re.compile(r"[^\s<>]{1,250}@[^\s<>]{1,250}")

log = structlog.get_logger(__name__)


class Post(Protocol):
    """A way to send an e-mail."""

    def send(self, message: EmailMessage, to: str) -> Outcome:
        """Hand it over once; never raises for what the other side does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """Who writes: address of the sender, name of the office, address people see of the house."""

    sender: str
    office: str
    public_url: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The verb behind the task `notify`: one order, one letter. post: None when no relay is set: orders are held.

    A relay that took a letter and whose answer was lost gets it a second time with the same Message-ID.
    """

    store: Store
    post: Post | None
    letterhead: Letterhead
    chance: Callable[[], float] = random.random

    def __call__(self, order_id: int) -> None:
        """Try the order once; never raises for what lies outside."""
        order = self.store.read_now(lambda tx: outbox.find(tx, order_id))
        if order is None or order.state is not OrderState.OPEN:
            return
        outcome: Outcome
        if self.post is None:
            outcome = Held(reason="没有设置发信服务器（GATEWAY_MAIL_RELAY）")
        else:
            try:
                message, to = self.letter(order)
                outcome = self.post.send(message, to)
            except (PetitionError, ValueError) as problem:
                log.warning("an acknowledgement could not be written", order=order_id, problem=type(problem).__name__)
                outcome = Held(reason="回执无法生成")
        self._note(order, outcome)

    def letter(self, order: Order) -> tuple[EmailMessage, str]:
        """(the letter, to whom); ValueError when the order or its case cannot be read."""
        vault = self.store.vault
        uid = bytes.fromhex(order.payload["uid"])
        reply = json.loads(vault.open(bytes.fromhex(order.payload["reply"]), context_of(uid)))
        event = self.store.read_now(lambda tx: opening_event(tx, order.case_no))
        if event is None:
            raise ValueError("no such case")
        channel, raw_id, digest, files = event
        head = self.letterhead
        message = EmailMessage()
        message["From"] = head.sender
        message["To"] = reply["to"]
        message["Subject"] = f"您的来信已登记，信访编号 {order.case_no}"
        message["Date"] = format_datetime(order.created_at)
        message["Message-ID"] = f"<{order.payload['id']}@{head.sender.rpartition('@')[2]}>"
        if _MESSAGE_ID.fullmatch(reply["message_id"]):
            message["In-Reply-To"] = message["References"] = f"<{reply['message_id']}>"
        # RFC 3834: a machine wrote this, and no machine is to answer it.
        message["Auto-Submitted"] = "auto-replied"
        message["X-Auto-Response-Suppress"] = "All"
        message[MARKER] = "acknowledgement"
        text = Template(_TEXT.read_text(encoding="utf-8")).substitute(
            case_no=parse_case_no(order.case_no).shown,
            query_code=query_code_of(vault, channel, raw_id, digest, json.loads(files)),
            track_url=f"{head.public_url}/track?no={order.case_no}",
            office=head.office,
        )
        message.set_content(text, cte="base64")
        return message, reply["to"]

    def _note(self, order: Order, outcome: Outcome) -> None:
        def note(tx: Transaction) -> None:
            if isinstance(outcome, Held):
                outbox.hold(tx, order, outcome.reason)
            elif isinstance(outcome, Again):
                outbox.again(tx, order, tx.now + pause(order.attempts, outcome.after, self.chance), outcome.problem)
            else:
                outbox.delivered(tx, order)

        self.store.write_now(note)
