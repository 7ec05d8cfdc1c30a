"""visits.toml: what ships is whole, and a mistake in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.reference import DATA
from config.visits import FILE, load_visits

GOOD = (DATA / FILE).read_text(encoding="utf-8")


def test_what_ships() -> None:
    visits = load_visits(DATA)
    assert (visits.representatives, visits.agents, visits.adult_age) == (5, 2, 18)
    assert "第二十条" in visits.representatives_article
    assert {"guardian", "relative", "lawyer"} <= set(visits.relations)
    assert all(each.rank >= 1 for each in visits.priorities.values())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('version = "2026-11"', "", "version"),
        ("most = 5", "most = 0", "representatives"),
        ("most = 5", 'most = "five"', "representatives"),
        ('key = "relative"', 'key = "guardian"', "twice"),
        ('label = "近亲属"', 'label = " "', "label"),
        ("rank = 1", "rank = 0", "rank"),
        ("[agents]", "[agents", FILE),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    (tmp_path / FILE).write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        load_visits(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=FILE):
        load_visits(tmp_path)
