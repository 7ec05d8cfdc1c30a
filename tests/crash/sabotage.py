"""The sabotage (埋错): starts the gateway with one planted mistake, so that the harness proves it would see it.

python -m tests.crash.sabotage NAME serve --no-demo
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event, update

from dispatch.couriers.exchange import Exchange
from dispatch.delivery import Delivery
from gateway.__main__ import main
from petition.arrival import Outcome
from store import outbox, tables, writer
from store.entry import Entered, Entry
from store.files import Files
from store.ledger import ZERO, Chain
from store.moments import from_micros
from store.transaction import Transaction
from store.writer import Writer

PAUSE = 0.04  # seconds a mistake stays open: what takes a hundred kills to hit takes a few


def early_ack() -> None:
    """Acknowledged before COMMIT: the futures are settled while the transaction is still open."""
    here = threading.local()  # readers commit too
    together = Writer._together

    def mistaken(self: Writer, jobs: Any) -> None:
        here.jobs = list(jobs)
        try:
            together(self, jobs)
        finally:
            here.jobs = []

    def before_commit(connection: object) -> None:
        if jobs := getattr(here, "jobs", []):
            writer._tell(jobs)
            time.sleep(5 * PAUSE)

    _put(Writer, "_together", mistaken)
    event.listen(Engine, "commit", before_commit)


def marked_before_sent() -> None:
    """The order is closed before the router answered, and opened again when the answer is no good one."""
    outcome = Delivery._outcome

    def mistaken(self: Delivery, order: Any, case: Any) -> Any:
        self.store.write_now(lambda tx: outbox.delivered(tx, order, "sent"))
        time.sleep(PAUSE)
        found = outcome(self, order, case)

        def reopen(tx: Transaction) -> None:
            tx.connection.execute(
                update(tables.outbox).where(tables.outbox.c.id == order.id).values(state="open", done_at=None)
            )

        self.store.write_now(reopen)
        return found

    _put(Delivery, "_outcome", mistaken)


@dataclass(frozen=True)
class _OtherKey:
    key: str


def random_key() -> None:
    """A new idempotency key at each try."""
    deliver: Callable[..., Any] = Exchange.deliver

    def mistaken(self: Exchange, order: Any, petition: Any, unit: Any) -> Any:
        return deliver(self, _OtherKey(f"case-{uuid.uuid4().hex}"), petition, unit)

    _put(Exchange, "deliver", mistaken)


def blob_in_place() -> None:
    """A body is written under its last name, without temporary file, fsync and rename."""

    def mistaken(self: Files, pieces: Iterator[bytes], size: int) -> str:
        body, digest, path = _whole(self, pieces)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as target:
                for start in range(0, len(body), 1 + len(body) // 4):
                    target.write(body[start : start + 1 + len(body) // 4])
                    target.flush()
                    time.sleep(PAUSE)
        return digest

    _put(Files, "_keep", mistaken)


def row_before_blob() -> None:
    """The row names a body that is still on its way to the disk."""

    def mistaken(self: Files, pieces: Iterator[bytes], size: int) -> str:
        body, digest, path = _whole(self, pieces)

        def late() -> None:
            time.sleep(10 * PAUSE)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)

        threading.Thread(target=late, daemon=True).start()
        return digest

    _put(Files, "_keep", mistaken)


def _whole(files: Files, pieces: Iterator[bytes]) -> tuple[bytes, str, Any]:
    """The sealed body of one piece, its digest and place, as `Files` would write it."""
    plain = b"".join(pieces)
    name = os.urandom(16)
    sealed = files._vault.seal(plain, name + bytes(8))
    digest = hashlib.sha256(plain).hexdigest()
    return b"XFG1" + name + len(sealed).to_bytes(4, "big") + sealed, digest, files._path(digest)


def dropped_duplicates() -> None:
    """A known id gets its answer, but no entry of its own."""
    enter = Chain.enter

    def mistaken(self: Chain, tx: Transaction, entries: Sequence[Entry]) -> list[Entered]:
        known = self._known(tx, entries)
        fresh = [entry for entry in entries if entry.key not in known]
        entered = iter(enter(self, tx, fresh) if fresh else [])
        return [
            next(entered)
            if entry.key not in known
            else Entered(
                known[entry.key].id,
                known[entry.key].case_no,
                Outcome.LINKED,
                from_micros(known[entry.key].received_at),
            )
            for entry in entries
        ]

    _put(Chain, "enter", mistaken)


def forgotten_head() -> None:
    """After a start the chain begins anew, though the numbers go on."""
    load = Chain._load_head

    def mistaken(self: Chain, tx: Transaction) -> tuple[int, bytes]:
        if self._head is None:
            place, _ = load(self, tx)
            self._head = (place, ZERO)
        return load(self, tx)

    _put(Chain, "_load_head", mistaken)


def _put(owner: type, name: str, mistaken: Callable[..., Any]) -> None:
    setattr(owner, name, mistaken)


# name -> (how it is planted, what the judge must say, what may come with it)
PLANTED: dict[str, tuple[Callable[[], None], frozenset[str], frozenset[str]]] = {
    "early-ack": (
        early_ack,
        frozenset({"unknown code"}),
        # A form is not found again behind its own answer: whoever fills it in gets no further.
        frozenset({"two answers", "shared number", "counts", "not at router", "status", "unacknowledged"}),
    ),
    "marked-before-sent": (marked_before_sent, frozenset({"not at router"}), frozenset()),
    "random-key": (random_key, frozenset({"twice at router"}), frozenset()),
    "blob-in-place": (blob_in_place, frozenset({"ledger"}), frozenset()),
    "row-before-blob": (row_before_blob, frozenset({"ledger"}), frozenset()),
    "dropped-duplicates": (dropped_duplicates, frozenset({"counts"}), frozenset()),
    "forgotten-head": (forgotten_head, frozenset({"ledger"}), frozenset()),
}

if __name__ == "__main__":
    PLANTED[sys.argv.pop(1)][0]()
    main()
