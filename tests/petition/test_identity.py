"""ID numbers, credit codes, phones, names: what is taken, what is refused, what is hidden."""

from __future__ import annotations

from datetime import date

import pytest

from petition.identity import (
    CODE_31,
    IdCheck,
    check_email,
    check_landline,
    check_mobile,
    check_name,
    check_resident_id,
    check_uscc,
    normal_email,
    normal_landline,
    normal_mobile,
    normal_name,
    resident_check_character,
    tidy,
)
from petition.people import Gender

TODAY = date(2026, 11, 22)
GOOD = "620199198503120012"

SAMPLES = [
    ("620199198503120012", Gender.MALE, date(1985, 3, 12)),
    ("620199199007260029", Gender.FEMALE, date(1990, 7, 26)),
    ("620199198811050036", Gender.MALE, date(1988, 11, 5)),
    ("620199197904180054", Gender.MALE, date(1979, 4, 18)),
    ("620199196312300046", Gender.FEMALE, date(1963, 12, 30)),
    ("620199199509140078", Gender.MALE, date(1995, 9, 14)),
    ("620199197206080099", Gender.MALE, date(1972, 6, 8)),
    ("620199198102220119", Gender.MALE, date(1981, 2, 22)),
    ("620199197605170067", Gender.FEMALE, date(1976, 5, 17)),
    ("62019919930611008X", Gender.FEMALE, date(1993, 6, 11)),
    ("620199194010190102", Gender.FEMALE, date(1940, 10, 19)),
    ("620199198704040158", Gender.MALE, date(1987, 4, 4)),
    ("11010519491231002X", Gender.FEMALE, date(1949, 12, 31)),  # the standard's own sample
]


def checked(text: str) -> IdCheck:
    return check_resident_id(text, today=TODAY)


def with_check(body: str) -> str:
    return body + resident_check_character(body)


@pytest.mark.parametrize(("number", "gender", "birth"), SAMPLES)
def test_the_samples_are_good_and_tell_birth_and_gender(number: str, gender: Gender, birth: date) -> None:
    found = checked(number)
    assert found == IdCheck(ok=True, normal=number, birth=birth, gender=gender, area=number[:6])


@pytest.mark.parametrize(
    "text",
    [
        " 62019919930611008x ",
        "６２０１９９１９９３０６１１００８Ｘ",
        "620199 19930611 008X",
        "620199-19930611-008x",
        "62019919930611008×",
        "62019919930611008Х",
        "\ufeff620199\u200b19930611\u202c008X\x00",
    ],
)
def test_an_id_may_be_written_as_people_and_scanners_write_it(text: str) -> None:
    assert checked(text).normal == "62019919930611008X"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "id_empty"),
        ("\u200b \x00", "id_empty"),
        ("62019919850312001", "id_length"),
        (GOOD * 20, "id_length"),
        ("620199198503120013", "id_check"),
        ("62019919900230001X", "id_birth"),  # 30 February, check character correct
        (with_check("62019920270101001"), "id_birth"),  # in the future
        (with_check("62019920261123001"), "id_birth"),  # tomorrow
        (with_check("62019918491231001"), "id_birth"),
        (with_check("62019900000101001"), "id_birth"),
        ("6201991985O3120012", "id_characters"),
        ("X20199198503120012", "id_characters"),
        ("٦20199198503120012", "id_characters"),
        ("62019985033000", "id_length"),
        ("620199850230001", "id_birth"),  # 15 digits, 30 February
        ("620199010203998", "id_birth"),  # 15 digits, born in 1801
    ],
)
def test_a_bad_id_is_refused_with_words_that_do_not_repeat_it(text: str, code: str) -> None:
    found = checked(text)
    assert (found.ok, found.normal, found.code) == (False, "", code)
    assert found.words.endswith("。")
    assert "6201" not in found.words


@pytest.mark.parametrize("birth", ["20261122", "18500101"])
def test_the_first_and_last_possible_birthdays_are_taken(birth: str) -> None:
    assert checked(with_check(f"620199{birth}001")).ok


def test_every_wrong_digit_of_an_id_is_found() -> None:
    for place, right in enumerate(GOOD):
        for wrong in "0123456789X":
            assert wrong == right or not checked(GOOD[:place] + wrong + GOOD[place + 1 :]).ok


def test_the_old_form_of_fifteen_digits_becomes_the_new_one() -> None:
    found = checked("620199850312001")
    assert (found.ok, found.normal, found.code) == (True, GOOD, "id_old_form")


def test_a_centenarian_of_the_old_form_was_born_the_century_before() -> None:
    found = checked("620199880203998")
    assert (found.ok, found.birth) == (True, date(1888, 2, 3))


@pytest.mark.parametrize(
    ("number", "known", "code"),
    [
        (GOOD, None, ""),
        (GOOD, {"620199"}, ""),
        (GOOD, {"620102"}, "id_area_unknown"),
        (with_check("99015619850312001"), None, ""),  # permanent residence card of a foreigner
        (with_check("00019919850312001"), None, "id_area_unknown"),
        (with_check("77019919850312001"), None, "id_area_unknown"),
    ],
)
def test_an_unknown_area_only_warns(number: str, known: set[str] | None, code: str) -> None:
    found = check_resident_id(number, today=TODAY, known_area=known.__contains__ if known else None)
    assert (found.ok, found.normal, found.code) == (True, number, code)
    assert bool(found.words) == bool(code)


@pytest.mark.parametrize(
    "text", ["91620199MA7FAKE015", "91620199ma7dem016e", " 91620199 MA7FAKE015", "91110000600037341L"]
)
def test_good_credit_codes(text: str) -> None:
    found = check_uscc(text)
    assert (found.ok, found.code) == (True, "")
    assert found.normal == tidy(text).replace(" ", "").upper()
    assert found.area == found.normal[2:8]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "uscc_empty"),
        ("91620199MA7FAKE01", "uscc_length"),
        ("91620199MA7FAKE01S", "uscc_characters"),
        ("91620199MA7FAKE01示", "uscc_characters"),
        ("9162019AMA7FAKE015", "uscc_area"),
        ("91620199MA7FAKE016", "uscc_check"),
    ],
)
def test_bad_credit_codes(text: str, code: str) -> None:
    found = check_uscc(text)
    assert (found.ok, found.normal, found.code) == (False, "", code)


def test_every_wrong_character_of_a_credit_code_is_found() -> None:
    good = "91620199MA7FAKE015"
    for place, right in enumerate(good):
        for wrong in CODE_31:
            assert wrong == right or not check_uscc(good[:place] + wrong + good[place + 1 :]).ok


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("15400000001", "+8615400000001"),
        ("+86 154 0000 0001", "+8615400000001"),
        ("008615400000001", "+8615400000001"),
        ("86-154-0000-0001", "+8615400000001"),
        ("(+86)15400000001", "+8615400000001"),
        ("015400000001", "+8615400000001"),
        ("１５４００００００ ０１", "+8615400000001"),
        ("\u202d15400000001\u202c", "+8615400000001"),
        ("12400000001", ""),
        ("1540000000", ""),
        ("154000000011", ""),
        ("+8515400000001", ""),
        ("٠١٥٤٠٠٠٠٠٠٠١", ""),
        ("12345", ""),
        ("", ""),
        ("1" * 500, ""),
    ],
)
def test_mobiles(text: str, normal: str) -> None:
    assert normal_mobile(text) == normal
    assert check_mobile(text).ok == bool(normal)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("0931-8000000", "0931-8000000"),
        ("09318000000", "0931-8000000"),
        ("(0931) 8000000", "0931-8000000"),
        ("（０９３１）８００００００", "0931-8000000"),
        ("0931—8000000", "0931-8000000"),
        ("+86 931 8000000", "0931-8000000"),
        ("0086-0931-8000000", "0931-8000000"),
        ("0931-8000000-801", "0931-8000000-801"),
        ("0931 8000000 转 801", "0931-8000000-801"),
        ("0931-8000000 ext. 801", "0931-8000000-801"),
        ("010-80000000", "010-80000000"),
        ("010 8000 0000", "010-80000000"),
        ("02180000000", "021-80000000"),
        ("0931-12345", ""),
        ("8000000", ""),
        ("0931-800000000", ""),
        ("0131-8000000", ""),
        ("0931-1000000", ""),
        ("12345", ""),
        ("", ""),
        ("0931" + " " * 5000, ""),
    ],
)
def test_landlines(text: str, normal: str) -> None:
    assert normal_landline(text) == normal
    assert check_landline(text).ok == bool(normal)


@pytest.mark.parametrize(
    ("text", "normal", "code"),
    [
        ("张示例", "张示例", ""),
        (" 张 示 例 ", "张示例", ""),
        ("卓玛•示例", "卓玛·示例", ""),
        ("卓玛・示例", "卓玛·示例", ""),
        ("卓玛．示例", "卓玛·示例", ""),
        ("卓玛 ‧ 示例", "卓玛·示例", ""),
        ("Sample   van  Demo", "Sample van Demo", ""),
        ("Demo J. Sample", "Demo J. Sample", ""),
        ("\U00020bb7示例", "\U00020bb7示例", ""),
        ("𰻝示", "𰻝示", ""),
        ("\u202e张\u200b示\x00例", "张示例", ""),
        ("张\ud800示例", "张示例", ""),
        ("示", "示", "name_short"),
        ("示" * 20, "示" * 20, ""),
        ("示" * 21, "示" * 21, "name_long"),
        ("示" * 300, "示" * 300, "name_long"),
        ("张示例😀", "张示例😀", "name_signs"),
        ("张示例3", "张示例3", "name_signs"),
    ],
)
def test_names_are_taken_and_at_most_remarked(text: str, normal: str, code: str) -> None:
    found = check_name(text)
    assert (found.ok, found.normal, found.code) == (True, normal, code)
    assert normal_name(text) == normal


@pytest.mark.parametrize("text", ["", "  ", "\u200b", "\x00"])
def test_an_empty_name_is_no_name(text: str) -> None:
    assert (check_name(text).ok, check_name(text).code) == (False, "name_empty")


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("zhang@example.com", "zhang@example.com"),
        (" Zhang.Demo+1@EXAMPLE.com\x00", "Zhang.Demo+1@example.com"),
        ("ｚｈａｎｇ＠ｅｘａｍｐｌｅ．ｃｏｍ", "zhang@example.com"),
        ("示例@例子.example.com", "示例@例子.example.com"),
        ("zhang@example", ""),
        ("zhang", ""),
        ("a@b@example.com", ""),
        ("a b@example.com", ""),
        ("a" * 65 + "@example.com", ""),
        ("a@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + "." + "e" * 63 + ".com", ""),
        ("a@" + "b." * 100_000, ""),
    ],
)
def test_email_addresses(text: str, normal: str) -> None:
    assert normal_email(text) == normal
    assert check_email(text).ok == bool(normal)
