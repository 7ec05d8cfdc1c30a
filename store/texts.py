"""Texts (发出的短信): what became of each order of a text message, so that none leaves twice if it can be helped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select, text, update

from store.moments import from_micros, to_micros
from store.tables import texts
from store.transaction import Transaction
from store.vault import Vault


class TextState(StrEnum):
    """Where a text message stands."""

    READY = "ready"  # certainly not sent
    SENDING = "sending"  # on its way to the provider, or the process died there
    UNSURE = "unsure"  # sent, and no answer came
    ACCEPTED = "accepted"  # the provider has it
    DELIVERED = "delivered"  # the telephone has it
    FAILED = "failed"  # the provider could not deliver it


OVER = frozenset({TextState.ACCEPTED, TextState.DELIVERED, TextState.FAILED})
_BEGIN = (
    "INSERT INTO texts (order_id, recipient, state, at, message_id, reason)"
    " VALUES (:order_id, :recipient, 'sending', :at, '', '') ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentText:
    """The text message of one order. message_id: the provider's, or empty; reason: why it failed."""

    order_id: int
    state: TextState
    at: datetime
    message_id: str
    reason: str


def recipient(vault: Vault, mobile: str) -> bytes:
    """The code of a number, of a kind of its own."""
    return vault.index("text", mobile)


def find(tx: Transaction, order_id: int) -> SentText | None:
    """What is known of an order's text message, or None while nothing was tried."""
    row = tx.connection.execute(select(texts).where(texts.c.order_id == order_id)).one_or_none()
    if row is None:
        return None
    return SentText(
        order_id=row.order_id,
        state=TextState(row.state),
        at=from_micros(row.at),
        message_id=row.message_id,
        reason=row.reason,
    )


def begin(tx: Transaction, order_id: int, code: bytes, before: SentText | None) -> bool:
    """Mark it as being sent; False if another process did so since `before` was read."""
    at = to_micros(tx.now)
    if before is None:
        done = tx.connection.execute(text(_BEGIN), {"order_id": order_id, "recipient": code, "at": at})
        return done.rowcount == 1
    done = tx.connection.execute(
        update(texts)
        .where(texts.c.order_id == order_id, texts.c.state == before.state.value, texts.c.at == to_micros(before.at))
        .values(state=TextState.SENDING.value, at=at, recipient=code)
    )
    return bool(done.rowcount)


def note(tx: Transaction, order_id: int, state: TextState, *, message_id: str = "", reason: str = "") -> bool:
    """Write down what became of it; False if a receipt has told the end before."""
    values = {"state": state.value, "at": to_micros(tx.now), "reason": reason}
    if message_id:
        values["message_id"] = message_id
    open_to = [one.value for one in TextState if one not in (TextState.DELIVERED, TextState.FAILED)]
    done = tx.connection.execute(
        update(texts).where(texts.c.order_id == order_id, texts.c.state.in_(open_to)).values(**values)
    )
    return bool(done.rowcount)


def today(tx: Transaction, code: bytes, order_id: int) -> int:
    """How many other text messages this number was sent since midnight."""
    midnight = tx.now.replace(hour=0, minute=0, second=0, microsecond=0)
    sent = select(func.count()).where(
        texts.c.recipient == code,
        texts.c.at >= to_micros(midnight),
        texts.c.order_id != order_id,
        texts.c.state != TextState.READY.value,
    )
    return int(tx.connection.scalar(sent) or 0)


def forget(tx: Transaction, older: timedelta) -> int:
    """Remove what is over and older, numbers and all (PIPL art. 19); how many."""
    over = [one.value for one in OVER]
    gone = texts.delete().where(texts.c.state.in_(over), texts.c.at < to_micros(tx.now - older))
    return int(tx.connection.execute(gone).rowcount)
