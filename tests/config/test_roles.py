"""roles.toml: what ships is whole, and a mistake in it is named before anybody signs in."""

from __future__ import annotations

from pathlib import Path

import pytest

from casework.permissions import Verb
from config.reference import DATA
from config.roles import FILE, VERBS, load_roles

GOOD = (DATA / FILE).read_text(encoding="utf-8")


def test_what_ships() -> None:
    roles = load_roles(DATA)
    assert {"registrar", "screener", "unit_handler", "inspector", "discipline_clerk", "auditor", "admin"} <= set(
        roles.rows
    )
    assert set(roles.verbs) == set(Verb), "the code and the file must know the same verbs"
    assert roles.labels(("screener", "gone", "auditor")) == "甄别员、安全审计员"
    assert "screener" in roles
    assert roles.find("gone") is None


def test_the_three_administrators_are_apart_from_the_cases() -> None:
    for key in ("auditor", "admin"):
        row = load_roles(DATA).rows[key]
        assert (row.reach, row.lanes, len(row.verbs)) == ("none", frozenset(), 1)


def test_no_role_but_the_clerk_decides_in_the_sealed_lane() -> None:
    deciding = {"correct", "confirm", "reroute", "release", "link", "unseal", "read_identity"}
    rows = load_roles(DATA).rows.values()
    assert [row.key for row in rows if "sealed" in row.lanes and deciding & row.verbs] == ["discipline_clerk"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('version = "2026-11"', "", "version"),
        ('search = "按电话、证件号检索"', "", "search"),
        ('reach = "unit"', 'reach = "world"', "roles.unit_handler"),
        ('lanes = ["sealed"]', 'lanes = ["secret"]', "roles.discipline_clerk"),
        ('verbs = ["audit"]', 'verbs = ["everything"]', "roles.auditor"),
        ('verbs = ["audit"]', 'verbs = "audit"', "roles.auditor"),
        ('label = "安全审计员"', 'label = " "', "roles.auditor"),
        ('label = "安全审计员"', "", "roles.auditor"),
        ("[verbs]", "[verbs", FILE),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    (tmp_path / FILE).write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        load_roles(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=FILE):
        load_roles(tmp_path)


def test_every_verb_has_words() -> None:
    assert all(load_roles(DATA).verbs[verb].strip() for verb in VERBS)
