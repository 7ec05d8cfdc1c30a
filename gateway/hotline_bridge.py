"""The bridge to 12345 (热线对接): implements `channels.hotline_bridge.Bridge` over the store."""

from __future__ import annotations

from channels.hotline_bridge import InProcedure, KnownOrder
from petition.arrival import Outcome
from petition.petition import Lane, Purpose, RelatedKind
from petition.status import is_open, words_for_citizen
from store import hotline_orders, petitions
from store.database import Store
from store.hotline_orders import Known
from store.petitions import Case
from store.transaction import Transaction


class HotlineBridge:
    """Numbers and words of the status; never the content of a case, and nothing of a sealed one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def latest(self, order_no: str) -> KnownOrder | None:
        """What is known of the number, or None."""
        found = await self._store.read(lambda tx: hotline_orders.find(tx, order_no))
        return None if found is None else KnownOrder(found.case_no, found.digest, found.changes)

    async def note(self, order_no: str, known: KnownOrder) -> None:
        """Remember the newest content of a number."""
        kept = Known(known.case_no, known.digest, known.changes)
        await self._store.write(lambda tx: hotline_orders.note(tx, order_no, kept))

    async def in_procedure(self, case_no: str) -> InProcedure | None:
        """The open case of the same person about the same matter. Reading proposes it, an officer decides: the new
        order keeps its own number and the link until then."""
        return await self._store.read(lambda tx: _in_procedure(tx, case_no))


def _in_procedure(tx: Transaction, case_no: str) -> InProcedure | None:
    case = petitions.find(tx, case_no)
    if case is None or not case.petition.is_repeat or case.lane is Lane.SEALED:
        return None
    links = sorted(case.petition.related, key=lambda link: -link.score)
    numbers = [link.case_no for link in links if link.kind is RelatedKind.LINK]
    others = {other.case_no: other for other in petitions.cases(tx, numbers)}
    for number in numbers:
        if number in others and _handled(others[number]):
            return InProcedure(number, words_for_citizen(others[number].status))
    return None


def _handled(case: Case) -> bool:
    secret = case.lane is Lane.SEALED or case.petition.purpose is Purpose.ACCUSATION
    return not secret and case.standing is Outcome.PETITION and is_open(case.status)
