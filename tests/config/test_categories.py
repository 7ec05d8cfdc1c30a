"""The content classes: the whole table of DOMAIN 3.4, names and aliases, and clear refusals of bad files."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.categories import Categories, load_categories

DATA = Path(__file__).parents[2] / "config" / "data"
HEAD = "code_system,version,valid_from,code,name,aliases\n"
WORD_HEAD = "code,word,weight\n"
ROW = "X,1,2026-01-01,{},{},{}\n"
GOOD = HEAD + ROW.format("03", "城乡建设", "") + ROW.format("03.01", "拆迁", "搬迁|征收")
GOOD_WORDS = WORD_HEAD + "03.01,拆迁,3\n"


@pytest.fixture(scope="module")
def categories() -> Categories:
    """The shipped table."""
    return load_categories(DATA)


def test_the_table_is_whole(categories: Categories) -> None:
    assert [row.code for row in categories.children()] == [f"{number:02}" for number in range(1, 18)]
    assert all(categories.children(row.code) for row in categories.children() if row.code != "17")
    assert categories.full_name("04.01") == "劳动和社会保障/拖欠工资"
    assert categories.full_name("99") == ""


def test_every_class_of_level_two_has_words(categories: Categories) -> None:
    with_words = {code for code, _, _ in categories.words}
    assert {row.code for row in categories.rows.values() if row.parent} <= with_words


NAMES = [
    ("政法/涉法涉诉(法院)", "08.01"),
    ("政法/涉法涉诉\uff08检察\uff09", "08.01"),
    ("自然资源/地质灾害", "02.05"),
    ("13.05", "13.05"),
    ("物业管理", "03.03"),
    ("劳动/拖欠工资", None),
    ("城乡建设/拖欠工资", None),
    ("", None),
]


@pytest.mark.parametrize(("name", "code"), NAMES)
def test_found_by_name(categories: Categories, name: str, code: str | None) -> None:
    row = categories.by_name(name)
    assert (row.code if row else None) == code


BAD = [
    ("code,name\n", GOOD_WORDS, "heading"),
    (HEAD + ROW.format("3", "短", ""), GOOD_WORDS, "line 2.*not a class code"),
    (HEAD + ROW.format("03.01", "孤", ""), GOOD_WORDS, "before its parent"),
    (GOOD + ROW.format("03.01", "再", ""), GOOD_WORDS, "line 4.*twice"),
    (GOOD + "Y,1,2026-01-01,04,劳动,\n", GOOD_WORDS, "one code_system"),
    (GOOD.replace("2026-01-01", "soon"), GOOD_WORDS, "valid_from"),
    (GOOD, WORD_HEAD, "holds no word"),
    (GOOD, WORD_HEAD + "09,钱款,1\n", "line 2.*not in categories"),
    (GOOD, WORD_HEAD + "03.01,拆,1\n", "two characters"),
    (GOOD, WORD_HEAD + "03.01,拆迁,much\n", "not a number"),
    (GOOD, WORD_HEAD + "03.01,拆迁,9\n", r"not in \(0, 5\]"),
    (GOOD, WORD_HEAD + "03.01,拆迁,nan\n", r"not in \(0, 5\]"),
    (GOOD, GOOD_WORDS + "03.01,拆迁,1\n", "stands twice"),
    (GOOD, WORD_HEAD + "03.01,拆迁\n", "expected 3 columns"),
]


@pytest.mark.parametrize(("table", "words", "message"), BAD)
def test_bad_files_are_refused_with_the_line(tmp_path: Path, table: str, words: str, message: str) -> None:
    (tmp_path / "categories.csv").write_text(table, encoding="utf-8")
    (tmp_path / "category_words.csv").write_text(words, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_categories(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "categories.csv").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ValueError, match=r"category_words\.csv is missing"):
        load_categories(tmp_path)
