"""Codes (短信验证码): one text message at once, so that somebody can show who holds a mobile; nothing of it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import structlog

from config.notices import CODE, Notices
from dispatch.couriers.sms import OptedOut, Sent, ShortText, Texter, Unsure
from petition.errors import Unavailable
from store import opt_outs
from store.database import Store

FAILED = "验证码没有发出，请稍后再试，或者到窗口、打电话办理。"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCode:
    """Sends codes by the way for text messages. texter: None when no way is set; sign: between 【】, or empty."""

    store: Store
    texter: Texter | None
    notices: Notices
    sign: str

    def __call__(self, mobile: str, code: str, minutes: int) -> None:
        """Hand one over; blocks. Unavailable, in one sentence for all reasons, when it did not leave.

        Who wants no text messages gets none of these either, and whoever types that number does not learn it.
        """
        if self.texter is None or self.store.read_now(lambda tx: opt_outs.has(tx, mobile)):
            raise Unavailable(FAILED)
        values = {"code": code, "minutes": str(minutes)}
        text = ShortText(
            to=mobile,
            words=self.notices.written(CODE, values, self.sign),
            kind=CODE,
            values=values,
            id=uuid4().hex,
            receipts="",
            at=self.store.clock(),
        )
        outcome = self.texter.send(text, repeat=False)
        if isinstance(outcome, OptedOut):
            self.store.write_now(lambda tx: opt_outs.put(tx, mobile, "provider"))
        if not isinstance(outcome, Sent | Unsure):  # unsure: perhaps it arrives
            log.warning("a code was not sent", outcome=type(outcome).__name__)
            raise Unavailable(FAILED)
