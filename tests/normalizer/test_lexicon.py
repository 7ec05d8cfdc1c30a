"""The lexicon: longest word first, several marks, overlap only when asked."""

from __future__ import annotations

import pytest

from normalizer.lexicon import Lexicon

LEXICON = Lexicon([("拖欠", 1), ("拖欠工资", 2), ("工资", 3), ("工资", 4), ("欠工", 5)])

CASES = [
    ("拖欠工资", False, [(0, 4, (2,))]),
    ("拖欠工资", True, [(0, 4, (2,)), (1, 3, (5,)), (2, 4, (3, 4))]),
    ("拖欠货款", False, [(0, 2, (1,))]),
    ("工", False, []),
    ("", False, []),
]


@pytest.mark.parametrize(("text", "overlap", "expected"), CASES)
def test_scan(text: str, overlap: bool, expected: list[tuple[int, int, tuple[int, ...]]]) -> None:
    assert [tuple(hit) for hit in LEXICON.scan(text, overlap=overlap)] == expected


def test_a_single_character_is_no_word() -> None:
    with pytest.raises(ValueError, match="two characters"):
        Lexicon([("水", 1)])
