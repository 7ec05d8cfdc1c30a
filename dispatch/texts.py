"""Text messages (短信告知): number and code, or a word of the status, to the one person whose matter it is."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from config.notices import ACKNOWLEDGEMENT, NOTICE, Notices
from dispatch.courier import Again, Held, pause
from dispatch.couriers.sms import OptedOut, Sent, ShortText, Texter, TextOutcome, Unsure
from petition.arrival import Outcome as Standing
from petition.errors import PetitionError
from petition.identity import normal_mobile
from petition.notice import told_of
from petition.petition import Lane
from store import announcements, history, opt_outs, outbox, petitions, texts
from store.codes import opening_event, query_code_of
from store.database import Store
from store.outbox import Order, OrderState
from store.petitions import Case, context_of
from store.texts import OVER, SentText, TextState
from store.transaction import Transaction

ACTOR = "dispatch"
TEXT = "text"  # an acknowledgement; its number is sealed in the order
RECEIPTS = "/webhooks/twilio/sms/status"  # with ?order=, because the provider may tell before it has told its own id
AT_IT = timedelta(seconds=60)  # longer than any try takes: after it whoever was sending is gone
UNREAD = timedelta(seconds=20)  # until the reading of a case is asked for again

EXPIRED = "已过期限仍未发出，请用其他方式告知本人；仍要发送的可重新投递"
SEALED = "保密件不发短信（条例第三十条），编号和查询码请当面或用其他方式告知"
WANTS_NONE = "本人已退订短信，请用其他方式告知"
NOBODY = "没有可以收短信的手机号码"
BEGUN = "由短信平台送达中"
NO_WAY = "没有设置短信通道（GATEWAY_SMS_PROVIDER 或 GATEWAY_TWILIO_FROM）"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextHead:
    """Who writes. sign: between 【】 before the words, or empty; receipts: whether the provider can reach our public
    address to tell what became of a message."""

    sign: str
    public_url: str
    receipts: bool = True

    @property
    def track_url(self) -> str:
        """Where people look up their case."""
        return f"{self.public_url}/track"


@dataclass(frozen=True, slots=True)
class _Go:
    order: Order
    text: ShortText
    repeat: bool


@dataclass(frozen=True, slots=True)
class SendText:
    """The verb behind the task `text`: one order, one text message. texter: None when no way is set: orders are held.

    Whether it may go is asked in the transaction that marks it as being sent: who opts out before gets none.
    chance: gives a number in [0, 1) for the jitter.
    """

    store: Store
    texter: Texter | None
    notices: Notices
    head: TextHead
    chance: Callable[[], float] = random.random

    def __call__(self, order_id: int) -> None:
        """Try the order once; never raises for what lies outside."""
        go = self.store.write_now(lambda tx: self._begin(tx, order_id))
        if go is None:
            return
        assert self.texter is not None
        try:
            outcome = self.texter.send(go.text, repeat=go.repeat)
        except Exception as problem:
            log.exception("text message courier stumbled", order=order_id)
            outcome = Unsure(problem=f"发送程序出错（{type(problem).__name__}）")
        self.store.write_now(lambda tx: self._end(tx, go, outcome))
        told = log.bind(case_no=go.order.case_no, order=order_id, attempt=go.order.attempts)
        if isinstance(outcome, Sent):
            told.info("text message sent")
        else:
            told.warning("text message not sent", outcome=type(outcome).__name__)

    def _begin(self, tx: Transaction, order_id: int) -> _Go | None:
        """What is to be sent now, marked as being sent; None when the order was put off or ended instead."""
        order = outbox.find(tx, order_id)
        case = None if order is None else petitions.find(tx, order.case_no)
        if order is None or case is None or order.state is not OrderState.OPEN:
            return None
        try:
            to = self._number(tx, order, case)
            if reason := _why_not(tx, case, to):
                outbox.call_off(tx, order, reason)
                return None
            before = texts.find(tx, order.id)
            if before is not None and before.state in OVER:
                outbox.delivered(tx, order, BEGUN)
                return None
            if reason := self._held(tx, order):
                _hold(tx, order, reason)
                return None
            due, reason = self._due(tx, order, case, before, to)
            if due > tx.now:
                outbox.again(tx, order, due, reason)
                return None
            text = self._written(tx, order, to)
        except (PetitionError, ValueError, KeyError) as problem:
            log.warning("a text message could not be written", order=order_id, problem=type(problem).__name__)
            _hold(tx, order, "短信无法生成")
            return None
        repeat = before is not None and before.state in (TextState.SENDING, TextState.UNSURE)
        if not texts.begin(tx, order.id, texts.recipient(tx.vault, to), before):
            return None  # another process is at it
        return _Go(order, text, repeat)

    def _held(self, tx: Transaction, order: Order) -> str:
        """Why only a person can go on, or empty. Who lets an expired one go again has decided."""
        if tx.now - order.created_at > self.notices.expires and order.problem != EXPIRED:
            return EXPIRED
        return NO_WAY if self.texter is None else ""

    def _due(self, tx: Transaction, order: Order, case: Case, before: SentText | None, to: str) -> tuple[datetime, str]:
        """When it may go, and why not before."""
        if case.read_at is None and case.standing is Standing.PETITION:
            # Reading may find that it belongs into the sealed lane.
            return tx.now + UNREAD, "等待甄别"
        if before is not None and before.state is TextState.SENDING and tx.now - before.at < AT_IT:
            return before.at + AT_IT, order.problem
        awake = self.notices.awake(tx.now) if order.kind == announcements.KIND else tx.now
        if awake > tx.now:
            return awake, "夜间不发，等到早上"
        if texts.today(tx, texts.recipient(tx.vault, to), order.id) >= self.notices.daily:
            return self.notices.morning(tx.now), "今天发给这个号码的短信已到上限，明天再发"
        return tx.now, ""

    def _number(self, tx: Transaction, order: Order, case: Case) -> str:
        if order.kind != TEXT:
            return normal_mobile(told_of(case.petition))
        context = context_of(bytes.fromhex(order.payload["uid"]))
        return normal_mobile(tx.vault.open(bytes.fromhex(order.payload["to"]), context).decode())

    def _written(self, tx: Transaction, order: Order, to: str) -> ShortText:
        values = {"case_no": order.case_no, "track_url": self.head.track_url}
        kind = ACKNOWLEDGEMENT if order.kind == TEXT else NOTICE
        if kind == NOTICE:
            values["status"] = self.notices.status[order.payload["status"]]
        else:
            event = opening_event(tx, order.case_no)
            if event is None:
                raise ValueError("no such case")
            channel, raw_id, digest, files = event
            values["query_code"] = query_code_of(tx.vault, channel, raw_id, digest, json.loads(files))
        return ShortText(
            to=to,
            words=self.notices.written(kind, values, self.head.sign),
            kind=kind,
            values=values,
            id=tx.vault.mac("text-id", order.key.encode()).hex()[:32],
            receipts=f"{self.head.public_url}{RECEIPTS}?order={order.id}" if self.head.receipts else "",
            at=tx.now,
        )

    def _end(self, tx: Transaction, go: _Go, outcome: TextOutcome) -> None:
        order = go.order
        match outcome:
            case Sent():
                texts.note(tx, order.id, TextState.ACCEPTED, message_id=outcome.message_id)
                outbox.delivered(tx, order, f"已交短信平台 {outcome.message_id}".strip())
            case Again():
                texts.note(tx, order.id, TextState.READY, reason=outcome.problem)
                outbox.again(tx, order, self._later(tx, order, outcome.after), outcome.problem)
            case Unsure():
                texts.note(tx, order.id, TextState.UNSURE, reason=outcome.problem)
                # Whoever was slow may still be at it: asking at once could miss what is about to be there.
                outbox.again(tx, order, self._later(tx, order, AT_IT), outcome.problem)
            case Held():
                texts.note(tx, order.id, TextState.READY, reason=outcome.reason)
                _hold(tx, order, outcome.reason)
            case OptedOut():
                texts.note(tx, order.id, TextState.READY, reason=WANTS_NONE)
                opt_outs.put(tx, go.text.to, "provider")
                outbox.call_off(tx, order, WANTS_NONE)

    def _later(self, tx: Transaction, order: Order, after: timedelta | None) -> datetime:
        return tx.now + pause(order.attempts, after, self.chance)

    @property
    def ready(self) -> bool:
        """Whether text messages leave this house."""
        return self.texter is not None

    def close(self) -> None:
        """Let go of connections."""
        if self.texter is not None:
            self.texter.close()


def _why_not(tx: Transaction, case: Case, to: str) -> str:
    """Why nothing goes to this number about this case, for ever; empty when it may."""
    if case.lane is Lane.SEALED:
        return SEALED
    if not to:
        return NOBODY
    return WANTS_NONE if opt_outs.has(tx, to) else ""


def _hold(tx: Transaction, order: Order, reason: str) -> None:
    """An officer has to look: the order waits in the queue, and the history of the case says why."""
    outbox.hold(tx, order, reason)
    remark(tx, order.case_no, "text_held", reason)


def remark(tx: Transaction, case_no: str, event: str, words: str) -> None:
    """A line of history for officers; without personal data."""
    case = petitions.find(tx, case_no)
    if case is not None:
        history.append(tx, case_no, event=event, status=case.status, actor=ACTOR, words=words, public=False)
