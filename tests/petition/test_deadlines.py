"""Counting time limits: the golden vectors of the domain, and what happens at the edges of the calendar."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from config.deadlines import load_calendars, load_deadlines
from petition.clock import SHANGHAI
from petition.deadlines import Deadline, DeadlineEngine, Suspension

DATA = Path(__file__).parents[2] / "config" / "data"


@dataclass(frozen=True)
class PlainRule:
    """A rule as a test writes it."""

    key: str
    days: int | None = None
    hours: int | None = None
    count_mode: str = "calendar"
    roll_over: str = "next_working_day"
    extends: str = ""
    article: str = "示例第一条"
    label: str = "示例期限"


@dataclass(frozen=True)
class PlainCalendar:
    """A calendar as a test writes it."""

    years: frozenset[int] = frozenset({2026})
    holidays: frozenset[date] = field(default_factory=frozenset)
    make_up_days: frozenset[date] = field(default_factory=frozenset)


@pytest.fixture(scope="module")
def shipped() -> DeadlineEngine:
    return DeadlineEngine(load_deadlines(DATA).rules, load_calendars(DATA))


def counted(rule: PlainRule, start: date | datetime, **how: object) -> Deadline:
    return DeadlineEngine([rule], load_calendars(DATA)).after(rule.key, start, **how)  # type: ignore[arg-type]


CALENDAR_VECTORS = [
    ("2026-11-02", 15, "2026-11-17", "2026-11-17"),
    ("2026-09-16", 15, "2026-10-01", "2026-10-08"),
    ("2026-09-18", 15, "2026-10-03", "2026-10-08"),
    ("2026-01-31", 15, "2026-02-15", "2026-02-24"),
    ("2026-04-20", 15, "2026-05-05", "2026-05-06"),
    ("2026-08-03", 60, "2026-10-02", "2026-10-08"),
    ("2026-10-02", 30, "2026-11-01", "2026-11-02"),
]
WORKING_VECTORS = [
    ("2026-09-17", 5, "2026-09-23"),
    ("2026-09-30", 5, "2026-10-13"),
    ("2026-02-12", 5, "2026-02-26"),
    ("2026-04-30", 5, "2026-05-11"),
    ("2026-10-08", 15, "2026-10-28"),
]


@pytest.mark.parametrize(("start", "days", "raw_end", "end"), CALENDAR_VECTORS)
def test_golden_vectors_in_calendar_days(start: str, days: int, raw_end: str, end: str) -> None:
    found = counted(PlainRule("limit", days=days), date.fromisoformat(start))
    assert (str(found.raw_end), str(found.end), found.provisional) == (raw_end, end, False)
    plain = counted(PlainRule("limit", days=days, roll_over="none"), date.fromisoformat(start))
    assert (str(plain.raw_end), str(plain.end)) == (raw_end, raw_end)


def test_golden_vector_of_sixty_and_thirty_days(shipped: DeadlineEngine) -> None:
    found = shipped.after("opinion", date(2026, 7, 1), extension=30)
    assert (found.raw_end, found.end) == (date(2026, 9, 29), date(2026, 9, 29))


def test_golden_vector_of_a_year_without_calendar(shipped: DeadlineEngine) -> None:
    found = shipped.after("opinion", date(2026, 11, 10))
    assert found.provisional
    assert found.raw_end == date(2027, 1, 9)
    assert found.end == date(2027, 1, 11)  # the Monday after: week-ends are known, holidays are not
    assert found.internal_target == date(2027, 1, 8)


@pytest.mark.parametrize(("start", "days", "end"), WORKING_VECTORS)
def test_golden_vectors_in_working_days(start: str, days: int, end: str) -> None:
    for roll_over in ("none", "next_working_day"):
        rule = PlainRule("limit", days=days, count_mode="working", roll_over=roll_over)
        found = counted(rule, date.fromisoformat(start))
        assert (str(found.raw_end), str(found.end), found.provisional) == (end, end, False)


@pytest.mark.parametrize(
    ("key", "start", "end", "target"),
    [
        ("transfer", "2026-11-02", "2026-11-17", "2026-11-16"),
        ("acceptance", "2026-09-16", "2026-10-08", "2026-09-30"),  # the target lies before the holidays
        ("objection", "2026-09-17", "2026-09-23", "2026-09-22"),
        ("opinion", "2026-08-03", "2026-10-08", "2026-09-30"),
        ("review_request", "2026-10-02", "2026-11-02", "2026-10-30"),
        ("simplified_transfer", "2026-11-20", "2026-11-23", "2026-11-20"),
        ("simplified_acceptance", "2026-11-20", "2026-11-25", "2026-11-24"),
        ("simplified_opinion", "2026-11-20", "2026-12-04", "2026-12-03"),
        ("intake", "2026-11-21", "2026-11-21", "2026-11-21"),  # the same day; a target never lies before the start
    ],
)
def test_the_shipped_rules(shipped: DeadlineEngine, key: str, start: str, end: str, target: str) -> None:
    found = shipped.after(key, date.fromisoformat(start))
    assert (str(found.start), str(found.end), str(found.internal_target)) == (start, end, target)
    assert not found.provisional
    assert (found.key, found.article, found.label) == (key, shipped.rule(key).article, shipped.rule(key).label)


def test_a_moment_counts_from_its_day_in_shanghai(shipped: DeadlineEngine) -> None:
    late_evening_utc = datetime(2026, 11, 1, 16, 30, tzinfo=UTC)  # half past midnight of the 2nd in Shanghai
    assert shipped.after("transfer", late_evening_utc).start == date(2026, 11, 2)
    with pytest.raises(ValueError, match="zone"):
        shipped.after("transfer", datetime(2026, 11, 2, 9, 0))


def test_a_limit_in_days_is_late_with_the_midnight_after_its_last_day(shipped: DeadlineEngine) -> None:
    found = shipped.after("transfer", date(2026, 11, 2))
    assert found.due == datetime(2026, 11, 18, tzinfo=SHANGHAI)
    assert not found.is_late(found.due - timedelta(seconds=1))
    assert found.is_late(found.due)
    assert [found.days_left(date(2026, 11, day)) for day in (16, 17, 18)] == [1, 0, -1]


@pytest.mark.parametrize(
    ("start", "roll_over", "due", "end"),
    [
        ("2026-11-20T09:30+08:00", "none", "2026-11-21T09:30+08:00", "2026-11-21"),
        ("2026-11-20T01:30+00:00", "none", "2026-11-21T09:30+08:00", "2026-11-21"),
        ("2026-11-18T00:00+08:00", "none", "2026-11-19T00:00+08:00", "2026-11-18"),
        ("2026-11-18", "none", "2026-11-20T00:00+08:00", "2026-11-19"),  # a bare day: from its end on
        ("2026-11-20T09:30+08:00", "next_working_day", "2026-11-24T00:00+08:00", "2026-11-23"),
        ("2026-11-18T09:30+08:00", "next_working_day", "2026-11-19T09:30+08:00", "2026-11-19"),
    ],
)
def test_hours_are_counted_through(start: str, roll_over: str, due: str, end: str) -> None:
    begin = datetime.fromisoformat(start) if "T" in start else date.fromisoformat(start)
    found = counted(PlainRule("limit", hours=24, roll_over=roll_over), begin)
    assert (found.due, str(found.end)) == (datetime.fromisoformat(due), end)


@pytest.mark.parametrize(
    ("pauses", "raw_end"),
    [
        ([], "2026-11-12"),
        ([("2026-11-04", "2026-11-06")], "2026-11-15"),
        ([("2026-10-20", "2026-11-02")], "2026-11-12"),  # over before the counting begins
        ([("2026-10-20", "2026-11-03")], "2026-11-13"),
        ([("2026-11-12", "2026-11-12")], "2026-11-13"),  # the last day itself
        ([("2026-11-13", "2026-11-20")], "2026-11-12"),  # begins after the end
        ([("2026-11-04", "2026-11-06"), ("2026-11-14", "2026-11-15")], "2026-11-17"),  # reached only by the first
        ([("2026-11-05", "2026-11-07"), ("2026-11-04", "2026-11-06")], "2026-11-16"),  # overlapping, out of order
        ([("2026-11-04", "2026-11-05"), ("2026-11-06", "2026-11-06")], "2026-11-15"),
    ],
)
def test_suspended_days_do_not_count(pauses: list[tuple[str, str]], raw_end: str) -> None:
    suspended = [Suspension(since=date.fromisoformat(a), until=date.fromisoformat(b)) for a, b in pauses]
    found = counted(PlainRule("limit", days=10, roll_over="none"), date(2026, 11, 2), suspended=suspended)
    assert str(found.raw_end) == raw_end
    day_by_day, left = date(2026, 11, 2), 10
    while left:
        day_by_day += timedelta(days=1)
        left -= not any(pause.since <= day_by_day <= pause.until for pause in suspended)
    assert found.raw_end == day_by_day


def test_suspension_of_working_days() -> None:
    rule = PlainRule("limit", days=5, count_mode="working")
    pause = Suspension(since=date(2026, 11, 4), until=date(2026, 11, 5))
    assert counted(rule, date(2026, 11, 2), suspended=[pause]).end == date(2026, 11, 11)
    with pytest.raises(ValueError, match="suspension"):
        counted(rule, date(2026, 11, 2), suspended=[Suspension(since=date(2026, 11, 5), until=date(2026, 11, 4))])


@pytest.mark.parametrize("extension", [31, -1])
def test_an_extension_stays_within_its_rule(shipped: DeadlineEngine, extension: int) -> None:
    with pytest.raises(ValueError, match="1 to 30 days"):
        shipped.after("opinion", date(2026, 7, 1), extension=extension)
    with pytest.raises(ValueError, match="1 to 0 days"):
        shipped.after("acceptance", date(2026, 7, 1), extension=1)


def test_a_limit_may_be_set_for_one_case(shipped: DeadlineEngine) -> None:
    assert shipped.after("assign_limit", date(2026, 11, 2), limit=7).raw_end == date(2026, 11, 9)
    assert shipped.after("assign_limit", date(2026, 11, 2), limit=0).raw_end == date(2026, 11, 2)
    for bad in (-1, 3661, 10**9):
        with pytest.raises(ValueError, match="out of range"):
            shipped.after("assign_limit", date(2026, 11, 2), limit=bad)


def test_an_unknown_key_is_named(shipped: DeadlineEngine) -> None:
    with pytest.raises(KeyError, match="nonsense"):
        shipped.after("nonsense", date(2026, 11, 2))


@pytest.mark.parametrize(
    ("rule", "start", "provisional"),
    [
        (PlainRule("calendar, ends covered", days=15), date(2026, 11, 2), False),
        (PlainRule("calendar, ends beyond", days=15), date(2026, 12, 20), True),
        (PlainRule("plain, ends beyond", days=15, roll_over="none"), date(2026, 12, 20), True),
        (PlainRule("rolls beyond", days=1), date(2026, 12, 31), True),
        (PlainRule("working, ends beyond", days=5, count_mode="working"), date(2026, 12, 28), True),
        (PlainRule("working, ends covered", days=3, count_mode="working"), date(2026, 12, 28), False),
        (PlainRule("begins long before", days=15), date(1999, 1, 1), True),
        (PlainRule("hours beyond", hours=24, roll_over="none"), date(2026, 12, 31), True),
    ],
)
def test_a_year_without_calendar_is_provisional_and_never_a_crash(
    rule: PlainRule, start: date, provisional: bool
) -> None:
    found = counted(rule, start)
    assert found.provisional is provisional
    assert found.end >= found.raw_end >= start


def test_without_any_calendar_week_ends_still_count() -> None:
    engine = DeadlineEngine([PlainRule("limit", days=5, count_mode="working")], PlainCalendar(years=frozenset()))
    found = engine.after("limit", date(2026, 9, 30))
    assert (found.end, found.provisional) == (date(2026, 10, 7), True)


def test_a_gap_on_the_way_is_provisional_even_if_the_end_is_covered() -> None:
    rule = PlainRule("limit", days=10, count_mode="working")
    found = DeadlineEngine([rule], PlainCalendar(years=frozenset({2027}))).after("limit", date(2026, 12, 28))
    assert (found.end, found.provisional) == (date(2027, 1, 11), True)


def test_working_days_between(shipped: DeadlineEngine) -> None:
    assert shipped.working_days_between(date(2026, 9, 30), date(2026, 10, 13)) == 5
    assert shipped.working_days_between(date(2026, 10, 13), date(2026, 9, 30)) == -5
    assert shipped.working_days_between(date(2026, 10, 1), date(2026, 10, 1)) == 0


def test_a_deadline_is_counted_fast(shipped: DeadlineEngine) -> None:
    """The promise is 50 microseconds; the best of many rounds, so that a busy machine does not fail it."""
    for key in ("transfer", "objection", "opinion", "simplified_opinion"):
        best = 1.0
        for _ in range(200):
            start = time.perf_counter()
            shipped.after(key, date(2026, 9, 16))
            best = min(best, time.perf_counter() - start)
        assert best < 50e-6, f"{key} took {best * 1e6:.0f} microseconds"
