"""Queue tickets: no gap, no number twice, called in turn, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from petition.errors import Conflict, NotFound
from store import tickets
from store.database import Store
from store.tickets import Ticket, TicketState

HALL, OTHER = "620000-xinfang", "620102-xinfang"
RANKS = {"disabled": 1}


def issue(store: Store, priority: str = "", office: str = HALL) -> Ticket:
    return store.write_now(lambda tx: tickets.issue(tx, office, "counter", priority))


def call(store: Store, window: str = "1") -> int:
    called = store.write_now(lambda tx: tickets.call_next(tx, HALL, window, RANKS))
    return called.number if called else 0


def move(store: Store, number: int, state: TicketState) -> Ticket:
    return store.write_now(lambda tx: tickets.move(tx, HALL, number, state))


def test_numbers_have_no_gap_though_many_ask_at_once(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: issue(store).number, range(24)))
    assert sorted(given) == list(range(1, 25))


def test_each_hall_counts_for_itself(store: Store) -> None:
    assert [issue(store).number, issue(store, office=OTHER).number, issue(store).number] == [1, 1, 2]
    assert store.read_now(tickets.offices) == [HALL, OTHER]


def test_who_needs_it_is_called_first_then_by_number(store: Store) -> None:
    for priority in ("", "", "disabled", "unknown"):
        issue(store, priority)
    assert [call(store) for _ in range(5)] == [3, 1, 2, 4, 0]


def test_the_way_of_a_number(store: Store) -> None:
    issue(store)
    assert call(store, "3") == 1
    again = move(store, 1, TicketState.CALLED)
    assert (again.calls, again.window) == (2, "3")
    assert move(store, 1, TicketState.LEFT).state is TicketState.LEFT
    assert move(store, 1, TicketState.CALLED).calls == 3, "who comes back is called again"
    move(store, 1, TicketState.SERVING)
    assert move(store, 1, TicketState.DONE).state is TicketState.DONE


@pytest.mark.parametrize("state", [TicketState.SERVING, TicketState.DONE, TicketState.WAITING])
def test_what_cannot_follow_is_refused(store: Store, state: TicketState) -> None:
    issue(store)
    with pytest.raises(Conflict):
        move(store, 1, state)


def test_a_number_that_was_not_given(store: Store) -> None:
    with pytest.raises(NotFound):
        move(store, 7, TicketState.LEFT)
