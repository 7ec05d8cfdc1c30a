"""ratings.toml: what ships is whole, and a mistake in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.ratings import FILE, load_ratings
from config.reference import DATA

GOOD = (DATA / FILE).read_text(encoding="utf-8")


def test_what_ships() -> None:
    scale = load_ratings(DATA)
    assert list(scale.steps.values()) == ["满意", "基本满意", "不满意"], "best first"
    assert scale.first_only
    assert "P1" in scale.legal_paths_outside


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('version = "2026-11"', "", "version"),
        ("value = 2", "value = 3", "steps"),
        ('label = "满意"', 'label = ""', "steps"),
        ("first_only = true", 'first_only = "yes"', "first_only"),
        ("words_most = 500", "words_most = 0", "words_most"),
        ('["P1", "P2", "P4"]', '"P1"', "legal_paths_outside"),
        ("[scope]", "[scope", FILE),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    (tmp_path / FILE).write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        load_ratings(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=FILE):
        load_ratings(tmp_path)
