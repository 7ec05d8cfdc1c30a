"""kill -9 at random moments: every input is acknowledged, is exactly one petition, and exactly once at the router."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.crash.run import Plan, Report, run
from tests.crash.sabotage import PLANTED
from tests.crash.ways import KINDS
from tests.servers.postgres import private_postgres
from tests.servers.redis import private_redis

KILLS = int(os.environ.get("GATEWAY_TEST_KILLS", "10"))
LATE = max(1, KILLS // 5)


def judged(plan: Plan, folder: Path) -> Report:
    """Run, print the summary (pytest shows it with -s or when the test fails)."""
    report = run(plan, folder)
    print(f"\n{report.table()}")
    return report


def test_nothing_is_lost_and_nothing_happens_twice(folder: Path) -> None:
    report = judged(Plan(kills=KILLS - LATE, late=LATE), folder)
    assert not report.complaints, report.table()
    # The run was worth something: there was a crowd at every door, there were duplicates and lost answers.
    inputs = report.record.inputs
    assert report.starts == KILLS + 1
    assert len(inputs) >= 20 * KILLS
    assert {one.kind for one in inputs} == KINDS
    assert sum(one.wanted - 1 for one in inputs) >= len(inputs) // 20
    assert report.record.unanswered >= KILLS
    assert report.calls > report.deliveries


def test_nothing_is_lost_on_postgresql(folder: Path) -> None:
    kills = max(2, KILLS // 5)
    with private_postgres(fsync=True) as server, server.database() as url:
        settings = {"GATEWAY_DATABASE_URL": url, "GATEWAY_READING": "inline"}
        report = judged(Plan(kills=kills - 1, late=1, settings=settings), folder)
    assert not report.complaints, report.table()
    assert report.starts == kills + 1


@pytest.mark.only_in_make_crash
def test_nothing_is_lost_with_a_worker_of_its_own(folder: Path) -> None:
    """PostgreSQL, Redis, and a worker that is killed together with the gateway."""
    with private_postgres(fsync=True) as server, server.database() as url, private_redis() as redis:
        settings = {"GATEWAY_DATABASE_URL": url, "GATEWAY_BROKER_URL": redis.url, "GATEWAY_READING": "inline"}
        report = judged(Plan(kills=3, late=1, settings=settings), folder)
    assert not report.complaints, report.table()


# In `make test` stay those that need the fewest seconds; the others are looked for by `make crash`.
QUICK = frozenset({"random-key"})


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in QUICK else pytest.mark.only_in_make_crash) for name in PLANTED],
)
def test_a_planted_mistake_is_seen(name: str, folder: Path) -> None:
    _, must, may = PLANTED[name]
    plan = Plan(kills=3, deliver=False, sabotage=name, shortest=0.3, longest=0.6, at_start=0.0)
    if name == "random-key":
        plan = replace(plan, kills=0, deliver=True)
    elif name == "marked-before-sent":
        plan = replace(plan, kills=1, late=2, deliver=True)
    report = judged(plan, folder)
    assert must <= report.codes <= must | may, report.table()
