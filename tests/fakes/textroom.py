"""A room in which text messages leave (短信室): a real store with a clock that is set, and a way that remembers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from config.notices import Notices, load_notices
from dispatch.couriers.sms import Sent, ShortText, TextOutcome
from dispatch.texts import TEXT, SendText, TextHead
from petition.clock import SHANGHAI
from petition.people import Person
from petition.petition import Lane, Petition
from petition.status import Status
from store import history, outbox, petitions
from store.database import Store, open_store
from store.outbox import Order
from store.petitions import context_of, seal_record
from store.transaction import Transaction
from tests.dispatch.cases import PLAIN
from tests.dispatch.conftest import DATA
from tests.store.entries import entry

MOBILE = "+8615400000006"
OTHER = "+8615400000007"
HEAD = TextHead(sign="示例省信访局", public_url="https://petitions.example")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=SHANGHAI)


@dataclass
class Clock:
    """A clock that is set."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Ways:
    """A way that remembers and answers as told."""

    name: str = "示例"
    answers: list[TextOutcome | Exception] = field(default_factory=list)
    sent: list[tuple[ShortText, bool]] = field(default_factory=list)

    def send(self, text: ShortText, *, repeat: bool) -> TextOutcome:
        self.sent.append((text, repeat))
        answer = self.answers.pop(0) if self.answers else Sent(message_id=f"SM{len(self.sent)}")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        pass


@dataclass
class Room:
    """A store with a clock, a way and the verb."""

    store: Store
    clock: Clock
    way: Ways
    notices: Notices
    numbers: int = 0

    def case(
        self, *, lane: Lane = Lane.NORMAL, read: bool = True, people: tuple[Person, ...] = (), **changes: Any
    ) -> str:
        """A case of this person, asked for by text message: one order `text`."""
        self.numbers += 1
        uid = os.urandom(16)
        record: Petition = replace(PLAIN, case_no="", petitioners=people or (Person(mobile=MOBILE),))
        sealed = self.store.vault.seal(changes.pop("to", MOBILE).encode(), context_of(uid))
        made = entry(
            self.store,
            raw_id=f"raw-{self.numbers}",
            uid=uid,
            record=seal_record(self.store.vault, self.store.records.petition_to_store(record), uid),
            lane=lane.value,
            read=read,
            received_at=self.clock.at,
            orders=((TEXT, {"to": sealed.hex(), "uid": uid.hex()}),),
            **changes,
        )
        case_no: str = self.store.writer.write_now(made).case_no
        return case_no

    def order(self, case_no: str, kind: str = TEXT) -> Order:
        """Its newest order of a kind."""
        return [one for one in self.store.read_now(lambda tx: outbox.of(tx, case_no)) if one.kind == kind][-1]

    def tried(self, case_no: str, kind: str = TEXT, way: bool = True) -> Order:
        """The order once the verb has tried it."""
        SendText(self.store, self.way if way else None, self.notices, HEAD, chance=lambda: 0.5)(
            self.order(case_no, kind).id
        )
        return self.order(case_no, kind)

    def moved(self, case_no: str, status: Status) -> None:
        """The case moves to a status."""

        def move(tx: Transaction) -> None:
            petitions.amend(tx, petitions.get(tx, case_no), actor="routing", event="accept", status=status)

        self.store.write_now(move)

    def lines(self, case_no: str) -> list[str]:
        """The events of its history."""
        return [step.event for step in self.store.read_now(lambda tx: history.of(tx, case_no))]


@contextmanager
def text_room(folder: Path, migrated: Path) -> Iterator[Room]:
    """A room over a copy of the migrated database."""
    (folder / "gateway.db").write_bytes(migrated.read_bytes())
    notices, clock = load_notices(DATA), Clock()
    room = Room(
        open_store("", folder, b"k" * 32, clock, min_free=0, told=frozenset(notices.status)), clock, Ways(), notices
    )
    yield room
    room.store.close()
