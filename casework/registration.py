"""Registration (登记): what a petition must have to be registered, and how a held arrival becomes one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from petition.arrival import READING_FAILED, Outcome
from petition.petition import Petition
from petition.workflow import Status
from store import outbox, petitions
from store.petitions import Case
from store.transaction import Transaction

_LABELS = {
    "title": "标题",
    "content": "内容",
    "purpose": "信访目的",
    "category": "内容分类",
    "problem_region": "问题属地",
    "petitioners.name": "信访人姓名",
    "petitioners.id_no": "证件号码",
    "petitioners.address": "住址",
}


def let_in(tx: Transaction, case: Case, actor: str, reason: str) -> Case:
    """A held arrival becomes a petition: what nobody has read yet is read by the machine, which then registers and
    dispatches it; what a person has corrected, or what reading breaks on, goes on as it stands."""
    if case.read_at is None and not case.hold_reason.startswith(READING_FAILED):
        changes: dict[str, Any] = {}
        kind = "read"
    else:
        changes = {"petition": replace(case.petition, registered_at=tx.now), "status": Status.REGISTERED}
        kind = "dispatch"
    released = petitions.amend(
        tx,
        case,
        actor=actor,
        event="release",
        standing=Outcome.PETITION,
        hold_reason="",
        words=reason,
        public=False,
        read=kind == "dispatch",
        **changes,
    )
    outbox.add(tx, kind, case.case_no)
    return released


def missing(petition: Petition) -> tuple[str, ...]:
    """Labels of the fields that must be there at registration (DOMAIN 3.1) and are not."""
    found = [key for key in ("title", "purpose", "category", "problem_region") if not getattr(petition, key)]
    if not (petition.content or petition.main_facts):
        found.append("content")
    if not petition.is_anonymous:
        for key in ("name", "id_no", "address"):
            if not any(getattr(person, key) for person in petition.petitioners):
                found.append(f"petitioners.{key}")
    return tuple(_LABELS[key] for key in found)
