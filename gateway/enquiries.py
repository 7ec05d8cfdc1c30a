"""Enquiries (渠道查询): what doors ask the store about cases; implements `channels.door.Enquiries`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from gateway.limiter import Limiter
from petition import numbering
from petition.errors import Invalid, NotFound
from petition.petition import Lane, Purpose
from petition.workflow import words_for_citizen
from store import ledger, petitions
from store.database import Store
from store.petitions import THREAD
from store.transaction import Transaction


class CaseEnquiries:
    """Answers in numbers and words of the status. guesses: how often one case may be asked for with a code."""

    def __init__(self, store: Store, guesses: Limiter) -> None:
        self._store = store
        self._guesses = guesses

    async def status_words(self, case_no: str, query_code: str) -> str:
        """One sentence; NotFound for a wrong number or code alike; TooMany after too many tries for one case."""
        try:
            number = str(numbering.parse_case_no(case_no))
        except Invalid:
            raise NotFound() from None
        self._guesses.check(f"case:{number}")

        def look(tx: Transaction) -> str:
            if not petitions.check_code(tx, number, query_code):
                raise NotFound()
            case = petitions.get(tx, number)
            sealed = case.petition.purpose is Purpose.ACCUSATION or case.lane is Lane.SEALED
            return words_for_citizen(case.status, accusation=sealed)

        return await self._store.read(look)

    async def recent_case(self, channel: str, kind: str, value: str, within: timedelta) -> str:
        """The newest case of a channel from this sender in the window, or empty."""
        code = self._store.vault.index(kind, value)
        since = self._store.clock() - within
        return await self._store.read(lambda tx: petitions.recent(tx, channel, [code], since))

    async def case_of(self, channel: str, raw_id: str) -> str:
        """The case of the first event with this id, or empty."""
        return (await self._first(channel, raw_id))[0]

    async def digest_of(self, channel: str, raw_id: str) -> str:
        """SHA-256 in hex of the first event with this id, or empty."""
        return (await self._first(channel, raw_id))[1]

    async def thread(self, channel: str, ids: Sequence[str]) -> str:
        """The newest case of a channel whose conversation has one of these ids, or empty."""
        if not ids:
            return ""
        codes = [self._store.vault.index(THREAD, one) for one in ids]
        return await self._store.read(lambda tx: petitions.recent(tx, channel, codes))

    async def is_sender(self, case_no: str, kind: str, value: str) -> bool:
        """Whether the case came from this person; False for a number that does not exist."""
        try:
            number = str(numbering.parse_case_no(case_no))
        except Invalid:
            return False
        code = self._store.vault.index(kind, value)
        return await self._store.read(lambda tx: petitions.has_code(tx, number, code))

    async def _first(self, channel: str, raw_id: str) -> tuple[str, str]:
        return await self._store.read(lambda tx: ledger.first_event(tx, channel, raw_id))
