"""Queues hold what the officer may see, the most pressing first; search and looks at sealed cases leave a trail."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from casework.desk import EXACT, Band, Filters, Queue, find_original, without_hidden_links
from casework.permissions import Denied, Verb, Why
from petition.arrival import Outcome
from petition.clock import SHANGHAI
from petition.errors import Forbidden, NotFound
from petition.petition import Lane, Purpose, Related, RelatedKind, Urgency
from petition.workflow import Status
from store import audit, outbox
from store.accounts import Officer
from store.database import Store
from store.history import Step
from store.transaction import Transaction
from tests.casework.conftest import NOON
from tests.casework.samples import CLERK, HOUSING, PERSON, Parts, get, officer, put

HANDLER = officer("unit_handler", region="620102", unit="620102-housing")


def titles(store: Store, parts: Parts, queue: Queue, who: Officer | None = None, **filters: Any) -> list[str]:
    wanted = Filters(**filters)
    items = store.read_now(lambda tx: parts.desk.items(tx, who or officer(), queue, wanted))
    return [item.case.petition.title for item in items]


def counts(store: Store, parts: Parts, who: Officer | None = None) -> list[int]:
    found = store.read_now(lambda tx: parts.desk.counts(tx, who or officer()))
    return [found[queue] for queue in (Queue.HELD, Queue.NEW, Queue.ORDERS)]


def ago(days: float) -> datetime:
    return NOON - timedelta(days=days)


def hold_order(store: Store, case_no: str, problem: str) -> None:
    def work(tx: Transaction) -> None:
        for order in outbox.of(tx, case_no):
            outbox.hold(tx, order, problem)

    store.write_now(work)


def test_each_queue_holds_its_own(store: Store, parts: Parts) -> None:
    put(store, title="新")
    put(store, title="待核", standing=Outcome.HELD, status=Status.RECEIVED, reason="看不清", orders=())
    held = put(store, title="转不出")
    hold_order(store, held.case_no, "对方拒收")
    confirmed = put(store, title="已确认")
    done = parts.decisions
    store.write_now(lambda tx: done.confirm(tx, officer(), confirmed.case_no, confirmed.version, "都有"))
    assert titles(store, parts, Queue.HELD) == ["待核"]
    assert set(titles(store, parts, Queue.NEW)) == {"新", "转不出"}
    assert titles(store, parts, Queue.ORDERS) == ["转不出"]
    assert set(titles(store, parts, Queue.ALL)) == {"新", "待核", "转不出", "已确认"}
    assert counts(store, parts) == [1, 2, 1]


def test_every_item_says_why_it_waits(store: Store, parts: Parts) -> None:
    put(store, standing=Outcome.HELD, reason="看不清", orders=())
    hold_order(store, put(store).case_no, "对方拒收")
    read = parts.desk.items
    assert store.read_now(lambda tx: read(tx, officer(), Queue.HELD))[0].why == "看不清"
    item = store.read_now(lambda tx: read(tx, officer(), Queue.ORDERS))[0]
    assert (item.why, item.order is not None) == ("对方拒收", True)


def test_next_up_is_late_or_major_then_due_then_urgent_then_old(store: Store, parts: Parts) -> None:
    put(store, title="新而紧急", at=ago(1), urgency=Urgency.URGENT)
    put(store, title="旧", at=ago(5))
    put(store, title="新", at=ago(2))
    put(store, title="将到期", at=ago(14))
    put(store, title="超期", at=ago(30))
    put(store, title="重大", at=ago(0), urgency=Urgency.MAJOR)
    assert titles(store, parts, Queue.NEW) == ["重大", "超期", "将到期", "新而紧急", "旧", "新"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"urgency": Urgency.URGENT}, ["紧急"]),
        ({"purpose": Purpose.SUGGESTION}, ["建议"]),
        ({"category": "04"}, ["欠薪"]),
        ({"category": "03.03"}, ["建议", "紧急", "超期"]),
        ({"late": True}, ["超期"]),
        ({"urgency": Urgency.MAJOR}, []),
    ],
)
def test_filters(store: Store, parts: Parts, filters: dict[str, Any], expected: list[str]) -> None:
    put(store, title="紧急", urgency=Urgency.URGENT)
    put(store, title="建议", purpose=Purpose.SUGGESTION)
    put(store, title="欠薪", category="04.01")
    put(store, title="超期", at=ago(40))
    assert sorted(titles(store, parts, Queue.NEW, **filters)) == sorted(expected)


def test_lists_and_counts_end_at_region_unit_lane_and_recusal(store: Store, parts: Parts) -> None:
    put(store, title="城关", problem_region="620102")
    put(store, title="安宁", problem_region="620105")
    put(store, title="属地不明", problem_region="")
    put(store, title="住建承办", problem_region="620102", unit="620102-housing")
    put(store, title="反映住建", problem_region="620102", unit="620102-housing", accused=(HOUSING,))
    put(store, title="检举", lane=Lane.SEALED, purpose=Purpose.ACCUSATION)
    county = officer("screener", region="620102", unit="620102-xinfang")
    everything = {"城关", "安宁", "属地不明", "住建承办", "反映住建"}
    for who, expected in (
        (officer(), everything),
        (county, {"城关", "住建承办", "反映住建"}),
        (HANDLER, {"住建承办"}),
        (officer(**CLERK), {"检举"}),
        (officer("auditor"), set()),
    ):
        assert set(titles(store, parts, Queue.NEW, who)) == expected
        assert counts(store, parts, who)[1] == len(expected), "a count must not tell of a case that is hidden"


def test_a_long_queue_is_counted_by_the_database_and_cut_at_the_end(store: Store, parts: Parts) -> None:
    for _ in range(EXACT + 1):
        put(store)
    assert counts(store, parts)[1] == EXACT + 1


def test_looking_is_audited_where_it_must_be(store: Store, parts: Parts) -> None:
    plain = put(store).case_no
    sealed = put(store, lane=Lane.SEALED).case_no
    accused = put(store, unit="620102-housing", accused=(HOUSING,)).case_no

    def look(who: Officer, case_no: str, verb: Verb = Verb.READ) -> tuple[str, Why | None]:
        sight = store.read_now(lambda tx: parts.desk.look(tx, who, case_no, verb))
        return sight.audit_action, sight.verdict.why if isinstance(sight.verdict, Denied) else None

    assert look(officer(), plain) == ("", None)
    assert look(officer(**CLERK), sealed) == ("read_sealed", None)
    assert look(officer(), sealed) == ("denied", Why.LANE)
    assert look(HANDLER, accused) == ("denied", Why.RECUSED)
    assert look(officer("inspector"), plain, Verb.CORRECT) == ("", Why.VERB)
    missing = store.read_now(lambda tx: parts.desk.look(tx, officer(), "nothing"))
    hidden = store.read_now(lambda tx: parts.desk.look(tx, officer(), sealed))
    words = []
    for sight in (missing, hidden):
        with pytest.raises(NotFound) as raised:
            sight.get()
        words.append(raised.value.words)
    assert words[0] == words[1], "a hidden case must look like one that does not exist"


@pytest.mark.parametrize(
    "text",
    [
        "15400000001",
        "+86 154-0000-0001",
        "１５４００００００01",
        "620199198503120012",
        "0931-8000000",
        "demo@example.com",
    ],
)
def test_search_finds_by_every_key_and_leaves_a_masked_trail(store: Store, parts: Parts, text: str) -> None:
    person = PERSON.__class__(
        name="张示例",
        id_no="620199198503120012",
        mobile="+8615400000001",
        landline="0931-8000000",
        email="demo@example.com",
    )
    mine = put(store, petitioners=(person,))
    put(store, petitioners=(person,), lane=Lane.SEALED)
    put(store, petitioners=(PERSON.__class__(name="李演示", mobile="+8615400000002"),))
    found = store.write_now(lambda tx: parts.desk.search(tx, officer(), text, "127.0.0.1"))
    assert [case.case_no for case in found] == [mine.case_no]
    (row,) = store.read_now(audit.recent)
    assert (row.action, row.actor, row.address) == ("search", "officer:yanshi", "127.0.0.1")
    assert not any(part in row.reason for part in ("0000001", "0312001", "8000000", "demo@")), row.reason


@pytest.mark.parametrize("text", ["张示例", "123", "", "x" * 5000])
def test_search_by_anything_else_finds_nothing(store: Store, parts: Parts, text: str) -> None:
    with pytest.raises(NotFound):
        store.write_now(lambda tx: parts.desk.search(tx, officer(), text, ""))


def test_search_needs_the_verb(store: Store, parts: Parts) -> None:
    with pytest.raises(Forbidden):
        store.write_now(lambda tx: parts.desk.search(tx, HANDLER, "15400000001", ""))


@pytest.mark.parametrize(
    ("days", "band", "words"),
    [
        (0, Band.FINE, "还有17天"),  # the fifteenth day is a Saturday
        (14, Band.DUE, "还有3天"),  # and so is this one
        (15, Band.DUE, "今天到期"),
        (20, Band.LATE, "已超期4天"),
    ],
)
def test_lamps_tell_days_in_words(store: Store, parts: Parts, days: int, band: Band, words: str) -> None:
    lamp = parts.desk.lamp(put(store, at=ago(days)), NOON.date())
    assert lamp is not None
    assert (lamp.band, lamp.words, lamp.deadline.key) == (band, words, "transfer")


def test_a_lamp_follows_the_status(store: Store, parts: Parts) -> None:
    def lamp(status: Status, *steps: Step) -> str:
        found = parts.desk.lamp(put(store, status=status, orders=()), NOON.date(), steps)
        return found.deadline.key if found else ""

    accepted = Step(
        id=1,
        case_no="x",
        at=NOON,
        event="accept",
        status=Status.ACCEPTED,
        unit="",
        actor="",
        words="",
        document="",
        public=True,
    )
    assert lamp(Status.FORWARDED) == "acceptance"
    assert lamp(Status.IN_PROGRESS, accepted) == "opinion"
    assert lamp(Status.IN_PROGRESS) == ""
    assert lamp(Status.CONCLUDED) == ""


def test_a_year_without_calendar_says_so(store: Store, parts: Parts) -> None:
    lamp = parts.desk.lamp(put(store, at=datetime(2031, 5, 1, 9, tzinfo=SHANGHAI)), date(2031, 5, 2))
    assert lamp is not None
    assert lamp.words.endswith("（暂定）")


def test_the_original_comes_back_byte_for_byte(store: Store) -> None:
    case = put(store)
    original = store.read_now(lambda tx: find_original(tx, case))
    assert original is not None
    assert (original.body, original.channel) == (f'{{"id":"{case.petition.raw_id}"}}'.encode(), "web")


def test_a_proposed_link_to_a_hidden_case_is_not_shown(store: Store, parts: Parts) -> None:
    seen, sealed = put(store), put(store, lane=Lane.SEALED)
    related = tuple(
        Related(case_no=number, kind=RelatedKind.LINK, score=0.9, reason="同一手机号")
        for number in (seen.case_no, sealed.case_no, "gone")
    )
    case = get(store, put(store, related=related).case_no)
    shown = store.read_now(lambda tx: without_hidden_links(tx, parts.permissions, officer(), case))
    assert [link.case_no for link in shown.petition.related] == [seen.case_no]
