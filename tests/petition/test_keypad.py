"""The keypad: what is typed finds the number it was read from, and nothing that is no number."""

from __future__ import annotations

import random
from datetime import date

import pytest

from petition.keypad import case_keys, cases_by_keys, code_keys
from petition.numbering import CROCKFORD, FORM_LETTERS, case_no
from petition.petition import Form


@pytest.mark.parametrize("form", list(Form))
def test_every_number_is_found_again_by_its_keys(form: Form) -> None:
    chance = random.Random(form.value)
    crowded = 0
    for _ in range(200):
        number = case_no("620000", form, date(2026, 11, 22), chance.choice([1, 7, 99_999, 100_000, 10**11]))
        keys = case_keys(number)
        assert keys.isdigit()
        assert len(keys) == len(number)
        found = cases_by_keys(keys)
        assert number in found
        crowded += len(found) > 1
    assert len(FORM_LETTERS) == len(set(FORM_LETTERS.values()))


def test_a_query_code_has_twelve_keys() -> None:
    assert code_keys("7M2K-9QXA-4TBD") == "762597924823"
    assert code_keys("7m2k9qxa4tbd") == "762597924823"
    assert set(code_keys(CROCKFORD)) <= set("0123456789")


# label, keys
NONE: list[tuple[str, str]] = [
    ("nothing", ""),
    ("too short", "62000072026112200001"),
    ("too long", "6" * 29),
    ("with a star", "620000*202611220000152"),
    ("full-width digits", "６２００００７２０２６１１２２００００１５"),
    ("no such day", case_keys("620000P2026133200001A")),
    ("no form on this key", "620000120261122000015"),
    ("serial zero", "620000720261122000005"),
]


@pytest.mark.parametrize("keys", [case[1] for case in NONE], ids=[case[0] for case in NONE])
def test_what_is_no_number_finds_none(keys: str) -> None:
    assert cases_by_keys(keys) == ()


def test_one_wrong_key_seldom_passes() -> None:
    """The check character has ten keys for its thirty-one signs: about one slip in ten would not be noticed."""
    number = case_no("620000", Form.PHONE, date(2026, 11, 22), 42)
    keys, passed, tried = case_keys(number), 0, 0
    for place in range(len(keys)):
        for other in "0123456789":
            if other != keys[place]:
                tried += 1
                passed += bool(cases_by_keys(keys[:place] + other + keys[place + 1 :]))
    assert passed < tried / 5
