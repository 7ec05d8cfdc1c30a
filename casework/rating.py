"""Rating (满意度评价): the petitioner rates the bureau and the unit, once, while the period runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from config.ratings import RatingScale
from petition.deadlines import Deadline, DeadlineEngine
from petition.errors import Conflict, Invalid, Problem
from petition.petition import Lane, Purpose
from petition.workflow import Event, Status, may
from store import history, petitions
from store.history import Step
from store.petitions import Case
from store.transaction import Transaction

PETITIONER = "petitioner"
# The state from which the system opens the period (status table, row 27).
_ANSWERED = frozenset({Status.DELIVERED, Status.ANSWERED_ON_SPOT})


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingPeriod:
    """Whether the case may be rated. until: the last day, None where there is no answer yet; why_not: for the page."""

    open: bool
    until: Deadline | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Ratings:
    """The rules, made once."""

    scale: RatingScale
    engine: DeadlineEngine

    def period(self, case: Case, steps: Sequence[Step], today: date) -> RatingPeriod:
        """Whether the petitioner may rate today (W2, W3). steps: the history, oldest first. Pure.

        Accusations and litigation are not rated; matters of other procedures and repeats only where the routing system
        has opened the period itself. The days count from the answer.
        """
        record = case.petition
        if case.lane is Lane.SEALED or record.purpose is Purpose.ACCUSATION:
            return RatingPeriod(open=False)
        if record.rating_bureau is not None:
            return RatingPeriod(open=False, why_not="您已经评价过，感谢您。")
        if case.status is not Status.RATING_OPEN and (case.status not in _ANSWERED or not self._in_scope(case)):
            return RatingPeriod(open=False)
        answered = [step.at for step in steps if step.status in _ANSWERED or step.status is Status.RATING_OPEN]
        until = self.engine.after("rating", answered[0] if answered else case.updated_at)
        if today > until.end:
            return RatingPeriod(open=False, until=until, why_not="评价期限已经过了。")
        return RatingPeriod(open=True, until=until)

    def rate(self, tx: Transaction, case_no: str, bureau: str, unit: str, words: str) -> Case:
        """Write the rating down; the period is opened in the same commit where the system has not done so before.

        bureau, unit: values of the scale as typed; unit may be empty where no unit has the case. Raises NotFound,
        Conflict (not open, rated already), Invalid with every problem.
        """
        case = petitions.get(tx, case_no)
        period = self.period(case, history.of(tx, case_no), tx.now.date())
        if not period.open:
            raise Conflict(period.why_not or "这件事项现在不能评价。")
        needed = [("bureau", "信访部门", bureau)] + ([("unit", "责任单位", unit)] if case.unit else [])
        problems = [
            Problem(name, "empty", f"请选择对{label}的评价。")
            for name, label, value in needed
            if not self._value(value)
        ]
        told = words.replace("\r\n", "\n").strip()
        if len(told) > self.scale.words_most:
            problems.append(Problem("words", "long", f"意见最多{self.scale.words_most}个字，请写短一些。"))
        if problems:
            raise Invalid(tuple(problems))
        status = case.status
        if status in _ANSWERED:
            status = may(status, Event.OPEN_RATING) or status
            history.append(
                tx, case_no, event=Event.OPEN_RATING.value, status=status, unit=case.unit, actor="gateway", public=False
            )
        given = {name: self._value(value) for name, _, value in needed}
        said = "；".join(f"对{label}：{self.scale.steps[given[name] or 0]}" for name, label, _ in needed)
        record = replace(case.petition, rating_bureau=given["bureau"], rating_unit=given.get("unit"))
        return petitions.amend(
            tx,
            case,
            actor=PETITIONER,
            event=Event.RATE.value,
            petition=record,
            status=may(status, Event.RATE),
            words=f"{said}。{told}",
        )

    def _value(self, typed: str) -> int | None:
        return next((value for value in self.scale.steps if str(value) == typed), None)

    def _in_scope(self, case: Case) -> bool:
        record = case.petition
        outside = record.litigation_related or (record.legal_path or "") in self.scale.legal_paths_outside
        first = record.is_first and not record.is_repeat
        return not outside and (first or not self.scale.first_only)
