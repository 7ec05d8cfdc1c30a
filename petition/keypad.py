"""The keypad (电话按键): numbers with letters, typed on a telephone by pressing the key that bears each letter.

620000P2026112200001K typed is 620000720261122000015, one key a sign (keys as in ITU-T E.161).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from petition.errors import Invalid
from petition.numbering import FORM_LETTERS, check_character, normal_query_code, parse_case_no

_LETTERS = {"2": "ABC", "3": "DEF", "4": "GHI", "5": "JKL", "6": "MNO", "7": "PQRS", "8": "TUV", "9": "WXYZ"}
KEYS: Mapping[str, str] = MappingProxyType({letter: key for key, letters in _LETTERS.items() for letter in letters})
_DIGITS = frozenset("0123456789")
_SHORTEST, _LONGEST = 21, 28  # signs of a case number: region, form, day, serial of 5 to 12, check


def code_keys(query_code: str) -> str:
    """The twelve keys of a query code."""
    return _pressed(normal_query_code(query_code))


def case_keys(case_no: str) -> str:
    """The keys of a case number in its stored form."""
    return _pressed(case_no)


def cases_by_keys(keys: str) -> tuple[str, ...]:
    """The case numbers that these keys can mean: seldom more than one, because the check character must fit too."""
    if not _SHORTEST <= len(keys) <= _LONGEST or not _DIGITS.issuperset(keys):
        return ()
    found = []
    for letter in FORM_LETTERS.values():
        if KEYS[letter] != keys[6]:
            continue
        body = keys[:6] + letter + keys[7:-1]
        number = body + check_character(body)
        if _pressed(number[-1]) != keys[-1]:
            continue
        try:
            found.append(str(parse_case_no(number)))
        except Invalid:  # no such day, or a serial that cannot be
            continue
    return tuple(found)


def _pressed(text: str) -> str:
    return "".join(KEYS.get(sign, sign) for sign in text)
