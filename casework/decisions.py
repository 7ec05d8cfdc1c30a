"""Decisions (处置): what an officer does to a case, each in one transaction with its history and its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from casework.corrections import MATTER, ROUTING, Corrections
from casework.permissions import Allowed, ConflictGuard, Denied, Permissions, Verb
from casework.registration import let_in, missing
from petition.arrival import Outcome
from petition.errors import Conflict, Invalid, NotFound, Problem
from petition.petition import Evidence, Lane, Note, Petition, Purpose, Related, RelatedKind
from petition.workflow import Event, Status, may
from store import history, outbox, petitions
from store.accounts import Officer
from store.outbox import OrderState
from store.petitions import Case
from store.transaction import Transaction
from store.vault import Vault

STAGE = "officer"
SHORTEST_REASON = 2
LONGEST_REASON = 500
# Once the unit has accepted, only the unit can give the case back (objection, Regulation art. 23).
REROUTABLE = frozenset(
    {
        *(Status.SCREENED, Status.REGISTERED, Status.FORWARDED, Status.ASSIGNED, Status.OBJECTED),
        *(Status.DIVERTED_DISCIPLINE, Status.DIVERTED_POLITICAL_LEGAL),
    }
)
# Lets a held arrival in: (transaction, case, actor, reason) -> the case as a petition. Given by the composition root.
Release = Callable[[Transaction, Case, str, str], Case]
# The look-up codes of everybody in a petition: (vault, petition) -> (kind, code) pairs. Given by the composition root.
LookUpCodes = Callable[[Vault, Petition], tuple[tuple[str, bytes], ...]]


class Stale(Conflict):
    """Somebody else changed the case after this officer opened it; the page shows both and loses nothing."""

    code = "stale"

    def __init__(self, actor: str, at: datetime) -> None:
        who = actor.removeprefix("officer:") if actor.startswith("officer:") else "系统"
        when = f"{at.month}月{at.day}日 {at:%H:%M}"
        words = f"您打开之后，{who}在{when}改动过这件信访。您填写的内容还在下面，请对照最新内容，确认后再提交一次。"
        super().__init__(words)


@dataclass(frozen=True, slots=True)
class Decisions:
    """The verbs of the desk. Every verb takes the transaction, who, which case and the version that was looked at, and
    raises NotFound or Forbidden (permissions), Stale, Invalid or Conflict; then nothing is written."""

    permissions: Permissions
    corrections: Corrections
    guard: ConflictGuard
    look_up_codes: LookUpCodes
    release: Release = let_in

    def correct(
        self,
        tx: Transaction,
        officer: Officer,
        case_no: str,
        version: int,
        typed: Mapping[str, str],
        reason: str,
        *,
        unseal: bool = False,
    ) -> Case:
        """Change fields; each gets the officer as its evidence and the reason as a note.

        A case that becomes an accusation or asks for secrecy moves to the sealed lane; out of it only by `unseal`.
        """
        case = self._open(tx, officer, Verb.CORRECT, case_no, version)
        if case.read_at is None and case.standing is Outcome.PETITION:
            # The machine's reading, when it comes, would overwrite the person's.
            raise Conflict("系统正在甄别这件来件，请稍等片刻刷新后再更正。您填写的内容没有丢失。")
        known = self.corrections.apply(case.petition, typed)
        problems = [*known.problems, *_reason_problems(reason)]
        changed, petition = known.changed, known.petition
        lane, refusal = self._lane(officer, case, petition, unseal)
        if refusal is not None:
            problems.append(refusal)
        if not changed and lane is case.lane:
            problems.append(Problem("title", "unchanged", "没有改动任何内容。"))
        if problems:
            raise Invalid(tuple(problems))
        petition = _signed(petition, changed, reason)
        corrected = petitions.amend(
            tx,
            case,
            actor=officer.actor,
            event="correct",
            petition=petition,
            lane=lane,
            read=case.read_at is None,
            words=f"更正{'、'.join(changed) or '办理通道'}:{reason}",
            public=False,
        )
        if {"petitioners", "problem_region"} & set(changed):
            petitions.index_people(tx, case_no, self.look_up_codes(tx.vault, petition))
        self._send_again(tx, corrected, changed)
        return corrected

    def confirm(self, tx: Transaction, officer: Officer, case_no: str, version: int, note: str = "") -> Case:
        """The record is right: register it if it is not yet. What is missing needs a note why it cannot be had."""
        case = self._open(tx, officer, Verb.CONFIRM, case_no, version)
        if case.confirmed_at is not None:
            raise Conflict("这件信访已经确认过了。")
        gaps = missing(case.petition)
        if gaps and len(note.strip()) < SHORTEST_REASON:
            words = f"还缺：{'、'.join(gaps)}。请先更正补齐，或写明无法补齐的原因。"
            raise Invalid((Problem("note", "gaps", words),))
        petition, status = case.petition, case.status
        if gaps:
            petition = replace(petition, notes=(*petition.notes, Note(stage=STAGE, code="gaps", words=note.strip())))
        if status in (Status.RECEIVED, Status.SCREENED, Status.RETURNED_FOR_SUPPLEMENT):
            status = self._registered(tx, case, officer)
            petition = replace(petition, registered_at=petition.registered_at or tx.now)
        confirmed = petitions.amend(
            tx,
            case,
            actor=officer.actor,
            event=Event.REGISTER.value if status is not case.status else "confirm",
            petition=petition,
            status=status,
            standing=Outcome.PETITION if case.standing is Outcome.HELD else None,
            hold_reason="",
            confirmed=True,
            read=case.read_at is None,
            words=note.strip(),
            public=status is not case.status and not note.strip(),
        )
        if case.read_at is None:
            # A person has read it: the machine's reading would overwrite the person's.
            outbox.withdraw(tx, case_no, "read", "已由工作人员确认登记")
        if not any(order.kind == "dispatch" and _counts(order.state) for order in outbox.of(tx, case_no)):
            outbox.add(tx, "dispatch", case_no)
        return confirmed

    def reroute(self, tx: Transaction, officer: Officer, case_no: str, version: int, unit: str, reason: str) -> Case:
        """Send the case to the unit named, never to one complained about, led by or below them (art. 30)."""
        case = self._open(tx, officer, Verb.REROUTE, case_no, version)
        if case.standing is not Outcome.PETITION or case.status not in REROUTABLE:
            raise Conflict("现在的办理状态不能改派；责任单位已经受理的，由该单位按异议程序退回。")
        problems = [*_reason_problems(reason), *self._unit_problems(case, unit)]
        if problems:
            raise Invalid(tuple(problems))
        status = may(case.status, Event.AGREE_OBJECTION) if case.status is Status.OBJECTED else None
        chosen = self.permissions.units.rows[unit]
        rerouted = petitions.amend(
            tx,
            case,
            actor=officer.actor,
            event="reroute",
            status=status,
            words=f"改派{chosen.name}:{reason.strip()}",
            public=False,
        )
        outbox.withdraw(tx, case_no, "dispatch", "已改派")
        outbox.add(tx, "dispatch", case_no, payload={"unit": unit, "by": officer.actor})
        return rerouted

    def release_held(self, tx: Transaction, officer: Officer, case_no: str, version: int, reason: str) -> Case:
        """Let a held arrival in."""
        case = self._open(tx, officer, Verb.RELEASE, case_no, version)
        if case.standing is not Outcome.HELD:
            raise Conflict("这件来件已经放行了。")
        if problems := _reason_problems(reason):
            raise Invalid(tuple(problems))
        return self.release(tx, case, officer.actor, reason.strip())

    def link(
        self, tx: Transaction, officer: Officer, case_no: str, version: int, other: str, *, same: bool, reason: str = ""
    ) -> Case:
        """Decide a proposed repeat. same: it is one (重复件, or one group matter for JOINT); else the proposal goes."""
        case = self._open(tx, officer, Verb.LINK, case_no, version)
        proposal = next((each for each in case.petition.related if each.case_no == other), None)
        first = petitions.find(tx, other)
        if proposal is None or first is None:
            raise NotFound("这条重复件提示已经不在了。")
        if isinstance(self.permissions.may(officer, Verb.READ, first), Denied):
            raise NotFound("没有找到这件信访，请核对编号。")
        petition, status = _decided(case.petition, proposal, first, same), None
        if same and proposal.kind is RelatedKind.LINK:
            status = may(case.status, Event.LINK_DUPLICATE)
        linked = petitions.amend(
            tx,
            case,
            actor=officer.actor,
            event="link" if same else "unlink",
            petition=petition,
            status=status,
            standing=Outcome.LINKED if status is Status.LINKED_DUPLICATE else None,
            words=f"{'认定与' if same else '认定不是'}{other}{'为同一事项' if same else '的重复件'} {reason}".strip(),
            public=False,
        )
        if status is Status.LINKED_DUPLICATE:
            outbox.withdraw(tx, case_no, "dispatch", f"并入 {other}")
        return linked

    def retry(self, tx: Transaction, officer: Officer, case_no: str, order_id: int) -> Case:
        """Let a held order go again, unchanged."""
        case = self._open(tx, officer, Verb.RETRY, case_no, None)
        order = outbox.find(tx, order_id)
        if order is None or order.case_no != case_no:
            raise NotFound("没有找到这张转办单。")
        if not outbox.release(tx, order_id):
            raise Conflict("这张转办单已经不在待处理之列。")
        history.append(tx, case_no, event="retry", status=case.status, actor=officer.actor, public=False)
        return case

    def _open(self, tx: Transaction, officer: Officer, verb: Verb, case_no: str, version: int | None) -> Case:
        case = petitions.find(tx, case_no)
        if case is None:
            raise NotFound("没有找到这件信访，请核对编号。")
        verdict = self.permissions.may(officer, verb, case)
        if not isinstance(verdict, Allowed):
            raise verdict.error()
        if version is not None and case.version != version:
            steps = history.of(tx, case_no)
            raise Stale(steps[-1].actor if steps else "", case.updated_at)
        return case

    def _lane(self, officer: Officer, case: Case, petition: Petition, unseal: bool) -> tuple[Lane, Problem | None]:
        needs = petition.purpose is Purpose.ACCUSATION or petition.confidential
        if case.lane is not Lane.SEALED or not unseal:
            return (Lane.SEALED if needs else case.lane), None
        if needs:
            return case.lane, Problem("unseal", "still_sealed", "检举控告或要求保密的信访件不能移出保密通道。")
        verdict = self.permissions.may(officer, Verb.UNSEAL, case)
        if isinstance(verdict, Denied):
            return case.lane, Problem("unseal", "forbidden", verdict.words)
        return Lane.NORMAL, None

    def _registered(self, tx: Transaction, case: Case, officer: Officer) -> Status:
        """The way of the status table to REGISTERED; the step in between gets its own line of history."""
        status = case.status
        if status is Status.RETURNED_FOR_SUPPLEMENT:
            return may(status, Event.SUPPLEMENT_LAPSE) or status
        if status is Status.RECEIVED:
            status = may(status, Event.SCREEN) or status
            history.append(tx, case.case_no, event=Event.SCREEN.value, status=status, actor=officer.actor, public=False)
        return may(status, Event.REGISTER) or status

    def _send_again(self, tx: Transaction, case: Case, changed: tuple[str, ...]) -> None:
        """A corrected record follows its case: held orders are made anew, after a delivery the unit gets it again."""
        orders = [order for order in outbox.of(tx, case.case_no) if order.kind == "dispatch"]
        waiting = [order for order in orders if order.state in (OrderState.OPEN, OrderState.HELD)]
        delivered = any(order.state is OrderState.DELIVERED for order in orders)
        if waiting:
            if ROUTING & set(changed) and any(order.state is OrderState.HELD for order in waiting):
                outbox.withdraw(tx, case.case_no, "dispatch", "登记内容已更正")
                outbox.add(tx, "dispatch", case.case_no, payload=dict(waiting[-1].payload))
        elif delivered and case.standing is Outcome.PETITION and changed:
            # A unit that is now among the accused gets nothing more: the rules choose anew.
            keeps = case.unit and not self.guard(case.petition, case.unit)
            kind = case.petition.dispatch_type
            payload: dict[str, object] = {"because": "corrected"}
            if keeps:
                payload |= {"unit": case.unit, "co_units": list(case.petition.co_units)}
                payload |= {"dispatch_type": kind.value} if kind else {}
            outbox.add(tx, "dispatch", case.case_no, payload=payload)

    def _unit_problems(self, case: Case, unit: str) -> list[Problem]:
        chosen = self.permissions.units.find(unit)
        if chosen is None:
            return [Problem("unit", "unit_unknown", "请从列表中选择责任单位。")]
        if unit == case.unit:
            return [Problem("unit", "unit_same", f"这件信访现在就在{chosen.name}。")]
        if reason := self.guard(case.petition, unit):
            return [Problem("unit", "conflict", f"依照条例第三十条不得交{chosen.name}:{reason}。请选择上级单位。")]
        current = self.permissions.units.find(case.unit)
        if case.lane is Lane.SEALED and current is not None and chosen.level > current.level:
            # DOMAIN 7.6: in the sealed lane a person may only move a case upward.
            return [Problem("unit", "sealed_downward", "保密通道的信访件只能改派同级或上级单位。")]
        return []


def related_key(case_no: str) -> str:
    """Where the evidence stands that a person agreed to a proposed link."""
    return f"related.{case_no}"


def _reason_problems(reason: str) -> list[Problem]:
    length = len(reason.strip())
    if length < SHORTEST_REASON:
        return [Problem("reason", "reason_empty", "请写明理由。")]
    if length > LONGEST_REASON:
        return [Problem("reason", "too_long", f"理由最多 {LONGEST_REASON} 个字，现在是 {length} 个字。")]
    return []


def _signed(petition: Petition, changed: tuple[str, ...], reason: str) -> Petition:
    signature = Evidence(stage=STAGE, source=STAGE, confidence=1.0)
    # What pointed into an older text would point at the wrong words now.
    stale = {key for key, each in petition.evidence.items() if each.span and each.source in changed}
    kept = {
        key: replace(each, span=None) if key in stale else each
        for key, each in petition.evidence.items()
        if not key.startswith(tuple(f"{name}." for name in changed))
    }
    notes = tuple(
        Note(stage=STAGE, code="corrected", words=reason.strip(), field=key)
        for key in changed
        if key in MATTER or key in ("content", "petitioners")
    )
    return replace(petition, evidence={**kept, **dict.fromkeys(changed, signature)}, notes=(*petition.notes, *notes))


def _decided(petition: Petition, proposal: Related, first: Case, same: bool) -> Petition:
    origin = first.petition.first_case_no or first.case_no
    if not same:
        others = tuple(each for each in petition.related if each.case_no != proposal.case_no)
        petition = replace(petition, related=others)
        if petition.first_case_no != origin:
            return petition
        # The machine had taken it for a repeat of this very case.
        return replace(petition, is_repeat=False, is_first=True, first_case_no="", repeat_count=0)
    signature = Evidence(stage=STAGE, source=STAGE, confidence=1.0)
    petition = replace(petition, evidence={**petition.evidence, related_key(proposal.case_no): signature})
    if proposal.kind is not RelatedKind.LINK:
        return petition
    count = max(petition.repeat_count, first.petition.repeat_count + 1)
    return replace(petition, is_repeat=True, is_first=False, first_case_no=origin, repeat_count=count)


def _counts(state: OrderState) -> bool:
    return state is not OrderState.WITHDRAWN
