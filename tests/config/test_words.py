"""The reading words: the shipped file is whole, and mistakes in it are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.words import GROUPS, load_words

DATA = Path(__file__).parents[2] / "config" / "data"


def test_the_shipped_file_is_whole() -> None:
    words = load_words(DATA)
    assert set(words.groups) == set(GROUPS)
    assert words.parameters.representatives == 5
    assert words.source


MISTAKES = [
    ("[urgency.danger]\n", '[urgency.danger]\n"火山" = "hot"\n', "火山"),
    ("[urgency.danger]\n", '[urgency.danger]\n"火山" = 9\n', "火山"),
    ("[urgency.danger]\n", "[urgency.dangers]\n", "urgency.danger"),
    ("group_headcount = 5\n", "", "parameters"),
    ("group_headcount = 5\n", "group_headcount = 0\n", "group_headcount"),
    ('valid_from = "2026-01-01"\n', "", "valid_from"),
    ('"13" = "P5"\n', '"13" = "P9"\n', "P9"),
    ("[parameters]\n", "[parameters\n", "cannot be read"),
]


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (DATA / "words.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "words.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_words(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="missing"):
        load_words(tmp_path)
