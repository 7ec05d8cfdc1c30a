"""Receipts (短信回执): what the provider tells afterwards about a text message, in any order and more than once."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from dispatch.texts import remark
from store import outbox, texts
from store.texts import TextState
from store.transaction import Transaction

# twilio.com/docs/messaging/api/message-resource: the words of an end; all others are steps on the way.
_DELIVERED = frozenset({"delivered", "read"})
_FAILED = frozenset({"failed", "undelivered", "canceled"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReceipt:
    """One receipt. order: ours, as we gave it away; message_id: the provider's; status: its word; error: its code."""

    order: str
    message_id: str
    status: str
    error: str = ""


def apply(tx: Transaction, receipt: TextReceipt) -> bool:
    """Write it down; False when it belongs to nothing that waits for it, or was known.

    What could not be delivered becomes an order that waits for a person: the old one did leave this house and stays
    delivered, whoever looks sees both and may send the new one.
    """
    order_id = int(receipt.order) if receipt.order.isascii() and receipt.order.isdecimal() else 0
    sent = texts.find(tx, order_id) if 0 < order_id < 1 << 62 else None
    if sent is None or (sent.message_id and sent.message_id != receipt.message_id):
        return False
    order = outbox.find(tx, order_id)
    if order is None:
        return False
    if receipt.status in _DELIVERED:
        if not texts.note(tx, order_id, TextState.DELIVERED, message_id=receipt.message_id):
            return False
        outbox.delivered(tx, order, "短信已送达手机")
        outbox.remark(tx, order, "短信已送达手机")
        return True
    if receipt.status not in _FAILED:
        return False
    if not texts.note(tx, order_id, TextState.FAILED, message_id=receipt.message_id, reason=receipt.error):
        return False
    reason = f"短信没有送达手机（{receipt.error or receipt.status}），请用其他方式告知；号码无误的可重新投递"
    outbox.delivered(tx, order, "短信没有送达手机")
    outbox.remark(tx, order, "短信没有送达手机")
    again = outbox.find(tx, outbox.add(tx, order.kind, order.case_no, payload=order.payload))
    assert again is not None
    outbox.hold(tx, again, reason)
    remark(tx, order.case_no, "text_failed", reason)
    log.warning("text message not delivered", case_no=order.case_no, order=order_id, error=receipt.error)
    return True
