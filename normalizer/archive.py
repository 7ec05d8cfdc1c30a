"""The archive (在先件库): earlier cases out of the store, as the repeats stage asks for them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from normalizer.candidates import EarlierCase, PersonKey, Standing
from petition.workflow import Status
from store import petitions
from store.database import Store
from store.petitions import Case
from store.transaction import Transaction

BY_PEOPLE = 20  # cases of one person that are compared; more tell nothing new
KEPT = 2000  # cases kept opened; unsealing and parsing one costs more than comparing it

_TERMINATED = frozenset({Status.TERMINATED, Status.NO_LONGER_ACCEPTED})
_CONCLUDED = frozenset({Status.CONCLUDED, Status.ARCHIVED, Status.WITHDRAWN})


class Archive:
    """Implements `normalizer.candidates.Candidates`. May be asked by many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[tuple[str, int], EarlierCase] = OrderedDict()
        self._lock = threading.Lock()

    def by_people(self, keys: Sequence[PersonKey]) -> Iterable[EarlierCase]:
        """Cases that share a key, newest first."""
        codes = [self._store.vault.index(*key) for key in keys]

        def look(tx: Transaction) -> list[EarlierCase]:
            found = dict.fromkeys(case_no for case_no, _ in petitions.by_people(tx, codes, BY_PEOPLE * 2))
            return self._opened(tx, petitions.versions(tx, list(found)[:BY_PEOPLE]))

        return self._store.read_now(look)

    def by_region(self, region: str, limit: int) -> Iterable[EarlierCase]:
        """The newest cases of a county."""
        return self._store.read_now(lambda tx: self._opened(tx, petitions.newest(tx, region, limit)))

    def _opened(self, tx: Transaction, wanted: Sequence[tuple[str, int]]) -> list[EarlierCase]:
        with self._lock:
            known = {key: self._kept[key] for key in wanted if key in self._kept}
            for key in known:
                self._kept.move_to_end(key)
        missing = [case_no for case_no, version in wanted if (case_no, version) not in known]
        fresh = (
            {(case.case_no, case.version): _earlier(case) for case in petitions.cases(tx, missing)} if missing else {}
        )
        with self._lock:
            self._kept.update(fresh)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        known |= fresh
        return [known[key] for key in wanted if key in known]


def _earlier(case: Case) -> EarlierCase:
    standing = Standing.OPEN
    if case.status in _TERMINATED:
        standing = Standing.TERMINATED
    elif case.status in _CONCLUDED:
        standing = Standing.CONCLUDED
    return EarlierCase.of(case.petition, standing)
