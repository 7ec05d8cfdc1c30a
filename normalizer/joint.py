"""Joint petitions (联名): somebody joins a case by link or leaves it; headcount and record follow, each person once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from config.group import GroupRules
from normalizer.candidates import keys_of
from petition.arrival import Joining, Outcome, Statement
from petition.errors import Unavailable
from petition.people import Person, Role
from petition.petition import Petition
from store import groups, outbox, petitions
from store.outbox import Order, OrderState
from store.petitions import Case
from store.transaction import Transaction

BECAUSE = {"because": "supplement"}


def applies(said: Statement) -> bool:
    """Whether a supplement is a joining or a leaving."""
    return said.joining is not None


def carry_out(tx: Transaction, order: Order, case: Case, said: Statement, rules: GroupRules) -> None:
    """Join or leave, and tell the unit that has the case. Unavailable: the case itself is still being read."""
    if case.read_at is None and case.standing is Outcome.PETITION:
        raise Unavailable()  # reading writes the record as a whole and would not know of this person
    joining = said.joining or Joining()
    record = (
        _left(tx, case, bytes.fromhex(joining.leaves)) if joining.leaves else _joined(tx, order, case, said, joining)
    )
    if record is not None:
        record = replace(record, is_group=record.headcount >= rules.group_headcount, is_joint_letter=True)
        if len(record.petitioners) > rules.listed:
            record = replace(record, petitioners=record.petitioners[: rules.listed])
        event = "member_left" if joining.leaves else "member_joined"
        petitions.amend(tx, case, petition=record, actor="gateway", event=event, public=False)
    if outbox.delivered(tx, order) and record is not None and case.standing is not Outcome.HELD:
        _tell(tx, case.case_no, timedelta(minutes=rules.tell_minutes))


def represent(tx: Transaction, case_no: str, person: str, chosen: bool, most: int) -> bool:
    """The opener makes a listed person (its code in hex) a representative or not; False beyond the most (art. 20)."""
    case = petitions.get(tx, case_no)
    people = list(case.petition.petitioners)
    place = next((at for at, one in enumerate(people) if groups.person_code(tx.vault, one).hex() == person), None)
    if not place:  # nobody of that code, or the opener, who stays a representative
        return True
    role = Role.REPRESENTATIVE if chosen else Role.COSIGNER
    if people[place].role is role:
        return True
    if chosen and sum(one.role is Role.REPRESENTATIVE for one in people) >= most:
        return False
    people[place] = replace(people[place], role=role)
    record = replace(case.petition, petitioners=tuple(people))
    petitions.amend(tx, case, petition=record, actor="petitioner", event="representatives", public=False)
    return True


def _joined(tx: Transaction, order: Order, case: Case, said: Statement, joining: Joining) -> Petition | None:
    """The record with one person more; None when this very joining is in already."""
    uid, person = bytes.fromhex(order.payload["uid"]), said.petitioners[0]
    if groups.member(tx, uid) is not None:
        return None
    record = case.petition
    known = any(_same(one, person) for one in record.petitioners)
    known = known or bool(groups.active(tx, case.case_no, groups.person_code(tx.vault, person)))
    code = bytes.fromhex(order.payload["code"])
    groups.add(tx, case.case_no, uid, person, joining, code, counts=not known)
    if said.content:
        day = f"{order.created_at:%Y-%m-%d %H:%M}"
        record = replace(record, content=f"{record.content}\n\n【联名人补充 {day}】\n{said.content}")
    if known:
        return record
    keys = keys_of((person,), (), record.problem_region)
    groups.index_person(tx, case.case_no, [(key.kind, tx.vault.index(*key)) for key in keys])
    evidence = {name: value for name, value in record.evidence.items() if name != "headcount"}
    return replace(record, petitioners=(*record.petitioners, person), headcount=record.headcount + 1, evidence=evidence)


def _left(tx: Transaction, case: Case, uid: bytes) -> Petition | None:
    """The record with one person less; None when nothing changes because the person joined more than once."""
    member = groups.member(tx, uid)
    if member is None or member.left_at is not None or member.case_no != case.case_no:
        return None
    groups.leave(tx, uid)
    if not member.counts:
        return None
    if others := groups.active(tx, case.case_no, member.person):
        groups.count_by(tx, others[0].uid)
        return None
    record = case.petition
    people = tuple(one for one in record.petitioners if groups.person_code(tx.vault, one) != member.person)
    keys = keys_of(people, record.accused, record.problem_region)
    petitions.index_people(tx, case.case_no, [(key.kind, tx.vault.index(*key)) for key in keys])
    return replace(record, petitioners=people, headcount=max(1, record.headcount - 1))


def _same(one: Person, other: Person) -> bool:
    if one.id_no and other.id_no:
        return one.id_no == other.id_no
    return bool(one.mobile) and (one.mobile, one.name) == (other.mobile, other.name)


def _tell(tx: Transaction, case_no: str, pause: timedelta) -> None:
    """One order for all who join within the pause; one that may be on its way already does not count."""
    waiting = any(
        order.kind == "dispatch" and order.state is OrderState.OPEN and not order.attempts and order.due > tx.now
        for order in outbox.of(tx, case_no)
    )
    if not waiting:
        outbox.add(tx, "dispatch", case_no, due=tx.now + pause, payload=BECAUSE)
