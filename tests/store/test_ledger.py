"""The ledger: one entry an event, numbers without gaps, duplicates linked, the chain unbroken."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from petition.arrival import Outcome
from petition.errors import NotFound
from store import history, ledger, outbox, petitions, tables
from store.database import Store, open_store
from store.proof import verify
from store.reconciliation import reconcile
from tests.store.conftest import SECRET
from tests.store.entries import CODE, entry


async def test_a_new_event_opens_one_case_with_history_order_and_code(store: Store) -> None:
    entered = await store.enter(entry(store))
    assert entered.outcome is Outcome.PETITION
    case = store.read_now(lambda tx: petitions.get(tx, entered.case_no))
    assert (case.case_no, case.petition.case_no, case.petition.title) == (entered.case_no,) * 2 + ("路灯不亮",)
    steps = store.read_now(lambda tx: history.of(tx, entered.case_no))
    assert [step.event for step in steps] == ["receive"]
    assert [order.kind for order in store.read_now(lambda tx: outbox.of(tx, entered.case_no))] == ["dispatch"]
    assert store.read_now(lambda tx: petitions.check_code(tx, entered.case_no, CODE.lower()))
    assert not store.read_now(lambda tx: petitions.check_code(tx, entered.case_no, "AAAA-BBBB-CCCD"))
    assert not store.read_now(lambda tx: petitions.check_code(tx, "620000W2026112299999X", CODE))


async def test_the_same_event_again_is_linked_and_opens_nothing(store: Store) -> None:
    first = await store.enter(entry(store))
    again = await store.enter(entry(store))
    assert (again.case_no, again.outcome, again.same) == (first.case_no, Outcome.LINKED, True)
    assert again.received_at == first.received_at
    assert store.read_now(petitions.count) == 1


async def test_the_same_id_with_other_content_is_refused_and_kept(store: Store) -> None:
    await store.enter(entry(store))
    other = await store.enter(entry(store, raw=b"something else"))
    assert (other.outcome, other.same) == (Outcome.REFUSED, False)
    figures = store.read_now(reconcile)["web"].figures()
    assert figures == {
        "received": 2, "petitions": 1, "linked": 0, "held": 0, "refused": 1, "dispatched": 0, "waiting": 1, "gap": 0
    }  # fmt: skip


async def test_duplicates_inside_one_batch_make_one_case(store: Store) -> None:
    results = await asyncio.gather(*(store.enter(entry(store)) for _ in range(50)))
    assert len({one.case_no for one in results}) == 1
    assert [one.outcome for one in results].count(Outcome.PETITION) == 1


async def test_numbers_run_without_gaps_per_channel_and_cases_per_day(store: Store) -> None:
    wanted = [entry(store, f"r{i}", channel=("web", "rest")[i % 2]) for i in range(40)]
    await asyncio.gather(*(store.enter(one) for one in wanted))
    rows = store.read_now(
        lambda tx: tx.connection.execute(select(tables.ledger.c.channel, tables.ledger.c.counter)).all()
    )
    for channel in ("web", "rest"):
        assert sorted(counter for name, counter in rows if name == channel) == list(range(1, 21))
    numbers = store.read_now(lambda tx: tx.connection.scalars(select(tables.petitions.c.case_no)).all())
    assert sorted(int(number[15:20]) for number in numbers) == list(range(1, 41))


async def test_a_refused_input_opens_no_case_and_does_not_block_its_id(store: Store) -> None:
    await store.enter(entry(store, outcome=Outcome.REFUSED, reason="unreadable"))
    good = await store.enter(entry(store))
    assert good.outcome is Outcome.PETITION


async def test_a_supplement_joins_its_case_and_an_unknown_case_is_an_error_for_it_alone(store: Store) -> None:
    case = await store.enter(entry(store))
    joined, lost = await asyncio.gather(
        store.enter(entry(store, "more", attach_to=case.case_no, orders=(("read", {}),))),
        store.enter(entry(store, "lost", attach_to="620000W2026112299999X")),
        return_exceptions=True,
    )
    assert not isinstance(joined, BaseException)
    assert (joined.case_no, joined.outcome) == (case.case_no, Outcome.LINKED)
    assert isinstance(lost, NotFound)
    assert [s.event for s in store.read_now(lambda tx: history.of(tx, case.case_no))] == ["receive", "supplement"]


async def test_the_chain_goes_on_after_a_restart(url: str, tmp_path: Path) -> None:
    for turn in range(3):
        store = open_store(url, tmp_path, SECRET, min_free=0)
        await asyncio.gather(*(store.enter(entry(store, f"{turn}-{i}")) for i in range(5)))
        store.close()
    store = open_store(url, tmp_path, SECRET, min_free=0)
    assert verify(store, tmp_path) == []
    assert store.read_now(reconcile)["web"].received == 15
    store.close()


async def test_two_writers_on_postgresql_keep_a_chain_each(postgres_url: str, tmp_path: Path) -> None:
    from store.migrate import migrate

    migrate(postgres_url)
    stores = [open_store(postgres_url, tmp_path / name, SECRET, min_free=0) for name in ("a", "b")]
    await asyncio.gather(*(stores[i % 2].enter(entry(stores[0], f"r{i // 2}")) for i in range(80)))
    rows = stores[0].read_now(
        lambda tx: tx.connection.execute(
            select(tables.ledger_heads.c.chain, tables.ledger_heads.c.counter).where(
                tables.ledger_heads.c.channel == ""
            )
        ).all()
    )
    assert sorted(chain for chain, _ in rows) == [1, 2]
    assert sum(counter for _, counter in rows) == 80
    assert stores[0].read_now(petitions.count) == 40
    assert verify(stores[0], tmp_path / "a") == []
    for one in stores:
        one.close()


@pytest.mark.parametrize("table", ["ledger", "history", "audit"])
async def test_what_is_appended_cannot_be_changed_or_deleted_by_sql(store: Store, table: str) -> None:
    await store.enter(entry(store))
    store.write_now(lambda tx: tx.connection.execute(tables.audit.insert().values(at=1, actor="x", action="y")))
    target = tables.metadata.tables[table]
    for change in (target.delete(), target.update().values({target.c.id: target.c.id + 1})):
        with pytest.raises(DBAPIError, match="append-only"):
            _now(store, change)
    assert store.read_now(lambda tx: tx.connection.scalar(select(func.count()).select_from(target))) == 1


def _now(store: Store, change: object) -> None:
    """Run a statement on the writing engine itself, around the writer, which would hide the database's words."""
    from store.database import writing_engine

    engine = writing_engine(store.url)
    try:
        with engine.begin() as connection:
            connection.execute(change)  # type: ignore[call-overload]
    finally:
        engine.dispose()


async def test_an_event_told_in_two_ways_is_one_event(store: Store) -> None:
    first = await store.enter(entry(store, "M1:listed", event="M1:in"))
    late = await store.enter(entry(store, "M1:in", raw=b"as a webhook tells it"))
    again = await store.enter(entry(store, "M1:listed", event="M1:in"))
    other = await store.enter(entry(store, "M1:listed", event="M1:in", raw=b"something else"))
    assert [one.case_no for one in (late, again, other)] == [first.case_no] * 3
    assert [one.outcome for one in (first, late, again, other)] == [
        Outcome.PETITION, Outcome.LINKED, Outcome.LINKED, Outcome.REFUSED
    ]  # fmt: skip
    assert first.first is None
    assert late.first is not None
    assert late.first[0] == "M1:listed"
    assert store.read_now(lambda tx: ledger.first_event(tx, "web", "M1:in"))[0] == first.case_no
    assert store.read_now(lambda tx: ledger.first_event(tx, "web", "M1:listed")) == ("", "")


async def test_two_tellings_in_one_batch_make_one_case(store: Store) -> None:
    tellings = [entry(store, "M1:in"), entry(store, "M1:listed", event="M1:in", raw=b"{}")] * 20
    results = await asyncio.gather(*(store.enter(one) for one in tellings))
    assert len({one.case_no for one in results}) == 1
    assert [one.outcome for one in results].count(Outcome.LINKED) == 39
