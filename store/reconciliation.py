"""The reconciliation (对账): received = petitions + linked + held + refused, per channel, nothing undispatched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import exists, func, select

from petition.arrival import Outcome
from store.tables import ledger, ledger_heads, outbox, petitions
from store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One channel's figures. received comes from the gap-free counter, all others from the rows themselves.

    waiting: petitions with an order that is still open or held; gap: what is neither here nor there, 0 or an alarm.
    """

    received: int = 0
    petitions: int = 0
    linked: int = 0
    held: int = 0
    refused: int = 0
    dispatched: int = 0
    waiting: int = 0

    @property
    def gap(self) -> int:
        """Events without a place plus petitions that nobody is going to dispatch."""
        missing = abs(self.received - self.petitions - self.linked - self.held - self.refused)
        return missing + abs(self.petitions - self.dispatched - self.waiting)

    def figures(self) -> dict[str, int]:
        """As a JSON object."""
        return {**asdict(self), "gap": self.gap}

    def __add__(self, other: Balance) -> Balance:
        """Two channels together; gaps of opposite sign do not cancel out."""
        mine, theirs = asdict(self), asdict(other)
        return Balance(**{name: mine[name] + theirs[name] for name in mine})


def reconcile(tx: Transaction) -> Mapping[str, Balance]:
    """Channel -> its balance, for every channel that ever received anything."""
    figures: dict[str, dict[str, int]] = {}

    def put(channel: str, name: str, number: int) -> None:
        line = figures.setdefault(channel, {})
        line[name] = line.get(name, 0) + number

    heads = select(ledger_heads.c.channel, func.sum(ledger_heads.c.counter)).where(ledger_heads.c.channel != "")
    for channel, number in tx.connection.execute(heads.group_by(ledger_heads.c.channel)):
        put(channel, "received", int(number))
    entered = select(ledger.c.channel, ledger.c.outcome, func.count()).group_by(ledger.c.channel, ledger.c.outcome)
    for channel, outcome, number in tx.connection.execute(entered):
        if outcome in (Outcome.LINKED, Outcome.REFUSED):
            put(channel, outcome, number)
    standing = select(petitions.c.channel, petitions.c.standing, func.count())
    names = {Outcome.PETITION: "petitions", Outcome.LINKED: "linked", Outcome.HELD: "held", Outcome.REFUSED: "refused"}
    for channel, what, number in tx.connection.execute(standing.group_by(petitions.c.channel, petitions.c.standing)):
        put(channel, names[Outcome(what)], number)
    leaving = (
        exists()
        .where(outbox.c.case_no == petitions.c.case_no, outbox.c.kind == "dispatch", outbox.c.state == "delivered")
        .correlate(petitions)
    )
    staying = (
        exists()
        .where(
            outbox.c.case_no == petitions.c.case_no,
            outbox.c.kind.in_(("dispatch", "read")),
            outbox.c.state.in_(("open", "held")),
        )
        .correlate(petitions)
    )
    for name, condition in (("dispatched", leaving), ("waiting", staying & ~leaving)):
        wanted = (
            select(petitions.c.channel, func.count())
            .where(petitions.c.standing == Outcome.PETITION.value, condition)
            .group_by(petitions.c.channel)
        )
        for channel, number in tx.connection.execute(wanted):
            put(channel, name, number)
    return {channel: Balance(**line) for channel, line in sorted(figures.items())}
