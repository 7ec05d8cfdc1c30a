"""Accounts are made from checked parts; passwords are shown once and stored only hashed."""

from __future__ import annotations

import re

import pytest

from gateway.officers import Credentials, add_officer, demo_officers
from petition.errors import Conflict, Invalid
from petition.petition import Lane
from store import accounts
from tests.fakes.workplace import Room


def add(room: Room, **changes: object) -> Credentials:
    return room.hire(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "张"}, "name"),
        ({"name": "a b"}, "name"),
        ({"display_name": " "}, "display_name"),
        ({"role_keys": ("king",)}, "roles"),
        ({"role_keys": ()}, "roles"),
        ({"region": "12"}, "region"),
        ({"unit": "nowhere"}, "unit"),
        ({"password": "short"}, "password"),
    ],
)
def test_a_wrong_account_is_refused_with_words(room: Room, changes: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        add(room, **changes)
    assert [problem.field for problem in raised.value.problems] == [field]


def test_a_new_account_gets_a_random_password_that_is_stored_only_hashed(room: Room) -> None:
    first, second = room.hire("first", password=""), room.hire("second", password="")
    assert first.password != second.password
    assert re.fullmatch(r"([0-9a-z]{4}-){3}[0-9a-z]{4}", first.password)
    attempt = room.store.write_now(lambda tx: accounts.begin_attempt(tx, "first"))
    assert attempt.password_hash.startswith("$argon2id$")
    with pytest.raises(Conflict):
        room.hire("first")


def test_demo_officers_are_made_once_and_only_on_a_fresh_folder(room: Room) -> None:
    made = demo_officers(room.store, room.reference.roles, room.reference.units, room.passwords.hash_now)
    assert {officer.roles[0] for officer in made} == set(room.reference.roles.rows)
    assert all(officer.otpauth.startswith("otpauth://totp/") for officer in made)
    assert len({officer.password for officer in made}) == len(made)
    assert demo_officers(room.store, room.reference.roles, room.reference.units, room.passwords.hash_now) == []
    clerk = room.store.read_now(lambda tx: accounts.find(tx, "discipline"))
    assert clerk is not None
    assert clerk.lanes == frozenset({Lane.SEALED})


def test_the_command_line_makes_an_officer_from_plain_parts(room: Room) -> None:
    made = add_officer(
        room.store,
        room.reference.roles,
        room.reference.units,
        room.passwords.hash_now,
        name="Xin.Ren",
        display_name="新 人",
        role_keys=("registrar", "inspector"),
        region="620102",
        unit="620102-xinfang",
    )
    assert (made.name, made.display_name, made.otpauth) == ("xin.ren", "新人", "")
