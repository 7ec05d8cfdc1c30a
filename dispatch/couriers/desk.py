"""The desk courier (本级收件): the unit's inbox in this house, used when there is no routing system outside."""

from __future__ import annotations

from config.units import Unit
from dispatch.courier import Delivered, Outcome
from petition.petition import Petition
from store.outbox import Order


class Desk:
    """Lays the petition on the unit's desk: the commit that names the unit as its holder is the delivery."""

    def deliver(self, order: Order, petition: Petition, unit: Unit) -> Outcome:
        """Always delivered, as often as it is asked."""
        return Delivered(detail=f"本级收件 {unit.code}", unit_code=unit.code, unit_name=unit.name)

    def close(self) -> None:
        """There is nothing to let go of."""
