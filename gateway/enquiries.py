"""Enquiries (渠道查询): what doors ask the store about cases; implements `channels.door.Enquiries`."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from datetime import timedelta

from gateway.limiter import Limiter
from petition import keypad, numbering
from petition.errors import Invalid, NotFound
from petition.petition import Lane, Purpose
from petition.workflow import words_for_citizen
from store import ledger, petitions
from store.codes import opening_event, query_code_of
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
            return _status_words(tx, number)

        return await self._store.read(look)

    async def status_by_keys(self, case_keys: str, code_keys: str) -> str:
        """As `status_words`, for what was typed on a telephone; as many tries for one case as there.

        A key stands for up to five signs, so the true code is worked out (ADR 4) and its keys are compared.
        """
        numbers = keypad.cases_by_keys(case_keys)
        for number in numbers:
            self._guesses.check(f"case:{number}")

        def look(tx: Transaction) -> str:
            for number in numbers:
                if _opens(tx, number, code_keys):
                    return _status_words(tx, number)
            raise NotFound()

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


def _status_words(tx: Transaction, number: str) -> str:
    case = petitions.get(tx, number)
    sealed = case.petition.purpose is Purpose.ACCUSATION or case.lane is Lane.SEALED
    return words_for_citizen(case.status, accusation=sealed)


def _opens(tx: Transaction, number: str, code_keys: str) -> bool:
    """Whether these are the keys of the query code of this case."""
    event = opening_event(tx, number)
    if event is None:
        return False
    channel, raw_id, digest, files = event
    code = query_code_of(tx.vault, channel, raw_id, digest, json.loads(files))
    alike = hmac.compare_digest(keypad.code_keys(code).encode(), code_keys.encode("utf-8", "replace"))
    return alike and petitions.check_code(tx, number, code)
