"""A proposed repeat is agreed to or refused by a person; what the machine had guessed gives way."""

from __future__ import annotations

from typing import Any

import pytest

from casework.decisions import related_key
from petition.arrival import Outcome
from petition.errors import NotFound
from petition.petition import Lane, Related, RelatedKind
from petition.workflow import Status
from store.database import Store
from store.outbox import OrderState
from store.petitions import Case
from tests.casework.samples import Parts, officer, orders, put

SCREENER = officer()


def link(store: Store, parts: Parts, case: Case, other: str, same: bool = True) -> Case:
    return store.write_now(lambda tx: parts.decisions.link(tx, SCREENER, case.case_no, case.version, other, same=same))


def proposal(other: Case, kind: RelatedKind = RelatedKind.LINK) -> tuple[Related, ...]:
    return (Related(case_no=other.case_no, kind=kind, score=0.93, reason="同一手机号,诉求相同"),)


def test_an_agreed_repeat_counts_from_the_first_case(store: Store, parts: Parts) -> None:
    first = put(store, first_case_no="ORIGIN", repeat_count=1)
    case = put(store, related=proposal(first), status=Status.FORWARDED)
    linked = link(store, parts, case, first.case_no)
    record = linked.petition
    assert (record.is_repeat, record.is_first, record.first_case_no, record.repeat_count) == (True, False, "ORIGIN", 2)
    assert (linked.status, linked.standing) == (Status.FORWARDED, Outcome.PETITION)


def test_before_the_registration_a_repeat_is_joined_and_not_dispatched(store: Store, parts: Parts) -> None:
    first = put(store)
    case = put(store, related=proposal(first), status=Status.SCREENED)
    linked = link(store, parts, case, first.case_no)
    assert (linked.status, linked.standing) == (Status.LINKED_DUPLICATE, Outcome.LINKED)
    assert orders(store, case) == [("dispatch", OrderState.WITHDRAWN, "")]


def test_a_group_matter_is_agreed_without_being_a_repeat(store: Store, parts: Parts) -> None:
    first = put(store)
    linked = link(store, parts, put(store, related=proposal(first, RelatedKind.JOINT)), first.case_no)
    assert not linked.petition.is_repeat
    assert linked.petition.related == proposal(first, RelatedKind.JOINT)
    assert linked.petition.evidence[related_key(first.case_no)].source == "officer"


def test_a_refused_proposal_is_gone(store: Store, parts: Parts) -> None:
    first = put(store)
    case = link(store, parts, put(store, related=proposal(first)), first.case_no, same=False)
    assert (case.petition.related, case.petition.is_repeat) == ((), False)


def test_a_link_to_a_hidden_case_is_refused_like_one_that_is_not_there(store: Store, parts: Parts) -> None:
    sealed = put(store, lane=Lane.SEALED)
    with pytest.raises(NotFound):
        link(store, parts, put(store, related=proposal(sealed)), sealed.case_no)


def test_what_the_machine_had_guessed_is_counted_once_and_taken_back_when_refused(store: Store, parts: Parts) -> None:
    first = put(store)
    guessed: dict[str, Any] = {"is_repeat": True, "is_first": False, "first_case_no": first.case_no, "repeat_count": 1}
    agreed = link(store, parts, put(store, related=proposal(first), **guessed), first.case_no)
    assert agreed.petition.repeat_count == 1
    refused = link(store, parts, put(store, related=proposal(first), **guessed), first.case_no, same=False).petition
    assert (refused.is_repeat, refused.is_first, refused.first_case_no, refused.repeat_count) == (False, True, "", 0)
