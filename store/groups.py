"""Groups (网上联名): the link of a joint petition and everybody who joined by it, sealed, found by keyed digests."""

from __future__ import annotations

import base64
import hmac
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from petition.arrival import Joining
from petition.people import Person
from store.moments import from_micros, from_micros_or_none, to_micros
from store.petitions import code_hash
from store.tables import group_members as members
from store.tables import groups, look_ups
from store.transaction import Transaction
from store.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The link of one case and what its opener lets everybody see who has it. households: known so far."""

    case_no: str
    token: str
    title: str
    summary: str
    open: bool
    expires_at: datetime
    joined: int
    proved: int
    households: int

    def takes(self, now: datetime) -> bool:
        """Whether somebody may still join."""
        return self.open and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One joining of one person. counts: it is the one by which this person is counted."""

    uid: bytes
    case_no: str
    person: bytes
    household: bytes
    proved: str
    counts: bool
    joined_at: datetime
    left_at: datetime | None


def token_of(vault: Vault, case_no: str, serial: int) -> str:
    """The random-looking part of the link: worked out from the key, so that it is stored only as a digest."""
    return base64.urlsafe_b64encode(vault.mac("group-link", f"{case_no}\x1f{serial}".encode())[:18]).decode()


def person_code(vault: Vault, person: Person) -> bytes:
    """By what the same person is known again: the identity number, else mobile and name."""
    if person.id_no:
        return vault.index("group-person", f"{person.id_type}\x1f{person.id_no}")
    return vault.index("group-person", f"{person.mobile or person.landline}\x1f{person.name}")


def household_code(vault: Vault, case_no: str, words: str) -> bytes:
    """The same household however its door is written: width, blanks and case do not count."""
    plain = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", words)).casefold()
    return vault.index("household", f"{case_no}\x1f{plain}") if plain else b""


def put(tx: Transaction, case_no: str, *, title: str, summary: str, household: str, lasts: timedelta) -> str:
    """Open the link of a case, or open it anew with other words; an older link of the case ends. Returns the token."""
    serial = int(tx.connection.scalar(select(groups.c.serial).where(groups.c.case_no == case_no)) or 0)
    token = token_of(tx.vault, case_no, serial + 1)
    shown = json.dumps({"title": title, "summary": summary}, ensure_ascii=False).encode()
    values: dict[str, Any] = {
        "serial": serial + 1,
        "token": tx.vault.index("group-token", token),
        "shown": tx.vault.seal(shown, _context(case_no)),
        "household": household_code(tx.vault, case_no, household),
        "open": True,
        "expires_at": to_micros(tx.now + lasts),
    }
    if serial:
        tx.connection.execute(update(groups).where(groups.c.case_no == case_no).values(**values))
    else:
        tx.connection.execute(insert(groups).values(case_no=case_no, created_at=to_micros(tx.now), **values))
    return token


def renew(tx: Transaction, case_no: str, lasts: timedelta) -> None:
    """A new link in place of the old one; words and people stay."""
    serial = int(tx.connection.scalar(select(groups.c.serial).where(groups.c.case_no == case_no)) or 0) + 1
    token = tx.vault.index("group-token", token_of(tx.vault, case_no, serial))
    values = {"serial": serial, "token": token, "open": True, "expires_at": to_micros(tx.now + lasts)}
    tx.connection.execute(update(groups).where(groups.c.case_no == case_no).values(**values))


def set_open(tx: Transaction, case_no: str, takes: bool, lasts: timedelta) -> None:
    """Close the link, or take people again for some days."""
    values: dict[str, Any] = {"open": takes}
    if takes:
        values["expires_at"] = to_micros(tx.now + lasts)
    tx.connection.execute(update(groups).where(groups.c.case_no == case_no).values(**values))


def find(tx: Transaction, case_no: str) -> Group | None:
    """The group of a case, or None."""
    return _group(tx, tx.connection.execute(select(groups).where(groups.c.case_no == case_no)).one_or_none())


def by_token(tx: Transaction, token: str) -> Group | None:
    """The group this link leads to, closed ones too; None for a link that is unknown or was replaced."""
    code = tx.vault.index("group-token", token)
    return _group(tx, tx.connection.execute(select(groups).where(groups.c.token == code)).one_or_none())


def add(tx: Transaction, case_no: str, uid: bytes, person: Person, said: Joining, code: bytes, *, counts: bool) -> None:
    """Write down one joining; the same uid again changes nothing."""
    if member(tx, uid) is None:
        tx.connection.execute(
            insert(members).values(
                uid=uid,
                case_no=case_no,
                person=person_code(tx.vault, person),
                household=household_code(tx.vault, case_no, said.household),
                code_hash=code,
                proved=said.proved,
                counts=counts,
                joined_at=to_micros(tx.now),
                left_at=None,
            )
        )


def member(tx: Transaction, uid: bytes) -> Member | None:
    """The joining of that id, or None."""
    row = tx.connection.execute(select(members).where(members.c.uid == uid)).one_or_none()
    return None if row is None else _member(row)


def by_code(tx: Transaction, case_no: str, query_code: str) -> Member | None:
    """The joining a query code belongs to; every joining of the case is compared, whether one fits or not."""
    rows = tx.connection.execute(select(members).where(members.c.case_no == case_no)).all()
    found = [row for row in rows if hmac.compare_digest(code_hash(tx.vault, row.uid, query_code), row.code_hash)]
    return _member(found[0]) if found else None


def active(tx: Transaction, case_no: str, person: bytes) -> list[Member]:
    """The joinings of one person that have not ended, oldest first."""
    wanted = select(members).where(
        members.c.case_no == case_no, members.c.person == person, members.c.left_at.is_(None)
    )
    return [_member(row) for row in tx.connection.execute(wanted.order_by(members.c.joined_at, members.c.uid))]


def proofs(tx: Transaction, case_no: str) -> dict[bytes, str]:
    """How everybody who joined and counts proved the mobile (empty: not at all), by the code of the person."""
    wanted = select(members.c.person, members.c.proved).where(members.c.case_no == case_no, members.c.counts)
    return {bytes(row.person): row.proved for row in tx.connection.execute(wanted)}


def leave(tx: Transaction, uid: bytes) -> None:
    """This joining ends and counts no more."""
    tx.connection.execute(update(members).where(members.c.uid == uid).values(left_at=to_micros(tx.now), counts=False))


def count_by(tx: Transaction, uid: bytes) -> None:
    """The person is counted by this joining from now on."""
    tx.connection.execute(update(members).where(members.c.uid == uid).values(counts=True))


def index_person(tx: Transaction, case_no: str, codes: Iterable[tuple[str, bytes]]) -> None:
    """Add look-up codes of one more person; those that are there stay."""
    there = {
        (row.kind, bytes(row.code))
        for row in tx.connection.execute(select(look_ups.c.kind, look_ups.c.code).where(look_ups.c.case_no == case_no))
    }
    rows = [{"case_no": case_no, "kind": kind, "code": code} for kind, code in dict.fromkeys(codes)]
    rows = [row for row in rows if (row["kind"], row["code"]) not in there]
    if rows:
        tx.connection.execute(insert(look_ups), rows)


def _group(tx: Transaction, row: Row[Any] | None) -> Group | None:
    if row is None:
        return None
    there = (members.c.case_no == row.case_no) & members.c.left_at.is_(None)
    joined = tx.connection.scalar(select(func.count()).select_from(members).where(there, members.c.counts))
    proved = tx.connection.scalar(
        select(func.count()).select_from(members).where(there, members.c.counts, members.c.proved != "")
    )
    homes = {bytes(code) for code in tx.connection.scalars(select(members.c.household).where(there).distinct())}
    homes.add(bytes(row.household))
    shown = json.loads(tx.vault.open(row.shown, _context(row.case_no)))
    return Group(
        case_no=row.case_no,
        token=token_of(tx.vault, row.case_no, row.serial),
        title=shown["title"],
        summary=shown["summary"],
        open=row.open,
        expires_at=from_micros(row.expires_at),
        joined=int(joined or 0),
        proved=int(proved or 0),
        households=len(homes - {b""}),
    )


def _member(row: Row[Any]) -> Member:
    return Member(
        uid=bytes(row.uid),
        case_no=row.case_no,
        person=bytes(row.person),
        household=bytes(row.household),
        proved=row.proved,
        counts=row.counts,
        joined_at=from_micros(row.joined_at),
        left_at=from_micros_or_none(row.left_at),
    )


def _context(case_no: str) -> bytes:
    return b"group\x1f" + case_no.encode()
