"""Rating: when it is open, that it is given once, and what it leaves behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from casework.rating import Ratings
from config.ratings import load_ratings
from config.reference import DATA
from petition.errors import Conflict, Invalid
from petition.petition import Lane, LegalPath, Purpose
from petition.workflow import Status
from store import history, petitions
from store.database import Store
from store.petitions import Case
from tests.casework.conftest import SetClock
from tests.casework.samples import Parts, get, put, steps

UNIT = "620102-housing"


@pytest.fixture(scope="session")
def ratings(parts: Parts) -> Ratings:
    return Ratings(load_ratings(DATA), parts.desk.engine)


def answered(store: Store, status: Status = Status.DELIVERED, *, unit: str = UNIT, **fields: Any) -> Case:
    """A case that has come to this state a moment ago."""
    case = put(store, unit=unit, **fields)
    return store.write_now(
        lambda tx: petitions.amend(tx, case, actor="routing", event=status.value.lower(), status=status)
    )


def is_open(store: Store, ratings: Ratings, case: Case) -> bool:
    now = get(store, case.case_no)
    found = store.read_now(lambda tx: history.of(tx, case.case_no))
    return ratings.period(now, found, store.clock().date()).open


# label, status, fields of the petition, whether it may be rated
OPEN: list[tuple[str, Status, dict[str, Any], bool]] = [
    ("delivered", Status.DELIVERED, {}, True),
    ("answered on the spot", Status.ANSWERED_ON_SPOT, {}, True),
    ("opened by the routing system", Status.RATING_OPEN, {}, True),
    ("not answered yet", Status.IN_PROGRESS, {}, False),
    ("concluded", Status.CONCLUDED, {}, False),
    ("a repeat", Status.DELIVERED, {"is_repeat": True, "is_first": False}, False),
    ("a repeat the routing system opened", Status.RATING_OPEN, {"is_repeat": True, "is_first": False}, True),
    ("litigation", Status.DELIVERED, {"litigation_related": True}, False),
    ("arbitration", Status.DELIVERED, {"legal_path": LegalPath.P2}, False),
    ("a petition opinion", Status.DELIVERED, {"legal_path": LegalPath.P6}, True),
    ("an accusation", Status.RATING_OPEN, {"purpose": Purpose.ACCUSATION}, False),
    ("in the sealed lane", Status.RATING_OPEN, {"lane": Lane.SEALED}, False),
    ("rated", Status.RATING_OPEN, {"rating_bureau": 3}, False),
]


@pytest.mark.parametrize(("status", "fields", "may"), [case[1:] for case in OPEN], ids=[case[0] for case in OPEN])
def test_what_may_be_rated(store: Store, ratings: Ratings, status: Status, fields: dict[str, Any], may: bool) -> None:
    assert is_open(store, ratings, answered(store, status, **fields)) is may


def test_a_rating_is_given_once_and_concludes_the_case(store: Store, ratings: Ratings) -> None:
    case = answered(store)
    rated = store.write_now(lambda tx: ratings.rate(tx, case.case_no, "3", "1", "修好了，就是慢。"))
    assert (rated.status, rated.petition.rating_bureau, rated.petition.rating_unit) == (Status.CONCLUDED, 3, 1)
    assert steps(store, case)[-2:] == [("open_rating", "gateway", False), ("rate", "petitioner", True)]
    last = store.read_now(lambda tx: history.of(tx, case.case_no))[-1]
    assert last.words == "对信访部门：满意；对责任单位：不满意。修好了，就是慢。"
    with pytest.raises(Conflict, match="评价过"):
        store.write_now(lambda tx: ratings.rate(tx, case.case_no, "1", "1", ""))


def test_the_words_are_sealed(store: Store, ratings: Ratings) -> None:
    case = answered(store)
    store.write_now(lambda tx: ratings.rate(tx, case.case_no, "3", "3", "独特的评语"))
    rows = store.read_now(lambda tx: tx.connection.exec_driver_sql("SELECT words FROM history").all())
    assert not any("独特".encode() in bytes(row[0]) for row in rows if row[0])


def test_only_the_bureau_is_rated_where_no_unit_has_the_case(store: Store, ratings: Ratings) -> None:
    case = answered(store, Status.ANSWERED_ON_SPOT, unit="")
    rated = store.write_now(lambda tx: ratings.rate(tx, case.case_no, "2", "", ""))
    assert (rated.petition.rating_bureau, rated.petition.rating_unit) == (2, None)


def test_what_is_missing_is_said_at_once(store: Store, ratings: Ratings) -> None:
    case = answered(store)
    with pytest.raises(Invalid) as caught:
        store.write_now(lambda tx: ratings.rate(tx, case.case_no, "", "9", "长" * 501))
    assert {each.field for each in caught.value.problems} == {"bureau", "unit", "words"}
    assert get(store, case.case_no).status is Status.DELIVERED


def test_the_period_ends(store: Store, ratings: Ratings, clock: SetClock) -> None:
    case = answered(store)
    now = get(store, case.case_no)
    found = store.read_now(lambda tx: history.of(tx, case.case_no))
    until = ratings.period(now, found, store.clock().date()).until
    assert until is not None
    clock.move(days=(until.end - store.clock().date()).days)
    assert is_open(store, ratings, case)
    clock.move(days=timedelta(days=1).days)
    assert not is_open(store, ratings, case)
    with pytest.raises(Conflict, match="期限"):
        store.write_now(lambda tx: ratings.rate(tx, case.case_no, "3", "3", ""))
