"""Deadlines (期限): counts calendar days, working days and hours by rules and calendars that come from data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from petition import clock

_DAY = timedelta(days=1)
_LONGEST = 3660  # days; a larger number is a slip of the pen, not a deadline
_SATURDAY = 5


class Rule(Protocol):
    """One time limit as data; `config.deadlines.DeadlineRule` is one."""

    @property
    def key(self) -> str: ...
    @property
    def days(self) -> int | None: ...
    @property
    def hours(self) -> int | None: ...
    @property
    def count_mode(self) -> str:
        """`calendar` or `working`."""
        ...

    @property
    def roll_over(self) -> str:
        """`none` or `next_working_day`."""
        ...

    @property
    def extends(self) -> str:
        """Key of the limit this one may lengthen once, or empty."""
        ...

    @property
    def article(self) -> str: ...
    @property
    def label(self) -> str: ...


class Calendar(Protocol):
    """Rest days and make-up workdays of the years it covers; `config.deadlines.Calendars` is one."""

    @property
    def years(self) -> Collection[int]: ...
    @property
    def holidays(self) -> Collection[date]: ...
    @property
    def make_up_days(self) -> Collection[date]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """Days that do not count (中止计算), both ends included; an open one ends today and is counted again later."""

    since: date
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A counted time limit. Days are calendar days in Asia/Shanghai.

    start: day of the starting event, itself not counted (Civil Code art. 201); raw_end: last day by plain counting;
    end: last day after roll-over (Civil Code art. 203); due: aware, the first moment that is too late (for days the
    midnight after `end`); internal_target: one working day before `end`, never before `start`;
    provisional: a year without calendar was touched, so only week-ends were known and the dates may still move.
    """

    key: str
    start: date
    raw_end: date
    end: date
    due: datetime
    internal_target: date
    provisional: bool
    article: str
    label: str

    def days_left(self, today: date) -> int:
        """Calendar days until `end`; 0 on the last day, negative when it is over."""
        return (self.end - today).days

    def is_late(self, now: datetime) -> bool:
        """Whether the aware moment `now` is too late."""
        return now >= self.due


class DeadlineEngine:
    """Counts time limits (Regulation arts. 22, 23, 34-36; Civil Code arts. 201, 203, 1259); keeps no state."""

    def __init__(self, rules: Iterable[Rule], calendar: Calendar) -> None:
        self._rules = {rule.key: rule for rule in rules}
        self._calendar = calendar

    def rule(self, key: str) -> Rule:
        """The rule of that key; KeyError names the missing key."""
        try:
            return self._rules[key]
        except KeyError:
            raise KeyError(f"there is no deadline called {key!r}") from None

    def after(
        self,
        key: str,
        start: date | datetime,
        *,
        extension: int = 0,
        limit: int | None = None,
        suspended: Sequence[Suspension] = (),
    ) -> Deadline:
        """The limit `key` counted from `start`.

        start: the day of the event, or an aware moment (ValueError if naive); an hour limit counts from the moment, or
        from the midnight that ends a bare day. extension: days granted, at most those of the rule that `extends` this
        one (ValueError). limit: days or hours set for this one case instead of the rule's number. suspended: days that
        do not count. Takes under 50 microseconds for the limits of the regulation.
        """
        rule = self.rule(key)
        moment: datetime | None = None
        if isinstance(start, datetime):
            moment = clock.aware(start)
            first = moment.date()
        else:
            first = start
        number = (rule.days if rule.days is not None else rule.hours or 0) if limit is None else limit
        if extension:
            self._refuse_too_long(key, extension)
            number += extension
        if not 0 <= number <= _LONGEST * (1 if rule.days is not None else 24):
            raise ValueError(f"{number} is out of range for the deadline {key!r}")
        if rule.days is None:
            return self._after_hours(rule, first, moment, number)
        raw_end, sure = self._counted(rule, first, number, _merged(suspended))
        end = raw_end
        if rule.roll_over == "next_working_day":
            end, sure_end = self._working_day(raw_end, _DAY)
            sure = sure and sure_end
        return self._deadline(rule, first, raw_end, end, _midnight(end + _DAY), sure)

    def working_days_between(self, first: date, last: date) -> int:
        """Working days after `first` up to and including `last` (negative if `last` is earlier), for lamps."""
        if last < first:
            return -self.working_days_between(last, first)
        days = (first + timedelta(days=step) for step in range(1, (last - first).days + 1))
        return sum(1 for day in days if self._is_working(day))

    def _refuse_too_long(self, key: str, extension: int) -> None:
        most = max((rule.days or 0 for rule in self._rules.values() if rule.extends == key), default=0)
        if not 0 < extension <= most:
            raise ValueError(f"the deadline {key!r} can be extended by 1 to {most} days, not by {extension}")

    def _after_hours(self, rule: Rule, first: date, moment: datetime | None, hours: int) -> Deadline:
        due = (moment or _midnight(first + _DAY)) + timedelta(hours=hours)
        # A midnight belongs to the day it ends.
        raw_end = end = max(first, (due - datetime.resolution).date())
        sure = True
        if rule.roll_over == "next_working_day":
            end, sure = self._working_day(raw_end, _DAY)
            if end != raw_end:
                due = _midnight(end + _DAY)
        return self._deadline(rule, first, raw_end, end, due, sure)

    def _deadline(self, rule: Rule, first: date, raw_end: date, end: date, due: datetime, sure: bool) -> Deadline:
        target, sure_target = self._working_day(end - _DAY, -_DAY)
        return Deadline(
            key=rule.key,
            start=first,
            raw_end=raw_end,
            end=end,
            due=due,
            internal_target=max(first, target),
            provisional=not (sure and sure_target and end.year in self._calendar.years),
            article=rule.article,
            label=rule.label,
        )

    def _counted(self, rule: Rule, first: date, number: int, pauses: list[Suspension]) -> tuple[date, bool]:
        """The last day by plain counting, and whether every day looked at is covered by a calendar."""
        if rule.count_mode == "calendar":
            end = first + timedelta(days=number)
            for pause in pauses:
                since = max(pause.since, first + _DAY)
                if since <= end and pause.until >= since:
                    end += pause.until - since + _DAY
            return end, True
        day, counted, sure, years = first, 0, True, self._calendar.years
        while counted < number:
            day += _DAY
            if any(pause.since <= day <= pause.until for pause in pauses):
                continue
            sure = sure and day.year in years
            counted += self._is_working(day)
        return day, sure

    def _working_day(self, day: date, step: timedelta) -> tuple[date, bool]:
        """The first working day from `day` on in the direction of `step`, and whether calendars cover the way."""
        sure = day.year in self._calendar.years
        while not self._is_working(day):
            day += step
            sure = sure and day.year in self._calendar.years
        return day, sure

    def _is_working(self, day: date) -> bool:
        if day.weekday() >= _SATURDAY:
            return day in self._calendar.make_up_days
        return day not in self._calendar.holidays


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.SHANGHAI)


def _merged(suspended: Sequence[Suspension]) -> list[Suspension]:
    """The pauses in order without overlap, so that no day is left out twice; ValueError for one that ends too early."""
    merged: list[Suspension] = []
    for pause in sorted(suspended, key=lambda each: each.since):
        if pause.until < pause.since:
            raise ValueError("a suspension cannot end before it begins")
        if merged and pause.since <= merged[-1].until + _DAY:
            merged[-1] = Suspension(since=merged[-1].since, until=max(merged[-1].until, pause.until))
        else:
            merged.append(pause)
    return merged
