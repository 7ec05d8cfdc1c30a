"""The bridge (热线状态同步): a case that came from 12345 changed its status, and the platform is told."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dispatch.courier import Again, Held, Outcome, pause
from petition.petition import Lane, Purpose
from petition.status import Status, words_for_citizen
from store import hotline_orders, outbox, petitions
from store.database import Store
from store.outbox import Order, OrderState
from store.transaction import Transaction

NOT_SET = "没有设置热线平台的网址（GATEWAY_HOTLINE_URL），不回传"


class Platform(Protocol):
    """A way to tell the 12345 platform."""

    def tell(self, key: str, told: Mapping[str, Any]) -> Outcome:
        """Hand one event over; the same key twice is one event. Never raises for what the other side does."""
        ...


@dataclass(frozen=True, slots=True)
class TellHotline:
    """The verb behind the task `bridge`. platform: None when no address is set: orders are withdrawn.

    chance: gives a number in [0, 1) for the jitter.
    """

    store: Store
    platform: Platform | None
    chance: Callable[[], float] = random.random

    def __call__(self, order_id: int) -> None:
        """Try the order once; never raises for what lies outside."""
        order = self.store.read_now(lambda tx: outbox.find(tx, order_id))
        if order is None or order.state is not OrderState.OPEN:
            return
        platform = self.platform
        if platform is None:
            self.store.write_now(lambda tx: outbox.withdraw(tx, order.case_no, order.kind, NOT_SET))
            return
        told = self.store.read_now(lambda tx: event_of(tx, order))
        outcome: Outcome = Held(reason="没有这件信访事项") if told is None else platform.tell(order.key, told)
        self._note(order, outcome)

    def _note(self, order: Order, outcome: Outcome) -> None:
        def note(tx: Transaction) -> None:
            match outcome:
                case Held():
                    outbox.hold(tx, order, outcome.reason)
                case Again():
                    due = tx.now + pause(order.attempts, outcome.after, self.chance)
                    outbox.again(tx, order, due, outcome.problem)
                case _:
                    outbox.delivered(tx, order, outcome.detail)

        self.store.write_now(note)


def event_of(tx: Transaction, order: Order) -> dict[str, Any] | None:
    """What the platform is told: numbers and words of the status, no content; None if the case is gone.

    Of an accusation only 已转有权机关, without the status itself (Regulation art. 30).
    """
    case = petitions.find(tx, order.case_no)
    if case is None:
        return None
    status = Status(order.payload["status"])
    secret = case.lane is Lane.SEALED or case.petition.purpose is Purpose.ACCUSATION
    return {
        "type": "hotline.status",
        "event_id": order.key,
        "case_no": case.case_no,
        "orders": list(hotline_orders.numbers(tx, case.case_no)),
        "status": "" if secret else status.value,
        "status_words": words_for_citizen(status, accusation=secret),
        "version": order.payload["version"],
        "at": order.payload["at"],
    }
