"""Each decision is one commit of record, history and order; stale, forbidden and wrong ones change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from casework.decisions import Stale
from petition.arrival import Outcome
from petition.errors import Conflict, Forbidden, Invalid, NotFound
from petition.people import Accused
from petition.petition import Evidence, Lane, Purpose
from petition.workflow import Status
from store import outbox, petitions
from store.accounts import Officer
from store.database import Store
from store.outbox import OrderState
from store.petitions import Case
from tests.casework.samples import CLERK, PERSON, Parts, get, officer, orders, put, steps

SCREENER = officer()


def deliver(store: Store, case: Case) -> None:
    def work(tx: Any) -> None:
        for order in outbox.of(tx, case.case_no):
            outbox.delivered(tx, order)

    store.write_now(work)


def correct(
    store: Store, parts: Parts, case: Case, typed: dict[str, str], who: Officer = SCREENER, **more: Any
) -> Case:
    reason = more.pop("reason", "电话核实")
    version = more.pop("version", case.version)
    return store.write_now(lambda tx: parts.decisions.correct(tx, who, case.case_no, version, typed, reason, **more))


def test_a_correction_is_signed_and_indexed(store: Store, parts: Parts) -> None:
    guessed = {"title": Evidence(stage="text", source="content", confidence=0.4, span=(0, 2))}
    case = put(store, evidence=guessed)
    correct(store, parts, case, {"title": "新标题", "petitioners.0.mobile": "15400000009", "category": "03.03"})
    now = get(store, case.case_no)
    assert now.petition.title == "新标题"
    assert now.petition.evidence["title"] == Evidence(stage="officer", source="officer", confidence=1.0)
    assert "category" not in now.petition.evidence, "what was not changed is not signed"
    assert {(note.field, note.words) for note in now.petition.notes} == {
        ("title", "电话核实"),
        ("petitioners", "电话核实"),
    }
    assert steps(store, case)[-1] == ("correct", "officer:yanshi", False)
    codes = [store.vault.index("mobile", f"+861540000000{last}") for last in (1, 9)]
    found = store.read_now(lambda tx: [len(petitions.by_people(tx, [code])) for code in codes])
    assert found == [0, 1]


def test_evidence_that_pointed_into_an_older_text_points_nowhere(store: Store, parts: Parts) -> None:
    span = Evidence(stage="text", source="content", confidence=0.9, span=(0, 2))
    case = put(store, evidence={"occur_time": span, "purpose": Evidence(stage="p", source="title", confidence=0.9)})
    correct(store, parts, case, {"content": "全新的内容"})
    assert get(store, case.case_no).petition.evidence["occur_time"].span is None


@pytest.mark.parametrize(
    ("typed", "reason", "fields"),
    [
        ({"title": "反映物业收费"}, "电话核实", ["title"]),
        ({"title": "新"}, " ", ["reason"]),
        ({"title": "新"}, "长" * 501, ["reason"]),
        ({"headcount": "x", "category": "99"}, "", ["category", "headcount", "reason"]),
    ],
    ids=["nothing changed", "no reason", "endless reason", "everything at once"],
)
def test_a_wrong_correction_changes_nothing(
    store: Store, parts: Parts, typed: dict[str, str], reason: str, fields: list[str]
) -> None:
    case = put(store)
    with pytest.raises(Invalid) as raised:
        correct(store, parts, case, typed, reason=reason)
    assert [problem.field for problem in raised.value.problems] == fields
    assert get(store, case.case_no) == case


def test_a_stale_form_names_who_was_faster(store: Store, parts: Parts) -> None:
    case = put(store)
    correct(store, parts, case, {"title": "快"}, officer(name="kuai"))
    with pytest.raises(Stale) as raised:
        correct(store, parts, case, {"title": "慢"})
    assert "kuai" in raised.value.words
    assert get(store, case.case_no).petition.title == "快"


@pytest.mark.parametrize("typed", [{"purpose": "ACCUSATION"}, {"confidential": "yes"}])
def test_what_becomes_secret_moves_to_the_sealed_lane(store: Store, parts: Parts, typed: dict[str, str]) -> None:
    assert correct(store, parts, put(store), typed).lane is Lane.SEALED


def test_out_of_the_sealed_lane_only_by_the_verb_and_never_with_an_accusation(store: Store, parts: Parts) -> None:
    clerk = officer(**CLERK)
    case = put(store, lane=Lane.SEALED, confidential=True, orders=())
    still = correct(store, parts, case, {"confidential": "no"}, clerk)
    assert still.lane is Lane.SEALED, "a flag alone does not open the lane"
    assert correct(store, parts, still, {}, clerk, unseal=True).lane is Lane.NORMAL
    accusation = put(store, lane=Lane.SEALED, purpose=Purpose.ACCUSATION)
    with pytest.raises(Invalid):
        correct(store, parts, accusation, {}, clerk, unseal=True)
    assert get(store, accusation.case_no).lane is Lane.SEALED


def test_an_open_order_is_left_alone_a_held_one_is_made_anew(store: Store, parts: Parts) -> None:
    waiting, held = put(store), put(store)
    store.write_now(lambda tx: outbox.hold(tx, outbox.of(tx, held.case_no)[0], "没有可以承办的单位"))
    for case in (waiting, held):
        correct(store, parts, case, {"problem_region": "620105"})
    assert orders(store, waiting) == [("dispatch", OrderState.OPEN, "")]
    assert orders(store, held) == [("dispatch", OrderState.WITHDRAWN, ""), ("dispatch", OrderState.OPEN, "")]


def test_after_the_delivery_the_unit_gets_the_corrected_record(store: Store, parts: Parts) -> None:
    case = put(store, unit="620102-housing", status=Status.FORWARDED)
    deliver(store, case)
    correct(store, parts, case, {"title": "更正后的标题"})
    assert orders(store, case)[-1] == ("dispatch", OrderState.OPEN, "620102-housing")


def test_a_unit_that_becomes_accused_gets_nothing_more(store: Store, parts: Parts) -> None:
    case = put(store, unit="620102-housing", status=Status.FORWARDED)
    deliver(store, case)
    correct(store, parts, case, {"accused": "城关区住建局 / / 局长"})
    assert orders(store, case)[-1] == ("dispatch", OrderState.OPEN, "")


def test_confirming_what_the_machine_registered_marks_it(store: Store, parts: Parts) -> None:
    case = put(store, status=Status.FORWARDED)
    confirmed = store.write_now(lambda tx: parts.decisions.confirm(tx, SCREENER, case.case_no, case.version))
    assert (confirmed.status, confirmed.confirmed_at) == (Status.FORWARDED, store.clock())
    assert steps(store, case)[-1][0] == "confirm"
    assert orders(store, case) == [("dispatch", OrderState.OPEN, "")]
    with pytest.raises(Conflict):
        store.write_now(lambda tx: parts.decisions.confirm(tx, SCREENER, case.case_no, confirmed.version))


def test_confirming_a_held_arrival_registers_and_dispatches_it(store: Store, parts: Parts) -> None:
    case = put(
        store, standing=Outcome.HELD, status=Status.RECEIVED, read=False, reason="看不清", orders=(("read", {}),)
    )
    store.write_now(lambda tx: parts.decisions.confirm(tx, SCREENER, case.case_no, case.version))
    now = get(store, case.case_no)
    assert (now.standing, now.status, now.hold_reason) == (Outcome.PETITION, Status.REGISTERED, "")
    assert now.petition.registered_at == store.clock()
    assert now.read_at is not None
    assert orders(store, case) == [("read", OrderState.WITHDRAWN, ""), ("dispatch", OrderState.OPEN, "")]
    assert [event for event, _, _ in steps(store, case)][-2:] == ["screen", "register"]


def test_what_is_missing_needs_a_note(store: Store, parts: Parts) -> None:
    case = put(store, petitioners=(), problem_region="")

    def confirm(note: str) -> Case:
        return store.write_now(lambda tx: parts.decisions.confirm(tx, SCREENER, case.case_no, case.version, note))

    with pytest.raises(Invalid) as raised:
        confirm(" ")
    assert all(label in raised.value.problems[0].words for label in ("问题属地", "信访人姓名", "住址"))
    confirm("来信未署名,无法补齐")
    assert get(store, case.case_no).petition.notes[-1].words == "来信未署名,无法补齐"


def test_an_anonymous_petition_misses_no_person(store: Store, parts: Parts) -> None:
    case = put(store, petitioners=(), is_anonymous=True)
    store.write_now(lambda tx: parts.decisions.confirm(tx, SCREENER, case.case_no, case.version))


@pytest.mark.parametrize(("read", "kind"), [(False, "read"), (True, "dispatch")])
def test_a_released_arrival_goes_on(store: Store, parts: Parts, read: bool, kind: str) -> None:
    """What nobody has read is read; what was read goes out as it stands."""
    case = put(store, standing=Outcome.HELD, status=Status.RECEIVED, read=read, reason="未验签", orders=())
    store.write_now(lambda tx: parts.decisions.release_held(tx, SCREENER, case.case_no, case.version, "已电话核实"))
    now = get(store, case.case_no)
    assert (now.standing, now.hold_reason) == (Outcome.PETITION, "")
    assert now.status is (Status.REGISTERED if read else Status.RECEIVED)
    assert orders(store, case) == [(kind, OrderState.OPEN, "")]
    with pytest.raises(Conflict):
        store.write_now(lambda tx: parts.decisions.release_held(tx, SCREENER, case.case_no, now.version, "再来"))


def test_a_held_arrival_a_person_corrected_is_not_read_over(store: Store, parts: Parts) -> None:
    case = put(store, standing=Outcome.HELD, status=Status.RECEIVED, read=False, reason="看不清", orders=())
    corrected = correct(store, parts, case, {"title": "人工录入的标题"})
    store.write_now(lambda tx: parts.decisions.release_held(tx, SCREENER, case.case_no, corrected.version, "已核实"))
    assert orders(store, case) == [("dispatch", OrderState.OPEN, "")]


def test_nothing_is_corrected_while_the_machine_still_reads(store: Store, parts: Parts) -> None:
    case = put(store, status=Status.RECEIVED, read=False, orders=(("read", {}),))
    with pytest.raises(Conflict):
        correct(store, parts, case, {"title": "太早"})


VERBS: list[tuple[str, Callable[[Parts, Any, Officer, Case], Any]]] = [
    (
        "correct",
        lambda p, tx, who, case: p.decisions.correct(tx, who, case.case_no, case.version, {"title": "x"}, "理由"),
    ),
    ("confirm", lambda p, tx, who, case: p.decisions.confirm(tx, who, case.case_no, case.version)),
    (
        "reroute",
        lambda p, tx, who, case: p.decisions.reroute(tx, who, case.case_no, case.version, "620102-police", "理由"),
    ),
    ("release", lambda p, tx, who, case: p.decisions.release_held(tx, who, case.case_no, case.version, "理由")),
    ("link", lambda p, tx, who, case: p.decisions.link(tx, who, case.case_no, case.version, "x", same=True)),
    ("retry", lambda p, tx, who, case: p.decisions.retry(tx, who, case.case_no, 1)),
]


@pytest.mark.parametrize(("name", "verb"), VERBS, ids=[name for name, _ in VERBS])
@pytest.mark.parametrize(
    ("who", "lane", "accused", "error"),
    [
        (officer("inspector"), Lane.NORMAL, (), Forbidden),
        (officer(region="620105", unit="620105-xinfang"), Lane.NORMAL, (), Forbidden),
        (SCREENER, Lane.SEALED, (), NotFound),
        (SCREENER, Lane.NORMAL, (Accused(name="演示员"),), NotFound),
    ],
    ids=["without the verb", "out of reach", "sealed", "recused"],
)
def test_no_verb_works_for_whoever_may_not(
    store: Store,
    parts: Parts,
    name: str,
    verb: Callable[[Parts, Any, Officer, Case], Any],
    who: Officer,
    lane: Lane,
    accused: tuple[Accused, ...],
    error: type[Exception],
) -> None:
    case = put(store, lane=lane, accused=accused)
    with pytest.raises(error):
        store.write_now(lambda tx: verb(parts, tx, who, case))
    assert get(store, case.case_no) == case


@pytest.mark.parametrize(("name", "verb"), VERBS[:5], ids=[name for name, _ in VERBS[:5]])
def test_every_versioned_verb_notices_a_stale_form(
    store: Store, parts: Parts, name: str, verb: Callable[[Parts, Any, Officer, Case], Any]
) -> None:
    case = put(store)
    store.write_now(lambda tx: petitions.amend(tx, case, actor="dispatch", event="forward"))
    with pytest.raises(Stale) as raised:
        store.write_now(lambda tx: verb(parts, tx, SCREENER, case))
    assert "系统" in raised.value.words


def test_a_person_is_found_by_the_sample_number(store: Store) -> None:
    """The look-ups of these tests are the real ones."""
    put(store)
    code = store.vault.index("mobile", PERSON.mobile)
    assert len(store.read_now(lambda tx: petitions.by_people(tx, [code]))) == 1
