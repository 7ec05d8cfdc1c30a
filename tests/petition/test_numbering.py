"""Case numbers and query codes: every slip of a finger is found, every way of writing is read."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from petition.errors import Invalid
from petition.identity import CODE_31
from petition.numbering import (
    CROCKFORD,
    FORM_LETTERS,
    CaseNo,
    case_no,
    check_character,
    is_query_code,
    normal_query_code,
    parse_case_no,
    query_code_from,
    shown_query_code,
    spoken_query_code,
)
from petition.petition import Form

DAY = date(2026, 11, 22)
NUMBER = case_no("620102", Form.WEB, DAY, 1)


def parsed(text: str) -> str:
    try:
        return str(parse_case_no(text))
    except Invalid:
        return ""


def test_every_form_has_its_own_letter_that_cannot_be_misread() -> None:
    assert set(FORM_LETTERS) == set(Form)
    assert len(set(FORM_LETTERS.values())) == len(Form)
    assert set(FORM_LETTERS.values()) <= set(CODE_31) - set("IO0123456789")


def test_the_parts_stand_in_the_order_promised() -> None:
    assert NUMBER[:-1] == "620102W2026112200001"
    assert len(NUMBER) == 21
    assert parse_case_no(NUMBER) == CaseNo(region="620102", form=Form.WEB, day=DAY, serial=1, check=NUMBER[-1])
    assert parse_case_no(NUMBER).shown == f"620102-W-20261122-00001-{NUMBER[-1]}"


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("serial", [1, 99_999, 100_000, 1_234_567, 10**12 - 1])
def test_what_is_written_is_read_again(form: Form, serial: int) -> None:
    found = parse_case_no(case_no("623027", form, DAY, serial))
    assert (found.region, found.form, found.day, found.serial) == ("623027", form, DAY, serial)
    assert str(found) == case_no("623027", form, DAY, serial)


@pytest.mark.parametrize(
    ("region", "serial"), [("6201", 1), ("62010x", 1), ("６２０１０２", 1), ("620102", 0), ("620102", 10**12)]
)
def test_a_number_that_could_not_be_read_again_is_never_made(region: str, serial: int) -> None:
    with pytest.raises(ValueError, match="case number"):
        case_no(region, Form.WEB, DAY, serial)


def test_the_check_finds_every_wrong_character_and_every_exchange_at_every_place() -> None:
    """Exhaustive: 30 places, all 31 x 31 pairs at each; the check is linear, so the other places do not matter."""
    zeros = "0" * 30
    for place in range(30):
        seen = {check_character(zeros[:place] + character + zeros[place + 1 :]) for character in CODE_31}
        assert len(seen) == 31, f"two characters at place {place} give the same check"
    for place in range(29):
        for left in CODE_31:
            for right in CODE_31:
                body = zeros[:place] + left + right + zeros[place + 2 :]
                turned = zeros[:place] + right + left + zeros[place + 2 :]
                assert left == right or check_character(body) != check_character(turned)


@pytest.mark.parametrize("number", [NUMBER, case_no("620199", Form.VISIT, date(2026, 2, 28), 123_456)])
def test_no_slip_in_a_real_number_leads_to_another_case(number: str) -> None:
    for place, right in enumerate(number):
        for wrong in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            slip = number[:place] + wrong + number[place + 1 :]
            assert wrong == right or parsed(slip) in ("", number), slip
    for place, (left, right) in enumerate(pairwise(number)):
        if left != right:
            assert parsed(number[:place] + right + left + number[place + 2 :]) == ""


@pytest.mark.parametrize(
    "text",
    [
        f"  {NUMBER.lower()} ",
        "-".join([NUMBER[:6], NUMBER[6], NUMBER[7:15], NUMBER[15:20], NUMBER[20]]),
        "—".join([NUMBER[:6], NUMBER[6:]]),
        " ".join(NUMBER),
        "".join(chr(ord(character) + 0xFEE0) for character in NUMBER),
        "\u202e" + NUMBER + "\u200b\x00",
        NUMBER.replace("0", "o").replace("1", "I"),
    ],
)
def test_people_may_write_it_as_they_like(text: str) -> None:
    assert parsed(text) == NUMBER


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "case_no_empty"),
        (" - ", "case_no_empty"),
        ("示例", "case_no_shape"),
        (NUMBER[:-1], "case_no_shape"),
        (NUMBER * 40, "case_no_shape"),
        ("٦" + NUMBER[1:], "case_no_shape"),
        (NUMBER[:15] + "000001" + check_character(NUMBER[:15] + "000001"), "case_no_shape"),
        (NUMBER[:15] + "00000" + check_character(NUMBER[:15] + "00000"), "case_no_shape"),
        ("620102W2026023000001" + check_character("620102W2026023000001"), "case_no_shape"),
        ("620102Q2026112200001" + check_character("620102Q2026112200001"), "case_no_shape"),
        (NUMBER[:-1] + ("2" if NUMBER[-1] != "2" else "3"), "case_no_check"),
    ],
)
def test_what_is_no_case_number_is_refused_with_words(text: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_case_no(text)
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == ("case_no", code)
    assert problem.words.endswith("。")


def test_a_query_code_uses_all_sixty_bits() -> None:
    assert query_code_from(b"\x00" * 32) == "0000-0000-0000"
    assert query_code_from(b"\xff" * 8) == "ZZZZ-ZZZZ-ZZZZ"
    assert query_code_from(bytes.fromhex("00443214c74254b0")) == "0123-4567-89AB"
    start = query_code_from(b"\x00" * 8)
    for bit in range(60):
        assert query_code_from((1 << 63 - bit).to_bytes(8, "big")) != start, f"bit {bit} is lost"
    with pytest.raises(ValueError, match="8 bytes"):
        query_code_from(b"short")


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("ABCD-0123-1110", "ABCD01231110"),
        (" abcd o123 iLlO ", "ABCD01231110"),
        ("ＡＢＣＤ—０１２３—１１１０", "ABCD01231110"),
        ("", ""),
    ],
)
def test_a_query_code_has_one_normal_form(typed: str, normal: str) -> None:
    assert normal_query_code(typed) == normal
    assert is_query_code(typed) == (len(normal) == 12)


@pytest.mark.parametrize(
    "text", ["ABCD-0123-111", "ABCD-0123-11100", "ABCD-0123-111U", "查询码查询码查询码查询码", "\ud800" * 12]
)
def test_what_cannot_be_a_query_code_is_known_without_a_crash(text: str) -> None:
    assert not is_query_code(text)


def test_a_query_code_is_shown_and_spoken_in_fours() -> None:
    assert shown_query_code("a7k2 0000 zzzz") == "A7K2-0000-ZZZZ"
    assert spoken_query_code("A7K2-0000-ZZZZ") == "A诶 7七 K开 2二,0零 0零 0零 0零,Z贼 Z贼 Z贼 Z贼"
    readings = {spoken_query_code(character)[1:] for character in CROCKFORD}
    assert len(readings) == 32
    assert "" not in readings
