"""The status table: complete, connected, and true to the invariants of the domain."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from petition.workflow import (
    CLOSED,
    FINAL,
    MOVES,
    PROGRESS,
    Actor,
    Event,
    Overlay,
    Status,
    events_from,
    is_open,
    may,
    move_of,
    progress,
    words_for_citizen,
)

BEFORE_REGISTRATION = {Status.DRAFT, Status.RECEIVED, Status.SCREENED, Status.RETURNED_FOR_SUPPLEMENT}
AFTER_DISPATCH = {
    *(Status.FORWARDED, Status.ASSIGNED, Status.OBJECTED, Status.ACCEPTED, Status.IN_PROGRESS, Status.EXTENDED),
    *(Status.OPINION_ISSUED, Status.REVIEW, Status.RE_REVIEW),
}


def reached(start: Iterable[Status], *, without: Status | None = None) -> set[Status]:
    """Every state one can come to from `start`, optionally with one state taken out of the graph."""
    found, open_ends = set(start), list(start)
    while open_ends:
        status = open_ends.pop()
        for event in events_from(status):
            after = may(status, event)
            if after and after not in found and after is not without:
                found.add(after)
                open_ends.append(after)
    return found


def test_all_thirty_eight_rows_of_the_domain_are_there_in_order() -> None:
    numbers = [move.number for move in MOVES]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 39))


def test_a_state_and_an_event_have_one_outcome() -> None:
    pairs = [(status, move.event) for move in MOVES for status in move.before or (None,)]
    assert len(pairs) == len(set(pairs))


def test_every_event_is_used_and_every_row_names_actor_and_source() -> None:
    assert {move.event for move in MOVES} == set(Event)
    assert {actor for move in MOVES for actor in move.actor} == set(Actor)
    assert {move.overlay for move in MOVES if move.overlay} == set(Overlay)
    assert all(move.actor and move.source for move in MOVES)
    assert all(not move.document or move.document.startswith("DOC_") for move in MOVES)


def test_every_state_is_reachable_and_every_one_but_the_archive_can_be_left() -> None:
    first = may(None, Event.ARRIVE)
    assert first is Status.RECEIVED
    assert reached([Status.DRAFT, first]) == set(Status)
    for status in Status:
        ways_out = {may(status, event) for event in events_from(status)} - {status}
        assert bool(ways_out) == (status not in FINAL), status


def test_no_event_deletes_a_case() -> None:
    """Invariant (a): whatever the table allows ends in a state, and the archive is reached from everywhere."""
    for status in Status:
        assert all(isinstance(may(status, event), Status) for event in events_from(status))
        assert Status.ARCHIVED in reached([status])


def test_nothing_is_handled_before_it_is_registered() -> None:
    """Invariant (b): without REGISTERED only ends without handling are left: withdrawn, linked, not accepted again."""
    beyond = reached([Status.DRAFT, Status.RECEIVED], without=Status.REGISTERED) - BEFORE_REGISTRATION
    assert beyond == {Status.LINKED_DUPLICATE, Status.NO_LONGER_ACCEPTED, Status.WITHDRAWN, Status.ARCHIVED}


@pytest.mark.parametrize(
    ("after", "needed"),
    [
        (Status.ACCEPTED, "legal_path"),  # invariant (c)
        (Status.DIVERTED_STATUTORY, "legal_path"),
        (Status.DELIVERED, "delivered_on"),  # invariant (d)
        (Status.TERMINATED, "delivered_on"),
        (Status.FORWARDED, "lead_unit"),
        (Status.LINKED_DUPLICATE, "first_case_no"),
    ],
)
def test_a_state_needs_its_facts_first(after: Status, needed: str) -> None:
    # Sending an objection back returns to the unit the record names already.
    rows = [move for move in MOVES if move.after is after and move.event is not Event.REFUSE_OBJECTION]
    assert rows
    assert all(needed in move.needs for move in rows)


def test_after_dispatch_the_gateway_decides_nothing_itself() -> None:
    """Invariant (e): once a unit has it, only people elsewhere move it; the system only lets remedies lapse."""
    for status in AFTER_DISPATCH:
        for event in events_from(status):
            move = move_of(status, event)
            assert move is not None
            assert Actor.SYSTEM not in move.actor or move.event is Event.REMEDY_LAPSE, (status, event)


@pytest.mark.parametrize(
    ("start", "events", "states"),
    [
        pytest.param(
            Status.DRAFT,
            "submit screen register forward accept investigate sign_opinion deliver open_rating rate archive",
            "RECEIVED SCREENED REGISTERED FORWARDED ACCEPTED IN_PROGRESS OPINION_ISSUED DELIVERED RATING_OPEN "
            "CONCLUDED ARCHIVED",
            id="the ordinary way",
        ),
        pytest.param(
            None,
            "arrive ask_supplement supplement screen register forward object agree_objection assign object "
            "refuse_assigned_objection accept investigate extend sign_opinion deliver remedy_lapse",
            "RECEIVED RETURNED_FOR_SUPPLEMENT RECEIVED SCREENED REGISTERED FORWARDED OBJECTED REGISTERED ASSIGNED "
            "OBJECTED ASSIGNED ACCEPTED IN_PROGRESS EXTENDED OPINION_ISSUED DELIVERED CONCLUDED",
            id="not ours, says the unit",
        ),
        pytest.param(
            Status.DELIVERED,
            "open_rating rate ask_review order_redo sign_opinion deliver ask_review maintain_opinion ask_re_review "
            "order_hearing maintain_opinion deliver_final same_facts_again",
            "RATING_OPEN CONCLUDED REVIEW IN_PROGRESS OPINION_ISSUED DELIVERED REVIEW REVIEW RE_REVIEW RE_REVIEW "
            "RE_REVIEW TERMINATED NO_LONGER_ACCEPTED",
            id="through all remedies; an early rating does not cost the review",
        ),
        pytest.param(Status.SCREENED, "link_duplicate archive", "LINKED_DUPLICATE ARCHIVED", id="the same again"),
        pytest.param(Status.REGISTERED, "divert_discipline", "DIVERTED_DISCIPLINE", id="an accusation"),
        pytest.param(
            Status.REGISTERED, "study_suggestion reply_suggestion", "SUGGESTION_STUDIED REPLIED", id="a suggestion"
        ),
        pytest.param(
            Status.RECEIVED,
            "mark_urgent screen call_back withdraw",
            "RECEIVED SCREENED SCREENED WITHDRAWN",
            id="marks and notes leave the state",
        ),
    ],
)
def test_journeys(start: Status | None, events: str, states: str) -> None:
    status = start
    for event, expected in zip(events.split(), states.split(), strict=True):
        status = may(status, Event(event))
        assert status is Status(expected), event


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (None, Event.FORWARD),
        (Status.DRAFT, Event.ARRIVE),
        (Status.DRAFT, Event.WITHDRAW),
        (Status.RECEIVED, Event.FORWARD),
        (Status.EXTENDED, Event.EXTEND),  # once only, Regulation art. 34
        (Status.ACCEPTED, Event.OBJECT),
        (Status.OPINION_ISSUED, Event.ASK_REVIEW),  # the thirty days begin with the delivery
        (Status.DELIVERED, Event.ASK_RE_REVIEW),
        (Status.TERMINATED, Event.ASK_REVIEW),
        (Status.DIVERTED_DISCIPLINE, Event.OPEN_RATING),
        (Status.WITHDRAWN, Event.REGISTER),
        (Status.ARCHIVED, Event.ARCHIVE),
    ],
)
def test_what_the_table_forbids(status: Status | None, event: Event) -> None:
    assert may(status, event) is None
    assert move_of(status, event) is None
    assert event not in events_from(status)


def test_open_means_somebody_still_owes_something() -> None:
    assert {status for status in Status if not is_open(status)} == CLOSED | {Status.DRAFT}
    assert is_open(Status.DELIVERED)
    assert not is_open(Status.LINKED_DUPLICATE)
    for status in Status:
        assert (may(status, Event.WITHDRAW) is Status.WITHDRAWN) == is_open(status)
        assert (may(status, Event.SUPERVISE) is status) == is_open(status)


def test_urgent_can_be_marked_as_long_as_it_is_open() -> None:
    for status in Status:
        move = move_of(status, Event.MARK_URGENT)
        assert (move is not None and move.overlay is Overlay.URGENT) == is_open(status)


@pytest.mark.parametrize("status", Status)
def test_the_citizen_reads_plain_chinese_and_no_code(status: Status) -> None:
    words = words_for_citizen(status)
    assert words
    assert not any(character.isascii() and character.isalpha() for character in words)
    assert 0 <= progress(status) <= len(PROGRESS) == 5


def test_an_objection_between_offices_is_not_shown() -> None:
    assert words_for_citizen(Status.OBJECTED) == words_for_citizen(Status.FORWARDED)
    assert progress(Status.OBJECTED) == progress(Status.FORWARDED)
    assert all(move.words == "" for move in MOVES if move.event is Event.OBJECT)


@pytest.mark.parametrize("status", Status)
def test_an_accusation_tells_no_more_than_that_it_was_passed_on(status: Status) -> None:
    words = words_for_citizen(status, accusation=True)
    if status in BEFORE_REGISTRATION | {Status.REGISTERED, Status.WITHDRAWN}:
        assert words == words_for_citizen(status)
    else:
        assert words == "已转有权机关"


def test_progress_does_not_run_backwards_on_the_ordinary_way() -> None:
    way = (
        *(Status.DRAFT, Status.RECEIVED, Status.SCREENED, Status.REGISTERED, Status.FORWARDED, Status.ACCEPTED),
        *(Status.IN_PROGRESS, Status.EXTENDED, Status.OPINION_ISSUED, Status.DELIVERED, Status.CONCLUDED),
    )
    steps = [progress(status) for status in way]
    assert steps == sorted(steps)
    assert set(steps) == {0, 1, 2, 3, 4, 5}
