"""Officers: lock-out that cannot be outrun, one use of a code, sign-ins that end, an audit trail that only grows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import pytest

from petition.clock import SHANGHAI
from petition.errors import Conflict
from petition.petition import Lane
from store import accounts, audit
from store.accounts import Attempt, Officer
from store.database import Store, database_url, open_store
from store.migrate import migrate

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
START = datetime(2026, 11, 20, 9, 0, tzinfo=SHANGHAI)


class Desk:
    """A store with one officer and a clock that is moved by hand; tokens are plain words."""

    def __init__(self, url: str, folder: Path) -> None:
        self.at = START
        self.store: Store = open_store(
            url, folder, b"a secret for tests, 32 bytes or more", lambda: self.at, min_free=0
        )
        self.officer = self.add("yanshi")

    def add(self, name: str, secret: str = SECRET) -> Officer:
        return self.store.write_now(
            lambda tx: accounts.create(
                tx,
                name=name,
                display_name="演示员",
                password_hash="a hash",
                roles=("registrar", "screener"),
                region="620102",
                unit="620102-xinfang",
                lanes=(Lane.SEALED, Lane.NORMAL),
                totp_secret=secret,
            )
        )

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)

    def attempt(self, name: str = "yanshi") -> Attempt:
        return self.store.write_now(lambda tx: accounts.begin_attempt(tx, name))

    def half(self, token: str = "half") -> None:
        self.attempt()
        self.store.write_now(lambda tx: accounts.password_right(tx, self.officer, token, "127.0.0.1"))

    def code(self, code: str, half: str = "half", token: str = "full") -> Officer | None:
        return self.store.write_now(lambda tx: accounts.second_factor(tx, half, token, code, "127.0.0.1"))

    def now_code(self, steps: int = 0, secret: str = SECRET) -> str:
        return pyotp.HOTP(secret).at(int(self.at.timestamp()) // 30 + steps)

    def session(self, token: str) -> accounts.Session | None:
        return self.store.read_now(lambda tx: accounts.session(tx, token))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """On SQLite."""
    address = database_url("", tmp_path)
    migrate(address)
    opened = Desk(address, tmp_path)
    yield opened
    opened.store.close()


@pytest.fixture
def either(url: str, tmp_path: Path) -> Iterator[Desk]:
    """On SQLite and on PostgreSQL."""
    opened = Desk(url, tmp_path)
    yield opened
    opened.store.close()


def test_an_officer_comes_back_as_stored(either: Desk) -> None:
    found = either.store.read_now(lambda tx: accounts.find(tx, " ＹＡＮＳＨＩ "))
    assert found == either.officer
    assert found is not None
    assert (found.roles, found.lanes) == (("registrar", "screener"), frozenset(Lane))
    assert (found.enrolled, found.actor) == (True, "officer:yanshi")
    assert either.store.read_now(accounts.number) == 1


def test_a_name_is_taken_once(desk: Desk) -> None:
    with pytest.raises(Conflict):
        desk.add("Yanshi")


def test_five_wrong_tries_lock_and_each_lock_is_twice_as_long(desk: Desk) -> None:
    waits = []
    for _ in range(6):
        while not desk.attempt().barred:
            pass
        start = desk.at
        while desk.attempt().barred:
            desk.move(minutes=1)
        # The try that ends the wait is counted too.
        waits.append(round((desk.at - start) / timedelta(minutes=1)))
    assert waits == [15, 30, 60, 120, 240, 240]


def test_tries_made_at_the_same_moment_are_counted_before_any_is_checked(desk: Desk) -> None:
    assert [desk.attempt().barred for _ in range(7)] == [False] * 5 + [True] * 2


def test_the_right_password_on_the_fifth_try_opens(desk: Desk) -> None:
    for _ in range(4):
        desk.attempt()
    desk.half()
    assert not desk.attempt().barred


def test_a_stolen_password_gives_no_endless_tries_at_codes(desk: Desk) -> None:
    tried = 0
    for _ in range(12):
        if desk.attempt().barred:
            break
        desk.store.write_now(lambda tx: accounts.password_right(tx, desk.officer, f"half-{tried}", ""))  # noqa: B023
        assert desk.code("000000", f"half-{tried}") is None
        tried += 1
    assert tried == accounts.FAILURES


@pytest.mark.parametrize("name", ["nobody", "", "yanshi\x00x", "é" * 300])
def test_an_unknown_name_is_barred_without_a_hash(desk: Desk, name: str) -> None:
    attempt = desk.attempt(name)
    assert (attempt.officer, attempt.password_hash, attempt.barred) == (None, "", True)


def test_a_half_session_opens_nothing_and_ends_after_five_minutes(desk: Desk) -> None:
    desk.half()
    half = desk.session("half")
    assert half is not None
    assert not half.second_factor
    desk.move(minutes=5)
    assert desk.session("half") is None
    assert desk.code(desk.now_code()) is None


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_may_be_one_step_off(desk: Desk, steps: int, good: bool) -> None:
    desk.half()
    assert (desk.code(desk.now_code(steps)) is not None) is good


@pytest.mark.parametrize("spoilt", ["", "12345", "1234567", "abcdef", "１２３", "0x1234"])
def test_what_is_no_code_is_wrong(desk: Desk, spoilt: str) -> None:
    desk.half()
    assert desk.code(spoilt) is None


def test_a_code_with_blanks_or_full_width_digits_is_the_code(desk: Desk) -> None:
    desk.half()
    code = desk.now_code()
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code[:3])
    assert desk.code(f"{wide} {code[3:]}") is not None


def test_a_code_is_good_once_and_so_is_every_older_one(either: Desk) -> None:
    either.half()
    code, older = either.now_code(), either.now_code(-1)
    assert either.code(code) is not None
    either.half("again")
    for used in (code, older):
        assert either.code(used, "again", "second") is None
    assert either.code(either.now_code(1), "again", "second") is not None


def test_the_full_session_takes_the_place_of_the_half_one_and_clears_failures(desk: Desk) -> None:
    for _ in range(3):
        desk.attempt()
    desk.half()
    assert desk.code(desk.now_code()) is not None
    assert desk.session("half") is None
    full = desk.session("full")
    assert full is not None
    assert (full.second_factor, full.officer.name, full.address) == (True, "yanshi", "127.0.0.1")
    assert [desk.attempt().barred for _ in range(5)] == [False] * 5


@pytest.mark.parametrize(
    ("idle", "touched", "alive"), [(29, False, True), (30, False, False), (29, True, True), (59, True, False)]
)
def test_a_session_ends_when_nobody_is_there(desk: Desk, idle: float, touched: bool, alive: bool) -> None:
    desk.half()
    desk.code(desk.now_code())
    if touched:
        desk.move(minutes=20)
        desk.store.write_now(lambda tx: accounts.touch(tx, "full"))
    desk.move(minutes=idle)
    assert (desk.session("full") is not None) is alive


def test_a_session_ends_after_eight_hours_however_busy(desk: Desk) -> None:
    desk.half()
    desk.code(desk.now_code())
    for _ in range(24):
        assert desk.session("full") is not None
        desk.move(minutes=20)
        desk.store.write_now(lambda tx: accounts.touch(tx, "full"))
    assert desk.session("full") is None
    assert desk.store.read_now(lambda tx: accounts.owner(tx, "full")) == "yanshi"


def test_signing_out_and_closing_an_account_end_sessions_at_once(either: Desk) -> None:
    either.half()
    either.code(either.now_code())
    either.store.write_now(lambda tx: accounts.sign_out(tx, "full"))
    assert either.session("full") is None
    either.move(seconds=60)
    either.half()
    either.code(either.now_code())
    either.store.write_now(lambda tx: accounts.deactivate(tx, either.officer.id))
    assert either.session("full") is None
    assert either.attempt().barred


def test_the_first_sign_in_sets_up_the_second_factor(either: Desk) -> None:
    new = either.add("xinren", "")
    assert not new.enrolled
    either.attempt("xinren")
    either.store.write_now(lambda tx: accounts.password_right(tx, new, "half", ""))
    assert either.code(either.now_code()) is None, "there is no second factor to check yet"

    def enrol(code: str) -> Officer | None:
        return either.store.write_now(lambda tx: accounts.enrol(tx, "half", "full", SECRET, code, ""))

    assert enrol("000000") is None
    assert enrol(either.now_code()) is not None
    found = either.store.read_now(lambda tx: accounts.find(tx, "xinren"))
    assert found is not None
    assert found.enrolled


def test_a_second_factor_is_not_replaced_by_setting_it_up_again(desk: Desk) -> None:
    desk.half()
    other = pyotp.random_base32()
    code = desk.now_code(secret=other)
    assert desk.store.write_now(lambda tx: accounts.enrol(tx, "half", "full", other, code, "")) is None


def test_a_renewed_account_has_a_new_password_no_lock_and_no_sign_in(either: Desk) -> None:
    either.half()
    either.code(either.now_code())
    assert either.session("full") is not None
    for _ in range(20):
        either.attempt()
    assert either.attempt().barred, "locked"
    either.store.write_now(lambda tx: accounts.renew(tx, either.officer.id, "another"))
    attempt = either.attempt()
    assert (attempt.password_hash, attempt.barred) == ("another", False)
    assert either.session("full") is None
    assert [one.enrolled for one in either.store.read_now(accounts.everybody)] == [False]


def test_the_audit_trail_tells_who_saw_what_and_why(either: Desk) -> None:
    for number in range(3):
        either.store.write_now(
            lambda tx: audit.record(tx, "officer:yanshi", "read", "N1", f"第{number}次", ("name",), "127.0.0.1")  # noqa: B023
        )
    either.store.write_now(lambda tx: audit.record(tx, "gateway", "export"))
    rows = either.store.read_now(lambda tx: audit.of(tx, "N1"))
    assert (rows[0].reason, rows[0].fields, rows[0].at) == ("第2次", ("name",), START)
    newest = either.store.read_now(lambda tx: audit.recent(tx, limit=2))
    assert [row.action for row in newest] == ["export", "read"]
    older = either.store.read_now(lambda tx: audit.recent(tx, actor="officer:yanshi", before=newest[1].id))
    assert [row.reason for row in older] == ["第1次", "第0次"]
