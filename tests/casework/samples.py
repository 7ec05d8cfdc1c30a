"""Cases, officers and parts for the tests of the desk: real seals and rules, fictional people."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.corrections import Corrections
from casework.decisions import Decisions
from casework.desk import Desk
from casework.permissions import Permissions
from config.reference import Reference
from dispatch.conflict import Guard
from normalizer.intake import look_up_codes
from petition.arrival import Outcome
from petition.deadlines import DeadlineEngine
from petition.people import Accused, IdType, Person
from petition.petition import Form, Lane, Petition, Purpose
from petition.workflow import Status
from store import history, outbox, petitions
from store.accounts import Officer
from store.database import Store
from store.entry import Entry
from store.outbox import OrderState
from store.petitions import Case, code_hash, seal_record
from store.proof import original_context
from store.vault import digest_of

OFFICE = "620000"
PERSON = Person(
    name="张示例",
    id_type=IdType.RESIDENT_ID,
    id_no="620199198503120012",
    mobile="+8615400000001",
    address="兰州市城关区示例街道演示小区1号楼",
    region_code="620102",
)
WHOLE: Mapping[str, Any] = {
    "petitioners": (PERSON,),
    "title": "反映物业收费",
    "content": "我叫张示例,电话15400000001,物业多收了费用。",
    "purpose": Purpose.APPEAL,
    "category": "03.03",
    "problem_region": "620102",
}
HOUSING = Accused(unit="城关区住房和城乡建设局")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Parts:
    """The desk over one reference, with the real conflict guard."""

    reference: Reference
    permissions: Permissions
    desk: Desk
    decisions: Decisions


def parts_of(reference: Reference) -> Parts:
    """What the composition root would build."""
    guard = Guard(reference.units).check
    permissions = Permissions(roles=reference.roles, units=reference.units, office_region=OFFICE, guard=guard)
    engine = DeadlineEngine(reference.deadlines.rules, reference.calendars)
    decisions = Decisions(
        permissions=permissions,
        corrections=Corrections(reference.regions, reference.categories),
        guard=guard,
        look_up_codes=look_up_codes,
    )
    return Parts(reference, permissions, Desk(permissions, engine), decisions)


def officer(role: str = "screener", **changes: Any) -> Officer:
    """An officer of the provincial bureau."""
    values: dict[str, Any] = {
        "id": 1,
        "name": "yanshi",
        "display_name": "演示员",
        "roles": (role,),
        "region": OFFICE,
        "unit": "620000-xinfang",
        "lanes": frozenset({Lane.NORMAL}),
    }
    return Officer(**{**values, **changes})


CLERK: Mapping[str, Any] = {"role": "discipline_clerk", "unit": "620000-discipline", "lanes": frozenset({Lane.SEALED})}


def put(
    store: Store,
    *,
    lane: Lane = Lane.NORMAL,
    standing: Outcome = Outcome.PETITION,
    status: Status = Status.REGISTERED,
    reason: str = "",
    read: bool = True,
    unit: str = "",
    at: datetime | None = None,
    orders: tuple[tuple[str, Mapping[str, Any]], ...] = (("dispatch", {}),),
    **fields: Any,
) -> Case:
    """A case in the store, as the intake would have entered it; `fields` are those of the petition."""
    uid, received, raw_id = os.urandom(16), at or store.clock(), f"sample-{next(_numbers)}"
    petition = Petition(
        case_no="",
        form=Form.WEB,
        raw_id=raw_id,
        petition_date=received.date(),
        received_at=received,
        **{**WHOLE, **fields},
    )
    raw = f'{{"id":"{raw_id}"}}'.encode()
    digest = digest_of(raw)
    entry = Entry(
        channel="web",
        form=Form.WEB,
        region=OFFICE,
        raw_id=raw_id,
        received_at=received,
        digest=digest,
        size=len(raw),
        media_type="application/json",
        original=store.vault.seal(raw, original_context(digest)),
        outcome=standing,
        reason=reason,
        uid=uid,
        record=seal_record(store.vault, store.records.petition_to_json(petition), uid),
        status=status,
        lane=lane.value,
        problem_region=petition.problem_region,
        category=petition.category,
        purpose=petition.purpose.value if petition.purpose else "",
        urgency=petition.urgency.value,
        headcount=petition.headcount,
        code_hash=code_hash(store.vault, uid, "AAAA-BBBB-CCCC"),
        look_ups=look_up_codes(store.vault, petition),
        orders=orders,
        read=read,
    )
    number = store.writer.write_now(entry).case_no
    if unit:
        case = get(store, number)
        store.write_now(lambda tx: petitions.amend(tx, case, actor="dispatch", event="forward", unit=unit))
    return get(store, number)


def steps(store: Store, case: Case) -> list[tuple[str, str, bool]]:
    """(event, actor, public) of the history."""
    found = store.read_now(lambda tx: history.of(tx, case.case_no))
    return [(step.event, step.actor, step.public) for step in found]


def orders(store: Store, case: Case) -> list[tuple[str, OrderState, str]]:
    """(kind, state, unit) of the outbox."""
    found = store.read_now(lambda tx: outbox.of(tx, case.case_no))
    return [(order.kind, order.state, str(order.payload.get("unit", ""))) for order in found]


def get(store: Store, case_no: str) -> Case:
    """The case as it stands now."""
    return store.read_now(lambda tx: petitions.get(tx, case_no))
