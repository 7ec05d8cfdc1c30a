"""Accounts (人员账号): officers, their sign-in sessions, lock-out and the second factor."""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyotp
from sqlalchemy import Row, delete, func, insert, select, update

from petition.errors import Conflict
from petition.identity import tidy
from petition.petition import Lane
from store.moments import from_micros, from_micros_or_none, to_micros
from store.tables import officer_sessions, officers
from store.transaction import Transaction
from store.vault import Vault

FAILURES = 5  # wrong passwords or codes in a row, then the account rests
LOCK = timedelta(minutes=15)  # the first rest; each further one is twice as long
LONGEST_LOCK = timedelta(hours=4)
IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=8)
HALF = timedelta(minutes=5)  # between the password and the code
TOUCH = timedelta(minutes=1)  # seen_at is written at most so often: a read must not cost a commit each time
_STEP = 30  # seconds of a TOTP step (RFC 6238)
_WINDOW = 1  # steps a clock may be off


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """One officer. region: bounds what is seen by its prefix; unit: code in units.csv; lanes: granted personally."""

    id: int
    name: str
    display_name: str
    roles: tuple[str, ...]
    region: str
    unit: str
    lanes: frozenset[Lane]
    active: bool = True
    enrolled: bool = True  # has a second factor

    @property
    def actor(self) -> str:
        """How history and audit name the officer; the prefix keeps it apart from parts of the house."""
        return f"officer:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A counted try to sign in. barred: whatever the password, the answer is no (unknown, locked, inactive)."""

    officer: Officer | None
    password_hash: str
    barred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A sign-in. second_factor is False between password and code: such a session opens nothing else."""

    officer: Officer
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    second_factor: bool
    address: str


def create(
    tx: Transaction,
    *,
    name: str,
    display_name: str,
    password_hash: str,
    roles: Sequence[str],
    region: str,
    unit: str,
    lanes: Collection[Lane],
    totp_secret: str = "",
) -> Officer:
    """Add an officer; without `totp_secret` (base 32) the second factor is set up at the first sign-in.

    Raises Conflict if the name is taken.
    """
    name = normal(name)
    if find(tx, name) is not None:
        raise Conflict(f"账号 {name} 已经存在。")
    tx.connection.execute(
        insert(officers).values(
            name=name,
            display_name=display_name,
            password_hash=password_hash,
            totp_sealed=_sealed(tx.vault, name, totp_secret) if totp_secret else None,
            roles=json.dumps(list(roles)),
            region=region,
            unit=unit,
            lanes=json.dumps(sorted(lane.value for lane in lanes)),
            active=True,
            created_at=to_micros(tx.now),
        )
    )
    made = find(tx, name)
    assert made is not None
    return made


def find(tx: Transaction, name: str) -> Officer | None:
    """The officer of that sign-in name, or None."""
    row = tx.connection.execute(select(officers).where(officers.c.name == normal(name))).one_or_none()
    return None if row is None else _officer(row)


def number(tx: Transaction) -> int:
    """How many accounts there are, active or not."""
    return int(tx.connection.scalar(select(func.count()).select_from(officers)) or 0)


def everybody(tx: Transaction) -> list[Officer]:
    """Every account, active or not, by name."""
    return [_officer(row) for row in tx.connection.execute(select(officers).order_by(officers.c.name))]


def renew(tx: Transaction, officer_id: int, password_hash: str) -> None:
    """A new password: the lock is off, every sign-in ends, the second factor is set up anew at the next one."""
    fresh = {"password_hash": password_hash, "totp_sealed": None, "totp_last_step": 0, "failed": 0}
    tx.connection.execute(update(officers).where(officers.c.id == officer_id).values(locked_until=None, **fresh))
    tx.connection.execute(delete(officer_sessions).where(officer_sessions.c.officer_id == officer_id))


def deactivate(tx: Transaction, officer_id: int) -> None:
    """Close the account and every sign-in of it at once; the row stays, because the audit trail names it."""
    tx.connection.execute(update(officers).where(officers.c.id == officer_id).values(active=False))
    tx.connection.execute(delete(officer_sessions).where(officer_sessions.c.officer_id == officer_id))


def begin_attempt(tx: Transaction, name: str) -> Attempt:
    """Count a try before it is checked, so that tries made at the same moment cannot slip past the limit."""
    row = tx.connection.execute(select(officers).where(officers.c.name == normal(name))).one_or_none()
    if row is None or not row.active or _locked(row, tx.now):
        return Attempt(officer=None if row is None else _officer(row), password_hash="", barred=True)
    _count(tx, row)
    return Attempt(officer=_officer(row), password_hash=row.password_hash, barred=False)


def password_right(tx: Transaction, officer: Officer, token: str, address: str) -> None:
    """Take back the count of this try and open a half session.

    The failures before it stay until the code is right too: or a stolen password would give endless tries at codes.
    """
    row = tx.connection.execute(select(officers).where(officers.c.id == officer.id)).one()
    # A lock that stands now was set by this very try: a locked account does not get as far as a right password.
    tx.connection.execute(
        update(officers).where(officers.c.id == officer.id).values(failed=max(0, row.failed - 1), locked_until=None)
    )
    _open(tx, officer.id, token, address, lasts=HALF, second_factor=False)


def second_factor(tx: Transaction, half: str, token: str, code: str, address: str) -> Officer | None:
    """Check the code against the half session; right: the full session replaces it. None: wrong, used, locked or gone.

    Each 30-second step is good for one sign-in only, so that a code seen over a shoulder is worth nothing.
    """
    row = _half_open(tx, half)
    if row is None or row.totp_sealed is None:
        return None
    secret = tx.vault.open(row.totp_sealed, _context(row.name)).decode()
    return _finish(tx, row, half, token, secret, code, address)


def enrol(tx: Transaction, half: str, token: str, secret: str, code: str, address: str) -> Officer | None:
    """Set the second factor of an officer who has none, proved by a first code; otherwise as `second_factor`."""
    row = _half_open(tx, half)
    if row is None or row.totp_sealed is not None:
        return None
    officer = _finish(tx, row, half, token, secret, code, address)
    if officer is not None:
        sealed = _sealed(tx.vault, row.name, secret)
        tx.connection.execute(update(officers).where(officers.c.id == row.id).values(totp_sealed=sealed))
    return officer


def session(tx: Transaction, token: str) -> Session | None:
    """The sign-in of this token if it is still good (30 minutes idle, 8 hours in all, account active), else None."""
    joined = (
        select(
            officer_sessions.c.created_at.label("opened_at"),
            officer_sessions.c.seen_at,
            officer_sessions.c.expires_at,
            officer_sessions.c.second_factor,
            officer_sessions.c.address,
            officers,
        )
        .join(officers, officers.c.id == officer_sessions.c.officer_id)
        .where(officer_sessions.c.token_hash == _hashed(tx.vault, token), officers.c.active)
    )
    row = tx.connection.execute(joined).one_or_none()
    if row is None or row.expires_at <= to_micros(tx.now) or row.seen_at <= to_micros(tx.now - IDLE):
        return None
    return Session(
        officer=_officer(row),
        created_at=from_micros(row.opened_at),
        seen_at=from_micros(row.seen_at),
        expires_at=from_micros(row.expires_at),
        second_factor=row.second_factor,
        address=row.address,
    )


def owner(tx: Transaction, token: str) -> str:
    """The sign-in name this token belonged to, also when the sign-in is over; empty if nothing is known of it."""
    wanted = (
        select(officers.c.name)
        .join(officer_sessions, officers.c.id == officer_sessions.c.officer_id)
        .where(officer_sessions.c.token_hash == _hashed(tx.vault, token), officer_sessions.c.second_factor)
    )
    return tx.connection.scalar(wanted) or ""


def touch(tx: Transaction, token: str) -> None:
    """The officer is still there."""
    tx.connection.execute(
        update(officer_sessions)
        .where(officer_sessions.c.token_hash == _hashed(tx.vault, token))
        .values(seen_at=to_micros(tx.now))
    )


def sign_out(tx: Transaction, token: str) -> None:
    """End this sign-in; one that is over already is no error."""
    tx.connection.execute(delete(officer_sessions).where(officer_sessions.c.token_hash == _hashed(tx.vault, token)))


def normal(name: str) -> str:
    """A sign-in name in one spelling: half-width, lower case."""
    return tidy(name[:200]).lower()[:64]


def matching_step(secret: str, code: str, now: datetime, after: int) -> int | None:
    """The TOTP step (RFC 6238) the six digits belong to, later than `after` and at most one off; or None."""
    typed = "".join(tidy(code[:40]).split())
    if len(typed) != 6 or not (typed.isascii() and typed.isdigit()):
        return None
    here = int(now.timestamp()) // _STEP
    # Every step is compared, so that the time taken tells nothing.
    hits = [
        step
        for step in range(here - _WINDOW, here + _WINDOW + 1)
        if hmac.compare_digest(pyotp.HOTP(secret).at(step), typed)
    ]
    return next((step for step in hits if step > after), None)


def _half_open(tx: Transaction, half: str) -> Row[Any] | None:
    row = tx.connection.execute(
        select(officers)
        .join(officer_sessions, officers.c.id == officer_sessions.c.officer_id)
        .where(
            officer_sessions.c.token_hash == _hashed(tx.vault, half),
            officer_sessions.c.second_factor.is_(False),
            officer_sessions.c.expires_at > to_micros(tx.now),
            officers.c.active,
        )
    ).one_or_none()
    return None if row is None or _locked(row, tx.now) else row


def _finish(
    tx: Transaction, row: Row[Any], half: str, token: str, secret: str, code: str, address: str
) -> Officer | None:
    step = matching_step(secret, code, tx.now, row.totp_last_step)
    if step is None:
        _count(tx, row)
        return None
    used = update(officers).where(officers.c.id == row.id, officers.c.totp_last_step < step)
    done = tx.connection.execute(used.values(totp_last_step=step, failed=0, locked_until=None))
    if done.rowcount != 1:  # on PostgreSQL another writer may have used the step this very moment
        return None
    sign_out(tx, half)
    _open(tx, row.id, token, address, lasts=ABSOLUTE, second_factor=True)
    return _officer(row)


def _open(tx: Transaction, officer_id: int, token: str, address: str, *, lasts: timedelta, second_factor: bool) -> None:
    now = to_micros(tx.now)
    tx.connection.execute(delete(officer_sessions).where(officer_sessions.c.expires_at <= now))
    tx.connection.execute(
        insert(officer_sessions).values(
            token_hash=_hashed(tx.vault, token),
            officer_id=officer_id,
            created_at=now,
            seen_at=now,
            expires_at=to_micros(tx.now + lasts),
            second_factor=second_factor,
            address=address,
        )
    )


def _count(tx: Transaction, row: Row[Any]) -> None:
    failed = row.failed + 1
    rests, at_limit = divmod(failed, FAILURES)
    until = None
    if not at_limit:
        until = to_micros(tx.now + min(LOCK * 2 ** min(rests - 1, 10), LONGEST_LOCK))
    tx.connection.execute(
        update(officers).where(officers.c.id == row.id).values(failed=officers.c.failed + 1, locked_until=until)
    )


def _locked(row: Row[Any], now: datetime) -> bool:
    until = from_micros_or_none(row.locked_until)
    return until is not None and until > now


def _officer(row: Row[Any]) -> Officer:
    return Officer(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        roles=tuple(json.loads(row.roles)),
        region=row.region,
        unit=row.unit,
        lanes=frozenset(Lane(lane) for lane in json.loads(row.lanes)),
        active=row.active,
        enrolled=row.totp_sealed is not None,
    )


def _hashed(vault: Vault, token: str) -> bytes:
    return vault.mac("officer-session", token.encode())


def _context(name: str) -> bytes:
    return b"totp\x1f" + name.encode()


def _sealed(vault: Vault, name: str, secret: str) -> bytes:
    return vault.seal(secret.encode(), _context(name))
