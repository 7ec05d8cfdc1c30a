"""What happens by when (办理时限): the dated next steps of a receipt and the two bars of the tracking page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from petition.deadlines import Deadline, DeadlineEngine
from petition.petition import Purpose
from petition.workflow import Status
from store.history import Step

_AT_UNIT = frozenset({Status.FORWARDED, Status.ASSIGNED})
_DECIDED = frozenset(
    {Status.ACCEPTED, Status.NOT_ACCEPTED, Status.DIVERTED_STATUTORY, Status.ANSWERED_ON_SPOT,
     Status.SUGGESTION_STUDIED, Status.LINKED_DUPLICATE, Status.NO_LONGER_ACCEPTED}
)  # fmt: skip
_AWAY = frozenset({Status.DIVERTED_POLITICAL_LEGAL, Status.DIVERTED_DISCIPLINE})
_ANSWERED = frozenset(
    {Status.OPINION_ISSUED, Status.DELIVERED, Status.ANSWERED_ON_SPOT, Status.REPLIED, Status.RATING_OPEN}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """One line of `接下来会怎样`: the last day, what happens, the article; provisional dates may still move."""

    by: date
    title: str
    words: str
    article: str
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One progress bar. state: waiting (not begun), running, late or done; percent 0..100 of the time that has gone.

    last: the last day, None while it has not begun; days_left: calendar days, negative when late.
    """

    title: str
    state: str
    words: str
    article: str
    percent: int = 0
    last: date | None = None
    days_left: int = 0
    provisional: bool = False


def next_steps(engine: DeadlineEngine, received: date, purpose: Purpose | None) -> tuple[NextStep, ...]:
    """The three steps a petitioner may expect, each at the latest (Regulation arts. 22, 23, 29-31, 34)."""
    transfer = engine.after("transfer", received)
    passed = _next(transfer, "转送到有权处理的单位", "信访部门登记后，转到有权处理的单位。转到哪里，您都能查到。")
    if purpose is Purpose.ACCUSATION:
        told = "检举控告按规定转有权机关，全程保密；有权机关按自己的程序办理。"
        return (passed, _next(transfer, "有权机关接收", told))
    if purpose is Purpose.SUGGESTION:
        studied = engine.after("suggestion", received)
        return (passed, _next(studied, "研究并答复您的建议", "有关单位认真研究论证，告诉您是否采纳和理由。"))
    accepted = engine.after("acceptance", transfer.end)
    answered = engine.after("opinion", accepted.end)
    return (
        passed,
        _next(accepted, "告知您是否受理", "承办单位书面告诉您受理情况和办理途径。"),
        _next(answered, "给您书面答复", "受理后在规定时间内给出处理意见；情况复杂需要延长的，会告诉您理由和新的日期。"),
    )


def bars(
    engine: DeadlineEngine,
    steps: Sequence[Step],
    received_at: datetime,
    today: date,
    *,
    purpose: Purpose | None = None,
    simplified: bool = False,
) -> tuple[Bar, ...]:
    """`受理期限` and `答复期限` of a case from its history; an accusation has only the first."""
    days = {kind: _first(steps, of) for kind, of in
            (("unit", _AT_UNIT), ("decided", _DECIDED | _AWAY), ("accepted", frozenset({Status.ACCEPTED})),
             ("answered", _ANSWERED), ("away", _AWAY))}  # fmt: skip
    if purpose is Purpose.ACCUSATION or days["away"]:
        first = _bar(
            "转交期限", engine.after("transfer", received_at), days["decided"] or days["unit"], today, "已转交"
        )
        return (first,)
    if days["unit"]:
        limit = engine.after("simplified_acceptance" if simplified else "acceptance", days["unit"])
        first = _bar("受理期限", limit, days["decided"], today, "已告知受理情况")
    else:
        first = _bar("转送期限", engine.after("transfer", received_at), days["decided"], today, "已转送")
    if purpose is Purpose.SUGGESTION:
        return (first, _bar("答复期限", engine.after("suggestion", received_at), days["answered"], today, "已答复"))
    if days["answered"] and not days["accepted"]:
        return (first, Bar(title="答复期限", state="done", words="已答复", article="", percent=100))
    if not days["accepted"]:
        rule = engine.rule("opinion")
        words = f"自受理之日起{rule.days}日内答复，受理后开始计算"
        return (first, Bar(title="答复期限", state="waiting", words=words, article=rule.article))
    extension = (engine.rule("extension").days or 0) if _first(steps, frozenset({Status.EXTENDED})) else 0
    if simplified:
        answer = engine.after("simplified_opinion", days["accepted"])
    else:
        answer = engine.after("opinion", days["accepted"], extension=extension)
    return (first, _bar("答复期限", answer, days["answered"], today, "已答复"))


def _first(steps: Sequence[Step], statuses: frozenset[Status]) -> date | None:
    return next((step.at.date() for step in steps if step.status in statuses), None)


def _bar(title: str, limit: Deadline, done: date | None, today: date, done_words: str) -> Bar:
    left = limit.days_left(today)
    whole = max(1, (limit.end - limit.start).days)
    if done:
        state, words, percent = "done", f"{done_words}（{done.month}月{done.day}日）", 100
    elif left < 0:
        state, words, percent = "late", f"已超过期限{-left}天", 100
    else:
        state = "running"
        words = "今天是最后一天" if left == 0 else f"还有{left}天"
        percent = min(100, max(2, round(100 * (whole - left) / whole)))  # a sliver shows that it has begun
    return Bar(
        title=title,
        state=state,
        words=words,
        article=limit.article,
        percent=percent,
        last=limit.end,
        days_left=left,
        provisional=limit.provisional and not done,
    )


def _next(limit: Deadline, title: str, words: str) -> NextStep:
    return NextStep(by=limit.end, title=title, words=words, article=limit.article, provisional=limit.provisional)
