"""Words of the telephone: numbers for the ear, and short answers that stand for a key."""

from __future__ import annotations

import pytest

from channels import voice_words as words
from petition.numbering import CROCKFORD

# label, text, what is heard
SPOKEN: list[tuple[str, str, str]] = [
    (
        "a query code",
        "7M2K-9QXA-4TBD",
        "七，绵阳的M，二，昆明的K。九，青海的Q，西安的X，安徽的A。四，天津的T，北京的B，大连的D。",
    ),
    (
        "a case number",
        "620000P2026112200001K",
        "六，二，零，零。零，零。平凉的P。二，零，二，六。幺，幺，二，二。零，零，零，零。幺。昆明的K。",
    ),
]


@pytest.mark.parametrize(("text", "heard"), [case[1:] for case in SPOKEN], ids=[case[0] for case in SPOKEN])
def test_numbers_are_read_sign_by_sign(text: str, heard: str) -> None:
    assert words.spoken(text) == heard
    assert words.signs_of(heard) == text.replace("-", "")


def test_no_two_signs_sound_alike() -> None:
    heard = [words.spoken(sign) for sign in CROCKFORD]
    assert len(set(heard)) == len(CROCKFORD)
    assert all(sign in said for sign, said in zip(CROCKFORD, heard, strict=True) if sign.isalpha())


# label, what was said, key
CHOICES: list[tuple[str, str, str]] = [
    ("a word", "人工", "3"),
    ("politely", "请帮我转人工。", "3"),
    ("a number", "一", "1"),
    ("a digit", "２", "2"),
    ("a wish", "给我回电话吧", "4"),
    ("nothing", "", ""),
    ("a sound", "啊", ""),
    ("a story that begins so", "查询我家低保为什么停了", ""),
]


@pytest.mark.parametrize(("said", "key"), [case[1:] for case in CHOICES], ids=[case[0] for case in CHOICES])
def test_a_short_answer_stands_for_a_key(said: str, key: str) -> None:
    assert words.choice(said) == key


def test_the_greeting_says_who_records_and_why() -> None:
    said = words.greeting("示例省信访局", speech=True)
    for part in ("示例省信访局", "录音", "保密", "按1", "按2", "按3", "按4", "按0", "直接说"):
        assert part in said
    assert "直接说" not in words.greeting("示例省信访局", speech=False)
    assert len(said) < 160, "half a minute at the most before anything can be done"
