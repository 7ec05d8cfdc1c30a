"""The shipped time limits and calendars are whole, and a slip in them is named with file and line."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from config.deadlines import load_calendars, load_deadlines
from petition.workflow import MOVES

DATA = Path(__file__).parents[2] / "config" / "data"

GOOD = """version = "1"
valid_from = 2022-05-01

[rules.first]
# a remark
days = 15
count_mode = "calendar"
roll_over = "none"
start = "received"
article = "示例第一条"
source = ["R-1"]
status = "law"
label = "示例期限"
"""


@pytest.mark.parametrize(
    ("key", "number", "count_mode", "start", "source"),
    [
        ("transfer", 15, "calendar", "received", "R-22"),
        ("acceptance", 15, "calendar", "unit_received", "R-23"),
        ("objection", 5, "working", "unit_received", "R-23"),
        ("opinion", 60, "calendar", "accepted", "R-34"),
        ("extension", 30, "calendar", "accepted", "R-34"),
        ("review_request", 30, "calendar", "delivered", "R-35"),
        ("review", 30, "calendar", "review_requested", "R-35"),
        ("re_review_request", 30, "calendar", "review_delivered", "R-36"),
        ("re_review", 30, "calendar", "re_review_requested", "R-36"),
    ],
)
def test_the_numbers_of_the_regulation(key: str, number: int, count_mode: str, start: str, source: str) -> None:
    rule = load_deadlines(DATA).find(key)
    assert rule is not None
    assert (rule.days, rule.hours, rule.count_mode, rule.start) == (number, None, count_mode, start)
    assert source in rule.source
    assert rule.status == "law"
    assert rule.article.startswith("《信访工作条例》")


@pytest.mark.parametrize(
    ("key", "days", "hours", "status"),
    [
        ("screening", None, 24, "practice"),
        ("simplified_transfer", 1, None, "unverified"),
        ("simplified_acceptance", 3, None, "unverified"),
        ("simplified_opinion", 10, None, "unverified"),
        ("tier_state", 5, None, "unverified"),
        ("tier_province", 3, None, "unverified"),
        ("tier_city", 3, None, "unverified"),
        ("tier_county", 4, None, "unverified"),
        ("rating", 30, None, "unverified"),
    ],
)
def test_numbers_of_practice_do_not_pass_for_law(key: str, days: int | None, hours: int | None, status: str) -> None:
    rule = load_deadlines(DATA).find(key)
    assert rule is not None
    assert (rule.days, rule.hours, rule.status) == (days, hours, status)


def test_every_limit_has_chinese_words_that_agree_with_its_number() -> None:
    for rule in load_deadlines(DATA).rules:
        assert re.search("[\u4e00-\u9fff]", rule.label), rule.key
        number = rule.days if rule.days is not None else rule.hours
        assert {int(found) for found in re.findall("[0-9]+", rule.label)} <= {number}, rule.key
        assert ("工作日" in rule.label) <= (rule.count_mode == "working"), rule.key


def test_every_limit_the_status_table_names_is_there() -> None:
    known = {rule.key for rule in load_deadlines(DATA).rules}
    assert {move.deadline for move in MOVES if move.deadline} <= known


def test_an_unknown_key_finds_nothing() -> None:
    assert load_deadlines(DATA).find("nonsense") is None


def test_the_calendars_cover_the_years_with_the_known_number_of_days() -> None:
    calendars = load_calendars(DATA)
    assert {2025, 2026} <= calendars.years
    # Each moved day is worked on a week-end; what is off beyond that is statutory, less what fell on a week-end.
    for year, statutory in ((2024, 11), (2025, 13), (2026, 13)):
        off = sum(1 for day in calendars.holidays if day.year == year and day.weekday() < 5)
        worked = sum(1 for day in calendars.make_up_days if day.year == year)
        assert 7 <= off - worked <= statutory, year
        days = [date(year, 1, 1) + timedelta(days=step) for step in range(366 if year % 4 == 0 else 365)]
        working = sum(
            1 for day in days if (day in calendars.make_up_days or day.weekday() < 5) and day not in calendars.holidays
        )
        assert 245 <= working <= 252, year


def test_no_day_is_both_off_and_on_and_days_are_in_order() -> None:
    calendars = load_calendars(DATA)
    assert not calendars.holidays & calendars.make_up_days
    assert [each.day for each in calendars.days] == sorted(calendars.holidays | calendars.make_up_days)
    assert all(re.fullmatch("[\u4e00-\u9fff]+", each.name) for each in calendars.days)


@pytest.mark.parametrize("path", sorted((DATA / "calendars").glob("*.csv")), ids=lambda path: path.stem)
def test_each_calendar_says_where_it_comes_from_and_when(path: Path) -> None:
    head = "".join(line for line in path.read_text("utf-8").splitlines(keepends=True) if line.startswith("#"))
    assert "国务院办公厅" in head
    assert re.search(r"20\d\d-\d\d-\d\d", head)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('version = "1"\n', "", "line 1: version"),
        ("valid_from = 2022-05-01", 'valid_from = "May"', "line 1: version"),
        ("[rules.first]", "[rules.First]", r"line 4: \[rules.First\]"),
        ("days = 15", "days = 15\nhours = 2", "line 4: first needs either"),
        ("days = 15\n", "", "line 4: first needs either"),
        ("days = 15", "days = -1", "line 6: days of first must be a whole number"),
        ("days = 15", "days = true", "line 6: days"),
        ("days = 15", "days = 15.0", "line 6: days"),
        ("days = 15", "days = 99999", "line 6: days"),
        ('count_mode = "calendar"', 'count_mode = "moon"', "line 7: count_mode of first must be one of calendar"),
        ('count_mode = "calendar"', "count_mode = [1]", "line 7: count_mode"),
        ('days = 15\ncount_mode = "calendar"', 'hours = 15\ncount_mode = "working"', "line 7: hours of first"),
        ('roll_over = "none"', 'roll_over = "maybe"', "line 8: roll_over"),
        ('start = "received"', 'start = "Tuesday"', "line 9: start"),
        ('article = "示例第一条"', 'article = ""', "line 10: first is called law"),
        ('article = "示例第一条"', "article = 1", "line 10: article"),
        ('source = ["R-1"]', 'source = "R-1"', "line 11: source"),
        ('source = ["R-1"]', "source = []", "line 10: first is called law"),
        ('status = "law"', 'status = "rumour"', "line 12: status"),
        ('label = "示例期限"', 'label = " "', "line 13: label"),
        ('label = "示例期限"\n', "", "line 4: first has no label"),
        ('label = "示例期限"', 'label = "示例期限"\nnote = "x"', "line 14: first has the unknown field 'note'"),
        ('label = "示例期限"', 'label = "示例期限"\nextends = "none"', "line 14: first extends 'none'"),
        ('label = "示例期限"', "label = ", "cannot be read.*line 13"),
    ],
)
def test_a_slip_in_the_limits_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    (tmp_path / "deadlines.toml").write_text(GOOD, "utf-8")
    assert load_deadlines(tmp_path).rules[0].days == 15
    (tmp_path / "deadlines.toml").write_text(GOOD.replace(old, new), "utf-8")
    with pytest.raises(ValueError, match=f"^deadlines.toml {message}"):
        load_deadlines(tmp_path)


def test_missing_or_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"deadlines\.toml is missing"):
        load_deadlines(tmp_path)
    with pytest.raises(ValueError, match="no calendar"):
        load_calendars(tmp_path)
    (tmp_path / "deadlines.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"deadlines\.toml cannot be read"):
        load_deadlines(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("2027.csv", "day,kind\n", "2027.csv line 1: the heading"),
        ("2027.csv", "date,kind,name\n", "2027.csv holds no day"),
        ("2027.csv", "# x\ndate,kind,name\n2027-01-01,holiday\n", "2027.csv line 3: expected 3 columns"),
        ("2027.csv", "date,kind,name\n2027-02-30,holiday,示例\n", "2027.csv line 2: '2027-02-30' is not a date"),
        ("2027.csv", "date,kind,name\n2028-01-01,holiday,示例\n", "2027.csv line 2: 2028-01-01 does not belong"),
        ("2027.csv", "date,kind,name\n2026-11-30,holiday,示例\n", "2027.csv line 2: 2026-11-30 does not belong"),
        ("2027.csv", "date,kind,name\n2027-01-01,party,示例\n", "2027.csv line 2: kind"),
        ("2027.csv", "date,kind,name\n2027-01-01,workday,示例\n", "2027.csv line 2: .* working day already"),
        ("2027.csv", "date,kind,name\n2027-01-01,holiday,\n", "2027.csv line 2: 2027-01-01 has no name"),
        (
            "2027.csv",
            "date,kind,name\n2027-01-01,holiday,示例\n\n2027-01-01,holiday,示例\n",
            "2027.csv line 4: .* twice",
        ),
        ("next.csv", "date,kind,name\n2027-01-01,holiday,示例\n", "next.csv: a calendar is named for its year"),
    ],
)
def test_a_slip_in_a_calendar_is_named_with_its_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / "calendars").mkdir()
    (tmp_path / "calendars" / name).write_text(text, "utf-8")
    with pytest.raises(ValueError, match=f"^calendars/{message}"):
        load_calendars(tmp_path)


def test_a_calendar_may_move_days_of_the_december_before(tmp_path: Path) -> None:
    (tmp_path / "calendars").mkdir()
    text = "date,kind,name\n2026-12-27,workday,示例调休\n2026-12-31,holiday,示例\n2027-01-01,holiday,示例\n"
    (tmp_path / "calendars" / "2027.csv").write_text(text, "utf-8")
    calendars = load_calendars(tmp_path)
    assert calendars.years == {2027}
    assert calendars.make_up_days == {date(2026, 12, 27)}
    assert calendars.holidays == {date(2026, 12, 31), date(2027, 1, 1)}
